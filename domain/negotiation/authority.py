"""How far our side may go without asking: past the walk-away nobody, past a limit not its role.

Authority limits are configuration. A limit that cannot be compared with a value
(another unit, an option that does not exist) counts as exceeded.
"""

from collections.abc import Collection
from decimal import Decimal

from domain.access import Role
from domain.negotiation.facts import Better, Issue, IssueKind
from domain.negotiation.orders import can_take, discount_within, gain, has_order
from domain.negotiation.positions import IssueState
from domain.values import DecimalText, Label, Party, Value


class TermLimit(Value, frozen=True):
    """The value to which a role may go on issues of a kind; of numbers, in `unit`."""

    kind: IssueKind
    furthest: Label
    """The worst value that the role may go to."""
    unit: Label | None = None
    """Of numbers: the unit of the issue, without which the limit counts as exceeded."""


class RoleLimits(Value, frozen=True):
    """How far a role may go. What is not limited here is free."""

    role: Role
    discount_percent: DecimalText | None = None
    """On prices, off our opening: the one declared, else our first position."""
    terms: tuple[TermLimit, ...] = ()


class AuthorityLimits(Value, frozen=True):
    """The limits of all roles. Who holds several roles may go as far as the widest of them.

    A role that is not listed is not limited; without any, nobody is.
    """

    roles: tuple[RoleLimits, ...] = ()

    def cover(self, roles: Collection[Role], state: IssueState, value: str) -> bool:
        """Whether a holder of `roles` may go to `value` on their own."""
        listed = [one for one in self.roles if one.role in roles]
        free = set(roles) - {one.role for one in listed}
        return bool(free) or not roles or any(_covers(one, state, value) for one in listed)


def needs_approval(
    state: IssueState, value: str, roles: Collection[Role], limits: AuthorityLimits
) -> bool:
    """Whether our going to `value` takes a granted approval (rule 6).

    A value that is no worse than where we stand needs none. Where our order is not
    declared, no value can be told to be within a limit: then every move needs one.
    """
    issue, position = state.issue, state.position(Party.US)
    if not has_order(issue, Party.US):
        return value != position and not limits.cover(roles, state, value)
    if position is not None and not _loses(issue, position, value):
        return False
    walk_away = state.walk_away
    past = walk_away is not None and _loses(issue, walk_away, value)
    return past or not limits.cover(roles, state, value)


def _loses(issue: Issue, from_: str, to: str) -> bool:
    gained = gain(issue, Party.US, from_, to)
    return gained is not None and gained < 0


def _covers(limits: RoleLimits, state: IssueState, value: str) -> bool:
    issue = state.issue
    percent = limits.discount_percent
    if (
        issue.kind is IssueKind.PRICE
        and percent is not None
        and not _discount_covered(percent, state, value)
    ):
        return False
    return all(_reaches(limit, issue, value) for limit in limits.terms if limit.kind is issue.kind)


def _discount_covered(percent: str, state: IssueState, value: str) -> bool:
    """A price may be negotiated as an amount, or as the per cent taken off it."""
    issue = state.issue
    if issue.better_for_us is Better.LOWER and issue.unit == "%" and can_take(issue, value):
        return Decimal(value) <= Decimal(percent)
    stands = state.stands(Party.US)
    base = issue.our_opening or (stands[0].value if stands else value)
    if not has_order(issue, Party.US):
        return value == base
    if not _loses(issue, base, value):
        return True
    return issue.better_for_us is Better.HIGHER and discount_within(percent, base, value)


def _reaches(limit: TermLimit, issue: Issue, value: str) -> bool:
    if limit.unit != issue.unit:
        return False
    gained = gain(issue, Party.US, limit.furthest, value)
    return gained is not None and gained >= 0
