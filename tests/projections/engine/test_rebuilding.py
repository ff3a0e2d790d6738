"""Rebuild: what it finds, what it keeps, what it leaves, and who may look on meanwhile."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Connection, func, select

from projections import audit, deals, periods
from projections.engine import rebuilding
from projections.engine.catching_up import catch_up_generation
from projections.engine.comparing import DIFFERENCES_SHOWN, Difference, compare
from projections.engine.keeping_up import catch_up
from projections.engine.models import MODELS
from projections.engine.rebuilding import Rebuilt, rebuild
from projections.models import ReadModel
from projections.tables import deals as deals_table
from projections.views import Views, open_views
from store.errors import StoreBusy, StoreError
from store.log import DealLog
from store.tail import Tail
from tests.projections.stores import append, append_deals, draft, generations, register, rows_of
from tests.projections.worker import WHEN_BUILDING, run
from tests.scenario import opened

PATIENCE_SECONDS = 20


def change(views: Views, statement: str) -> None:
    with views.writing() as connection:
        assert connection.exec_driver_sql(statement).rowcount > 0


def count_deals(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(deals_table)).scalar_one())


def check(views: Views, tail: Tail) -> None:
    """The read models are those of the log."""
    catch_up(views, tail)
    assert rebuild(views, tail, check=True).differences == []


def soon(views: Views, tail: Tail) -> Rebuilt:
    """Rebuild, once the server has noticed that the one before was killed."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return rebuild(views, tail)
        except StoreBusy:
            assert time.monotonic() < give_up
            time.sleep(0.05)


@pytest.fixture
def other(log: DealLog) -> Iterator[Views]:
    """The read models as somebody else has them open."""
    views = open_views(log.location)
    yield views
    views.close()


# What it finds.


def test_it_makes_what_is_not_there(log: DealLog, tail: Tail, views: Views) -> None:
    head = append_deals(log, 2)
    rebuilt = rebuild(views, tail)
    assert (rebuilt.events, rebuilt.switched, rebuilt.differences) == (head, True, None)
    assert rebuilt.rows == {
        "entries": head, "stream_counts": 2, "deals": 2, "deal_team": 2, "deal_periods": 6,
        "deal_marks": 2,
    }  # fmt: skip
    rows = rows_of(views)
    assert catch_up(views, tail) == 0
    assert rows_of(views) == rows


def test_a_check_of_what_is_right_finds_nothing(log: DealLog, tail: Tail, views: Views) -> None:
    catch_up(views, tail)
    append_deals(log, 2)
    rebuilt = rebuild(views, tail, check=True)
    assert rebuilt.differences == []
    assert rebuilt.switched


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE deals SET amount_minor = 1 WHERE deal_id = 'd-1'", ("deals", 1, 1)),
        ("UPDATE deals SET region = '' WHERE deal_id = 'd-1'", ("deals", 1, 1)),
        ("DELETE FROM deal_periods WHERE deal_id = 'd-0'", ("deal_periods", 0, 3)),
        ("UPDATE deal_marks SET position = 4 WHERE deal_id = 'd-1'", ("deal_marks", 1, 1)),
        ("UPDATE entries SET inferred = true WHERE position = 4", ("entries", 1, 1)),
        ("UPDATE stream_counts SET events = 5 WHERE kind = 'deal'", ("stream_counts", 1, 1)),
        (
            "INSERT INTO parked VALUES ('deals', 'deal:d-0', 3, 5, 'none', 1)",
            ("parked", 1, 0),
        ),
    ],
)
def test_a_check_finds_what_was_changed_and_leaves_it(
    log: DealLog, tail: Tail, views: Views, statement: str, found: tuple[str, int, int]
) -> None:
    append_deals(log, 2)
    catch_up(views, tail)
    change(views, statement)
    before = rows_of(views)
    rebuilt = rebuild(views, tail, check=True)
    assert not rebuilt.switched
    assert rebuilt.differences is not None
    assert [(d.table, d.only_live, d.only_rebuilt) for d in rebuilt.differences] == [found]
    assert rows_of(views) == before
    assert len(generations(views)) == 1

    assert rebuild(views, tail).switched
    check(views, tail)


