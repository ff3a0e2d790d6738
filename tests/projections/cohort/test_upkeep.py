"""Keeping the models up, and asking for no more than what is kept."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from domain.deal import DealEvent
from projections.cohort import models as cohort_models
from projections.cohort.models import CohortModels
from projections.cohort.upkeep import Upkeep
from store.errors import StoreUnavailable
from store.keys.holding import held
from tests.projections.cohort.portfolios import (
    LEAST,
    NOW,
    ZONE,
    Log,
    cache_in,
    first_of,
    histories,
    models,
    with_note,
)

COUNT = 60
LATE = first_of(2026, 6)


def upkeep(folder: Path, step_seconds: float = 600) -> Upkeep:
    return Upkeep(folder / "deals.views.db", ZONE, least=LEAST, step_seconds=step_seconds)


def stepped(upkeep: Upkeep, log: Log, now: datetime = NOW) -> bool:
    @contextmanager
    def reading() -> Iterator[Log]:
        yield log

    return upkeep.step(reading, now)


class Busy(Log):
    """Nobody is to look through its tables, nor to read its histories."""

    def decided(self, limit: datetime) -> list[object]:  # type: ignore[override]
        raise AssertionError(limit)

    def histories(self, deal_ids: object) -> Iterator[tuple[str, tuple[DealEvent, ...]]]:
        raise AssertionError(deal_ids)


@contextmanager
def asking(folder: Path, log: Log | None = None) -> Iterator[CohortModels]:
    """The models as one sees them that makes none."""
    asked = log or Busy(histories(COUNT))
    with closing(CohortModels(asked, ZONE, cache_in(folder), least=LEAST)) as found:
        yield found


def test_every_month_has_its_model_then(tmp_path: Path) -> None:
    assert stepped(upkeep(tmp_path), Log(histories(COUNT)))
    with asking(tmp_path) as asked:
        assert asked.due(NOW) == []
        for month in range(1, 7):
            at = first_of(2026, month)
            assert asked.kept(at) == models(COUNT).at(at)
            assert not asked.is_late(at)
        first = asked.portfolio.begins()
        assert first is not None
        early = asked.kept(first + timedelta(days=31))
        assert early is not None
        assert early.model is None


def test_the_newest_month_comes_first_and_steps_are_small(tmp_path: Path) -> None:
    log, one = Log(histories(COUNT)), upkeep(tmp_path, step_seconds=0)
    with asking(tmp_path, log) as asked:
        due = asked.due(NOW)
    assert due == sorted(due, reverse=True)
    assert due[0] == first_of(2026, 7)
    assert not stepped(one, log)
    with asking(tmp_path, log) as asked:
        assert asked.due(NOW) == due

    def steps(seconds: float) -> Iterator[list[datetime]]:
        while True:
            done = stepped(upkeep(tmp_path, seconds), log)
            with asking(tmp_path, log) as asked:
                yield asked.due(NOW)
            if done:
                return

    left = list(steps(0.05))
    assert len(left) > 1
    assert left[-1] == []
    assert all(due[-len(some) :] == some for some in left if some)


def test_what_was_made_is_not_looked_at_again(tmp_path: Path) -> None:
    one, log = upkeep(tmp_path), Log(histories(COUNT))
    assert stepped(one, log)
    assert stepped(one, Busy(histories(COUNT)))
    assert stepped(upkeep(tmp_path), Busy(histories(COUNT)))


def test_a_new_month_is_made(tmp_path: Path) -> None:
    one, log = upkeep(tmp_path), Log(histories(COUNT))
    assert stepped(one, log)
    later = NOW + timedelta(days=40)
    assert stepped(one, log, later)
    with asking(tmp_path) as asked:
        assert asked.kept(later) is not None
        assert asked.due(later) == []
        assert asked.due(later + timedelta(days=31)) == [first_of(2026, 9)]


def test_one_process_at_a_time_makes_models(tmp_path: Path) -> None:
    log = Log(histories(COUNT))
    with held(cache_in(tmp_path).path.with_suffix(".lock"), wait_seconds=0):
        assert not stepped(upkeep(tmp_path), log)
        assert log.read == []
    assert stepped(upkeep(tmp_path), log)


def test_without_the_library_it_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    one, log = upkeep(tmp_path), Log(histories(COUNT))
    assert stepped(one, log)
    assert stepped(
        one, Busy({**histories(COUNT), "another": histories(1)[next(iter(histories(1)))]})
    )
    assert len([line for line in caplog.messages if "scikit-learn" in line]) == 1


def test_where_nothing_can_be_kept_it_says_so_before_it_reads(tmp_path: Path) -> None:
    log = Log(histories(COUNT))
    with pytest.raises(StoreUnavailable):
        stepped(upkeep(tmp_path / "nowhere"), log)
    assert log.read == []


def test_two_that_make_the_same_models_do_no_harm(tmp_path: Path) -> None:
    one = CohortModels(Log(histories(COUNT)), ZONE, cache_in(tmp_path), least=LEAST)
    other = CohortModels(Log(histories(COUNT)), ZONE, cache_in(tmp_path), least=LEAST)
    assert one.at(LATE) == other.at(LATE)
    assert other.at(first_of(2026, 1)) == one.at(first_of(2026, 1))
    one.close()
    other.close()
    with asking(tmp_path) as asked:
        assert asked.kept(LATE) == models(COUNT).at(LATE)


# What is kept.


def test_kept_courses_are_those_of_the_model(tmp_path: Path) -> None:
    stepped(upkeep(tmp_path), Log(histories(COUNT)))
    with asking(tmp_path) as asked:
        found, expected = asked.kept_courses(LATE), models(COUNT).courses(LATE)
    assert found is not None
    assert len(found) > LEAST
    assert [one.packed() for one in found] == [one.packed() for one in expected]


def test_a_month_without_a_kept_model_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cohort_models, "FEW_EVENTS", 0)
    with asking(tmp_path) as asked:
        assert asked.kept(LATE) is None
        assert asked.kept_courses(LATE) is None


def test_in_a_small_store_too_few_deals_are_told_at_once(tmp_path: Path) -> None:
    with asking(tmp_path, Log(histories(COUNT))) as asked:
        early = asked.boundary(min(asked.portfolio.begins() or NOW, NOW) + timedelta(days=62))
        found = asked.kept(early)
        assert found is not None
        assert (found.size, found.model) == (models(COUNT).at(early).size, None)
        assert asked.kept(LATE) is None


def test_a_model_is_late_once_something_was_learned_of_its_time(tmp_path: Path) -> None:
    stepped(upkeep(tmp_path), Log(histories(COUNT)))
    told = with_note(min(histories(COUNT)), LATE - timedelta(days=2))
    with asking(tmp_path, Busy(told)) as asked:
        assert asked.is_late(LATE)
        assert asked.kept(LATE) == models(COUNT).at(LATE)
        assert not asked.is_late(first_of(2026, 5))
        assert first_of(2026, 5) not in asked.due(NOW)
        assert LATE in asked.due(NOW)
    stepped(upkeep(tmp_path), Log(told))
    with asking(tmp_path, Busy(told)) as asked:
        assert not asked.is_late(LATE)


def test_how_far_is_looked_for_a_question_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stepped(upkeep(tmp_path), Log(histories(COUNT)))
    told = with_note(min(histories(COUNT)), NOW + timedelta(days=300))
    with asking(tmp_path, Busy(told)) as asked:
        assert not asked.is_late(LATE)
    monkeypatch.setattr(cohort_models, "MOST_UNSEEN", 0)

    def looked(position: int) -> int | None:
        raise AssertionError(position)

    with asking(tmp_path, Busy(told)) as asked:
        monkeypatch.setattr(asked.portfolio, "learned_from", looked)
        assert asked.is_late(LATE)


def test_what_was_looked_through_is_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cohort_models, "_WORTH_KEEPING", 0)
    stepped(upkeep(tmp_path), Log(histories(COUNT)))
    told = with_note(min(histories(COUNT)), NOW + timedelta(days=300))
    with asking(tmp_path, Busy(told)) as asked:
        asked.at(LATE)
    kept = cache_in(tmp_path)
    kept.open(Log(told), LEAST, cohort_models.MOST)
    model = kept.model(LATE.isoformat())
    assert model is not None
    assert model.checked == Log(told).head() == Log(histories(COUNT)).head() + 1
    assert kept.keys(LATE.isoformat())
