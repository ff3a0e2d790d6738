"""The log of all that happened: commands in, events out, and the feed of every event.

Theory of operation. A command is decided on the history of its deal and its
events are appended at the versions that follow that history. Who comes second
finds its versions taken and decides once more, on the newer history and with the
log to itself, so that it cannot lose again; if it had named the version it saw,
it is refused. In the same transaction one row is kept for each command id of a
principal, so a repeated command meets its own row, before deciding or at the
latest when appending, and returns what the first one led to.

Histories stay in memory while they are in use, and only newer events are read.
They are given up when somebody is erased, by whichever process.

What is personal or secret is encrypted under keys of the key ring, which are
durable before an event that needs them is appended. Whoever reads says how much
they may see; deciding sees everything.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import groupby
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

from domain.access import EVERYTHING, PUBLIC_ONLY, Sensitivity
from domain.corrections import DealMerged, MergeDeal, require_going_on
from domain.deal import DealCommand, DealEvent, History, decide
from domain.directory import UserRegistered
from domain.history import Fact, Recorded, StreamKind, stream_of
from domain.intent import Intent
from domain.organisation import AnyOrganisationCommand, Organisation, stream_for
from domain.organisation import decide as decide_organisation
from domain.process import ProcessBook, ProcessPublished, SalesProcess
from domain.process_files import built_in_processes
from domain.refusals import CommandIdReused, IdTaken, VersionConflict
from store import opening
from store.codec import Codec, codec
from store.command_rows import check_command_id, command_row, content
from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable, UnreadableEvent
from store.fields import FieldCipher
from store.keys.absent import AbsentKeys
from store.keys.ring import KeyRing
from store.location import Location
from store.mapper import ReadingMapper
from store.reading import PUBLIC, Reading
from store.recorder import Append, Recorder, Row
from store.writing import Batch, Writer, checked_stream

Clock: TypeAlias = Callable[[], datetime]

WARM_HISTORIES = 1_000

_ORGANISATION = (StreamKind.USER, StreamKind.UNIT, StreamKind.AUTHORITY)


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

    def __init__(self, location: Location, keys: KeyRing, clock: Clock = utc_now) -> None:
        self.location = location
        self.keys = keys
        self.now = clock
        self._codec: Codec = codec()
        self._cipher = FieldCipher(keys)
        self.visible = PUBLIC_ONLY if isinstance(keys, AbsentKeys) else EVERYTHING
        """What can be read at all, with the keys there are."""
        self._whole = self._reading(EVERYTHING)
        self._generation = keys.generation
        self.erasures_finished = 0
        """How many erasures were cut short earlier, and finished when the log was opened."""
        self.erasure_unfinished: StoreError | None = None
        """Why one that was cut short could not be finished; it is tried again when opened next."""
        super().__init__(opening.settings(location))
        self.records = cast("Recorder", self.recorder)
        self._forget()

    @classmethod
    def create(cls, location: Location, clock: Clock = utc_now) -> Self:
        """Make a new, empty log and its keys, and open it.

        Raises StoreError where something is there.
        """
        opening.make(location, clock)
        return cls.open(location, clock)

    @classmethod
    def open(cls, location: Location, clock: Clock = utc_now) -> Self:
        """Open a log, and finish what a crash has cut short.

        Raises StoreError when there is none, or a file is of another kind.
        """
        keys = opening.open_keys(location, clock)
        try:
            log = cls(location, keys, clock)
        except BaseException:
            keys.close()
            raise
        try:
            opening.check_fit(keys, log.records.properties()["id"])
            if keys.pending_erasures():
                log._finish_erasures()
        except BaseException:
            log.close()
            raise
        return log

    def _finish_erasures(self) -> None:
        """Their keys are doomed, so where nothing can be written now, the rest may wait."""
        from store.forgetting.erasure import finish_pending

        try:
            self.erasures_finished = finish_pending(self)
        except (StoreBusy, StoreFull, StoreUnavailable) as error:
            self.erasure_unfinished = error

    def close(self) -> None:
        super().close()
        self.keys.close()

    def _forget(self) -> None:
        """Give up everything that was decrypted."""
        self._warm: LRUCache[str, History] = LRUCache(WARM_HISTORIES)
        self._writer = Writer(self._codec, self._cipher, self._events_to)
        self._book: tuple[int, ProcessBook] = (0, built_in_processes())
        self._organisation: tuple[int, Organisation] = (0, Organisation())

    def _refresh(self) -> None:
        """Give up what was decrypted where somebody was erased meanwhile."""
        generation = self.keys.generation
        if generation != self._generation:
            self._cipher.refresh()
            self._generation = generation
            self._forget()

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
        stream = checked_stream(stream_of(StreamKind.DEAL, deal_id))

        def decided() -> tuple[int, Sequence[Fact]]:
            history = self.history(deal_id)
            if expected_version not in {None, history.version}:
                raise _conflict(stream, history.version, expected_version)
            book, organisation = self.processes(), self._current_organisation()
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
        stream = checked_stream(stream_of(StreamKind.PROCESS, process.id))

        def decided() -> tuple[int, Sequence[Fact]]:
            version = self.records.version(stream)
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
        stream = checked_stream(stream_for(command))

        def decided() -> tuple[int, Sequence[Fact]]:
            facts = decide_organisation(command, self.organisation(), intent)
            return self.records.version(stream), facts

        return self._carry_out(stream, command, intent, decided, alone=True)

    def append(self, batches: Sequence[Batch]) -> int:
        """Append the drafts of all batches in one transaction, as they are.

        Returns the position of the last event in the feed. Raises VersionConflict,
        and records nothing, when a stream is not at its batch's expected version;
        PersonErased for what speaks of somebody erased.
        """
        try:
            return self.records.append([row for row, _ in self._writer.rows(batches, self.now())])
        except IntegrityError:
            raise self._first_conflict(batches) from None

    def append_alone(self, decided: Callable[[], Sequence[Batch]]) -> int:
        """Append what is decided while nobody else can append, as it is, in one transaction.

        Returns the position of the last event in the feed. Raises PersonErased.
        """
        with self.records.transaction() as append:
            batches = decided()
            return append([row for row, _ in self._writer.rows(batches, self.now())])

    def _carry_out(
        self,
        stream: str,
        payload: msgspec.Struct,
        intent: Intent,
        decided: Callable[[], tuple[int, Sequence[Fact]]],
        *,
        alone: bool = False,
    ) -> Handled:
        check_command_id(intent.command_id)
        fingerprint = self.keys.fingerprint(content(stream, payload, intent))

        def attempt(append: Append) -> Handled:
            earlier = self._earlier(intent, fingerprint)
            if earlier is not None:
                return earlier
            version, facts = decided()
            batch = Batch(stream, version, [intent.draft(fact) for fact in facts])
            recorded_at = self.now()
            sealed = list(self._writer.rows([batch], recorded_at))
            command = command_row(intent, fingerprint, batch, recorded_at)
            append([row for row, _ in sealed], command)
            return Handled(stream, version + len(sealed), tuple(event for _, event in sealed))

        if not alone:
            with suppress(IntegrityError):
                return attempt(self.records.append)
        with self.records.transaction() as append:
            return attempt(append)

    def _earlier(self, intent: Intent, fingerprint: bytes) -> Handled | None:
        """The first result of a repeated command, None for a new one."""
        self._refresh()
        row = self.records.command(intent.principal.id, intent.command_id)
        if row is None:
            return None
        # Of a command that told of somebody erased meanwhile, nothing is left to compare.
        if row.fingerprint not in {None, fingerprint}:
            raise CommandIdReused(
                f"the command id {intent.command_id!r} was used for another command",
                "Send a new command under an id of its own.",
            )
        events = self._select(row.stream, row.first_version - 1, row.last_version)
        return Handled(row.stream, row.last_version, events, repeated=True)

    def _first_conflict(self, batches: Sequence[Batch]) -> VersionConflict:
        heads: dict[str, int] = {}
        for batch in batches:
            version = heads.get(batch.stream)
            if version is None:
                version = self.records.version(batch.stream)
            if version != batch.expected_version:
                return _conflict(batch.stream, version, batch.expected_version)
            heads[batch.stream] = version + len(batch.drafts)
        return VersionConflict("the streams changed meanwhile", "Read them and append again.")

    # Streams.

    def history(self, deal_id: str, visible: Collection[Sensitivity] = EVERYTHING) -> History:
        """All events of a deal and its state; empty, at version 0, for an unknown deal.

        What is not `visible` is hidden, and so is all that follows from it.
        """
        stream = checked_stream(stream_of(StreamKind.DEAL, deal_id))
        self._refresh()
        if frozenset(visible) != EVERYTHING:
            events = self._select(stream, reading=self._reading(visible))
            return History.of(stream, cast("Sequence[DealEvent]", events))
        try:
            known = self._warm.get(stream)
        except KeyError:
            known = History(stream)
        newer = self._select(stream, known.version)
        if newer:
            known = known.extended(cast("Sequence[DealEvent]", newer))
            self._warm.put(stream, known)
        return known

    def _events_to(self, stream: str, version: int) -> Sequence[Recorded[Fact]]:
        """The events of a stream up to a version at least, from memory or from the log."""
        with suppress(KeyError):
            known = self._warm.get(stream)
            if known.version >= version:
                return known.events
        return self._select(stream)

    def events_in(
        self, stream: str, visible: Collection[Sensitivity] = EVERYTHING
    ) -> tuple[Recorded[Fact], ...]:
        """All events of a stream in order of version; none for an unknown stream."""
        self._refresh()
        return self._select(stream, reading=self._reading(visible))

    def events_of(
        self, streams: Iterable[str], visible: Collection[Sensitivity]
    ) -> dict[str, tuple[Recorded[Fact], ...]]:
        """The events of each stream that has any, in few statements, as far as `visible`."""
        self._refresh()
        to_event, reading = self._codec.to_event, self._reading(visible)
        rows = self.records.rows_of(streams)
        return {
            stream: tuple(to_event(*row, reading) for row in group)
            for stream, group in groupby(rows, key=_stream)
        }

    def _reading(self, visible: Collection[Sensitivity]) -> Reading:
        seen = self.visible.intersection(visible)
        return PUBLIC if seen <= PUBLIC_ONLY else Reading(self._cipher, seen)

    def streams(self, kind: StreamKind) -> list[str]:
        """The names of all streams of a kind, in the order in which they began."""
        return self.records.names(kind)

    def processes(self) -> ProcessBook:
        """The built-in processes and all published ones."""
        known, book = self._book
        count = self.records.count(StreamKind.PROCESS)
        if count != known:
            book = built_in_processes().with_(*self._published())
            self._book = (count, book)
        return book

    def users(self) -> dict[str, UserRegistered]:
        """Each registered user by id, as registered last."""
        events = self.events_of(self.streams(StreamKind.USER), EVERYTHING)
        registered = (event.fact for stream in events.values() for event in stream)
        return {fact.user: fact for fact in registered if isinstance(fact, UserRegistered)}

    def organisation(self) -> Organisation:
        """Who is in the organisation and how far its roles may go, as of now."""
        self._refresh()
        return self._current_organisation()

    def _current_organisation(self) -> Organisation:
        known, organisation = self._organisation
        head = self.records.head()
        if head == known:
            return organisation
        if not known or self.records.holds(_ORGANISATION, after=known):
            names = [name for kind in _ORGANISATION for name in self.streams(kind)]
            organisation = Organisation.of(self.events_of(names, EVERYTHING).values())
        self._organisation = (head, organisation)
        return organisation

    def _published(self) -> Iterator[SalesProcess]:
        for events in self.events_of(self.streams(StreamKind.PROCESS), PUBLIC_ONLY).values():
            for event in events:
                if isinstance(event.fact, ProcessPublished):
                    yield event.fact.process

    def _select(
        self,
        stream: str,
        after: int = 0,
        last: int | None = None,
        reading: Reading | None = None,
    ) -> tuple[Recorded[Fact], ...]:
        rows = self.records.rows(stream, after)
        if last is not None:
            rows = rows[: last - after]
        to_event, whole = self._codec.to_event, reading or self._whole
        return tuple(to_event(*row, whole) for row in rows)

    # The feed.

    def feed(self, after: int, limit: int) -> list[Positioned]:
        """At most `limit` events behind position `after`, in the order of their commits.

        Only what is public of them: read models hold nothing else. Positions count
        1, 2, 3… without gaps. Raises UnreadableEvent with the position of an event
        that cannot be read.
        """
        to_event = self._codec.to_event
        found: list[Positioned] = []
        for position, stream, version, topic, state in self.records.feed(after, limit):
            try:
                found.append(Positioned(position, to_event(stream, version, topic, state, PUBLIC)))
            except UnreadableEvent as error:
                error.position = position
                raise
        return found

    def head(self) -> int:
        """Position of the last event in the feed, 0 when there is none."""
        return self.records.head()

    def positions(self, stream: str) -> dict[int, int]:
        """Position in the feed of each version of a stream."""
        return self.records.positions(stream)

    # What the library builds.

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Only our own settings: variables of the process must not change what is stored."""
        return Environment(name, env)

    def construct_factory(self, env: Environment) -> InfrastructureFactory[TrackingRecorder]:
        return opening.factory(self.location, env)

    def construct_mapper(self) -> Mapper[str]:
        return ReadingMapper(self._codec)


def _stream(row: Row) -> str:
    return row[0]


def _conflict(stream: str, version: int, expected: int | None) -> VersionConflict:
    return VersionConflict(
        f"{stream} is at version {version}, not at {expected}",
        f"Read it again, and repeat the command for version {version} if it still applies.",
    )
