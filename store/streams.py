"""The streams of one log as they can be read now: events, histories, and what follows from them.

Theory of operation. Everything here is read with one memory, which is valid for one
generation of the keys (store/memory.py). Whoever asks compares the generation
afterwards, and asks a new one of these where it was raised (`DealLog`).

Processes and organisation change seldom, and every command needs them. So beside each
stands the head of the log as of which it is known, and only when events of its kinds
stand behind that is it read anew. Exchange rates and targets are kept alike, but asked
for by those alone who need them: commands on deals do not.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import cast

from domain.access import EVERYTHING, PUBLIC_ONLY, Sensitivity
from domain.deal import DealEvent, History
from domain.history import Fact, Recorded, StreamKind
from domain.organisation import Organisation
from domain.process import ProcessBook, ProcessPublished, SalesProcess
from domain.process_files import built_in_processes
from domain.rates import RateBook
from domain.targets import Targets
from domain.webhooks import Webhooks
from store.errors import UnreadableEvent
from store.events.codec import Codec
from store.events.reading import Reading
from store.events.writing import Writer
from store.keys.ring import KeyRing
from store.memory import Memory, opened_by_stream
from store.recorder import Recorder, Row, Standing

_ORGANISATION = (StreamKind.USER, StreamKind.UNIT, StreamKind.AUTHORITY)
_SETTINGS = (StreamKind.PROCESS, *_ORGANISATION)


class Streams:
    """Reads the streams of one log, and makes the rows that follow them."""

    def __init__(
        self,
        records: Recorder,
        keys: KeyRing,
        visible: Collection[Sensitivity],
        codec: Codec,
        writer: type[Writer] = Writer,
    ) -> None:
        self._records = records
        self._codec = codec
        self._memory = Memory(keys, visible)
        self.writer = writer(codec, self._memory.cipher, self._events_to, keys)

    @property
    def generation(self) -> int:
        """Of the keys, for which this is valid."""
        return self._memory.generation

    def standing(self, stream: str, principal: str, command_id: str) -> Standing:
        """What a command on a stream is decided on, as far as it is not in memory."""
        after = 0
        with suppress(KeyError):
            after = self._memory.histories.get(stream).version
        known = min(self._memory.book[0], self._memory.organisation[0])
        return self._records.standing(
            principal, command_id, stream, after, kinds=_SETTINGS, known=known
        )

    def history(self, stream: str, standing: Standing | None = None) -> History:
        """All events of a deal and its state; what is in memory is not read again.

        Of `standing`, where it fits what is in memory, the newer ones are taken.
        """
        try:
            known = self._memory.histories.get(stream)
        except KeyError:
            known = History(stream)
        if standing is not None and (standing.stream, standing.after) == (stream, known.version):
            newer = self._opened(standing.rows, self._memory.whole)
        else:
            newer = self.select(self._memory.whole, stream, known.version)
        if newer:
            known = known.extended(cast("Sequence[DealEvent]", newer))
            self._memory.histories.put(stream, known)
        return known

    def events_in(
        self,
        stream: str,
        visible: Collection[Sensitivity] = EVERYTHING,
        after: int = 0,
        last: int | None = None,
    ) -> tuple[Recorded[Fact], ...]:
        """The events of a stream with versions above `after`, up to the `last` one."""
        return self.select(self._memory.reading(visible), stream, after, last)

    def events_of(
        self,
        names: Collection[str],
        visible: Collection[Sensitivity],
        unread: dict[tuple[str, int], UnreadableEvent] | None = None,
    ) -> dict[str, tuple[Recorded[Fact], ...]]:
        """The events of each stream that has any; see `opened_by_stream`."""
        rows = self._records.rows_of(names)
        return opened_by_stream(self._codec, rows, self._memory.reading(visible), unread)

    def select(
        self, reading: Reading, stream: str, after: int = 0, last: int | None = None
    ) -> tuple[Recorded[Fact], ...]:
        rows = self._records.rows(stream, after)
        if last is not None:
            rows = rows[: last - after]
        return self._opened(rows, reading)

    def _opened(self, rows: Sequence[Row], reading: Reading) -> tuple[Recorded[Fact], ...]:
        to_event = self._codec.to_event
        return tuple([to_event(*row, reading) for row in rows])

    def _events_to(self, stream: str, version: int) -> Sequence[Recorded[Fact]]:
        """The events of a stream up to a version at least, from memory or from the log."""
        with suppress(KeyError):
            known = self._memory.histories.get(stream)
            if known.version >= version:
                return known.events
        return self.select(self._memory.whole, stream)

    # What all deals share.

    def settings(self, standing: Standing) -> tuple[ProcessBook, Organisation]:
        """Processes and organisation, as of that standing or later."""
        if standing.known and not standing.changed:
            self._unchanged(standing.known, standing.head)
        return self._processes(standing.head), self._organisation(standing.head)

    def processes(self) -> ProcessBook:
        """The built-in processes and all published ones."""
        return self._processes(self._records.head())

    def organisation(self) -> Organisation:
        """Who is in the organisation and how far its roles may go, as of now."""
        return self._organisation(self._records.head())

    def organisation_at_hand(self) -> Organisation | None:
        """The same from memory, where nothing was recorded since; None where it takes a look."""
        known, organisation = self._memory.organisation
        head = self._records.head_at_hand() if known else None
        return organisation if head is not None and head <= known else None

    def deals_went_on(self, rows: int, last: int) -> None:
        """So many rows of deals were appended, up to a position, and nothing between them.

        What is known as of the position before them holds as of the last of them too.
        """
        self._unchanged(last - rows, last)

    def _unchanged(self, since: int, head: int) -> None:
        """Neither processes nor organisation have changed since one position, up to another."""
        known, book = self._memory.book
        if since <= known < head:
            self._memory.book = (head, book)
        known, organisation = self._memory.organisation
        if since <= known < head:
            self._memory.organisation = (head, organisation)

    def _processes(self, head: int) -> ProcessBook:
        known, book = self._memory.book
        if head <= known:
            return book
        if not known or self._records.holds((StreamKind.PROCESS,), after=known):
            book = built_in_processes().with_(*self._published())
        self._memory.book = (head, book)
        return book

    def _published(self) -> Iterator[SalesProcess]:
        for events in self._of_kinds((StreamKind.PROCESS,), PUBLIC_ONLY):
            for event in events:
                if isinstance(event.fact, ProcessPublished):
                    yield event.fact.process

    def _organisation(self, head: int) -> Organisation:
        known, organisation = self._memory.organisation
        if head <= known:
            return organisation
        if not known or self._records.holds(_ORGANISATION, after=known):
            organisation = Organisation.of(self._of_kinds(_ORGANISATION, EVERYTHING))
        self._memory.organisation = (head, organisation)
        return organisation

    def rates(self) -> RateBook:
        """All exchange rates on record."""
        known, book = self._memory.rates
        head = self._records.head()
        if head <= known:
            return book
        if not known or self._records.holds((StreamKind.RATES,), after=known):
            streams = self._of_kinds((StreamKind.RATES,), PUBLIC_ONLY)
            book = RateBook.of(event for events in streams for event in events)
        self._memory.rates = (head, book)
        return book

    def targets(self) -> Targets:
        """All targets on record."""
        known, targets = self._memory.targets
        head = self._records.head()
        if head <= known:
            return targets
        if not known or self._records.holds((StreamKind.TARGET,), after=known):
            streams = self._of_kinds((StreamKind.TARGET,), PUBLIC_ONLY)
            targets = Targets.of(event for events in streams for event in events)
        self._memory.targets = (head, targets)
        return targets

    def webhooks(self) -> Webhooks:
        """All webhooks, as of now."""
        known, webhooks = self._memory.webhooks
        head = self._records.head()
        if head <= known:
            return webhooks
        if not known or self._records.holds((StreamKind.WEBHOOK,), after=known):
            names = self._records.names(StreamKind.WEBHOOK)
            # One whose key is missing, or that cannot be read, keeps no other from working.
            webhooks = Webhooks.of(self.events_of(names, EVERYTHING, {}).values())
        self._memory.webhooks = (head, webhooks)
        return webhooks

    def _of_kinds(
        self, kinds: Iterable[StreamKind], visible: Collection[Sensitivity]
    ) -> Iterable[tuple[Recorded[Fact], ...]]:
        names = [name for kind in kinds for name in self._records.names(kind)]
        return self.events_of(names, visible).values()
