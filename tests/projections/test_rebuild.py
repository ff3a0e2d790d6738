"""Rebuild: what it finds, what it swaps, and who may look on meanwhile."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from unittest.mock import patch

import pytest

from projections import rebuild as rebuilding
from projections.engine import MODELS, catch_up
from projections.rebuild import DIFFERENCES_SHOWN, Difference, rebuild
from projections.views import Views
from store.errors import StoreBusy, StoreError
from store.log import DealLog
from tests.projections.stores import append, append_deals, draft, register, rows_of
from tests.projections.worker import run
from tests.scenario import opened

FILES = (
    {"deals.key", "deals.keys.db"}
    | {"deals.db", "deals.db-shm", "deals.db-wal"}
    | {
        "deals.views.db",
        "deals.views.db-shm",
        "deals.views.db-wal",
    }
)


def change(views: Views, statement: str) -> None:
    with views.writing() as connection:
        assert connection.exec_driver_sql(statement).rowcount > 0


def count_deals(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM deals").fetchone()[0])


@contextmanager
def connected(views: Views) -> Iterator[sqlite3.Connection]:
    """A connection of somebody else, who reads the file with SQLite alone."""
    connection = sqlite3.connect(views.path, isolation_level=None, timeout=0)
    try:
        yield connection
    finally:
        connection.close()


# What it finds.


def test_it_makes_what_is_not_there(log: DealLog, views: Views) -> None:
    head = append_deals(log, 2)
    rebuilt = rebuild(views, log)
    assert (rebuilt.events, rebuilt.swapped, rebuilt.differences) == (head, True, None)
    assert rebuilt.rows == {"entries": head, "deals": 2, "deal_periods": 6}
    rows = rows_of(views)
    assert catch_up(views, log) == 0
    assert rows_of(views) == rows


def test_a_check_of_what_is_right_finds_nothing(log: DealLog, views: Views) -> None:
    append_deals(log, 2)
    rebuilt = rebuild(views, log, check=True)
    assert rebuilt.differences == []
    assert rebuilt.swapped


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE deals SET amount_minor = 1 WHERE deal_id = 'd-1'", ("deals", 1, 1)),
        ("UPDATE deals SET region = '' WHERE deal_id = 'd-1'", ("deals", 1, 1)),
        ("DELETE FROM deal_periods WHERE deal_id = 'd-0'", ("deal_periods", 0, 3)),
        ("UPDATE entries SET inferred = 1 WHERE position = 4", ("entries", 1, 1)),
    ],
)
def test_a_check_finds_what_was_changed_and_leaves_it(
    log: DealLog, views: Views, statement: str, found: tuple[str, int, int]
) -> None:
    append_deals(log, 2)
    catch_up(views, log)
    change(views, statement)
    before = rows_of(views)
    rebuilt = rebuild(views, log, check=True)
    assert not rebuilt.swapped
    assert rebuilt.differences is not None
    assert [(d.table, d.only_live, d.only_rebuilt) for d in rebuilt.differences] == [found]
    assert rows_of(views) == before

    assert rebuild(views, log).swapped
    assert rebuild(views, log, check=True).differences == []


def test_a_difference_shows_rows_of_both_sides(log: DealLog, views: Views) -> None:
    append_deals(log, 1)
    catch_up(views, log)
    change(views, "UPDATE deals SET name = 'Planted'")
    [difference] = rebuild(views, log, check=True).differences or []
    live, made_anew = difference.examples
    assert live.startswith("live: ('d-0', 3, 'Planted'")
    assert made_anew.startswith("rebuilt: ('d-0', 3, 'Deal 0'")


def test_many_differences_are_counted_and_a_few_shown(log: DealLog, views: Views) -> None:
    append_deals(log, 20)
    catch_up(views, log)
    change(views, "DELETE FROM deals")
    [difference] = rebuild(views, log, check=True).differences or []
    assert difference == Difference("deals", 0, 20, difference.examples)
    assert len(difference.examples) == DIFFERENCES_SHOWN


def test_a_check_compares_at_one_position(log: DealLog, views: Views) -> None:
    """However far either is when they are compared first."""
    append_deals(log, 3)
    compare = rebuilding._compare_at_one_position

    def appending(live: Views, fresh: Views, feed: DealLog) -> list[Difference]:
        append(log, "late", draft(opened(name="Late")))
        catch_up(fresh, log)
        append(log, "later", draft(opened(name="Later")))
        with patch.object(rebuilding, "catch_up", wraps=catch_up) as catching_up:
            found = compare(live, fresh, feed)
        assert catching_up.call_count > 1
        return found

    with patch.object(rebuilding, "_compare_at_one_position", appending):
        rebuilt = rebuild(views, log, check=True)
    assert rebuilt.differences == []
    assert rebuilt.rows["deals"] == 5


def test_it_tells_how_far_it_is(log: DealLog, views: Views) -> None:
    head = append_deals(log, 2)
    told: list[tuple[int, int]] = []
    rebuild(views, log, progress=lambda done, of: told.append((done, of)))
    assert told == [(head, head)]


# The swap.


def test_a_reader_sees_the_old_rows_to_the_end_of_its_transaction(
    log: DealLog, views: Views
) -> None:
    append_deals(log, 3)
    catch_up(views, log)
    change(views, "DELETE FROM deals WHERE deal_id = 'd-1'")
    with connected(views) as reader, connected(views) as newcomer:
        reader.execute("BEGIN")
        assert count_deals(reader) == 2
        assert rebuild(views, log).swapped
        assert count_deals(reader) == 2
        assert count_deals(newcomer) == 3
        reader.execute("COMMIT")
        assert count_deals(reader) == 3
        assert reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert reader.execute("PRAGMA journal_mode").fetchall() == [("wal",)]


def test_it_replaces_read_models_of_another_layout(log: DealLog, views: Views) -> None:
    append_deals(log, 3)
    catch_up(views, log)
    with views.writing() as connection:
        connection.exec_driver_sql("DROP TABLE deals")
        connection.exec_driver_sql("CREATE TABLE deals (something_else)")
    assert rebuild(views, log).swapped
    assert rebuild(views, log, check=True).differences == []


def test_a_swap_waits_for_a_writer(log: DealLog, views: Views) -> None:
    append_deals(log, 1)
    catch_up(views, log)
    written = Event()

    def write() -> None:
        with views.writing():
            written.set()
            waited.wait(0.3)

    waited = Event()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert written.wait(10)
        assert rebuild(views, log).swapped
        writing.result()


def test_a_swap_gives_up_where_a_writer_never_ends(log: DealLog, views: Views) -> None:
    append_deals(log, 1)
    catch_up(views, log)
    before = rows_of(views)
    with connected(views) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with views.driver() as kept_in_the_pool:
            kept_in_the_pool.execute("PRAGMA busy_timeout = 0")
        with (
            patch.object(rebuilding, "BUSY_TIMEOUT_SECONDS", 0),
            pytest.raises(StoreBusy, match="locked for 0 seconds"),
        ):
            rebuild(views, log)
        writer.execute("ROLLBACK")
    assert rows_of(views) == before
    assert rebuild(views, log).swapped


def test_live_read_models_go_on_while_others_are_made(log: DealLog, views: Views) -> None:
    """Appends, catch-ups and reads by others, throughout several rebuilds."""
    append_deals(log, 10)
    others = Views(views.path)
    done = Event()

    def live() -> int:
        number = 10
        while not done.is_set():
            append_deals(log, 1, first=number)
            number += 1
            catch_up(others, log)
            with others.reading() as connection:
                seen = connection.exec_driver_sql("SELECT count(*) FROM deals").scalar_one()
            assert 10 <= seen <= number
        return number

    with ThreadPoolExecutor(1) as pool:
        living = pool.submit(live)
        try:
            for check in (False, True, False, True):
                rebuilt = rebuild(views, log, check=check)
                assert rebuilt.swapped, rebuilt.differences
        finally:
            done.set()
        number = living.result()
    others.close()
    catch_up(views, log)
    assert len(rows_of(views)["deals"]) == number
    assert rebuild(views, log, check=True).differences == []


# What it leaves behind.


def files_in(log: DealLog) -> set[str]:
    return {path.name for path in log.location.log.parent.iterdir()}


def test_it_leaves_no_file_behind(log: DealLog, views: Views) -> None:
    append_deals(log, 2)
    rebuild(views, log, check=True)
    change(views, "DELETE FROM deals")
    rebuild(views, log, check=True)
    assert files_in(log) <= FILES


def test_it_leaves_no_file_behind_when_it_fails(log: DealLog, views: Views) -> None:
    append_deals(log, 2)
    with (
        patch.object(MODELS[-1], "apply", side_effect=ZeroDivisionError),
        pytest.raises(ZeroDivisionError),
    ):
        rebuild(views, log)
    assert files_in(log) <= FILES


def test_what_a_killed_rebuild_left_is_cleared(log: DealLog, views: Views) -> None:
    append_deals(log, 2)
    register(log, "ann", "Ann")
    [(code, answer)] = run(log.location, "die_before_the_swap")
    assert (code, answer) == (-9, "")
    left = views.path.with_name("deals.views.db.rebuild")
    assert left.exists()
    planted = sqlite3.connect(left)
    planted.execute("DELETE FROM deals")
    planted.commit()
    planted.close()
    rebuilt = rebuild(views, log)
    assert rebuilt.rows["deals"] == 2
    assert len(rows_of(views)["deals"]) == 2
    assert files_in(log) <= FILES


def test_one_rebuild_at_a_time(log: DealLog, views: Views) -> None:
    append_deals(log, 2)
    others = Views(views.path)

    def second(*_: object) -> list[Difference]:
        with pytest.raises(StoreBusy, match="another rebuild is running"):
            rebuild(others, log)
        return []

    with patch.object(rebuilding, "_compare_at_one_position", second):
        assert rebuild(views, log, check=True).swapped
    others.close()
    assert rebuild(views, log, check=True).differences == []


@pytest.mark.parametrize("check", [False, True])
def test_a_file_of_another_kind_is_left_alone(
    log: DealLog, views: Views, tmp_path: Path, check: bool
) -> None:
    foreign = sqlite3.connect(views.path)
    foreign.execute("CREATE TABLE deals (mine)")
    foreign.execute("INSERT INTO deals VALUES ('kept')")
    foreign.commit()
    with pytest.raises(StoreError, match="database of another kind"):
        rebuild(views, log, check=check)
    assert foreign.execute("SELECT * FROM deals").fetchall() == [("kept",)]
    foreign.close()
    assert files_in(log) <= FILES
