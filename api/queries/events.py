"""The feed: every event that somebody may read, in the one order of the log.

Theory of operation. A reader hands back the position that it has read up to, and gets the
events behind it: so none is missed and none comes twice, whoever writes meanwhile. What the
reader may not read is passed over, and the position goes on. Rights are those of now, not of
the event: they are looked up after the events were read from the log, so nothing is shown
that was recorded after a right had ended. Nothing is shown later either that one may read
only now: for that, read from the beginning.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import assert_never

import msgspec

from api.feed.scopes import Scopes
from api.wire.events import TYPE_PREFIX, CloudEvent
from api.workspace import Workspace
from domain.access import (
    EVERYTHING,
    NO_DEAL,
    TABLE,
    Action,
    DealScope,
    Principal,
    Reach,
    Sensitivity,
    may,
    may_somewhere,
    require,
)
from domain.history import StreamKind
from domain.organisation import Organisation
from store.events.codec import REGISTERED
from store.feed import Feed, Shown
from store.recorder import PlacedRow

Who = Callable[[], Principal]
"""Who asks, with the rights of the moment when it is called. It may refuse."""

Rows = Callable[[int, int], list[PlacedRow]]
"""At most so many rows of the feed behind a position, in order."""

PASSED_OVER_AT_ONCE = 5_000
"""Events that are looked at for one part of the feed, however few of them are shown."""
LARGEST_PART_BYTES = 2 << 20
"""No further event is added to a part that is as large as this."""
_ROWS_AT_ONCE = 500

_READING_FEEDS = (Action.READ, Action.AUDIT, Action.CONFIGURE)
_DEAL = StreamKind.DEAL
_KINDS = frozenset(StreamKind)
_BESIDE_DEALS = frozenset({Sensitivity.PUBLIC, Sensitivity.PERSONAL})
"""What is shown of the organisation to those who run or audit it. It has no secrets but keys."""


class EventQuery(msgspec.Struct, frozen=True):
    """Which events."""

    after: int = 0
    """Behind this position."""
    limit: int = 100
    types: frozenset[str] = frozenset()
    """Stored names of facts; none: of all types."""
    stream: str | None = None
    """Of this stream alone."""


class Part(msgspec.Struct, frozen=True):
    """A part of the feed."""

    events: tuple[tuple[int, bytes], ...]
    """Position and JSON of each."""
    position: int
    """Every event up to here that was asked for and may be read is in this part, or before it."""
    has_more: bool
    """Whether more is in the log behind that, as far as was seen."""

    def batch(self) -> bytes:
        """The events in the JSON batch format of CloudEvents."""
        return b"[" + b",".join(event for _, event in self.events) + b"]"


def known_types() -> frozenset[str]:
    """The stored names of all types of fact."""
    return frozenset(str(one.__struct_config__.tag) for one in REGISTERED)


def type_named(text: str) -> str:
    """The stored name of a type, which may be written as CloudEvents have it."""
    return text.removeprefix(TYPE_PREFIX)


def require_feed_reader(principal: Principal) -> None:
    """Raise NotAllowed for who can read no event at all."""
    if not any(may_somewhere(principal, action) for action in _READING_FEEDS):
        require(principal, Action.READ, NO_DEAL)


class Audience:
    """What somebody may see of the events of each stream, now."""

    def __init__(self, principal: Principal, organisation: Organisation, scopes: Scopes) -> None:
        self._principal = principal
        self._organisation = organisation
        self._scopes = scopes

    def __call__(self, stream: str) -> frozenset[Sensitivity] | None:
        """What may be seen of it; None: nothing, not even that it is there. Raises StoreError."""
        name = stream.partition(":")[0]
        if name not in _KINDS:
            return None
        kind = StreamKind(name)
        match kind:
            case StreamKind.DEAL:
                return self._of_deal(stream)
            case StreamKind.PROCESS | StreamKind.RATES | StreamKind.TARGET:
                return _BESIDE_DEALS
            case (
                StreamKind.USER
                | StreamKind.UNIT
                | StreamKind.AUTHORITY
                | StreamKind.STORE
                | StreamKind.WEBHOOK
            ):
                return self._where(Action.AUDIT, Action.CONFIGURE)
            case StreamKind.ACCESS | StreamKind.EXPORT | StreamKind.SESSION:
                return self._where(Action.AUDIT)
            case _:
                assert_never(kind)

    def _where(self, *actions: Action) -> frozenset[Sensitivity] | None:
        allowed = any(may(self._principal, action, NO_DEAL).allowed for action in actions)
        return _BESIDE_DEALS if allowed else None

    def _of_deal(self, stream: str) -> frozenset[Sensitivity] | None:
        if not self._depends_on_deal:
            return self._everywhere
        held = self._scopes.of(stream)
        if held is None:
            # Nobody can tell whose it is, so only those may see it who see all deals.
            return self._everywhere
        scope = self._organisation.scope(held.owner, held.team)
        return self._reading(scope)

    @cached_property
    def _everywhere(self) -> frozenset[Sensitivity] | None:
        return self._reading(NO_DEAL)

    @cached_property
    def _depends_on_deal(self) -> bool:
        """Whether it makes a difference whose a deal is."""
        if self._everywhere == EVERYTHING or not may_somewhere(self._principal, Action.READ):
            return False
        return any(
            right.role in self._principal.roles
            and Action.READ in right.actions
            and right.reach is not Reach.EVERYWHERE
            for right in TABLE
        )

    def _reading(self, scope: DealScope) -> frozenset[Sensitivity] | None:
        answer = may(self._principal, Action.READ, scope)
        return answer.visible if answer.allowed else None


class EventFeed:
    """The feed of one store. Safe to use from many threads."""

    def __init__(self, store: Workspace) -> None:
        self._store = store
        self._feed = Feed(store.log)
        self._scopes = Scopes(store.log)

    @cached_property
    def source(self) -> str:
        """What CloudEvents have as their source: the log by the name in its checkpoints."""
        return self._store.notary.origin

    def head(self) -> int:
        """Position of the last event, 0 when there is none. Raises StoreError."""
        return self._store.tail.head()

    def part(self, who: Who, query: EventQuery, read: Rows | None = None) -> Part:
        """The next part of the feed. Raises NotAllowed, and what `who` raises; StoreError.

        `read` reads the log, where not the log itself does.
        """
        read = read or self._store.log.records.feed
        if query.stream is not None and self.head() - query.after > PASSED_OVER_AT_ONCE:
            return self._part_of_stream(who, query)
        position, found, size = query.after, list[tuple[int, bytes]](), 0
        give_up = position + PASSED_OVER_AT_ONCE
        wanted = min(max(query.limit, 50), _ROWS_AT_ONCE)
        while True:
            rows = read(position, wanted)
            some = _asked(rows, query)
            for shown in self.shown(who, some, query.limit - len(found)):
                found.append((shown.position, self.encoded(shown)))
                size += len(found[-1][1])
                if len(found) == query.limit or size >= LARGEST_PART_BYTES:
                    position = shown.position
                    has_more = position < rows[-1][0] or len(rows) == wanted
                    return Part(tuple(found), position, has_more)
            position = rows[-1][0] if rows else position
            if len(rows) < wanted:
                return Part(tuple(found), position, has_more=False)
            if position >= give_up:
                return Part(tuple(found), position, has_more=True)

    def _part_of_stream(self, who: Who, query: EventQuery) -> Part:
        """The same for one stream, which is read alone where that takes less."""
        assert query.stream is not None
        head = max(self.head(), query.after)
        placed = self._store.log.records.placed([query.stream])
        rows = _asked([row for row in placed if query.after < row[0] <= head], query)
        shown = self.shown(who, rows, query.limit + 1)
        found = [(one.position, self.encoded(one)) for one in shown[: query.limit]]
        if len(shown) > query.limit:
            return Part(tuple(found), found[-1][0], has_more=True)
        return Part(tuple(found), head, has_more=False)

    def shown(self, who: Who, rows: list[PlacedRow], limit: int) -> list[Shown]:
        """The first so many events that somebody may read, of rows that were just read."""
        principal = who()
        require_feed_reader(principal)
        self._scopes.refresh()
        audience = Audience(principal, self._store.log.organisation(), self._scopes)
        found = self._feed.shown(rows, audience, limit)
        self._note(principal, found)
        return found

    def _note(self, principal: Principal, found: Iterable[Shown]) -> None:
        """Have it recorded that somebody is shown secrets. Raises StoreError."""
        readable = self._store.log.visible
        for deal_id, visible in {
            one.event.identifier: one.visible & readable
            for one in found
            if one.event is not None and type(one.event.fact).secret and one.event.kind == _DEAL
        }.items():
            self._store.accesses.read(principal, deal_id, visible)

    def encoded(self, shown: Shown) -> bytes:
        """The event as JSON."""
        return msgspec.json.encode(CloudEvent.of(shown, self.source))


def _asked(rows: list[PlacedRow], query: EventQuery) -> list[PlacedRow]:
    return [
        row
        for row in rows
        if (query.stream is None or row[1] == query.stream)
        and (not query.types or row[3].rpartition("@")[0] in query.types)
    ]
