"""Carrying out a command on a deal: for who holds the files, and for who asks over HTTP.

Theory of operation. Whoever holds the files may know which deals there are; over HTTP a deal
that one may neither read nor record on answers as one that does not exist. So for a caller the
right to the command is asked for before anything that the deal would answer, its version among
it; only who repeats the very command that took this right from them is answered without it. What a
command says of another deal, or of the id that it wants for a new one, is refused in the same
words whether that deal is out of sight or not there.
"""

from collections.abc import Sequence
from uuid import UUID, uuid5

import msgspec

from api.queries.listing import deal_of_reference
from api.queries.views import LONGEST_NAME
from api.workspace import Workspace
from domain.access import EVERYTHING, Action, DealScope, Principal, may, require
from domain.corrections import MergeDeal, require_going_on
from domain.deal import COMMAND_TYPES, DealCommand
from domain.history import Fact, Recorded, StreamKind, stream_of
from domain.intent import Command, Intent, command_name
from domain.lifecycle import Life
from domain.lifecycle.commands import OpenOpportunity
from domain.people.commands import EraseSubject
from domain.refusals import IdTaken, NotAllowed
from projections.deals import DealNotFound
from store.handled import Handled
from store.repeats import may_repeat

NOT_ALONE = (EraseSubject,)
"""Commands that are not given on one deal alone: the keys, and all other deals, would stay."""

ON_A_DEAL: dict[str, type[Command]] = {
    command_name(one): one
    for one in COMMAND_TYPES
    if one is not OpenOpportunity and one not in NOT_ALONE
}
"""The commands on a deal that there is, by name."""

_NEW_DEALS = UUID("0e9a2c5e-52a4-5d5c-9a3b-5a3d0c1f7a10")


class UnusableId(ValueError):
    """What was given cannot be the id of a deal."""


class Carried(msgspec.Struct, frozen=True):
    """What a command led to."""

    deal_id: str
    handled: Handled
    events: Sequence[Recorded[Fact]]
    """Of the command, as far as whoever recorded it may read them now."""


def new_deal_id(store: Workspace, wanted: str | None, intent: Intent) -> str:
    """The id wanted, else one that follows from the command, so that repeating it opens no other.

    Raises UnusableId, and IdTaken where the id wanted would hide another deal.
    """
    if wanted is None:
        return str(uuid5(_NEW_DEALS, f"{intent.principal.id}\x1f{intent.command_id}"))
    if wanted != wanted.strip() or not wanted.isprintable():
        raise UnusableId("an id has no blanks at its ends and no control characters")
    # Once there is a deal of that id the log tells whether this repeats its opening.
    is_there = bool(store.log.history(wanted).events)
    if not is_there and deal_of_reference(store, wanted) is not None:
        raise IdTaken(
            f"another deal has the reference {wanted!r}", "Open the new deal under another id."
        )
    return wanted


def open_for_caller(
    store: Workspace, wanted: str | None, command: OpenOpportunity, intent: Intent
) -> Carried:
    """Open a deal for who asks over HTTP. Raises UnusableId, Refusal, StoreError.

    Raises NotAllowed for who opens no deals at all. That an id is taken cannot be hidden; by
    what is.
    """
    require(intent.principal, command.right, DealScope())
    if wanted is not None and not _fits_a_path(wanted):
        raise UnusableId(f"an id has 1 to {LONGEST_NAME} characters, no slash, and more than dots")
    try:
        deal_id = new_deal_id(store, wanted, intent)
        return _carried(store, deal_id, store.log.handle(deal_id, command, intent), intent)
    except (IdTaken, NotAllowed):
        # Not allowed on the deal that bears the id; anew they may, as was asked above.
        advice = "Open the new deal under another id."
        raise IdTaken(f"the id {wanted!r} is taken", advice) from None


def record_for_caller(
    store: Workspace,
    deal_id: str,
    command: DealCommand,
    intent: Intent,
    expected_version: int | None = None,
) -> Carried:
    """Record something on a deal for who asks over HTTP. Raises Refusal, StoreError.

    Raises DealNotFound, as for a deal that does not exist, for who may neither read it nor do
    that there; NotAllowed for who may read it.
    """
    principal = intent.principal
    scope = _scope(store, deal_id)
    allowed = may(principal, command.right, scope).allowed
    if not allowed and not may_repeat(store.log, deal_id, command, intent):
        if not may(principal, Action.READ, scope).allowed:
            raise DealNotFound(deal_id, [])
        require(principal, command.right, scope)
    if isinstance(command, MergeDeal) and not _may_read(store, principal, command.into):
        require_going_on(command.into, Life())
    handled = store.log.handle(deal_id, command, intent, expected_version)
    return _carried(store, deal_id, handled, intent)


def _fits_a_path(deal_id: str) -> bool:
    """Whether a URL can name it: clients resolve `.` and `..`, and a slash ends a segment."""
    return 0 < len(deal_id) <= LONGEST_NAME and "/" not in deal_id and bool(deal_id.strip("."))


def _carried(store: Workspace, deal_id: str, handled: Handled, intent: Intent) -> Carried:
    """With the events as the recorder may read them: of all rights, as of now.

    Who opens a deal for somebody else, or hands one over, may record that and not read it.
    """
    seen = may(intent.principal, Action.READ, _scope(store, deal_id)).visible & store.log.visible
    if not handled.events or seen == EVERYTHING:
        return Carried(deal_id, handled, handled.events)
    stream = stream_of(StreamKind.DEAL, deal_id)
    events = store.log.events_in(stream, seen)
    return Carried(deal_id, handled, [events[one.version - 1] for one in handled.events])


def _may_read(store: Workspace, principal: Principal, deal_id: str) -> bool:
    try:
        return may(principal, Action.READ, _scope(store, deal_id)).allowed
    except DealNotFound:
        return False


def _scope(store: Workspace, deal_id: str) -> DealScope:
    """Whose a deal is, from memory: deciding needs the whole of it anyway. Raises DealNotFound."""
    fits = 0 < len(deal_id) <= LONGEST_NAME and "\0" not in deal_id
    history = store.log.history(deal_id) if fits else None
    if history is None or not history.events:
        raise DealNotFound(deal_id, [])
    life = history.deal.life
    return store.log.organisation().scope(life.owner, life.team_ids)
