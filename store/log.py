"""The log of all that happened: commands in, events out, and the feed of every event.

Theory of operation. A command is decided on the history of its deal and its
events are appended at the versions that follow that history. Who comes second
finds its versions taken and decides once more, on the newer history and with the
log to itself, so that it cannot lose again; if it had named the version it saw,
it is refused. In the same transaction one row is kept for each command id of a
principal, so a repeated command meets its own row, before deciding or at the
latest when appending, and returns what the first one led to.

Histories stay in memory while they are in use, and only newer events are read.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby, starmap
from typing import Self, TypeAlias, cast

import msgspec
from eventsourcing.application import Application, LRUCache
from eventsourcing.persistence import (
    InfrastructureFactory,
    IntegrityError,
    Mapper,
    TrackingRecorder,
)
from eventsourcing.utils import Environment, EnvType

from domain.corrections import DealMerged, MergeDeal, require_going_on
from domain.deal import DealCommand, DealEvent, History, decide
from domain.directory import UserRegistered
from domain.history import Draft, Fact, Recorded, StreamKind, stream_of
from domain.intent import Intent
from domain.organisation import AnyOrganisationCommand, Organisation, stream_for
from domain.organisation import decide as decide_organisation
from domain.process import ProcessBook, ProcessPublished, SalesProcess
from domain.process_files import built_in_processes
from domain.refusals import CommandIdReused, IdTaken, VersionConflict
from store.codec import Codec, EventMapper, Row, codec
from store.errors import StoreError, UnreadableEvent
from store.location import Location
from store.recorders import Append, CommandRow, LogFactory, LogRecorder, create

Clock: TypeAlias = Callable[[], datetime]

WARM_HISTORIES = 1_000
LONGEST_IDENTIFIER = 200

_KINDS = frozenset(StreamKind)
_ORGANISATION = (StreamKind.USER, StreamKind.UNIT, StreamKind.AUTHORITY)


class Batch(msgspec.Struct, frozen=True):
    """Drafts to append to one stream, whose last version is `expected_version`."""

    stream: str
    expected_version: int
    drafts: Sequence[Draft[Fact]]


class Handled(msgspec.Struct, frozen=True):
    """What a command led to. No events: it changed nothing."""

    stream: str
    version: int
    """Of the stream once the command was carried out."""
    events: tuple[Recorded[Fact], ...]
    repeated: bool = False
    """True when the command had been carried out before; the rest is the first result."""


class Positioned(msgspec.Struct, frozen=True):
    """An event and its position in the feed."""

    position: int
    event: Recorded[Fact]


def utc_now() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


class DealLog(Application[str]):
    """The event log of one store. Safe to use from many threads; close it when done."""

    recorder: LogRecorder

    def __init__(self, location: Location, clock: Clock = utc_now) -> None:
        self.location = location
        self._clock = clock
        self._codec: Codec = codec()
        super().__init__({LogFactory.SQLITE_DBNAME: str(location.log)})
        self._warm: LRUCache[str, History] = LRUCache(WARM_HISTORIES)
        self._book: tuple[int, ProcessBook] = (0, built_in_processes())
        self._organisation: tuple[int, Organisation] = (0, Organisation())

    @classmethod
    def create(cls, location: Location, clock: Clock = utc_now) -> Self:
        """Make a new, empty log and open it. Raises StoreError where something is there."""
        create(location.log)
        return cls.open(location, clock)

    @classmethod
    def open(cls, location: Location, clock: Clock = utc_now) -> Self:
        """Open a log. Raises StoreError when there is none, or the file is of another kind."""
        log = cls(location, clock)
        try:
            log.head()
        except StoreError:
            log.close()
            raise
        return log

    # Commands.

    def handle(
        self,
        deal_id: str,
        command: DealCommand,
        intent: Intent,
        expected_version: int | None = None,
    ) -> Handled:
        """Carry out a command on a deal, once for each command id of a principal.

        Raises Refusal: of the domain; CommandIdReused for another payload under a
        known command id; VersionConflict when the deal is not at
        `expected_version`. Raises StoreError.
        """
        stream = _checked(stream_of(StreamKind.DEAL, deal_id))

        def decided() -> tuple[int, Sequence[Fact]]:
            history = self.history(deal_id)
            if expected_version not in {None, history.version}:
                raise _conflict(stream, history.version, expected_version)
            book, organisation = self.processes(), self.organisation()
            facts = decide(command, history, book, intent, organisation)
            for fact in facts:
                if isinstance(fact, DealMerged):
                    require_going_on(fact.into, self.history(fact.into).deal.life)
            return history.version, facts

        # Two deals could else be merged into each other at once.
        alone = isinstance(command, MergeDeal)
        return self._carry_out(stream, command, intent, decided, alone=alone)

    def publish(self, process: SalesProcess, intent: Intent) -> Handled:
        """Make a version of a process available; again with the same content changes nothing.

        Raises IdTaken when that version has other content.
        """
        stream = _checked(stream_of(StreamKind.PROCESS, process.id))

        def decided() -> tuple[int, Sequence[Fact]]:
            version = self.recorder.version(stream)
            book = self.processes()
            if process.ref not in book:
                return version, (ProcessPublished(process),)
            if book.get(process.ref) != process:
                raise IdTaken(
                    f"{process.ref} is published with other content",
                    "Published versions never change; publish it under the next version.",
                )
            return version, ()

        return self._carry_out(stream, process, intent, decided)

    def configure(self, command: AnyOrganisationCommand, intent: Intent) -> Handled:
        """Carry out a command on the organisation, once for each command id of a principal.

        The log is ours while it is decided: a rule over several streams (units
        have no loops) would not notice a second writer. Raises Refusal, StoreError.
        """
        stream = _checked(stream_for(command))

        def decided() -> tuple[int, Sequence[Fact]]:
            facts = decide_organisation(command, self.organisation(), intent)
            return self.recorder.version(stream), facts

        return self._carry_out(stream, command, intent, decided, alone=True)

    def append(self, batches: Sequence[Batch]) -> int:
        """Append the drafts of all batches in one transaction, as they are.

        Returns the position of the last event in the feed. Raises VersionConflict,
        and records nothing, when a stream is not at its batch's expected version.
        """
        try:
            return self.recorder.append(self._rows(batches, self._clock()))
        except IntegrityError:
            raise self._first_conflict(batches) from None

    def _carry_out(
        self,
        stream: str,
        payload: msgspec.Struct,
        intent: Intent,
        decided: Callable[[], tuple[int, Sequence[Fact]]],
        *,
        alone: bool = False,
    ) -> Handled:
        _check_command_id(intent.command_id)
        fingerprint = _fingerprint(stream, payload, intent)

        def attempt(append: Append) -> Handled:
            earlier = self._earlier(intent, fingerprint)
            if earlier is not None:
                return earlier
            version, facts = decided()
            batch = Batch(stream, version, [intent.draft(fact) for fact in facts])
            recorded_at = self._clock()
            rows = list(self._rows([batch], recorded_at))
            append(rows, _command_row(intent, fingerprint, batch, recorded_at))
            events = tuple(starmap(self._codec.to_event, rows))
            return Handled(stream, version + len(rows), events)

        if not alone:
            with suppress(IntegrityError):
                return attempt(self.recorder.append)
        with self.recorder.transaction() as append:
            return attempt(append)

    def _earlier(self, intent: Intent, fingerprint: bytes) -> Handled | None:
        """The first result of a repeated command, None for a new one."""
        row = self.recorder.command(intent.principal.id, intent.command_id)
        if row is None:
            return None
        if row.fingerprint != fingerprint:
            raise CommandIdReused(
                f"the command id {intent.command_id!r} was used for another command",
                "Send a new command under an id of its own.",
            )
        events = self._select(row.stream, row.first_version - 1, row.last_version)
        return Handled(row.stream, row.last_version, events, repeated=True)

    def _rows(self, batches: Iterable[Batch], recorded_at: datetime) -> Iterator[Row]:
        to_row = self._codec.to_row
        for batch in batches:
            stream = _checked(batch.stream)
            for version, draft in enumerate(batch.drafts, start=batch.expected_version + 1):
                yield to_row(draft.recorded(stream, version, recorded_at))

    def _first_conflict(self, batches: Sequence[Batch]) -> VersionConflict:
        heads: dict[str, int] = {}
        for batch in batches:
            version = heads.get(batch.stream)
            if version is None:
                version = self.recorder.version(batch.stream)
            if version != batch.expected_version:
                return _conflict(batch.stream, version, batch.expected_version)
            heads[batch.stream] = version + len(batch.drafts)
        return VersionConflict("the streams changed meanwhile", "Read them and append again.")

    # Streams.

    def history(self, deal_id: str) -> History:
        """All events of a deal and its state; empty, at version 0, for an unknown deal."""
        stream = _checked(stream_of(StreamKind.DEAL, deal_id))
        try:
            known = self._warm.get(stream)
        except KeyError:
            known = History(stream)
        newer = self._select(stream, known.version)
        if newer:
            known = known.extended(cast("Sequence[DealEvent]", newer))
            self._warm.put(stream, known)
        return known

    def events_in(self, stream: str) -> tuple[Recorded[Fact], ...]:
        """All events of a stream in order of version; none for an unknown stream."""
        return self._select(stream)

    def events_of(self, streams: Iterable[str]) -> dict[str, tuple[Recorded[Fact], ...]]:
        """The events of each stream that has any, in few statements."""
        to_event = self._codec.to_event
        rows = self.recorder.rows_of(streams)
        return {
            stream: tuple(starmap(to_event, group)) for stream, group in groupby(rows, key=_stream)
        }

    def streams(self, kind: StreamKind) -> list[str]:
        """The names of all streams of a kind, in the order in which they began."""
        return self.recorder.names(kind)

    def processes(self) -> ProcessBook:
        """The built-in processes and all published ones."""
        known, book = self._book
        count = self.recorder.count(StreamKind.PROCESS)
        if count != known:
            book = built_in_processes().with_(*self._published())
            self._book = (count, book)
        return book

    def users(self) -> dict[str, UserRegistered]:
        """Each registered user by id, as registered last."""
        events = self.events_of(self.streams(StreamKind.USER))
        registered = (event.fact for stream in events.values() for event in stream)
        return {fact.user: fact for fact in registered if isinstance(fact, UserRegistered)}

    def organisation(self) -> Organisation:
        """Who is in the organisation and how far its roles may go, as of now."""
        known, organisation = self._organisation
        head = self.recorder.head()
        if head == known:
            return organisation
        if not known or self.recorder.holds(_ORGANISATION, after=known):
            names = [name for kind in _ORGANISATION for name in self.streams(kind)]
            organisation = Organisation.of(self.events_of(names).values())
        self._organisation = (head, organisation)
        return organisation

    def _published(self) -> Iterator[SalesProcess]:
        for events in self.events_of(self.streams(StreamKind.PROCESS)).values():
            for event in events:
                if isinstance(event.fact, ProcessPublished):
                    yield event.fact.process

    def _select(
        self, stream: str, after: int = 0, last: int | None = None
    ) -> tuple[Recorded[Fact], ...]:
        rows = self.recorder.rows(stream, after)
        if last is not None:
            rows = rows[: last - after]
        return tuple(starmap(self._codec.to_event, rows))

    # The feed.

    def feed(self, after: int, limit: int) -> list[Positioned]:
        """At most `limit` events behind position `after`, in the order of their commits.

        Positions count 1, 2, 3… without gaps. Raises UnreadableEvent with the
        position of an event that cannot be read.
        """
        to_event = self._codec.to_event
        found: list[Positioned] = []
        for position, stream, version, topic, state in self.recorder.feed(after, limit):
            try:
                found.append(Positioned(position, to_event(stream, version, topic, state)))
            except UnreadableEvent as error:
                error.position = position
                raise
        return found

    def head(self) -> int:
        """Position of the last event in the feed, 0 when there is none."""
        return self.recorder.head()

    def positions(self, stream: str) -> dict[int, int]:
        """Position in the feed of each version of a stream."""
        return self.recorder.positions(stream)

    # What the library builds.

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Only our own settings: variables of the process must not change what is stored."""
        return Environment(name, env)

    def construct_factory(self, env: Environment) -> InfrastructureFactory[TrackingRecorder]:
        return cast("InfrastructureFactory[TrackingRecorder]", LogFactory(env))

    def construct_mapper(self) -> Mapper[str]:
        return EventMapper(self._codec)

    def construct_recorder(self) -> LogRecorder:
        recorder = self.factory.application_recorder()
        assert isinstance(recorder, LogRecorder)
        return recorder