def test_a_difference_shows_rows_of_both_sides(log: DealLog, tail: Tail, views: Views) -> None:
    append_deals(log, 1)
    catch_up(views, tail)
    change(views, "UPDATE deals SET name = 'Planted'")
    [difference] = rebuild(views, tail, check=True).differences or []
    live, made_anew = difference.examples
    assert live.startswith("live: deal_id='d-0', version=3, name='Planted', reference=None")
    assert made_anew.startswith("rebuilt: deal_id='d-0', version=3, name='Deal 0'")
    assert not any(f"{name}=" in live for name in ("number", "folded", "words"))


def test_many_differences_are_counted_and_a_few_shown(
    log: DealLog, tail: Tail, views: Views
) -> None:
    append_deals(log, 20)
    catch_up(views, tail)
    change(views, "DELETE FROM deals")
    [difference] = rebuild(views, tail, check=True).differences or []
    assert difference == Difference("deals", 0, 20, difference.examples)
    assert len(difference.examples) == DIFFERENCES_SHOWN


def test_a_check_compares_at_one_position(
    log: DealLog, tail: Tail, views: Views, other: Views
) -> None:
    """However far either is when they are compared first."""
    append_deals(log, 3)
    catch_up(views, tail)
    calls = 0

    def late(*arguments: Any) -> int:
        nonlocal calls
        calls += 1
        applied = catch_up_generation(*arguments)
        if calls == 1:  # the live one alone goes on
            append(log, "late", draft(opened(name="Late")))
            catch_up(other, tail)
        return applied

    with patch("projections.engine.comparing.catch_up_generation", late):
        rebuilt = rebuild(views, tail, check=True)
    assert rebuilt.differences == []
    assert calls > 2
    assert rebuilt.rows["deals"] == 4


def test_it_tells_how_far_it_is(log: DealLog, tail: Tail, views: Views) -> None:
    head = append_deals(log, 2)
    told: list[tuple[int, int]] = []
    rebuild(views, tail, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (head, head)
    assert told == sorted(told)


@pytest.mark.parametrize("model", MODELS)
def test_one_model_is_made_anew_and_the_others_are_kept(
    log: DealLog, tail: Tail, views: Views, model: ReadModel
) -> None:
    append_deals(log, 2)
    register(log, "ann", "Ann")
    catch_up(views, tail)
    expected = rows_of(views)
    change(views, "DELETE FROM deals WHERE deal_id = 'd-0'")
    change(views, "DELETE FROM deal_periods WHERE deal_id = 'd-0'")
    change(views, "DELETE FROM entries WHERE position = 4")
    planted = rows_of(views)
    rebuilt = rebuild(views, tail, [model])
    assert set(rebuilt.rows) == {table.name for table in model.TABLES}
    found = rows_of(views)
    for one in MODELS:
        for table in one.TABLES:
            source = expected if one is model else planted
            assert found[table.name] == source[table.name], table.name
    assert found["checkpoints"] == expected["checkpoints"]
    assert rebuild(views, tail).switched
    assert rows_of(views) == expected


def test_what_is_parked_in_a_model_that_is_kept_stays_parked(
    log: DealLog, tail: Tail, views: Views
) -> None:
    append_deals(log, 2)
    with patch.object(audit, "rows", side_effect=ZeroDivisionError):
        catch_up(views, tail)
    before = rows_of(views)
    assert len(before["parked"]) == 3
    rebuild(views, tail, [deals])
    assert rows_of(views) == before
    rebuild(views, tail, [audit])
    assert rows_of(views)["parked"] == []


# Several processes.


def test_two_processes_make_the_same_rows_as_one(log: DealLog, tail: Tail, views: Views) -> None:
    append_deals(log, 60)
    register(log, "ann", "Ann")
    assert rebuild(views, tail, workers=1).switched
    alone = rows_of(views)
    told: list[tuple[int, int]] = []
    rebuilt = rebuild(views, tail, workers=2, progress=lambda done, of: told.append((done, of)))
    assert rows_of(views) == alone
    assert rebuilt.events == log.head()
    assert told[-1] == (log.head(), log.head())
    check(views, tail)


def test_a_worker_that_is_killed_ends_the_rebuild(log: DealLog, tail: Tail, views: Views) -> None:
    append_deals(log, 30)
    catch_up(views, tail)
    change(views, "DELETE FROM deals WHERE deal_id = 'd-1'")
    before = rows_of(views)
    with _killing_a_worker(), pytest.raises(StoreError, match="helped to rebuild") as raised:
        rebuild(views, tail, workers=2)
    assert "The old ones still answer" in raised.value.advice
    assert rows_of(views) == before
    assert len(generations(views)) == 1
    assert soon(views, tail).switched
    assert len(rows_of(views)["deals"]) == 30


@contextmanager
def _killing_a_worker() -> Iterator[None]:
    """One of the processes is killed as soon as it has begun."""

    class Killing(ProcessPoolExecutor):
        def submit(self, *arguments: Any, **named: Any) -> Any:
            future = super().submit(*arguments, **named)
            for process in list((self._processes or {}).values())[:1]:
                process.kill()
            return future

    with patch("projections.engine.filling.ProcessPoolExecutor", Killing):
        yield


# What it leaves behind.


def test_it_leaves_one_generation(log: DealLog, tail: Tail, views: Views) -> None:
    append_deals(log, 2)
    rebuild(views, tail, check=True)
    change(views, "DELETE FROM deals")
    assert not rebuild(views, tail, check=True).switched
    rebuild(views, tail)
    assert len(generations(views)) == 1


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["fill_all", "add_counts", "_catch_up_nearly", "_switch"])
def test_it_leaves_nothing_behind_when_it_fails(
    log: DealLog, tail: Tail, views: Views, error: type[BaseException], where: str
) -> None:
    append_deals(log, 2)
    catch_up(views, tail)
    before, numbers = rows_of(views), generations(views)
    with patch.object(rebuilding, where, side_effect=error), pytest.raises(error):
        rebuild(views, tail)
    assert rows_of(views) == before
    assert generations(views) == numbers


