"""The portfolio of a store answers what histories in memory do, on each database."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from api.simulate import portfolio as simulator
from domain.deal import DealEvent
from projections.cohort.boundaries import just_before
from projections.cohort.cache import Cache
from projections.cohort.models import CohortModels
from projections.cohort.portfolio import Histories
from projections.cohort.stored import StoredPortfolio, all_deals, undated_events
from projections.engine.keeping_up import catch_up
from projections.instants import micros
from projections.tables import checkpoints
from projections.views import Views
from store.events.writing import Batch
from store.log import DealLog
from store.tail import Tail
from tests.projections.cohort.portfolios import NOW, PROCESSES, SEED, first_of

COUNT = 24
BOUNDARIES = [first_of(2025, 3), first_of(2025, 9), first_of(2026, 6)]


@pytest.fixture
def stored(log: DealLog, views: Views, tail: Tail) -> Iterator[StoredPortfolio]:
    """The first deals of the portfolio, in a store."""
    period = simulator.period(24, simulator.UNTIL)
    for number in range(COUNT):
        deal = simulator.simulated(SEED, number, period, PROCESSES)
        log.append([Batch(deal.stream, 0, list(deal.drafts))])
    catch_up(views, tail)
    with views.reading() as connection:
        assert undated_events(connection) == 0
        yield StoredPortfolio(connection, tail)


def in_memory(stored: StoredPortfolio) -> Histories:
    ids = all_deals(stored._connection)
    assert len(ids) == COUNT
    return Histories(dict(stored.histories(ids)), stored.processes)


def test_it_answers_as_histories_do(
    stored: StoredPortfolio, log: DealLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory, ids = in_memory(stored), all_deals(stored._connection)
    for boundary in BOUNDARIES:
        limit = just_before(boundary)
        decided = sorted(stored.decided(limit), key=lambda one: one.deal_id)
        assert decided == sorted(memory.decided(limit), key=lambda one: one.deal_id)
    assert len(stored.decided(NOW)) > 5
    head = stored.head()
    assert head == log.head()
    assert stored.named(head) is not None
    assert stored.named(head) != stored.named(head - 1)
    assert stored.named(head + 1) is None
    everything = [event for _, events in memory.histories(ids) for event in events]
    assert stored.learned_from(0) == micros(min(one.known_at for one in everything))
    assert stored.learned_from(head) is None
    assert stored.begins() == memory.begins()
    assert max(stored.positions(ids).values()) == head
    assert stored.positions([]) == {}
    _same_models(stored, memory, tmp_path, monkeypatch)


def _nothing_to_read(deal_ids: Iterable[str]) -> Iterator[tuple[str, Sequence[DealEvent]]]:
    assert list(deal_ids) == []
    return iter(())


def _same_models(
    stored: StoredPortfolio,
    memory: Histories,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zone, files = ZoneInfo("UTC"), Cache(tmp_path / "deals.views.db")
    expected = CohortModels(memory, zone, least=5).at(BOUNDARIES[-1])
    assert expected.model is not None
    with CohortModels(stored, zone, files, least=5) as trained:
        assert trained.at(BOUNDARIES[-1]) == expected
    again = CohortModels(stored, zone, files, least=5)
    monkeypatch.setattr(stored, "histories", _nothing_to_read)
    assert again.at(BOUNDARIES[-1]) == expected
    assert len(again.courses(BOUNDARIES[-1])) > 0


def test_it_knows_no_more_than_the_read_model_that_is_furthest_behind(
    stored: StoredPortfolio, views: Views, tail: Tail
) -> None:
    with views.writing() as connection:
        behind = checkpoints.c.model == "deal-periods"
        connection.execute(update(checkpoints).where(behind).values(position=7))
    with views.reading() as connection:
        lagging = StoredPortfolio(connection, tail)
        assert lagging.head() == 7 < stored.head()
        [deal_id] = all_deals(connection)[:1]
        [(_, whole)] = stored.histories([deal_id])
        [(_, events)] = lagging.histories([deal_id])
        assert events == whole