def _checked(stream: str) -> str:
    """The name of a stream, if it is one."""
    kind, _, identifier = stream.partition(":")
    if kind not in _KINDS or not 0 < len(identifier) <= LONGEST_IDENTIFIER:
        kinds = ", ".join(StreamKind)
        raise StoreError(
            f"{stream!r} is not the name of a stream",
            f"It is a kind ({kinds}), a colon and an id of 1 to {LONGEST_IDENTIFIER} characters.",
        )
    return stream


def _stream(row: Row) -> str:
    return row[0]


def _command_row(
    intent: Intent, fingerprint: bytes, batch: Batch, recorded_at: datetime
) -> CommandRow:
    return CommandRow(
        principal=intent.principal.id,
        command_id=intent.command_id,
        fingerprint=fingerprint,
        stream=batch.stream,
        first_version=batch.expected_version + 1,
        last_version=batch.expected_version + len(batch.drafts),
        recorded_at=f"{recorded_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
    )


def _check_command_id(command_id: str) -> None:
    if not 0 < len(command_id) <= LONGEST_IDENTIFIER or not command_id.isprintable():
        raise StoreError(
            "this command id cannot be used",
            f"Give 1 to {LONGEST_IDENTIFIER} printable characters, such as a UUID.",
        )


def _fingerprint(stream: str, payload: msgspec.Struct, intent: Intent) -> bytes:
    """Tells one command from another: what is asked, of which stream, and when it occurred.

    A time equal to the clock's is filled in, not told, so a plain retry is the same command.
    """
    told = None if intent.occurred_at == intent.now else intent.occurred_at
    content = msgspec.json.encode((payload, told, intent.known_at))
    return hashlib.sha256(stream.encode() + b"\0" + content).digest()


def _conflict(stream: str, version: int, expected: int | None) -> VersionConflict:
    return VersionConflict(
        f"{stream} is at version {version}, not at {expected}",
        f"Read it again, and repeat the command for version {version} if it still applies.",
    )
