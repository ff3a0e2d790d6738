"""Handing many deals over: one ordinary command for each, under ids that follow from one id.

Theory of operation. That it is begun is recorded first, under the id of the whole, so that another
request under that id is refused. Each deal is then handed over by a command of its own. Asked
again under the same id, what those commands led to is told as it was, and the deals that are left
are come to; those that became theirs since it was begun are not meant. So it can be cut off
anywhere.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import TypeAlias

import msgspec

from api.problems import failure_of
from api.queries.listing import DealListing, list_deals
from api.recording import record_for_caller
from api.wire.reassignments import (
    Reassigned,
    ReassignedDeal,
    RefusedDeal,
    WantedReassignment,
)
from api.wire.recorded import token_of
from api.workspace import Workspace
from domain.access import Action, Principal, may
from domain.deal import decide
from domain.deciding import require_legible
from domain.history import StreamKind, stream_of
from domain.intent import Intent
from domain.lifecycle import Status
from domain.lifecycle.commands import ChangeOwner
from domain.lifecycle.facts import OpportunityOpened, OwnerChanged
from domain.refusals import InvalidOrganisation, Refusal, UnknownReference
from projections.deals import DealNotFound
from store.recorder import CommandRow

_PAGE = 500
_GOING_ON = (Status.OPEN, Status.SUSPENDED)

GoOn: TypeAlias = Callable[[int, int], bool]
"""Told how many deals are done, and of how many; whether to go on."""


def _always(done: int, of: int) -> bool:
    return True


def reassign(
    store: Workspace, asked: WantedReassignment, intent: Intent, go_on: GoOn = _always
) -> tuple[Reassigned, bool]:
    """Hand the deals over, and tell what came of it; and whether it was begun before.

    Raises Refusal where none can be handed over so, NotAllowed for who reads no deal, StoreError.
    """
    require_legible(asked)
    _require_sound(store, asked)
    if asked.dry_run:
        return _tried(store, asked, intent), False
    stream = stream_of(StreamKind.USER, intent.principal.id)
    begun = store.log.undertake(stream, asked, intent)
    earlier = dict(_earlier(store, intent)) if begun.repeated else {}
    wanted = [
        deal_id
        for deal_id in _selected(store, intent.principal, asked)
        if deal_id not in earlier
        and not (begun.repeated and _came_later(store, deal_id, begun.begun_at))
    ]
    found = _Found(asked, [_done(row) for row in earlier.values() if _changed(row)], wanted)
    for number, deal_id in enumerate(wanted):
        if not go_on(number, len(wanted)):
            found.remaining = len(wanted) - number
            break
        _hand_over(store, deal_id, asked, intent, found)
    return found.told(set(earlier)), begun.repeated


class _Found:
    """What came of it so far."""

    def __init__(
        self, asked: WantedReassignment, done: list[ReassignedDeal], wanted: list[str]
    ) -> None:
        self.asked = asked
        self.done = done
        self.wanted = wanted
        self.refused: list[RefusedDeal] = []
        self.unchanged: list[str] = []
        self.remaining = 0

    def refuse(self, deal_id: str, error: Exception) -> None:
        failure = failure_of(error)
        assert failure is not None
        self.refused.append(RefusedDeal(deal_id, failure.code, failure.detail, failure.advice))

    def told(self, earlier: set[str]) -> Reassigned:
        come_to = (set(self.wanted) | earlier) - set(self.unchanged)
        of_earlier = {one.deal_id for one in self.done}
        left = {one for one in self.asked.deals if one not in come_to}
        left |= (earlier - of_earlier) & set(self.asked.deals)
        done = sorted(self.done, key=lambda one: one.deal_id)
        return Reassigned(self.asked.dry_run, done, self.refused, sorted(left), self.remaining)


def _require_sound(store: Workspace, asked: WantedReassignment) -> None:
    if asked.from_owner == asked.to_owner:
        raise InvalidOrganisation(
            f"{asked.to_owner} owns their deals already", "Name another user to own them."
        )
    user = store.log.organisation().directory.users.get(asked.to_owner)
    if user is None or user.registered is None:
        raise UnknownReference(f"there is no user {asked.to_owner!r}", "Register them first.")


def _tried(store: Workspace, asked: WantedReassignment, intent: Intent) -> Reassigned:
    """What would come of it."""
    wanted = _selected(store, intent.principal, asked)
    found = _Found(asked, [], wanted)
    command = ChangeOwner(asked.to_owner, asked.reason)
    book, organisation = store.log.processes(), store.log.organisation()
    for deal_id in wanted:
        history = store.log.history(deal_id)
        try:
            decide(command, history, book, intent, organisation)
        except Refusal as error:
            found.refuse(deal_id, error)
        else:
            found.done.append(_told(deal_id, history.version))
    return found.told(set())


def _hand_over(
    store: Workspace, deal_id: str, asked: WantedReassignment, intent: Intent, found: _Found
) -> None:
    part = msgspec.structs.replace(
        intent,
        command_id=_part(intent.command_id, deal_id),
        correlation_id=intent.command_id,
    )
    try:
        command = ChangeOwner(asked.to_owner, asked.reason)
        carried = record_for_caller(store, deal_id, command, part)
    except (Refusal, DealNotFound) as error:
        found.refuse(deal_id, error)
        return
    if carried.handled.events:
        found.done.append(_told(deal_id, carried.handled.version))
    else:
        found.unchanged.append(deal_id)


def _told(deal_id: str, version: int) -> ReassignedDeal:
    token = token_of(stream_of(StreamKind.DEAL, deal_id), version)
    assert token is not None
    return ReassignedDeal(deal_id, version, token)


# Which deals.


def _selected(store: Workspace, principal: Principal, asked: WantedReassignment) -> list[str]:
    """The deals that are meant, of those the principal may read, in order of ids."""
    if asked.deals and asked.where == type(asked.where)():
        return sorted(one for one in set(asked.deals) if _is_theirs(store, principal, one, asked))
    found = set(_matching(store, principal, asked))
    return sorted(found & set(asked.deals) if asked.deals else found)


def _is_theirs(
    store: Workspace, principal: Principal, deal_id: str, asked: WantedReassignment
) -> bool:
    life = store.log.history(deal_id).deal.life
    scope = store.log.organisation().scope(life.owner, life.team_ids)
    theirs = life.owner == asked.from_owner and life.status in _GOING_ON
    return theirs and may(principal, Action.READ, scope).allowed


def _matching(store: Workspace, principal: Principal, asked: WantedReassignment) -> Iterator[str]:
    where = {name: str(value) for name, value in msgspec.to_builtins(asked.where).items()}
    for status in _GOING_ON:
        cursor: str | None = None
        while True:
            listing = DealListing(
                {**where, "owner": asked.from_owner, "status": status.value},
                sort="opened_at",
                limit=_PAGE,
                cursor=cursor,
            )
            page = list_deals(store, principal, listing)
            yield from (deal.id for deal in page.deals)
            cursor = page.cursor
            if cursor is None:
                break


def _came_later(store: Workspace, deal_id: str, moment: datetime) -> bool:
    """Whether a deal got its owner after that moment."""
    return any(
        event.recorded_at > moment
        for event in store.log.history(deal_id).events
        if isinstance(event.fact, (OpportunityOpened, OwnerChanged))
    )


# What was done under an id before.


def _prefix(command_id: str) -> str:
    return f"{sha256(command_id.encode()).hexdigest()[:40]}."


def _part(command_id: str, deal_id: str) -> str:
    """The id of the command that hands this deal over."""
    return _prefix(command_id) + sha256(deal_id.encode()).hexdigest()[:20]


def _earlier(store: Workspace, intent: Intent) -> Iterator[tuple[str, CommandRow]]:
    """The commands that were carried out under the id of the whole, by deal."""
    prefix, principal = _prefix(intent.command_id), intent.principal.id
    for row in store.log.records.commands((principal, prefix)):
        if row.principal != principal or not row.command_id.startswith(prefix):
            return
        yield row.stream.partition(":")[2], row


def _changed(row: CommandRow) -> bool:
    return row.first_version <= row.last_version


def _done(row: CommandRow) -> ReassignedDeal:
    return _told(row.stream.partition(":")[2], row.last_version)