@pytest.mark.parametrize("when", WHEN_BUILDING)
def test_what_a_killed_rebuild_left_is_removed_by_the_next(
    log: DealLog, tail: Tail, views: Views, when: str
) -> None:
    append_deals(log, 6)
    catch_up(views, tail)
    change(views, "UPDATE deals SET name = 'old'")
    assert run(log.location, ("die_building", when)) == [(-signal.SIGKILL, "")]
    assert len(generations(views)) == 2
    answering = {row[2] for row in rows_of(views)["deals"]}
    assert answering == ({f"Deal {n}" for n in range(6)} if when == "it answers" else {"old"})
    append_deals(log, 1, first=6)
    catch_up(views, tail)
    assert len(rows_of(views)["deals"]) == 7
    assert soon(views, tail).switched
    assert {row[2] for row in rows_of(views)["deals"]} == {f"Deal {n}" for n in range(7)}
    assert len(generations(views)) == 1
    check(views, tail)


def test_one_rebuild_at_a_time(log: DealLog, tail: Tail, views: Views, other: Views) -> None:
    append_deals(log, 2)
    catch_up(views, tail)

    def second(*arguments: Any) -> list[Difference]:
        with pytest.raises(StoreBusy, match="another rebuild is running"):
            rebuild(other, tail)
        return compare(*arguments)

    with patch("projections.engine.rebuilding.compare", second):
        assert rebuild(views, tail, check=True).switched
    assert rebuild(other, tail).switched


def test_it_replaces_read_models_of_another_layout(log: DealLog, tail: Tail, views: Views) -> None:
    append_deals(log, 3)
    catch_up(views, tail)
    with views.writing() as connection:
        connection.exec_driver_sql("DROP TABLE deals")
        connection.exec_driver_sql("CREATE TABLE deals (something_else text)")
    assert rebuild(views, tail).switched
    check(views, tail)


def test_models_that_are_patched_are_the_models() -> None:
    """The tests above replace parts of these modules."""
    assert (audit, deals, periods) == MODELS
