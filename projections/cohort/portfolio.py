"""Where the decided deals come from: an interface, and an implementation over histories in memory.

The models ask for no more than which deals were decided before a boundary, as known before it, and
for the histories of those that they train on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.deal import DealEvent
from domain.process import ProcessBook
from projections.cohort.courses import DECISIVE, outcome_of
from projections.instants import micros


class Decided(msgspec.Struct, frozen=True):
    """A deal that was won or lost, as known before a boundary."""

    deal_id: str
    won: bool
    closed_at: int
    """Microseconds, see `projections.instants`."""


class Portfolio(Protocol):
    """The deals that models are trained on. Histories are as far as they are public."""

    @property
    def processes(self) -> ProcessBook: ...

    def decided(self, limit: datetime) -> Sequence[Decided]:
        """Who was won or lost at (limit, limit): as of then, as known then."""
        ...

    def positions(self, deal_ids: Sequence[str]) -> Mapping[str, int]:
        """The position of the last event of each of these deals."""
        ...

    def histories(self, deal_ids: Iterable[str]) -> Iterator[tuple[str, Sequence[DealEvent]]]:
        """Each of these deals, in this order, with all its events in order of version."""
        ...

    def head(self) -> int:
        """Position of the last event of all."""
        ...

    def named(self, position: int) -> str | None:
        """What tells the event at a position from that in any other log; None: there is none."""
        ...

    def learned_from(self, position: int) -> int | None:
        """The earliest moment from which on something counts as known that was recorded behind a
        position, in microseconds; None: nothing was. Reads all that was recorded since."""
        ...

    def begins(self) -> datetime | None:
        """When the first deal was opened; None: there is none."""
        ...


def dated_as_occurred(events: Sequence[DealEvent]) -> list[DealEvent]:
    """The events, those of imports that do not say when they were known as known when they were.

    Such an event is known from the import on, so a history imported whole was never known.
    """
    return [
        msgspec.structs.replace(one, known_at=one.occurred_at)
        if one.source.startswith("import:") and one.known_at == one.recorded_at
        else one
        for one in events
    ]


class Histories:
    """Histories in memory, by the id of the deal."""

    def __init__(
        self, histories: Mapping[str, Sequence[DealEvent]], processes: ProcessBook
    ) -> None:
        self._histories = histories
        self._turns = {
            deal_id: [one for one in events if isinstance(one.fact, DECISIVE)]
            for deal_id, events in histories.items()
        }
        self.processes = processes

    def decided(self, limit: datetime) -> list[Decided]:
        found = []
        for deal_id, turns in self._turns.items():
            outcome = outcome_of(turns, limit)
            if outcome is not None:
                found.append(Decided(deal_id, outcome.won, micros(outcome.at)))
        return found

    def positions(self, deal_ids: Sequence[str]) -> dict[str, int]:
        return {deal_id: len(self._histories[deal_id]) for deal_id in deal_ids}

    def histories(self, deal_ids: Iterable[str]) -> Iterator[tuple[str, Sequence[DealEvent]]]:
        for deal_id in deal_ids:
            yield deal_id, self._histories[deal_id]

    def head(self) -> int:
        return sum(map(len, self._histories.values()))

    def named(self, position: int) -> str | None:
        return None

    def learned_from(self, position: int) -> int | None:
        """Histories have no positions: anything may be new."""
        return 0

    def begins(self) -> datetime | None:
        return min((events[0].occurred_at for events in self._histories.values()), default=None)
