"""Made-up portfolios for the tests of the cohort estimate, told once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from api.simulate import portfolio
from domain.deal import DealEvent
from domain.lifecycle.facts import NoteAdded
from domain.process_files import built_in_processes
from projections.cohort.cache import Cache
from projections.cohort.courses import CODES, Course
from projections.cohort.features import NAMES
from projections.cohort.models import CohortModels
from projections.cohort.portfolio import Histories
from projections.instants import micros

PROCESSES = built_in_processes()
ZONE = ZoneInfo("UTC")
SEED = 11
LEAST = 15
"""So many decided deals make a model in tests, instead of a hundred."""

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@cache
def events_of(number: int) -> tuple[DealEvent, ...]:
    """The events of one deal of the portfolio."""
    period = portfolio.period(24, date(2026, 6, 30))
    return portfolio.simulated(SEED, number, period, PROCESSES).history.events


@cache
def histories(count: int) -> Mapping[str, Sequence[DealEvent]]:
    """The first deals of the portfolio, by id."""
    return {events_of(number)[0].identifier: events_of(number) for number in range(count)}


@cache
def models(count: int) -> CohortModels:
    """Their models. Shared: only to be asked."""
    return models_of(histories(count))


def models_of(told: Mapping[str, Sequence[DealEvent]]) -> CohortModels:
    return CohortModels(Histories(told, PROCESSES), ZONE, least=LEAST)


class Log(Histories):
    """Histories whose events have positions, as in a log, and which counts what is read."""

    def __init__(self, told: Mapping[str, Sequence[DealEvent]], name: str = "log") -> None:
        super().__init__(told, PROCESSES)
        self._told, self._name = told, name
        self.read: list[str] = []

    def histories(self, deal_ids: Iterable[str]) -> Iterator[tuple[str, Sequence[DealEvent]]]:
        for deal_id, events in super().histories(deal_ids):
            self.read.append(deal_id)
            yield deal_id, events

    def learned_from(self, position: int) -> int | None:
        """As of a log: by the events that are not among the first ones."""
        told = [one for events in self._told.values() for one in events]
        recorded = sorted(told, key=lambda one: (one.recorded_at, one.identifier, one.version))
        return min((micros(one.known_at) for one in recorded[position:]), default=None)

    def named(self, position: int) -> str | None:
        return f"{self._name}@{position}" if 0 < position <= self.head() else None


def with_note(deal_id: str, known_at: datetime, day: int = 0) -> Mapping[str, Sequence[DealEvent]]:
    """The first 60 deals once a note of a day became known on that deal."""
    events = histories(60)[deal_id]
    note = msgspec.structs.replace(
        events[-1],
        version=len(events) + 1,
        fact=NoteAdded("by the way"),
        occurred_at=events[0].occurred_at + timedelta(days=day, hours=1),
        known_at=known_at,
        recorded_at=NOW + timedelta(days=1),
    )
    return {**histories(60), deal_id: [*events, note]}


def cache_in(folder: Path) -> Cache:
    return Cache(folder / "deals.views.db")


def first_of(year: int, month: int) -> datetime:
    return datetime(year, month, 1, tzinfo=UTC)


def course(
    deal_id: str,
    won: bool,
    rows: Sequence[tuple[float, Mapping[str, float]]],
    *,
    closed: float = 100,
    codes: Sequence[int] = (0,) * CODES,
    amount: float = 1000,
    currency: str = "EUR",
) -> Course:
    """A course opened on day 0; of each row the day and the measures that are not 0."""
    measured = np.zeros((len(rows), len(NAMES)), dtype=np.float32)
    for index, (_, values) in enumerate(rows):
        for name, value in values.items():
            measured[index, NAMES.index(name)] = value
    return Course(
        deal_id,
        won,
        0,
        micros_of(closed),
        currency,
        np.array([micros_of(day) for day, _ in rows], dtype=np.int64),
        measured,
        np.array([codes] * len(rows), dtype=np.int8),
        np.full(len(rows), amount),
    )


def micros_of(day: float) -> int:
    """Instants of the courses above: days since 1970."""
    return round(day * 86_400_000_000)
