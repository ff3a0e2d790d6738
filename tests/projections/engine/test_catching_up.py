"""Catch-up: what is read once and no more, and what becomes of it after a crash."""

import signal
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import select

from domain.accesses import FieldDisclosed
from domain.corrections import EventWithdrawn
from domain.process import ProcessPublished
from domain.values import ProcessRef
from projections import audit, deals, periods
from projections.engine.catching_up import BATCH_EVENTS
from projections.engine.checkpoints import Checkpoint, read_checkpoints, this_process
from projections.engine.keeping_up import catch_up, position
from projections.engine.models import MODELS, NoSuchModel, named
from projections.engine.rebuilding import rebuild
from projections.models import ReadModel
from projections.tables import deals as deals_table
from projections.tables import stream_counts
from projections.views import Views, open_views
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.postgres.connections import connect
from store.tail import Tail
from tests.conftest import NewLocation
from tests.projections.histories import RECORDED_AT
from tests.projections.stores import (
    Clock,
    TailUpTo,
    append,
    append_deals,
    draft,
    make_log,
    make_tables,
    register,
    rows_of,
    views_beside,
)
from tests.projections.worker import WHEN_CATCHING_UP, run
from tests.scenario import SHORT, opened

PUBLISHED = 2
"""Events of the processes that every log of these tests begins with."""


def checkpoints_of(views: Views) -> list[Checkpoint]:
    with views.reading() as connection:
        return read_checkpoints(connection)


def positions_of(views: Views) -> dict[str, int]:
    return {checkpoint.model: checkpoint.position for checkpoint in checkpoints_of(views)}


def position_of(views: Views) -> int:
    [position] = set(positions_of(views).values())
    return position


def names_in(views: Views) -> list[str]:
    with views.reading() as connection:
        return list(connection.execute(select(deals_table.c.name).order_by("name")).scalars())


def is_consistent(views: Views, log: DealLog) -> bool:
    """Whether the rows are those of the checkpoint, by making them anew from that much log."""
    with views_beside(log.location) as anew:
        catch_up(anew, TailUpTo(log, position_of(views)))
        return rows_of(anew) == rows_of(views)


def begin(views: Views, tail: Tail) -> None:
    """Have the read models built, so that what follows is caught up live."""
    catch_up(views, tail)


def test_everything_is_read_once(log: DealLog, tail: Tail, views: Views) -> None:
    append_deals(log, 3)
    assert catch_up(views, tail) == PUBLISHED + 9
    assert catch_up(views, tail) == 0
    append_deals(log, 1, first=3)
    assert catch_up(views, tail) == 3
    assert names_in(views) == ["Deal 0", "Deal 1", "Deal 2", "Deal 3"]


def test_every_model_has_its_checkpoint(log: DealLog, tail: Tail, views: Views) -> None:
    assert position(views, tail) is None
    begin(views, tail)
    head = append_deals(log, 1)
    catch_up(views, tail)
    assert [(c.model, c.version, c.position, c.moved_by) for c in checkpoints_of(views)] == [
        (model.NAME, model.VERSION, head, this_process())
        for model in sorted(MODELS, key=lambda model: model.NAME)
    ]
    assert position(views, tail) == head


@pytest.mark.parametrize("built", [False, True])
def test_it_goes_as_far_as_it_is_told(log: DealLog, tail: Tail, views: Views, built: bool) -> None:
    """When they are built as when they are caught up."""
    if built:
        begin(views, tail)
    head = append_deals(log, 3)
    assert catch_up(views, tail, until=PUBLISHED + 4) == 4 + (0 if built else PUBLISHED)
    assert position_of(views) == PUBLISHED + 4
    assert is_consistent(views, log)
    assert catch_up(views, tail, until=1) == 0
    assert position(views, tail) == PUBLISHED + 4
    assert catch_up(views, tail) == 5
    assert position_of(views) == head
    assert is_consistent(views, log)


@pytest.mark.parametrize("built", [False, True])
def test_it_does_not_go_further_than_the_log(
    log: DealLog, tail: Tail, views: Views, built: bool
) -> None:
    if built:
        begin(views, tail)
    head = append_deals(log, 1)
    catch_up(views, tail, until=head + 1_000)
    assert position_of(views) == head
    assert catch_up(views, tail) == 0


