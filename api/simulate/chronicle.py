"""The record of one deal: every entry is decided by the rules when someone makes it.

An entry says what happened, when, and when it was put on record. Entries are
made in the order of the latter; one that is known late waits for its time.
"""

import heapq
from collections.abc import Iterable
from datetime import datetime

import msgspec

from api.simulate.cast import User
from domain.deal import DealCommand, DealEvent, DealFact, History, decide
from domain.history import Draft, StreamKind, stream_of
from domain.intent import Intent
from domain.organisation import Organisation
from domain.process import ProcessBook

SOURCE = "import:simulate"


class Entry(msgspec.Struct, frozen=True):
    """What someone puts on record. Not before it happened."""

    command: DealCommand
    by: User
    occurred_at: datetime
    known_at: datetime
    scene: int
    """Entries of one scene have one cause."""
    deputy: User | None = None
    """Given for an entry that is made late, while the story goes on: who makes it if by then the
    other no longer works on the deal."""


class Chronicle:
    """The history of one deal as it grows, until the last moment of the period."""

    def __init__(
        self,
        deal_id: str,
        reference: str,
        processes: ProcessBook,
        organisation: Organisation,
        last_moment: datetime,
    ) -> None:
        self.stream = stream_of(StreamKind.DEAL, deal_id)
        self.history = History(self.stream)
        self.drafts: list[Draft[DealFact]] = []
        self._reference = reference
        self._processes = processes
        self._organisation = organisation
        self._last_moment = last_moment
        self._commands = 0
        self._arrivals = 0
        self._waiting: list[tuple[datetime, int, Entry]] = []

    def write(self, story: Iterable[Entry]) -> None:
        """Make the entries of a story, as far as time allows. Raises Refusal."""
        for entry in story:
            if entry.known_at > self._last_moment:
                break
            if entry.deputy is not None:
                self._arrivals += 1
                heapq.heappush(self._waiting, (entry.known_at, self._arrivals, entry))
            else:
                self.make_waiting(entry.known_at)
                self._make(entry)
        self.make_waiting(self._last_moment)

    def make_waiting(self, until: datetime) -> None:
        """Make the late entries whose time has come by `until`."""
        until = min(until, self._last_moment)
        while self._waiting and self._waiting[0][0] <= until:
            entry = heapq.heappop(self._waiting)[2]
            gone = entry.by.id not in self.history.deal.life.team_ids
            if gone and entry.deputy is not None:
                entry = msgspec.structs.replace(entry, by=entry.deputy)
            self._make(entry)

    def _make(self, entry: Entry) -> None:
        intent = self._intent(entry)
        facts = decide(entry.command, self.history, self._processes, intent, self._organisation)
        if not facts:
            return
        drafts = [intent.draft(fact) for fact in facts]
        first = self.history.version + 1
        events: list[DealEvent] = [
            draft.recorded(self.stream, version, entry.known_at)
            for version, draft in enumerate(drafts, start=first)
        ]
        self.history = self.history.extended(events)
        self.drafts += drafts

    def _intent(self, entry: Entry) -> Intent:
        self._commands += 1
        return Intent(
            command_id=f"simulate/{self._reference}/{self._commands}",
            principal=self._organisation.directory.principal(entry.by.id),
            source=SOURCE,
            now=entry.known_at,
            occurred_at=entry.occurred_at,
            known_at=entry.known_at,
            correlation_id=f"simulate/{self._reference}/scene/{entry.scene}",
        )
