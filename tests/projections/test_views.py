"""The file of the read models: its transactions, and what is said when it cannot be used."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from unittest.mock import patch

import pytest
from sqlalchemy.exc import OperationalError

from projections import views as views_module
from projections.engine import catch_up
from projections.views import APPLICATION_ID, Views
from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable
from store.log import DealLog
from tests.projections.stores import append_deals, rows_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "plain.views.db"


@pytest.fixture
def plain(file: Path) -> Iterator[Views]:
    """Views with one table of numbers."""
    views = Views(file)
    with views.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE numbers (number)")
    yield views
    views.close()


def add(views: Views, number: int) -> None:
    with views.writing() as connection:
        connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (number,))


def numbers(views: Views) -> list[int]:
    with views.reading() as connection:
        return list(connection.exec_driver_sql("SELECT number FROM numbers").scalars())


# Transactions.


def test_what_is_written_is_kept(plain: Views) -> None:
    add(plain, 1)
    plain.close()
    assert numbers(plain) == [1]


def test_what_fails_is_undone_and_holds_nobody_up(plain: Views) -> None:
    def fail() -> None:
        with plain.writing() as connection:
            connection.exec_driver_sql("INSERT INTO numbers VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    add(plain, 2)
    assert numbers(plain) == [2]


def test_a_reader_sees_one_moment(plain: Views) -> None:
    add(plain, 1)
    with plain.reading() as connection:
        count = "SELECT count(*) FROM numbers"
        assert connection.exec_driver_sql(count).scalar_one() == 1
        add(plain, 2)
        assert connection.exec_driver_sql(count).scalar_one() == 1
    assert numbers(plain) == [1, 2]


def test_writers_wait_for_each_other(plain: Views) -> None:
    def add_one(number: int) -> None:
        with plain.writing() as connection:
            most = connection.exec_driver_sql("SELECT max(number) FROM numbers").scalar_one()
            connection.exec_driver_sql("INSERT INTO numbers VALUES (?)", (most + 1,))

    add(plain, 0)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_one, range(40)))
    assert numbers(plain) == list(range(41))


def test_everyone_can_come_first(tmp_path: Path) -> None:
    """Making the file, marking it and turning on its log at the same moment."""

    def come(file: Path) -> None:
        views = Views(file)
        together.wait(10)
        with views.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS numbers (number)")
        views.close()

    together = Barrier(6)
    with ThreadPoolExecutor(6) as pool:
        for number in range(10):
            list(pool.map(come, [tmp_path / f"{number}.db"] * 6))
            views = Views(tmp_path / f"{number}.db")
            assert numbers(views) == []
            views.close()


def busy() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


def test_who_meets_others_making_the_file_tries_again(file: Path) -> None:
    views = Views(file)
    with patch.object(views_module, "_mark", side_effect=[busy(), busy(), None]) as mark:
        with views.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE numbers (number)")
        assert mark.call_count == 3
    views.close()


def test_who_wants_the_file_alone_does_not(file: Path) -> None:
    views = Views(file, exclusive=True)
    with (
        patch.object(views_module, "_mark", side_effect=[busy(), None]) as mark,
        pytest.raises(StoreBusy, match="locked by another program"),
        views.reading(),
    ):
        pass
    assert mark.call_count == 1
    views.close()


def test_the_settings_hold_on_every_connection(plain: Views) -> None:
    for _ in range(2):
        with plain.driver() as connection:
            found = {
                name: connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "busy_timeout", "application_id")
            }
        assert found == {
            "journal_mode": "wal",
            "synchronous": 1,
            "busy_timeout": 30_000,
            "application_id": APPLICATION_ID,
        }
        plain.close()


def test_an_exclusive_file_is_for_one(file: Path) -> None:
    one, other = Views(file, exclusive=True), Views(file, exclusive=True)
    with one.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE numbers (number)")
    with pytest.raises(StoreBusy, match="locked by another program"), other.reading():
        pass
    add(one, 1)
    one.close()
    assert numbers(other) == [1]
    other.close()


# A file that cannot be used.


def damage(file: Path) -> None:
    """Everything behind the first page is lost; the header is as it was."""
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def test_text_is_not_a_database(file: Path) -> None:
    file.write_text("deals, as of yesterday" * 100)
    views = Views(file)
    with (
        pytest.raises(StoreError, match="is damaged, or not a database") as raised,
        views.reading(),
    ):
        pass
    assert "Delete it; the read models are made anew from the log" in str(raised.value)
    views.close()


def test_a_damaged_file_is_named_and_may_be_deleted(log: DealLog, views: Views) -> None:
    append_deals(log, 2)
    catch_up(views, log)
    rows = rows_of(views)
    views.close()
    damage(views.path)
    with pytest.raises(StoreError, match=r"deals\.views\.db is damaged") as raised:
        rows_of(views)
    assert "Delete it" in str(raised.value)
    with pytest.raises(StoreError, match="is damaged"):
        catch_up(views, log)
    views.close()
    views.path.unlink()
    catch_up(views, log)
    assert rows_of(views) == rows


def test_a_database_of_another_kind_is_left_alone(file: Path, log: DealLog) -> None:
    foreign = sqlite3.connect(file)
    foreign.execute("CREATE TABLE users (mine)")
    foreign.commit()
    foreign.close()
    before = file.read_bytes()
    for path, content in ((file, before), (log.location.log, log.location.log.read_bytes())):
        views = Views(path)
        with pytest.raises(StoreError, match="a database of another kind") as raised:
            catch_up(views, log)
        assert "delete it if nothing needs it" in str(raised.value)
        views.close()
        assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    views = Views(tmp_path / "nowhere" / "views.db")
    with pytest.raises(StoreUnavailable, match="cannot be read or written"), views.reading():
        pass
    views.close()


def test_a_full_disk_is_said_and_undoes_the_transaction(plain: Views) -> None:
    add(plain, 1)
    with plain.driver() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        with plain.writing() as connection:
            connection.exec_driver_sql("INSERT INTO numbers VALUES (2)")
            connection.exec_driver_sql("INSERT INTO numbers VALUES (zeroblob(100000))")

    with pytest.raises(StoreFull, match="no room to write"):
        fill()
    assert numbers(plain) == [1]
    add(plain, 3)
    assert numbers(plain) == [1, 3]


def test_a_lock_that_is_held_too_long_is_said(plain: Views) -> None:
    with plain.driver() as connection:
        connection.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(plain.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="locked by another program"), plain.writing():
        pass
    other.execute("ROLLBACK")
    other.close()
    add(plain, 1)


def test_a_mistake_of_ours_is_not_called_a_fault_of_the_file(plain: Views) -> None:
    with pytest.raises(OperationalError, match="no such table"), plain.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
