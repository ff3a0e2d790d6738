"""The files of the read models: what is said, and done, when they cannot be used."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from projections.engine.keeping_up import catch_up
from projections.engine.rebuilding import rebuild
from projections.views.files import APPLICATION_ID, inode_of
from projections.views.sqlite import FileGeneration, FileViews, driver
from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable
from store.location import Location
from store.log import DealLog
from store.tail import Tail
from tests.projections.stores import append_deals, make_tables, opened_store, rows_of

NOBODY = 65534

FILES = {"deals.key", "deals.keys.db", "deals.db", "deals.db-shm", "deals.db-wal"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[DealLog, FileViews]]:
    with opened_store(Location.beside(tmp_path / "deals.db")) as (log, views):
        assert isinstance(views, FileViews)
        yield log, views


@pytest.fixture
def views(store: tuple[DealLog, FileViews]) -> FileViews:
    """Read models of two deals."""
    log, views = store
    append_deals(log, 2)
    catch_up(views, Tail(log))
    return views


def files_beside(views: FileViews) -> set[str]:
    return {path.name for path in views.path.parent.iterdir()} - FILES


def file_of(views: FileViews) -> Path:
    return views.path.parent / views.path.readlink()


def test_a_link_points_to_the_file_that_answers(log: DealLog, tail: Tail, views: FileViews) -> None:
    assert str(views.path.readlink()) == "deals.views.1.db"
    for number in (2, 3):
        rebuild(views, tail)
        views.close()
        assert str(views.path.readlink()) == f"deals.views.{number}.db"
        file = f"deals.views.{number}.db"
        left = files_beside(views) - {f"{file}-wal", f"{file}-shm", f"{file}.lock"}
        assert left == {"deals.views.db", file, "deals.views.lock"}


def test_who_read_the_link_just_before_it_was_turned_is_led_to_the_new_file(
    log: DealLog, tail: Tail, views: FileViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    rebuilds = iter(range(1))

    def found_after_a_rebuild(path: Path) -> object:
        for _ in rebuilds:
            rebuild(views, tail)
            views.close()
        return inode_of(path)

    monkeypatch.setattr("projections.views.sqlite.inode_of", found_after_a_rebuild)
    other = FileViews(views.path)
    assert other.pointed_at() == 2
    with other.reading():
        pass
    other.close()


def test_the_settings_hold_on_every_connection(views: FileViews) -> None:
    for _ in range(2):
        with views.reading() as connection:
            found = {
                name: driver(connection).execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("journal_mode", "synchronous", "busy_timeout", "application_id")
            }
        assert found == {
            "journal_mode": "wal",
            "synchronous": 1,
            "busy_timeout": 30_000,
            "application_id": APPLICATION_ID,
        }
        views.close()


# Files that are gone, or something else.


@pytest.mark.parametrize("what", ["the link", "the file", "both", "everything"])
def test_what_was_deleted_is_made_anew(
    log: DealLog, tail: Tail, views: FileViews, what: str
) -> None:
    """Also under the eyes of a process that has it open."""
    rows = rows_of(views)
    file = file_of(views)
    if what in {"the file", "both"}:
        for suffix in ("", "-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
    if what in {"the link", "both"}:
        views.path.unlink()
    if what == "everything":
        for name in files_beside(views):
            (views.path.parent / name).unlink()
    append_deals(log, 1, first=2)
    catch_up(views, tail)
    assert len(rows_of(views)["deals"]) == len(rows["deals"]) + 1
    assert rebuild(views, tail, check=True).differences == []
    views.close()
    file = file_of(views)
    left = files_beside(views) - {f"{file.name}{end}" for end in ("", "-wal", "-shm", ".lock")}
    assert left == {"deals.views.db", "deals.views.lock"}


def damage(file: Path) -> None:
    """Everything behind the first page is lost; the header is as it was."""
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))


def test_a_damaged_file_is_named_and_may_be_deleted(
    log: DealLog, tail: Tail, views: FileViews
) -> None:
    rows = rows_of(views)
    views.close()
    file = file_of(views)
    damage(file)
    for attempt in (lambda: rows_of(views), lambda: catch_up(views, tail)):
        with pytest.raises(StoreError, match=r"deals\.views\.1\.db is damaged") as raised:
            attempt()
        assert "Delete it; the read models are made anew" in raised.value.advice
        views.close()
    file.unlink()
    catch_up(views, tail)
    assert rows_of(views) == rows


def test_text_is_not_a_database(log: DealLog, tail: Tail, views: FileViews) -> None:
    views.close()
    views.path.unlink()
    views.path.write_text("deals, as of yesterday" * 100)
    for attempt in (lambda: catch_up(views, tail), lambda: rebuild(views, tail)):
        with pytest.raises(StoreError, match="is damaged, or not a database"):
            attempt()
    assert views.path.read_text().startswith("deals, as of yesterday")


def foreign(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE deals (mine)")
    connection.execute("INSERT INTO deals VALUES ('kept')")
    connection.commit()
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("checked", [False, True])
def test_a_database_of_another_kind_is_left_alone(
    log: DealLog, tail: Tail, views: FileViews, linked: bool, checked: bool
) -> None:
    views.close()
    path = file_of(views) if linked else views.path
    path.unlink()
    content = foreign(path)
    for attempt in (lambda: catch_up(views, tail), lambda: rebuild(views, tail, check=checked)):
        with pytest.raises(StoreError, match="a database of another kind") as raised:
            attempt()
        assert "delete it if nothing needs it" in raised.value.advice
    assert path.read_bytes() == content


def test_a_link_to_something_else_is_said(log: DealLog, tail: Tail, views: FileViews) -> None:
    views.close()
    views.path.unlink()
    views.path.symlink_to("elsewhere.db")
    with pytest.raises(StoreError, match=r"a link to elsewhere\.db") as raised:
        catch_up(views, tail)
    assert "Delete the link" in raised.value.advice
    views.path.unlink()
    catch_up(views, tail)
    assert len(rows_of(views)["deals"]) == 2


def test_a_file_of_an_earlier_release_is_replaced(
    log: DealLog, tail: Tail, views: FileViews
) -> None:
    rows = rows_of(views)
    views.close()
    views.path.unlink()
    earlier = sqlite3.connect(views.path)
    earlier.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    earlier.execute("PRAGMA journal_mode = WAL")
    earlier.execute("CREATE TABLE deals (of_old)")
    earlier.commit()
    catch_up(views, tail)
    assert rows_of(views) == rows
    assert views.path.is_symlink()
    assert not files_beside(views) & {"deals.views.db-wal", "deals.views.db-shm"}
    assert earlier.execute("SELECT * FROM deals").fetchall() == [], "who has it open goes on"
    earlier.close()


def test_a_folder_that_is_not_there_is_said(log: DealLog, tail: Tail, tmp_path: Path) -> None:
    views = FileViews(tmp_path / "nowhere" / "x.views.db")
    with pytest.raises(StoreUnavailable, match="cannot be read or written"):
        catch_up(views, tail)


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("rebuilt", [False, True])
def test_an_emptied_file_is_as_none(
    log: DealLog, tail: Tail, views: FileViews, opened: bool, rebuilt: bool
) -> None:
    if not opened:
        views.close()
    file = file_of(views)
    file.write_bytes(b"")
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    assert views.pointed_at() is None
    if rebuilt:
        assert rebuild(views, tail).switched
    else:
        append_deals(log, 1, first=2)
        catch_up(views, tail)
    assert len(rows_of(views)["deals"]) == (2 if rebuilt else 3)
    assert len(views.numbers()) == 1


def spoil(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("table", ["checkpoints", "deal_marks", "deal_words"])
def test_a_file_that_lacks_a_table_is_as_none(
    log: DealLog, tail: Tail, views: FileViews, table: str
) -> None:
    rows = rows_of(views)
    for attempt in (lambda: catch_up(views, tail), lambda: rebuild(views, tail)):
        views.close()
        spoil(file_of(views), f"DROP TABLE {table}")
        attempt()
        assert rows_of(views) == rows
        assert len(views.numbers()) == 1


def test_a_table_that_vanishes_in_use_is_damage_until_the_file_is_looked_at_anew(
    log: DealLog, tail: Tail, views: FileViews
) -> None:
    spoil(file_of(views), "DROP TABLE deal_marks")
    append_deals(log, 1, first=2)
    with pytest.raises(StoreError, match="damaged: no such table: deal_marks") as raised:
        catch_up(views, tail)
    assert "Delete it; the read models are made anew" in raised.value.advice
    catch_up(views, tail)
    assert len(rows_of(views)["deal_marks"]) == 3


def test_a_column_that_is_missing_is_damage(log: DealLog, tail: Tail, views: FileViews) -> None:
    spoil(file_of(views), "ALTER TABLE deals DROP COLUMN manager")
    append_deals(log, 1, first=2)
    for attempt in (lambda: rows_of(views), lambda: catch_up(views, tail)):
        with pytest.raises(StoreError, match=r"deals\.views\.1\.db is damaged"):
            attempt()
    file_of(views).unlink()
    catch_up(views, tail)
    assert len(rows_of(views)["deals"]) == 3


@contextmanager
def closed_to_us(folder: Path) -> Iterator[None]:
    mode, superuser = folder.stat().st_mode, os.geteuid() == 0
    folder.chmod(0o600)
    if superuser:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if superuser:
            os.seteuid(0)
        folder.chmod(mode)


def test_a_folder_that_is_closed_is_said(views: FileViews) -> None:
    views.close()
    with closed_to_us(views.path.parent):
        for attempt in (views.pointed_at, views.numbers, views.building().__enter__):
            with pytest.raises(StoreUnavailable, match=r"written: .*Permission denied"):
                attempt()


@pytest.mark.parametrize(
    ("code", "said"), [(errno.EACCES, StoreUnavailable), (errno.ENOSPC, StoreFull)]
)
def test_a_link_that_cannot_be_made_is_said(
    log: DealLog, tail: Tail, views: FileViews, code: int, said: type[StoreError]
) -> None:
    with (
        patch.object(Path, "symlink_to", side_effect=OSError(code, "no")),
        pytest.raises(said),
    ):
        rebuild(views, tail)
    assert views.numbers() == [1]
    assert rebuild(views, tail).switched


# The disk, and other programs.


def test_a_full_disk_is_said_and_undoes_the_transaction(tmp_path: Path) -> None:
    views = FileViews(tmp_path / "x.views.db")
    make_tables(views)

    def fill(count: int) -> None:
        with views.writing() as connection:
            file = driver(connection)
            (pages,) = file.execute("PRAGMA page_count").fetchone()
            file.execute(f"PRAGMA max_page_count = {pages if count > 1 else pages + 9}")
            for number in range(count):
                file.execute("INSERT INTO deal_marks VALUES (?, ?)", (f"{number}" * 999, number))

    with pytest.raises(StoreFull, match="no room to write"):
        fill(100)
    with views.reading() as connection:
        assert driver(connection).execute("SELECT count(*) FROM deal_marks").fetchone() == (0,)
    fill(1)
    views.close()


def test_a_lock_that_is_held_too_long_is_said(log: DealLog, views: FileViews) -> None:
    with views.reading() as connection:
        driver(connection).execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(file_of(views), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="locked by another program"), views.writing():
        pass
    other.execute("ROLLBACK")
    other.close()
    with views.writing():
        pass


def test_a_file_that_somebody_has_open_is_not_removed(
    log: DealLog, tail: Tail, views: FileViews
) -> None:
    """Since SQLite would make files of the same names for it again."""
    other = FileViews(views.path)
    old = other.current()
    assert isinstance(old, FileGeneration)
    rebuild(views, tail)
    assert old.path.exists()
    with old.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM deals").scalar_one() == 2
    other.close()
    rebuild(views, tail)
    assert not old.path.exists()


def test_a_large_cache_is_kept_no_longer_than_a_transaction(views: FileViews) -> None:
    """There may be very many connections."""

    def kibibytes() -> int:
        with views.reading() as connection:
            return -int(connection.exec_driver_sql("PRAGMA cache_size").scalar_one())

    before = kibibytes()
    assert before <= 2_000
    with views.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA cache_size").scalar_one() <= -64_000
    assert kibibytes() == before
    with pytest.raises(ZeroDivisionError), views.writing():
        raise ZeroDivisionError
    assert kibibytes() == before


def test_connections_that_are_all_in_use_are_said(views: FileViews) -> None:
    everything = ExitStack()
    with everything, patch.object(views.current().engine.pool, "_timeout", 0.01):

        def take_all() -> None:
            for _ in range(200):
                everything.enter_context(views.reading())

        with pytest.raises(StoreBusy, match=r"all connections to .* are in use"):
            take_all()