def test_it_tells_how_far_it_is(log: DealLog, tail: Tail, views: Views) -> None:
    begin(views, tail)
    head = append_deals(log, 3)
    told: list[tuple[int, int]] = []
    catch_up(views, tail, progress=lambda done, of: told.append((done, of)), batch_events=4)
    assert told == [(6, head), (10, head), (11, head)]
    assert head < BATCH_EVENTS


def test_an_empty_log_has_no_rows(location: Location, views: Views, log: DealLog) -> None:
    assert catch_up(views, TailUpTo(log, 0)) == 0
    assert position_of(views) == 0
    assert {name: len(rows) for name, rows in rows_of(views).items() if rows} == {"checkpoints": 3}


def test_the_size_of_the_batches_makes_no_difference(
    log: DealLog, tail: Tail, views: Views
) -> None:
    make_tables(views)
    append_deals(log, 4)
    register(log, "ann", "Ann")
    register(log, "ann", "Anna")
    append(log, "d-1", draft(opened(name="Again"), 3))
    begin(views, TailUpTo(log, 1))
    catch_up(views, tail, batch_events=1)
    assert is_consistent(views, log)


def test_streams_and_events_are_counted_by_kind(log: DealLog, tail: Tail, views: Views) -> None:
    append_deals(log, 2)
    begin(views, tail)
    append_deals(log, 2, first=2)
    register(log, "ann", "Ann")
    append(log, "d-1", draft(opened(name="Again"), 3))
    catch_up(views, tail, batch_events=2)
    with views.reading() as connection:
        rows = connection.execute(select(stream_counts).order_by("kind")).all()
    assert [tuple(row) for row in rows] == [("deal", 4, 13), ("process", 1, 2), ("user", 1, 1)]


# Some models and not others.


@pytest.mark.parametrize("models", [(deals,), (audit, periods)])
def test_some_models_go_on_alone(
    log: DealLog, tail: Tail, views: Views, models: tuple[ReadModel, ...]
) -> None:
    begin(views, tail)
    head = append_deals(log, 2)
    assert catch_up(views, tail, models=models) == head - PUBLISHED
    expected = {model.NAME: head if model in models else PUBLISHED for model in MODELS}
    assert positions_of(views) == expected
    assert position(views, tail, models) == head
    assert position(views, tail) == PUBLISHED


def test_models_at_different_positions_come_together(
    log: DealLog, tail: Tail, views: Views
) -> None:
    begin(views, tail)
    append_deals(log, 6)
    catch_up(views, tail, until=5, models=[audit])
    catch_up(views, tail, until=9, models=[periods])
    assert positions_of(views) == {"audit": 5, "deals": PUBLISHED, "deal-periods": 9}
    told: list[int] = []
    catch_up(views, tail, progress=lambda done, _: told.append(done), batch_events=100)
    assert told == [5, 9, log.head()]
    assert position_of(views) == log.head()
    assert is_consistent(views, log)


def test_a_stream_of_another_kind_with_the_id_of_a_deal_leaves_the_deal_alone(
    log: DealLog, tail: Tail, views: Views
) -> None:
    append_deals(log, 1)
    for version in range(2):
        disclosed = draft(FieldDisclosed("d-0", 1, "name"))
        log.append([Batch("access:d-0", version, [disclosed])])
        catch_up(views, tail)
        assert names_in(views) == ["Deal 0"]
    assert is_consistent(views, log)


def test_models_are_named() -> None:
    assert named([]) == MODELS
    assert [model.NAME for model in named(["deals", "audit"])] == ["audit", "deals"]
    with pytest.raises(NoSuchModel, match="there is no read model 'nope'; there are audit, deals"):
        named(["deals", "nope"])


# Who comes second.


def check(views: Views, tail: Tail) -> None:
    assert position_of(views) == tail.head()
    rebuilt = rebuild(views, tail, check=True)
    assert rebuilt.differences == []
    assert rebuilt.switched


def test_threads_apply_nothing_twice(log: DealLog, tail: Tail, views: Views) -> None:
    begin(views, tail)
    head = append_deals(log, 30)
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(catch_up, views, tail, batch_events=7) for _ in range(4)]
        applied = [task.result() for task in tasks]
    assert sum(applied) == head - PUBLISHED
    check(views, tail)


