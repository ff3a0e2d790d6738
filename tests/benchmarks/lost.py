"""Lost deals to look back on: a store of them, and one long deal with models beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from api.queries.cohorts import learning
from api.queries.instants import Instants
from api.queries.postmortems import postmortem_of
from api.queries.views import View
from api.simulate.portfolio import UNTIL, SimulatedDeal, period, simulated
from api.wire.postmortems import PostMortem
from api.workspace import Workspace
from domain.access import EVERYTHING, Principal, Role
from domain.corrections import standing
from domain.deal import DealEvent
from domain.history import in_fold_order
from domain.lifecycle import Status
from domain.lifecycle.facts import NoteAdded
from domain.people.facts import ContactMade
from domain.process_files import built_in_processes
from projections.cohort.models import CohortModels
from projections.cohort.portfolio import Histories
from store.location import Location
from tests.benchmarks.portfolio import MadeDeal
from tests.benchmarks.stores import Stores

MONTHS = 24
ZONE = ZoneInfo("UTC")
EARLIER = date(2024, 9, 30)
"""The last day of the deals that models learn from before the long deal."""
LATER = timedelta(hours=1)
"""So long after what it repeats an event stands that lengthens a deal."""

PROCESSES = built_in_processes()


class LostDeals:
    """A store of simulated deals, with so many lost ones as are asked for."""

    def __init__(self, folder: Path, wanted: int) -> None:
        self._folder = folder
        self._wanted = wanted

    @cached_property
    def stores(self) -> Stores:
        return Stores(self._folder, [_made(one) for one in self._told])

    @cached_property
    def deals(self) -> list[MadeDeal]:
        """Those that were lost."""
        return [_made(one) for one in self._told if _is_lost(one)]

    @cached_property
    def _told(self) -> list[SimulatedDeal]:
        told: list[SimulatedDeal] = []
        missing, span = self._wanted, period(MONTHS, UNTIL)
        for number in count():
            if not missing:
                break
            told.append(simulated(1, number, span, PROCESSES))
            missing -= _is_lost(told[-1])
        return told

    @cached_property
    def ready(self) -> Path:
        """The log, with read models beside it, and the models of every month trained and kept."""
        moments = [draft.occurred_at for deal in self.deals for draft in deal.drafts]
        with _opened(self.stores.log) as store, learning(store, moments):
            return self.stores.log

    @contextmanager
    def opened(self) -> Iterator[Workspace]:
        with _opened(self.ready) as store:
            yield store


def postmortem(store: Workspace, deal_id: str) -> PostMortem:
    """Of a deal as it stands now, for who may see everything."""
    everybody = Principal("op", frozenset({Role.OPERATOR}))
    return postmortem_of(View(store, deal_id, EVERYTHING, everybody), Instants())


@contextmanager
def _opened(log: Path) -> Iterator[Workspace]:
    now = datetime.combine(UNTIL, datetime.min.time(), UTC) + timedelta(days=1)
    store = Workspace.open(Location.beside(log), ZONE, lambda: now)
    try:
        yield store
    finally:
        store.close()


def long_deal(length: int, among: int) -> list[DealEvent]:
    """The longest lost deal of the first so many, brought to a length, in order of occurrence.

    Its contacts and notes come again until it is as long; a longer one ends early.
    """
    span = period(MONTHS, UNTIL)
    told = [simulated(1, number, span, PROCESSES) for number in range(among)]
    lost = [standing(deal.history.events) for deal in told if _is_lost(deal)]
    events = max(lost, key=lambda one: len(one))  # noqa: PLW0108 (mypy takes no bare `len`)
    again = [one for one in events if isinstance(one.fact, (ContactMade, NoteAdded))]
    version = max(one.version for one in events)
    for number in range(length - len(events)):
        one = again[number % len(again)]
        late = LATER * (number // len(again) + 1)
        events.append(
            msgspec.structs.replace(
                one,
                version=version + number + 1,
                occurred_at=one.occurred_at + late,
                known_at=one.known_at + late,
            )
        )
    return in_fold_order(events)[:length]


def models(deals: int, moments: Sequence[datetime], least: int) -> CohortModels:
    """Models for these moments, trained on deals of the two years up to `EARLIER`."""
    span = period(MONTHS, EARLIER)
    told = [simulated(2, number, span, PROCESSES).history.events for number in range(deals)]
    histories = Histories({events[0].identifier: events for events in told}, PROCESSES)
    made = CohortModels(histories, ZONE, least=least)
    for moment in moments:
        made.at(moment)
    return made


def _is_lost(deal: SimulatedDeal) -> bool:
    return deal.history.deal.life.status is Status.LOST


def _made(deal: SimulatedDeal) -> MadeDeal:
    return MadeDeal(deal.stream.partition(":")[2], deal.drafts)
