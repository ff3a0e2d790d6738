"""The models of a portfolio: which deals they rest on, and when they are made anew."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from domain.deal import DealEvent
from domain.lifecycle.facts import OpportunityLost, OpportunityWon
from projections.cohort import making, training
from projections.cohort.boundaries import boundary_at, just_before
from projections.cohort.courses import Course, outcome_of
from projections.cohort.model import Model
from projections.cohort.models import CohortModels
from projections.cohort.portfolio import Histories, dated_as_occurred
from store.errors import StoreUnavailable
from tests.projections.cohort.portfolios import (
    LEAST,
    NOW,
    PROCESSES,
    ZONE,
    Log,
    cache_in,
    first_of,
    histories,
    models,
    models_of,
    with_note,
)

COUNT = 60
EARLY, LATE = first_of(2025, 8), first_of(2026, 6)


def kept_in(folder: Path, log: Log, *boundaries: datetime) -> list[str]:
    """Have the models made or read; answers with the deals whose histories were read for it."""
    with CohortModels(log, ZONE, cache_in(folder), least=LEAST) as asked:
        for boundary in boundaries:
            expected = models(COUNT).at(boundary)
            if log._told == histories(COUNT):
                assert asked.at(boundary) == expected
            else:
                asked.at(boundary)
    return log.read


def decided_before(boundary: datetime) -> set[str]:
    limit = just_before(boundary)
    return {deal_id for deal_id, events in histories(COUNT).items() if outcome_of(events, limit)}


def test_a_month_begins_in_the_time_zone() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    moment = datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert boundary_at(moment, shanghai) == moment
    assert boundary_at(moment, ZONE) == first_of(2026, 2)
    assert boundary_at(moment - timedelta(microseconds=1), shanghai).month == 1


def test_the_model_at_a_moment_is_that_of_the_boundary_before() -> None:
    asked = models(COUNT)
    assert asked.at(LATE) is asked.at(LATE + timedelta(days=29))
    assert asked.at(LATE - timedelta(microseconds=1)).boundary == first_of(2026, 5)


def test_a_cohort_is_of_the_deals_decided_and_known_before() -> None:
    cohort = models(COUNT).at(LATE)
    assert cohort.size == len(decided_before(LATE)) > LEAST
    assert cohort.model is not None
    assert 0 < cohort.won < cohort.size


def test_below_the_least_it_is_undetermined() -> None:
    told = Histories(histories(COUNT), PROCESSES)
    size = len(decided_before(LATE))
    assert CohortModels(told, ZONE, least=size).at(LATE).model is not None
    undetermined = CohortModels(told, ZONE, least=size + 1).at(LATE)
    assert undetermined.model is None
    assert undetermined.size == size


def test_a_cohort_is_of_those_decided_last() -> None:
    asked = CohortModels(Histories(histories(COUNT), PROCESSES), ZONE, least=5, most=8)
    assert asked.at(LATE).size == 8
    closed = [one.closed_at for one in asked.courses(LATE)]
    everyone = sorted(one.closed_at for one in models(COUNT).courses(LATE))
    assert sorted(closed) == everyone[-8:]


def test_what_is_kept_is_not_made_again(tmp_path: Path) -> None:
    first = kept_in(tmp_path, Log(histories(COUNT)), EARLY, LATE)
    assert set(first) == decided_before(LATE)
    assert kept_in(tmp_path, Log(histories(COUNT)), EARLY, LATE) == []


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many deals each model is trained on, as it is."""
    for boundary in (EARLY, LATE):
        # What others are compared with is made before, so that it is not counted.
        models(COUNT).at(boundary)
    found: list[int] = []
    train = training.train

    def watched(courses: Sequence[Course]) -> Model | None:
        found.append(len(courses))
        return train(courses)

    monkeypatch.setattr(training, "train", watched)
    return found


@pytest.mark.parametrize(
    ("day", "known_at", "anew"),
    [
        pytest.param(0, EARLY + timedelta(days=1), [LATE], id="late, of the deal's way"),
        pytest.param(0, NOW, [], id="later than both"),
        pytest.param(2000, EARLY - timedelta(days=1), [], id="of what came after the outcome"),
    ],
)
def test_a_late_entry_makes_anew_only_what_it_concerns(
    tmp_path: Path, trained: list[int], day: int, known_at: datetime, anew: list[datetime]
) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY, LATE)
    assert len(trained) == 2
    deal_id = min(decided_before(EARLY))
    for boundary in (EARLY, LATE):
        trained.clear()
        read = kept_in(tmp_path, Log(with_note(deal_id, known_at, day)), boundary)
        assert set(read) <= {deal_id}
        assert bool(trained) == (boundary in anew)
    assert kept_in(tmp_path, Log(with_note(deal_id, known_at, day)), EARLY, LATE) == []


