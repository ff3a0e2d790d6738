"""Which events somebody may learn to be in the log, by having an answer wait for them."""

from api.queries.views import view_of_readable
from api.workspace import Awaited, Workspace
from domain.access import NO_DEAL, PUBLIC_ONLY, Action, Principal, may, may_somewhere
from domain.history import StreamKind
from projections.deals import DealNotFound
from store.errors import UnreadableEvent

_OF_THE_ORGANISATION = frozenset(
    {
        *(StreamKind.PROCESS, StreamKind.USER, StreamKind.UNIT, StreamKind.AUTHORITY),
        *(StreamKind.RATES, StreamKind.TARGET),
    }
)
"""What whoever holds a role is shown."""


def may_know_of(store: Workspace, principal: Principal, awaited: Awaited) -> bool:
    """Whether they may be told that an event is in the log, which it is.

    That of a deal which they may read, of what everybody is shown, one that they recorded
    themselves; all of them who may audit.
    """
    if may(principal, Action.AUDIT, NO_DEAL).allowed:
        return True
    kind, _, identifier = awaited.stream.partition(":")
    if kind in _OF_THE_ORGANISATION:
        return bool(principal.roles)
    return _reads(store, principal, kind, identifier) or _recorded(store, principal, awaited)


def _reads(store: Workspace, principal: Principal, kind: str, identifier: str) -> bool:
    if kind != StreamKind.DEAL or not may_somewhere(principal, Action.READ):
        return False
    try:
        return view_of_readable(store, principal, identifier) is not None
    except (DealNotFound, UnreadableEvent):
        return False


def _recorded(store: Workspace, principal: Principal, awaited: Awaited) -> bool:
    try:
        events = store.log.events_in(awaited.stream, PUBLIC_ONLY)
    except UnreadableEvent:
        return False
    return any(e.version == awaited.version and e.actor == principal.id for e in events)
