"""The log of all that happened: commands in, events out, and the feed of every event.

Theory of operation. A command is decided on the history of its deal and its
events are appended at the versions that follow that history. Who comes second
finds its versions taken and decides once more, on the newer history and with the
log to itself, so that it cannot lose again; if it had named the version it saw,
it is refused. In the same transaction one row is kept for each command id of a
principal, so a repeated command meets its own row, before deciding or at the
latest when appending, and returns what the first one led to.

Histories stay in memory while they are in use, and only newer events are read.
They are given up when somebody is erased, by whichever process (store/memory.py).
What was read while that happened is read again, and what was decided, decided again.

What is personal or secret is encrypted under keys of the key ring, which are
durable before an event that needs them is appended. Whoever reads says how much
they may see; deciding sees everything.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from typing import Self, TypeVar, cast

import msgspec
from eventsourcing.application import Application
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
from domain.directory import Directory, UserRegistered
from domain.history import Fact, Recorded, StreamKind, stream_of
from domain.intent import Intent
from domain.organisation import AnyOrganisationCommand, Organisation
from domain.process import ProcessBook, SalesProcess
from domain.rates import PublishRates, RateBook
from domain.refusals import Refusal
from domain.repeating import require_may_repeat
from domain.targets import SetTarget, Targets
from domain.webhooks import (
    AnyWebhookCommand,
    Webhooks,
)
from store import beside, opening
from store.command_rows import check_command_id, command_row, content, require_same
from store.conflicts import first_conflict, require_version, told_as_damage
from store.errors import StoreError, UnreadableEvent
from store.events.codec import Codec, codec
from store.events.mapper import ReadingMapper
from store.events.reading import PUBLIC
from store.events.writing import Batch, Written, checked_stream
from store.forgetting.erasure import finish_pending
from store.forgetting.known import destroy_returned
from store.handled import Handled, Positioned, Undertaken
from store.keys.absent import AbsentKeys
from store.keys.ring import KeyRing
from store.location import Location
from store.recorder import Append, CommandRow, Recorder, Row, Standing
from store.streams import Streams
from store.times import Clock, utc_now
from store.watching import NOBODY, Watcher, watched

T = TypeVar("T")

_DEALS = f"{StreamKind.DEAL}:"


class DealLog(Application[str]):
    """The event log of one store. Safe to use from many threads; close it when done."""

    def __init__(self, location: Location, keys: KeyRing, clock: Clock = utc_now) -> None:
        self.location = location
        self.keys = keys
        self.now = clock
        self._codec: Codec = codec()
        self.visible = PUBLIC_ONLY if isinstance(keys, AbsentKeys) else EVERYTHING
        """What can be read at all, with the keys there are."""
        self.erasures_finished = 0
        """How many erasures were cut short earlier, and finished when the log was opened."""
        self.doubt: StoreError | None = None
        """Why it should not be used, where it was opened all the same."""
        self.erasure_unfinished: StoreError | Refusal | None = None
        """Why one that was cut short could not be finished; it is tried again when opened next."""
        self.keys_returned = 0
        """Keys of erased people that an older key store brought back, destroyed when opened."""
        self.watcher: Watcher = NOBODY
        super().__init__(opening.settings(location))
        self.records = cast("Recorder", self.recorder)
        self._streams = self._read_anew()

    @classmethod
    def create(cls, location: Location, clock: Clock = utc_now) -> Self:
        """Make a new, empty log and its keys, and open it.

        Raises StoreError where something is there.
        """
        opening.make(location, clock)
        return cls.open(location, clock)

    @classmethod
    def open(
        cls, location: Location, clock: Clock = utc_now, *, doubtful_too: bool = False
    ) -> Self:
        """Open a log, and finish what a crash has cut short.

        Raises StoreError when there is none, or a file is of another kind; and where
        log and keys do not fit each other, or events that were signed are gone. With
        `doubtful_too` the log is opened then too, to be looked into: see `doubt`.
        """
        keys = opening.open_keys(location, clock)
        try:
            log = cls(location, keys, clock)
        except BaseException:
            keys.close()
            raise
        try:
            log.doubt = opening.doubt(keys, log.records)
            if log.doubt is not None and not doubtful_too:
                raise log.doubt
            if log.doubt is None and not isinstance(keys, AbsentKeys):
                log._finish_erasures()
        except BaseException:
            log.close()
            raise
        return log

    def _finish_erasures(self) -> None:
        """Their keys are doomed, so the rest may wait: the log can be used, and repaired."""
        try:
            if self.keys.pending_erasures():
                self.erasures_finished = finish_pending(self)
            self.keys_returned = destroy_returned(self.keys, self.records)
        except (StoreError, Refusal) as error:
            self.erasure_unfinished = error

    def close(self) -> None:
        super().close()
        self.keys.close()

    def _read_anew(self) -> Streams:
        """The streams, with nothing in memory."""
        return Streams(self.records, self.keys, self.visible, self._codec)

    def _steadily(self, read: Callable[[Streams], T], *, fresh: bool = False) -> T:
        """What `read` answers; asked again where somebody was erased before or meanwhile.

        It is asked first with what is in memory, unless that has to be `fresh`, and
        what it answers or raises counts only where that turns out to be still valid.
        """
        while True:
            streams = self._streams
            if fresh and self.keys.generation != streams.generation:
                self._streams = streams = self._read_anew()
            try:
                found = read(streams)
            except Exception:
                if self.keys.generation == streams.generation:
                    raise
            else:
                if self.keys.generation == streams.generation:
                    return found
            self._streams = self._read_anew()

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

        def decided(streams: Streams, standing: Standing) -> tuple[int, Sequence[Fact]]:
            with self.watcher.step("load"):
                history = streams.history(stream, standing)
                require_version(stream, history.version, expected_version)
                book, organisation = streams.settings(standing)
            with self.watcher.step("decide"):
                facts = decide(command, history, book, intent, organisation)
            for fact in facts:
                if isinstance(fact, DealMerged):
                    other = stream_of(StreamKind.DEAL, fact.into)
                    require_going_on(fact.into, streams.history(other).deal.life)
            return history.version, facts

        def allowed(streams: Streams, earlier: CommandRow) -> None:
            history, organisation = streams.history(stream), streams.organisation()
            versions = earlier.first_version, earlier.last_version
            require_may_repeat(command, history, versions, intent.principal, organisation)

        # Two deals could else be merged into each other at once.
        alone = isinstance(command, MergeDeal)
        return self._carry_out(stream, command, intent, decided, allowed, alone=alone)

    def publish(
        self, process: SalesProcess, intent: Intent, expected_version: int | None = None
    ) -> Handled:
        """Make a version of a process available; again with the same content changes nothing.

        Raises IdTaken when that version has other content, VersionConflict as `handle` does.
        """
        return self._decide(beside.publication(process), process, intent, expected_version)

    def configure(
        self,
        command: AnyOrganisationCommand,
        intent: Intent,
        expected_version: int | None = None,
    ) -> Handled:
        """Carry out a command on the organisation, once for each command id of a principal.

        The log is ours while it is decided: a rule over several streams (units
        have no loops) would not notice a second writer. Raises Refusal, VersionConflict
        as `handle` does, StoreError.
        """
        asked = beside.configuration(command, intent)
        return self._decide(asked, command, intent, expected_version, alone=True)

    def publish_rates(
        self,
        command: PublishRates,
        intent: Intent,
        zone: tzinfo = UTC,
        expected_version: int | None = None,
    ) -> Handled:
        """Make rates of a day known, once for each command id of a principal.

        `zone` tells which day it is; many days go by `publish_days`. Raises Refusal,
        VersionConflict as `handle` does, StoreError.
        """
        return self._decide(beside.rates(command, intent, zone), command, intent, expected_version)

    def set_target(
        self, command: SetTarget, intent: Intent, expected_version: int | None = None
    ) -> Handled:
        """Set a target, or take it back, once for each command id of a principal.

        Raises Refusal, VersionConflict as `handle` does, StoreError.
        """
        return self._decide(beside.target(command, intent), command, intent, expected_version)

    def set_webhook(
        self, command: AnyWebhookCommand, intent: Intent, expected_version: int | None = None
    ) -> Handled:
        """Carry out a command on a webhook, once for each command id of a principal.

        The keys of its secrets are durable before: see `store.webhook_secrets`. Raises
        Refusal, VersionConflict as `handle` does, StoreError.
        """
        return self._decide(beside.webhook(command, intent), command, intent, expected_version)

    def undertake(self, stream: str, payload: msgspec.Struct, intent: Intent) -> Undertaken:
        """Begin, once for each command id of a principal, what takes more than one command.

        Nothing is recorded but that it was begun, and when. Raises CommandIdReused, StoreError.
        """
        handled = self._decide(beside.nothing(stream), payload, intent)
        row = self.records.command(intent.principal.id, intent.command_id)
        assert row is not None
        return Undertaken(datetime.fromisoformat(row.recorded_at), handled.repeated)

    def _decide(
        self,
        question: beside.Question,
        payload: msgspec.Struct,
        intent: Intent,
        expected_version: int | None = None,
        *,
        alone: bool = False,
    ) -> Handled:
        """Carry out what concerns no deal."""
        stream = checked_stream(question.stream)

        def decided(streams: Streams, _: Standing) -> tuple[int, Sequence[Fact]]:
            question.require_may_ask(streams)
            version = self.records.version(stream)
            require_version(stream, version, expected_version)
            return version, question.facts(streams)

        def allowed(streams: Streams, earlier: CommandRow) -> None:
            question.require_may_repeat(streams, earlier)

        return self._carry_out(stream, payload, intent, decided, allowed, alone=alone)

    def append(self, batches: Sequence[Batch]) -> int:
        """Append the drafts of all batches in one transaction, as they are.

        Returns the position of the last event in the feed. Raises VersionConflict,
        and records nothing, when a stream is not at its batch's expected version;
        PersonErased for what speaks of somebody erased.
        """
        try:
            return self.records.append(self._rows(lambda: batches))
        except IntegrityError:
            raise first_conflict(self.records, batches) from None

    def append_alone(self, decided: Callable[[], Sequence[Batch]]) -> int:
        """Append what is decided while nobody else can append, as it is, in one transaction.

        Returns the position of the last event in the feed. Raises PersonErased.
        """
        with told_as_damage(), self.records.transaction() as append:
            return append(self._rows(decided))

    def _rows(self, decided: Callable[[], Sequence[Batch]]) -> list[Row]:
        needed: set[str] = set()
        return self._steadily(
            lambda streams: [row for row, _ in streams.writer.rows(decided(), self.now(), needed)],
            fresh=True,
        )

    def _carry_out(
        self,
        stream: str,
        payload: msgspec.Struct,
        intent: Intent,
        decided: Callable[[Streams, Standing], tuple[int, Sequence[Fact]]],
        allowed: Callable[[Streams, CommandRow], None],
        *,
        alone: bool = False,
    ) -> Handled:
        check_command_id(intent.command_id)
        fingerprint = self.keys.fingerprint(content(stream, payload, intent))
        needed: set[str] = set()

        def attempt(append: Append) -> Handled:
            with self.watcher.step("stand"):
                standing = self._streams.standing(stream, intent.principal.id, intent.command_id)
            known = standing.command
            if known is not None:
                # As of now, like all rights; without it even a known id tells nothing.
                self._steadily(lambda streams: allowed(streams, known))
                return self._earlier(known, stream, fingerprint)

            def prepared(streams: Streams) -> tuple[Streams, Batch, list[Written]]:
                version, facts = decided(streams, standing)
                batch = Batch(stream, version, [intent.draft(fact) for fact in facts])
                return streams, batch, list(streams.writer.rows([batch], recorded_at, needed))

            recorded_at = self.now()
            streams, batch, sealed = self._steadily(prepared, fresh=True)
            command = command_row(intent, fingerprint, batch, recorded_at)
            with self.watcher.step("append"):
                position = append([row for row, _ in sealed], command)
            if stream.startswith(_DEALS):
                streams.deals_went_on(len(sealed), position)
            last = batch.expected_version + len(sealed)
            return Handled(stream, last, tuple(event for _, event in sealed))

        def carried_out() -> Handled:
            if not alone:
                with suppress(IntegrityError):
                    return attempt(self.records.append)
            with told_as_damage(), self.records.transaction() as append:
                return attempt(append)

        return watched(self.watcher, type(payload).__name__, carried_out)

    def _earlier(self, row: CommandRow, stream: str, fingerprint: bytes) -> Handled:
        """The first result of a repeated command."""
        require_same(row, stream, fingerprint)
        first, last = row.first_version, row.last_version
        events = self._steadily(
            lambda streams: streams.events_in(row.stream, after=first - 1, last=last)
        )
        return Handled(row.stream, last, events, repeated=True)

    # Streams.

    def history(self, deal_id: str, visible: Collection[Sensitivity] = EVERYTHING) -> History:
        """All events of a deal and its state; empty, at version 0, for an unknown deal.

        What is not `visible` is hidden, and so is all that follows from it.
        """
        stream = checked_stream(stream_of(StreamKind.DEAL, deal_id))
        if frozenset(visible) != EVERYTHING:
            events = self.events_in(stream, visible)
            return History.of(stream, cast("Sequence[DealEvent]", events))
        return self._steadily(lambda streams: streams.history(stream))

    def events_in(
        self, stream: str, visible: Collection[Sensitivity] = EVERYTHING
    ) -> tuple[Recorded[Fact], ...]:
        """All events of a stream in order of version; none for an unknown stream."""
        return self._steadily(lambda streams: streams.events_in(stream, visible))

    def events_of(
        self,
        streams: Iterable[str],
        visible: Collection[Sensitivity],
        unread: Callable[[UnreadableEvent], None] | None = None,
    ) -> dict[str, tuple[Recorded[Fact], ...]]:
        """The events of each stream that has any, in few statements, as far as `visible`.

        Raises UnreadableEvent. With `unread`, which is told each, such an event is left out
        instead; where only a key is missing (EventWithoutKey), what is not public is hidden.
        """
        names, errors = list(streams), dict[tuple[str, int], UnreadableEvent]()
        into = None if unread is None else errors
        found = self._steadily(lambda now: now.events_of(names, visible, into))
        if unread is not None:
            for _, error in sorted(errors.items()):
                unread(error)
        return found

    def streams(self, kind: StreamKind) -> list[str]:
        """The names of all streams of a kind, in the order in which they began."""
        return self.records.names(kind)

    def processes(self) -> ProcessBook:
        """The built-in processes and all published ones."""
        return self._streams.processes()

    def users(self) -> dict[str, UserRegistered]:
        """Each registered user by id, as registered last."""
        events = self.events_of(self.streams(StreamKind.USER), EVERYTHING)
        registered = (event.fact for stream in events.values() for event in stream)
        return {fact.user: fact for fact in registered if isinstance(fact, UserRegistered)}

    def organisation(self) -> Organisation:
        """Who is in the organisation and how far its roles may go, as of now."""
        return self._steadily(lambda streams: streams.organisation())

    def directory_at_hand(self) -> Directory | None:
        """Users, units and keys of access as of now, where that takes no waiting; None else.

        Whether somebody was erased meanwhile is not asked: roles and keys of access are public.
        """
        organisation = self._streams.organisation_at_hand()
        return None if organisation is None else organisation.directory

    def rates(self) -> RateBook:
        """All exchange rates on record; `as_known` gives those of a moment."""
        return self._steadily(lambda streams: streams.rates())

    def targets(self) -> Targets:
        """All targets on record; `as_known` gives those of a moment."""
        return self._steadily(lambda streams: streams.targets())

    def webhooks(self) -> Webhooks:
        """All webhooks, as of now."""
        return self._steadily(lambda streams: streams.webhooks())

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