class Unreadable(Log):
    """One deal's outcome cannot be read."""

    def histories(self, deal_ids: Iterable[str]) -> Iterator[tuple[str, Sequence[DealEvent]]]:
        hidden = min(decided_before(EARLY))
        for deal_id, events in super().histories(deal_ids):
            yield (
                deal_id,
                [
                    one
                    for one in events
                    if deal_id != hidden
                    or not isinstance(one.fact, OpportunityWon | OpportunityLost)
                ],
            )


def test_a_deal_whose_outcome_cannot_be_read_is_left_out() -> None:
    cohort = CohortModels(Unreadable(histories(COUNT)), ZONE, least=LEAST).at(EARLY)
    assert cohort.size == models(COUNT).at(EARLY).size - 1
    assert cohort.model is not None


def test_a_damaged_file_is_thrown_away(tmp_path: Path) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY)
    path = cache_in(tmp_path).path
    whole = path.read_bytes()
    for damaged in (b"", whole[:-5000], whole[:2000], b"{}", b"\xff" * 4000):
        path.write_bytes(damaged)
        assert set(kept_in(tmp_path, Log(histories(COUNT)), EARLY)) == decided_before(EARLY)
        assert kept_in(tmp_path, Log(histories(COUNT)), EARLY) == []


def test_courses_that_are_damaged_are_made_again(tmp_path: Path) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY)
    with closing(sqlite3.connect(cache_in(tmp_path).path)) as connection, connection:
        connection.execute("UPDATE courses SET content = x'00'")
    with CohortModels(Log(histories(COUNT)), ZONE, cache_in(tmp_path), least=LEAST) as asked:
        assert asked.kept_courses(EARLY) is None
        found, expected = asked.courses(EARLY), models(COUNT).courses(EARLY)
        assert [one.packed() for one in found] == [one.packed() for one in expected]


def test_the_files_of_another_log_are_thrown_away(tmp_path: Path) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY)
    read = kept_in(tmp_path, Log(histories(COUNT), name="another"), EARLY)
    assert set(read) == decided_before(EARLY)


def test_the_files_of_a_log_that_was_longer_are_thrown_away(tmp_path: Path) -> None:
    """As a store that was restored from a backup: what is kept may rest on what is gone."""
    kept_in(tmp_path, Log(histories(COUNT)), EARLY)
    deal_id = max(decided_before(NOW), key=lambda one: len(histories(COUNT)[one]))
    shorter = {**histories(COUNT), deal_id: histories(COUNT)[deal_id][:-1]}
    assert len(kept_in(tmp_path, Log(shorter), EARLY)) >= len(decided_before(EARLY)) - 1
    assert kept_in(tmp_path, Log(shorter), EARLY) == []


def test_courses_are_let_go_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "_MOST_COURSES", 3)
    log = Log(histories(COUNT))
    with CohortModels(log, ZONE, cache_in(tmp_path), least=LEAST) as asked:
        assert asked.at(EARLY) == models(COUNT).at(EARLY)
        assert asked.at(LATE) == models(COUNT).at(LATE)
        assert len(asked.courses(LATE)) == len(models(COUNT).courses(LATE))
    assert set(log.read) == decided_before(LATE)
    assert len(log.read) <= len(decided_before(LATE)) + 2


def test_models_that_needed_another_number_of_deals_are_thrown_away(tmp_path: Path) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY)
    with CohortModels(Log(histories(COUNT)), ZONE, cache_in(tmp_path), least=500) as asked:
        assert asked.at(EARLY).model is None


def test_one_file_is_left(tmp_path: Path) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY)
    assert [path.name for path in tmp_path.iterdir()] == ["deals.cohort.db"]


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        kept_in(tmp_path / "nowhere", Log(histories(COUNT)), EARLY)


def test_training_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    models_of(histories(COUNT)).prepare(
        [EARLY, EARLY + timedelta(days=3), LATE], lambda *at: told.append(at)
    )
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_undated_imports_can_count_as_known_when_they_occurred() -> None:
    event = histories(COUNT)[next(iter(histories(COUNT)))][0]
    undated = msgspec.structs.replace(event, source="import:crm", known_at=event.recorded_at)
    dated = msgspec.structs.replace(undated, known_at=event.recorded_at - timedelta(days=1))
    told = msgspec.structs.replace(undated, source="api")
    assert [one.known_at for one in dated_as_occurred([undated, dated, told])] == [
        event.occurred_at,
        dated.known_at,
        told.known_at,
    ]
