"""Recording who is shown what is secret: once a day for each user and deal, or export.

Theory of operation. What was recorded today by this process, or was found to be recorded, is
remembered, so that most questions cost nothing. Else it is decided with the log to ourselves
whether it stands at the end of the stream; so several processes record it once. Should more
have been recorded on the stream since than is read back, it is recorded again: that it may be
there twice does no harm, that it is missing would.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime
from threading import Lock
from typing import TypeAlias
from uuid import uuid4

import msgspec

from domain.accesses import DataExported, SecretsRead
from domain.history import Draft, Fact, StreamKind, stream_of
from store.errors import UnreadableEvent
from store.events.codec import codec
from store.events.reading import PUBLIC
from store.events.writing import Batch
from store.log import DealLog

READ_BACK = 200
"""So many events of a stream are looked through for one of the same user and day."""
REMEMBERED = 200_000
"""Up to so many accesses of today are remembered."""


Shown: TypeAlias = SecretsRead | DataExported


class Access(msgspec.Struct, frozen=True):
    """A user is shown something, now."""

    user: str
    source: str
    """`http`, `cli` or `api`, as in the envelope."""
    fact: Shown

    @property
    def stream(self) -> str:
        """On which it stands."""
        if isinstance(self.fact, SecretsRead):
            return stream_of(StreamKind.ACCESS, self.fact.deal)
        return stream_of(StreamKind.EXPORT, self.fact.what)


class Accesses:
    """What is recorded of accesses to one log. Safe to use from many threads."""

    def __init__(self, log: DealLog, clock: Callable[[], datetime]) -> None:
        self._log = log
        self._now = clock
        self._lock = Lock()
        self._known: tuple[date, set[tuple[str, str]]] = (date.min, set())
        """A day, and the users and streams of its accesses; one value, since others read it
        without the lock."""
        self._to_event = codec().to_event

    def is_remembered(self, user: str, stream: str) -> bool:
        """Whether it is known that an access of the user stands on the stream today."""
        day, known = self._known
        return (user, stream) in known and day == _day(self._now())

    def record(self, accesses: Collection[Access]) -> None:
        """Record those that are not recorded today. They are durable on return.

        Raises StoreError; then nothing was recorded.
        """
        asked = {(one.user, one.stream): one for one in accesses}
        new = {key: one for key, one in asked.items() if not self.is_remembered(*key)}
        if not new:
            return
        now = self._now()
        # Most often another process, or this one before it was started anew, has done it.
        missing = self._missing(list(new.values()), now)
        if missing:
            self._log.append_alone(lambda: self._batches(self._missing(missing, now), now))
        self._remember(_day(now), new.keys())

    def _remember(self, day: date, keys: Collection[tuple[str, str]]) -> None:
        with self._lock:
            if day != self._known[0] or len(self._known[1]) + len(keys) > REMEMBERED:
                self._known = (day, set())
            self._known[1].update(keys)

    def _missing(self, accesses: Sequence[Access], now: datetime) -> list[Access]:
        return [one for one in accesses if not self._stands(one, _day(now))]

    def _stands(self, access: Access, day: date) -> bool:
        records = self._log.records
        last = records.version(access.stream)
        for row in records.rows(access.stream, after=max(0, last - READ_BACK)) if last else ():
            try:
                event = self._to_event(*row, PUBLIC)
            except UnreadableEvent:
                continue
            same = isinstance(event.fact, type(access.fact)) and event.actor == access.user
            if same and _day(event.recorded_at) == day:
                return True
        return False

    def _batches(self, accesses: Sequence[Access], now: datetime) -> list[Batch]:
        """Several users may have asked for the same at once."""
        by_stream: dict[str, list[Draft[Fact]]] = {}
        for one in accesses:
            command = str(uuid4())
            draft = Draft[Fact](one.fact, now, one.user, one.source, command, command)
            by_stream.setdefault(one.stream, []).append(draft)
        version = self._log.records.version
        return [Batch(stream, version(stream), drafts) for stream, drafts in by_stream.items()]


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
