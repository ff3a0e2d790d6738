"""What is bargained over, and the way each side goes from its opening to where they meet.

Good sellers give in ever smaller steps and ask for something in return; poor ones begin with crumbs
and end with slices.
"""

from collections.abc import Sequence
from decimal import Decimal
from random import Random

import msgspec

from domain.negotiation.facts import Better, Issue, IssueKind, Option
from domain.values import Money, decimal_text

_DIMINISHING = {1: (1.0,), 2: (0.7, 1.0), 3: (0.6, 0.9, 1.0), 4: (0.5, 0.78, 0.92, 1.0)}
_GROWING = {1: (1.0,), 2: (0.25, 1.0), 3: (0.15, 0.45, 1.0), 4: (0.08, 0.25, 0.55, 1.0)}


class Stance(msgspec.Struct, frozen=True):
    """One issue, and the ways of the two sides on it. The first values are the openings."""

    issue: Issue
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    target: str
    walk_away: str

    @property
    def meeting(self) -> str:
        """Where our way ends."""
        return self.ours[-1]


class Terms(msgspec.Struct, frozen=True):
    """The shape of a negotiation before it begins."""

    price: Money
    discount: float
    """Share of the price that we give away in the end."""
    rounds: int
    skilled: bool
    """Whether our steps get smaller."""
    ends_well: bool
    """Whether the two sides meet; else they stop half-way."""


class Talks(msgspec.Struct):
    """A negotiation as it goes; `step` is how far both sides have come on their ways."""

    id: str
    stances: tuple[Stance, ...]
    skilled: bool
    ends_well: bool
    step: int = 0
    our_offer: str | None = None
    their_offer: str | None = None
    promised: list[str] = msgspec.field(default_factory=list)
    """The offers of ours that asked for something in return, until that came."""
    asked: str | None = None
    """What we asked for last."""

    @property
    def steps(self) -> int:
        return max(len(stance.ours) for stance in self.stances) - 1


def at(way: tuple[str, ...], step: int) -> str:
    """Where a way has come to after so many steps."""
    return way[min(step, len(way) - 1)]


def stances(terms: Terms, names: Sequence[str], rng: Random) -> tuple[Stance, ...]:
    """The issues of these names, as `terms` will go."""
    return tuple(
        _price(terms, rng) if name == "price" else _other(name, terms, rng) for name in names
    )


def _price(terms: Terms, rng: Random) -> Stance:
    opening = float(terms.price.amount)
    grain = 10 ** max(0, len(str(int(opening))) - 4)
    meeting = opening * (1 - terms.discount)
    floor = opening * (1 - terms.discount * rng.uniform(0.9, 1.5) - 0.01)
    theirs = opening * (1 - terms.discount - rng.uniform(0.05, 0.13))
    issue = Issue(
        id="price",
        kind=IssueKind.PRICE,
        unit=terms.price.currency,
        better_for_us=Better.HIGHER,
        better_for_them=Better.LOWER,
        our_opening=_number(opening, grain),
        weight=rng.choice((50, 60, 60, 70)),
        money_per_unit=Money.parse("1", terms.price.currency),
        their_priority=rng.choice((4, 5, 5)),
    )
    target = opening * (1 - terms.discount * rng.uniform(0.3, 0.8))
    return Stance(
        issue=issue,
        ours=_way(opening, meeting, terms.rounds, grain, shrinking=terms.skilled, rng=rng),
        theirs=_their_way(theirs, meeting, terms, terms.rounds, grain=grain, rng=rng),
        target=_number(target, grain),
        walk_away=_number(floor, grain),
    )


class _Kind(msgspec.Struct, frozen=True):
    """An issue that is a number: where we open, where they do, and in which steps."""

    kind: IssueKind
    unit: str
    ours: int
    theirs: int
    grain: int
    worth: float
    """What one unit costs, as a share of the price."""