def test_processes_apply_nothing_twice(log: DealLog, tail: Tail, views: Views) -> None:
    """Those that wait for another one see what it has done."""
    begin(views, tail)
    append_deals(log, 60)
    ends = run(log.location, *["catch_up_in_batches"] * 4)
    assert [code for code, _ in ends] == [0] * 4
    # As they would be where two write the same rows.
    assert rows_of(views)["parked"] == []
    check(views, tail)


def test_processes_may_build_at_once(log: DealLog, tail: Tail, views: Views) -> None:
    append_deals(log, 10)
    ends = run(log.location, *["catch_up_in_batches"] * 3)
    assert [code for code, _ in ends] == [0] * 3
    check(views, tail)


# Crashes.


class PowerCut(BaseException):
    """Nothing may catch it."""


@pytest.mark.parametrize("model", [audit, deals, periods])
def test_an_exception_inside_a_batch_leaves_the_batch_before(
    log: DealLog, tail: Tail, views: Views, model: object
) -> None:
    begin(views, tail)
    append_deals(log, 5)
    catch_up(views, tail, until=7, batch_events=7)
    before = rows_of(views)
    with patch.object(model, "rows", side_effect=PowerCut), pytest.raises(PowerCut):
        catch_up(views, tail)
    assert rows_of(views) == before
    assert is_consistent(views, log)
    catch_up(views, tail)
    assert position_of(views) == log.head()
    assert is_consistent(views, log)


@pytest.mark.parametrize("when", WHEN_CATCHING_UP)
def test_a_killed_process_leaves_the_batch_before(
    log: DealLog, tail: Tail, views: Views, when: str
) -> None:
    begin(views, tail)
    append_deals(log, 10)
    assert run(log.location, ("die_catching_up", when)) == [(-signal.SIGKILL, "")]
    assert position_of(views) == PUBLISHED + 7
    assert is_consistent(views, log)
    catch_up(views, tail)
    check(views, tail)


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


# Another log.


def remove_log(location: Location) -> None:
    """Remove a log and its keys, and leave the read models."""
    if location.database is None:
        location.log.unlink()
    else:
        with connect(location.database) as connection:
            connection.execute(
                SQL("DROP SCHEMA {} CASCADE").format(Identifier(location.database.schema))
            )
    for path in (location.keys, location.keys.with_suffix("").with_suffix(".key")):
        path.unlink(missing_ok=True)


def test_a_log_made_anew_at_the_same_place_is_noticed(new_location: NewLocation) -> None:
    location = new_location()
    for names in (["One"], ["Two", "Zwei"]):
        with make_log(location) as log, closing(open_views(location)) as views:
            for name in names:
                append(log, name, draft(opened(name=name)))
            catch_up(views, Tail(log))
            assert names_in(views) == names
        remove_log(location)


def test_a_log_restored_from_a_backup_is_noticed(tmp_path: Path) -> None:
    """Even when it has meanwhile grown past where the read models were."""
    location = Location.beside(tmp_path / "deals.db")
    backup = tmp_path / "backup.db"
    with make_log(location) as log, closing(open_views(location)) as views:
        append_deals(log, 1)
        with closing(sqlite3.connect(location.log)) as connection:
            connection.execute("VACUUM INTO ?", (str(backup),))
        append(log, "lost", draft(opened(name="Lost")))
        catch_up(views, Tail(log))
        assert names_in(views) == ["Deal 0", "Lost"]
    location.log.unlink()
    backup.rename(location.log)

    with (
        DealLog.open(location, Clock(RECORDED_AT.replace(hour=20))) as restored,
        closing(open_views(location)) as views,
    ):
        tail = Tail(restored)
        catch_up(views, tail)
        assert names_in(views) == ["Deal 0"]
        append_deals(restored, 2, first=1)
        assert restored.head() > PUBLISHED + 4
        catch_up(views, tail)
        assert names_in(views) == ["Deal 0", "Deal 1", "Deal 2"]
        assert rebuild(views, tail, check=True).differences == []


def test_what_is_parked_for_want_of_a_process_is_taken_in_when_it_is_published(
    log: DealLog, views: Views, tail: Tail
) -> None:
    append(log, "d-1", draft(opened(process=ProcessRef("later", 1))))
    catch_up(views, tail)
    assert names_in(views) == []
    later = msgspec.structs.replace(SHORT, id="later")
    log.append([Batch("process:later", 0, [draft(ProcessPublished(later))])])
    catch_up(views, tail)
    assert len(names_in(views)) == 1
    assert rebuild(views, tail, check=True).differences == []
