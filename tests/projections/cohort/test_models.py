"""The models of a portfolio: which deals they rest on, and when they are made anew."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from domain.deal import DealEvent
from domain.lifecycle.facts import NoteAdded, OpportunityLost, OpportunityWon
from projections.cohort.boundaries import boundary_at, just_before
from projections.cohort.courses import outcome_of
from projections.cohort.files import Files
from projections.cohort.models import CohortModels
from projections.cohort.portfolio import Histories, dated_as_occurred
from store.errors import StoreUnavailable
from tests.projections.cohort.portfolios import (
    LEAST,
    NOW,
    PROCESSES,
    ZONE,
    first_of,
    histories,
    models,
    models_of,
)

COUNT = 60
EARLY, LATE = first_of(2025, 8), first_of(2026, 6)


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

    def named(self, position: int) -> str | None:
        return f"{self._name}@{position}" if 0 < position <= self.head() else None


def kept_in(folder: Path, log: Log, *boundaries: datetime) -> list[str]:
    """Have the models made or read; answers with the deals whose histories were read for it."""
    files = Files(folder / "deals.views.db")
    with CohortModels(log, ZONE, files, least=LEAST) as asked:
        for boundary in boundaries:
            expected = models(COUNT).at(boundary)
            if log._told == histories(COUNT):
                assert asked.at(boundary) == expected
            else:
                asked.at(boundary)
    return log.read


def with_note(deal_id: str, known_at: datetime) -> Mapping[str, Sequence[DealEvent]]:
    """The portfolio once a note of an early day became known on that deal."""
    events = histories(COUNT)[deal_id]
    note = msgspec.structs.replace(
        events[-1],
        version=len(events) + 1,
        fact=NoteAdded("by the way"),
        occurred_at=events[0].occurred_at + timedelta(hours=1),
        known_at=known_at,
    )
    return {**histories(COUNT), deal_id: [*events, note]}


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


def test_a_late_entry_makes_anew_only_what_it_concerns(tmp_path: Path) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY, LATE)
    deal_id = min(decided_before(EARLY))
    between = EARLY + timedelta(days=1)
    assert kept_in(tmp_path, Log(with_note(deal_id, between)), EARLY) == []
    assert kept_in(tmp_path, Log(with_note(deal_id, between)), EARLY, LATE) == [deal_id]


def test_what_is_learned_after_a_boundary_does_not_concern_it(tmp_path: Path) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY, LATE)
    deal_id = min(decided_before(EARLY))
    assert kept_in(tmp_path, Log(with_note(deal_id, NOW)), EARLY, LATE) == []


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
    files = Files(tmp_path / "deals.views.db")
    whole = files.models.read_bytes()
    for damaged in (b"", whole[:-20], b"{}", b"\xff" * 40):
        files.models.write_bytes(damaged)
        assert kept_in(tmp_path, Log(histories(COUNT)), EARLY) == []
    assert files.models.read_bytes() == whole
    courses = files.courses.read_bytes()
    for damaged in (b"", courses[:-7], b"\xff" * 40):
        files.courses.write_bytes(damaged)
        files.models.unlink()
        assert set(kept_in(tmp_path, Log(histories(COUNT)), EARLY)) == decided_before(EARLY)


def test_the_files_of_another_log_are_thrown_away(tmp_path: Path) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY)
    read = kept_in(tmp_path, Log(histories(COUNT), name="another"), EARLY)
    assert set(read) == decided_before(EARLY)


def test_models_that_needed_another_number_of_deals_are_thrown_away(tmp_path: Path) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY)
    files = Files(tmp_path / "deals.views.db")
    with CohortModels(Log(histories(COUNT)), ZONE, files, least=500) as asked:
        assert asked.at(EARLY).model is None


def test_no_half_written_file_is_left(tmp_path: Path) -> None:
    kept_in(tmp_path, Log(histories(COUNT)), EARLY)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "deals.cohort.courses",
        "deals.cohort.json",
    ]


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