_KINDS = {
    "payment-days": _Kind(IssueKind.PAYMENT_TIME, "days", 30, 90, 5, 0.0002),
    "prepayment": _Kind(IssueKind.PAYMENT_METHOD, "%", 40, 0, 5, 0.0003),
    "warranty": _Kind(IssueKind.SERVICE_FREE, "months", 12, 36, 3, 0.0015),
    "delivery": _Kind(IssueKind.DELIVERY, "weeks", 20, 10, 1, 0.002),
    "penalty": _Kind(IssueKind.PENALTY, "% a week", 0, 3, 1, 0.004),
}
ISSUES = ("price", *_KINDS, "acceptance")
_ACCEPTANCE = ("on delivery", "after a trial run", "after three months in use")


def _other(name: str, terms: Terms, rng: Random) -> Stance:
    if name == "acceptance":
        return _acceptance(terms, rng)
    kind = _KINDS[name]
    span = kind.theirs - kind.ours
    meeting = kind.ours + span * rng.uniform(0.2, 0.45 if terms.skilled else 0.75)
    walk_away = kind.ours + span * rng.uniform(0.75, 0.9)
    lower = span > 0
    issue = Issue(
        id=name,
        kind=kind.kind,
        unit=kind.unit,
        better_for_us=Better.LOWER if lower else Better.HIGHER,
        better_for_them=Better.HIGHER if lower else Better.LOWER,
        our_opening=_number(kind.ours, kind.grain),
        weight=rng.choice((10, 15, 20)),
        money_per_unit=_unit_cost(terms.price, kind.worth),
        their_priority=rng.choice((1, 2, 3, 4)),
    )
    steps = max(1, terms.rounds - 1)
    return Stance(
        issue=issue,
        ours=_way(kind.ours, meeting, steps, kind.grain, shrinking=terms.skilled, rng=rng),
        theirs=_their_way(kind.theirs, meeting, terms, steps, grain=kind.grain, rng=rng),
        target=_number(kind.ours + span * 0.15, kind.grain),
        walk_away=_number(walk_away, kind.grain),
    )


def _acceptance(terms: Terms, rng: Random) -> Stance:
    options = tuple(
        Option(name, our_worth=str(ours), their_worth=str(theirs))
        for name, ours, theirs in zip(_ACCEPTANCE, (3, 2, 0), (0, 2, 3), strict=True)
    )
    issue = Issue(
        id="acceptance",
        kind=IssueKind.ACCEPTANCE,
        options=options,
        our_opening=_ACCEPTANCE[0],
        weight=10,
        money_per_unit=_unit_cost(terms.price, 0.004),
        their_priority=rng.choice((2, 3)),
    )
    first, middle, last = _ACCEPTANCE
    return Stance(issue, (first, middle), (last, middle), target=first, walk_away=last)


def _unit_cost(price: Money, share: float) -> Money:
    return Money.parse(str(max(1, round(float(price.amount) * share))), price.currency)


def _way(
    start: float, end: float, steps: int, grain: int, *, shrinking: bool, rng: Random
) -> tuple[str, ...]:
    """From `start` to `end` in so many steps, or fewer where they are too small to see."""
    shape = (_DIMINISHING if shrinking else _GROWING)[steps]
    shares = (0.0, *(share * rng.uniform(0.985, 1.015) for share in shape[:-1]), 1.0)
    values = [_number(start + (end - start) * share, grain) for share in shares]
    return tuple(dict.fromkeys(values))


def _their_way(
    start: float, meeting: float, terms: Terms, steps: int, *, grain: int, rng: Random
) -> tuple[str, ...]:
    """The customer's way to where we meet, or half of it."""
    end = meeting if terms.ends_well else start + (meeting - start) * rng.uniform(0.4, 0.6)
    return _way(start, end, steps, grain, shrinking=True, rng=rng)


def _number(value: float, grain: int) -> str:
    return decimal_text(str(Decimal(round(value / grain) * grain)))
