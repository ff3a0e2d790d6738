"""A deal as far as whoever asks may see it: here, and only here, a right becomes a reading.

Theory of operation. Whether somebody may do something on a deal follows from
what is public of it: its owner and its team. The answer also says how much they
may see. A `View` opens the events of the deal for that much and no more: what
else they hold is never decrypted. Every answer about a deal is worked out from
the events of a view, so it holds nothing else either, and nothing has to be
taken out of an answer afterwards.
"""

from collections.abc import Sequence
from typing import assert_never

import msgspec

from api.workspace import Workspace
from domain.access import (
    NO_DEAL,
    PUBLIC_ONLY,
    TABLE,
    Action,
    DealScope,
    Principal,
    Reach,
    Sensitivity,
    may,
    may_somewhere,
)
from domain.access import require as require_right
from domain.deal import DealEvent, History
from domain.directory import Directory
from domain.history import StreamKind, stream_of
from domain.refusals import NotAllowed
from projections.deals import DealNotFound
from projections.readable import ALL, Readable

LONGEST_NAME = 200
"""Longest text that asks for a deal. Ids are no longer, and names need not be given whole."""


class View(msgspec.Struct, frozen=True):
    """One deal, for somebody who may see what is `visible`."""

    store: Workspace
    deal_id: str
    visible: frozenset[Sensitivity]
    principal: Principal

    @property
    def beside(self) -> Readable:
        """The deals that it may be compared with: those that they may read, none for some."""
        return readable_in(self.store.log.organisation().directory, self.principal)

    @property
    def stream(self) -> str:
        return stream_of(StreamKind.DEAL, self.deal_id)

    def events(self) -> Sequence[DealEvent]:
        """Every event of the deal, in order of version. Raises DealNotFound."""
        return _history(self.store, self.deal_id, self.visible).events


def open_view(store: Workspace, principal: Principal, action: Action, deal_id: str) -> View:
    """The deal, for who may do that on it, as far as they may see it in doing so.

    That secrets are shown is recorded. Raises DealNotFound, NotAllowed, StoreError.
    """
    answer = require_right(principal, action, _scope(store, deal_id))
    visible = answer.visible & store.log.visible
    store.accesses.read(principal, deal_id, visible)
    return View(store, deal_id, visible, principal)


def view_of_readable(store: Workspace, principal: Principal, deal_id: str) -> View | None:
    """A deal that an answer found readable; None for who may not read it any more by now.

    Raises DealNotFound.
    """
    try:
        return open_view(store, principal, Action.READ, deal_id)
    except NotAllowed:
        return None


def view_of_recorder(store: Workspace, principal: Principal, deal_id: str) -> View:
    """The deal, for who just recorded something on it, as far as they may read it.

    Whoever opens a deal for somebody else may record that, and not read what follows. That they
    are shown it stands in the history of the deal: what they recorded.
    Raises DealNotFound.
    """
    seen = may(principal, Action.READ, _scope(store, deal_id)).visible
    return View(store, deal_id, seen & store.log.visible, principal)


def visible_in_all(principal: Principal, action: Action) -> frozenset[Sensitivity]:
    """What the principal may see who does that over all deals. Raises NotAllowed."""
    return require_right(principal, action, NO_DEAL).visible


def readable_by(store: Workspace, principal: Principal) -> Readable:
    """The deals that the principal may read, as lists ask for them. Raises NotAllowed for none.

    What `domain.access.may` answers for each single deal, as a condition on all of them.
    """
    require_reader(principal)
    # Who reads everything reads on where the directory cannot be read.
    if may(principal, Action.READ, NO_DEAL).allowed:
        return ALL
    return readable_in(store.log.organisation().directory, principal)


def readable_in(directory: Directory, principal: Principal) -> Readable:
    """The same for a directory; nothing for who reads no deal."""
    if not may_somewhere(principal, Action.READ):
        return Readable()
    member: str | None = None
    owners = frozenset[str]()
    for right in TABLE:
        if right.role not in principal.roles or Action.READ not in right.actions:
            continue
        match right.reach:
            case Reach.EVERYWHERE:
                return ALL
            case Reach.OWN:
                member = principal.id
            case Reach.UNITS:
                owners |= directory.users_below(principal.units)
            case Reach.NEW:
                pass  # What can be listed is there already.
            case _:
                assert_never(right.reach)
    return Readable(member=member, owners=owners)


def require_reader(principal: Principal) -> None:
    """For questions over all deals that somebody may read. Raises NotAllowed for who reads none."""
    if not may_somewhere(principal, Action.READ):
        require_right(principal, Action.READ, NO_DEAL)


def _scope(store: Workspace, deal_id: str) -> DealScope:
    life = _history(store, deal_id, PUBLIC_ONLY).deal.life
    return store.log.organisation().scope(life.owner, life.team_ids)


def _history(store: Workspace, deal_id: str, visible: frozenset[Sensitivity]) -> History:
    """The history of a deal that exists. Raises DealNotFound."""
    fits = 0 < len(deal_id) <= LONGEST_NAME and "\0" not in deal_id
    history = store.log.history(deal_id, visible) if fits else None
    if history is None or not history.events:
        raise DealNotFound(deal_id, [])
    return history
