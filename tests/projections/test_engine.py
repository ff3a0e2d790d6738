"""Catch-up: what is read once and no more, and what becomes of it after a crash."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import select

from domain.corrections import EventWithdrawn
from projections import deals, engine, periods
from projections.engine import BATCH_EVENTS, Checkpoint, catch_up, is_current, read_checkpoints
from projections.rebuild import rebuild
from projections.tables import deals as deals_table
from projections.views import Views
from store.log import DealLog
from store.sqlite.recorder import LogRecorder
from tests.projections.histories import RECORDED_AT
from tests.projections.stores import (
    Clock,
    LogUpTo,
    append,
    append_deals,
    draft,
    make_log,
    register,
    rows_of,
)
from tests.projections.worker import run
from tests.scenario import opened

PUBLISHED = 2
"""Events of the processes that every log of these tests begins with."""


def checkpoints_of(views: Views) -> list[Checkpoint]:
    with views.reading() as connection:
        return read_checkpoints(connection)


def position_of(views: Views) -> int:
    positions = {checkpoint.position for checkpoint in checkpoints_of(views)}
    assert len(positions) == 1
    return positions.pop()


def names_in(views: Views) -> list[str]:
    with views.reading() as connection:
        return list(connection.execute(select(deals_table.c.name).order_by("name")).scalars())


def is_consistent(views: Views, log: DealLog, tmp_path: Path) -> bool:
    """Whether the rows are those of the checkpoint, by making them anew from that much log."""
    anew = Views(tmp_path / "anew.db")
    catch_up(anew, LogUpTo(log, position_of(views)))
    same = rows_of(anew) == rows_of(views)
    anew.close()
    return same


def test_everything_is_read_once(log: DealLog, views: Views) -> None:
    append_deals(log, 3)
    assert catch_up(views, log) == PUBLISHED + 9
    assert catch_up(views, log) == 0
    append_deals(log, 1, first=3)
    assert catch_up(views, log) == 3
    assert names_in(views) == ["Deal 0", "Deal 1", "Deal 2", "Deal 3"]


def test_every_model_has_its_checkpoint(log: DealLog, views: Views) -> None:
    assert checkpoints_of(views) == []
    catch_up(views, log)
    assert checkpoints_of(views) == [
        Checkpoint(name, 1, PUBLISHED) for name in ("audit", "deal-periods", "deals")
    ]


def test_it_goes_as_far_as_it_is_told(log: DealLog, views: Views, tmp_path: Path) -> None:
    append_deals(log, 3)
    assert catch_up(views, log, until=PUBLISHED + 4) == PUBLISHED + 4
    assert position_of(views) == PUBLISHED + 4
    assert is_consistent(views, log, tmp_path)
    assert catch_up(views, log, until=1) == 0
    assert position_of(views) == PUBLISHED + 4
    assert not is_current(views, log, log.head())
    assert catch_up(views, log) == 5
    assert is_current(views, log, log.head())


def test_it_tells_how_far_it_is(log: DealLog, views: Views) -> None:
    head = append_deals(log, 3)
    told: list[tuple[int, int]] = []
    catch_up(views, log, progress=lambda done, of: told.append((done, of)), batch_events=4)
    assert told == [(4, head), (8, head), (11, head)]
    assert head < BATCH_EVENTS


def test_an_empty_log_has_no_rows(tmp_path: Path, views: Views) -> None:
    assert catch_up(views, LogUpTo(make_log(tmp_path), 0)) == 0
    assert position_of(views) == 0
    assert {name: len(rows) for name, rows in rows_of(views).items() if rows} == {"checkpoints": 3}


def test_the_size_of_the_batches_makes_no_difference(
    log: DealLog, views: Views, tmp_path: Path
) -> None:
    append_deals(log, 4)
    register(log, "ann", "Ann")
    register(log, "ann", "Anna")
    append(log, "d-1", draft(opened(name="Again"), 3))
    catch_up(views, log, batch_events=1)
    assert is_consistent(views, log, tmp_path)


# Who comes second.


def test_threads_apply_nothing_twice(log: DealLog, views: Views) -> None:
    head = append_deals(log, 30)
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(catch_up, views, log, batch_events=7) for _ in range(4)]
        applied = [task.result() for task in tasks]
    assert sum(applied) == head
    assert rebuild(views, log, check=True).differences == []


def test_processes_apply_nothing_twice(log: DealLog, views: Views) -> None:
    head = append_deals(log, 30)
    ends = run(log.location, "catch_up_in_batches", "catch_up_in_batches")
    assert [code for code, _ in ends] == [0, 0]
    assert sum(int(answer) for _, answer in ends) == head
    assert position_of(views) == head
    assert rebuild(views, log, check=True).differences == []


# Crashes.


class PowerCut(BaseException):
    """Nothing may catch it."""


@pytest.mark.parametrize("model", [deals, periods])
def test_an_exception_inside_a_batch_leaves_the_batch_before(
    log: DealLog, views: Views, tmp_path: Path, model: object
) -> None:
    append_deals(log, 5)
    catch_up(views, log, until=7, batch_events=7)
    before = rows_of(views)
    with patch.object(model, "apply", side_effect=PowerCut), pytest.raises(PowerCut):
        catch_up(views, log)
    assert rows_of(views) == before
    assert is_consistent(views, log, tmp_path)
    catch_up(views, log)
    assert position_of(views) == log.head()
    assert is_consistent(views, log, tmp_path)


@pytest.mark.parametrize("task", ["die_with_rows_written", "die_before_the_commit"])
def test_a_killed_process_leaves_the_batch_before(
    log: DealLog, views: Views, tmp_path: Path, task: str
) -> None:
    append_deals(log, 10)
    assert run(log.location, task) == [(-signal.SIGKILL, "")]
    assert position_of(views) == 7
    assert is_consistent(views, log, tmp_path)
    catch_up(views, log)
    assert position_of(views) == log.head()
    assert rebuild(views, log, check=True).differences == []


# Another machine.


def test_rows_moves_and_trails_are_the_same_wherever_they_are_made(log: DealLog) -> None:
    append_deals(log, 4)
    register(log, "ann", "Ann")
    append(log, "d-1", draft(EventWithdrawn((2, 3), "…"), 9))
    told = {
        run(
            log.location,
            "tell_all",
            surroundings={"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language, "LANG": language},
        )[0]
        for seed, zone, language in (("1", "UTC", "C"), ("2", "Asia/Kathmandu", "tr_TR.UTF-8"))
    }
    [(code, digest)] = told
    assert (code, len(digest)) == (0, 64)


# Another log, another release.


def test_a_log_made_anew_at_the_same_place_is_noticed(tmp_path: Path) -> None:
    for names in (["One"], ["Two", "Zwei"]):
        log = make_log(
            tmp_path, Clock() if names == ["One"] else Clock(RECORDED_AT.replace(hour=3))
        )
        views = Views(log.location.views)
        for name in names:
            append(log, name, draft(opened(name=name)))
        catch_up(views, log)
        assert names_in(views) == names
        views.close()
        log.close()
        for path in tmp_path.glob("deals.db*"):
            path.unlink()


def test_a_log_restored_from_a_backup_is_noticed(tmp_path: Path) -> None:
    """Even when it has meanwhile grown past where the read models were."""
    log = make_log(tmp_path)
    append_deals(log, 1)
    backup = log.location.log.with_name("backup.db")
    assert isinstance(log.recorder, LogRecorder)
    with log.recorder.datastore.reading() as cursor:
        cursor.execute("VACUUM INTO ?", (str(backup),))
    append(log, "lost", draft(opened(name="Lost")))
    views = Views(log.location.views)
    catch_up(views, log)
    assert names_in(views) == ["Deal 0", "Lost"]
    log.close()
    for path in tmp_path.glob("deals.db*"):
        path.unlink()
    backup.rename(tmp_path / "deals.db")

    restored = DealLog.open(log.location, Clock(RECORDED_AT.replace(hour=20)))
    catch_up(views, restored)
    assert names_in(views) == ["Deal 0"]
    append_deals(restored, 2, first=1)
    assert restored.head() > PUBLISHED + 4
    catch_up(views, restored)
    assert names_in(views) == ["Deal 0", "Deal 1", "Deal 2"]
    assert rebuild(views, restored, check=True).differences == []
    views.close()
    restored.close()


@pytest.mark.parametrize("model", engine.MODELS)
def test_another_version_of_a_model_is_made_anew(
    log: DealLog, views: Views, model: engine.ReadModel
) -> None:
    head = append_deals(log, 2)
    catch_up(views, log)
    with patch.object(model, "VERSION", 2):
        assert not is_current(views, log, head)
        assert catch_up(views, log) == head
        assert Checkpoint(model.NAME, 2, head) in checkpoints_of(views)
        assert catch_up(views, log) == 0
    assert catch_up(views, log) == head


def test_a_new_model_is_made_with_all_others(log: DealLog, views: Views) -> None:
    head = append_deals(log, 2)
    with patch.object(engine, "MODELS", engine.MODELS[:-1]):
        catch_up(views, log)
    assert catch_up(views, log) == head
    assert {checkpoint.model for checkpoint in checkpoints_of(views)} == {
        model.NAME for model in engine.MODELS
    }


def test_a_half_written_checkpoint_table_is_made_anew(log: DealLog, views: Views) -> None:
    head = append_deals(log, 2)
    catch_up(views, log)
    with views.writing() as connection:
        connection.exec_driver_sql("UPDATE checkpoints SET position = 3 WHERE model = 'deals'")
    assert catch_up(views, log) == head
