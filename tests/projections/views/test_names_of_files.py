"""Files of read models that others named, deleted, or made anew under the same name."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Connection

from domain.history import StreamKind
from projections.engine import filling, rebuilding
from projections.engine.keeping_up import catch_up
from projections.engine.rebuilding import rebuild
from projections.views.generation import Replaced
from projections.views.sqlite import FileViews
from store.errors import StoreBusy
from store.location import Location
from store.log import DealLog
from store.tail import Tail
from tests.projections.stores import append_deals, make_log, opened_store, rows_of


@pytest.fixture
def store(tmp_path: Path) -> Iterator[tuple[DealLog, FileViews]]:
    with opened_store(Location.beside(tmp_path / "deals.db")) as (log, views):
        assert isinstance(views, FileViews)
        append_deals(log, 2)
        catch_up(views, Tail(log))
        yield log, views


@pytest.fixture
def other(views: FileViews) -> Iterator[FileViews]:
    """The read models as another process has them open."""
    other = FileViews(views.path)
    yield other
    other.close()


def files_of(views: FileViews) -> list[Path]:
    start = views.path.with_suffix("").name
    return [file for file in views.path.parent.iterdir() if file.name.startswith(start)]


def delete(views: FileViews) -> None:
    for file in files_of(views):
        file.unlink()


def count_deals(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT count(*) FROM deals").scalar_one())


def names_of_databases(views: FileViews) -> set[str]:
    return {file.name for file in files_of(views) if file.name.endswith(".db")}


# Names like ours.


def test_what_is_not_ours_is_left_alone_whatever_its_name(
    tail: Tail, views: FileViews, tmp_path: Path
) -> None:
    """Though somebody called a log as the read models of another one are called."""
    log = make_log(Location.beside(tmp_path / "deals.views.7.db"))
    head = append_deals(log, 2)
    text, empty = tmp_path / "deals.views.8.db", tmp_path / "deals.views.9.db"
    text.write_text("deals, as of yesterday" * 100)
    empty.touch()
    leftover = tmp_path / "deals.views.12.db-wal"
    leftover.touch()
    for _ in range(2):
        assert rebuild(views, tail).switched
    assert str(views.path.readlink()) == "deals.views.14.db"
    assert {7, 8, 9, 12} <= set(views.numbers())
    assert append_deals(log, 1, first=2) > head
    log.close()
    with DealLog.open(Location.beside(tmp_path / "deals.views.7.db")) as again:
        assert len(again.streams(StreamKind.DEAL)) == 3
    assert text.read_text().startswith("deals, as of yesterday")
    assert empty.exists()
    assert leftover.exists()
    locks = {file.name for file in files_of(views) if file.name.endswith(".db.lock")}
    assert not locks & {f"deals.views.{number}.db.lock" for number in (7, 8, 9)}


@pytest.mark.parametrize("name", ["deals[1].db", "de*ls.db", "deals?.db", "[!a].db"])
def test_a_name_with_signs_of_patterns_is_a_name(tmp_path: Path, name: str) -> None:
    with opened_store(Location.beside(tmp_path / name)) as (log, views):
        assert isinstance(views, FileViews)
        append_deals(log, 2)
        for number in (1, 2, 3):
            assert rebuild(views, Tail(log)).switched
            assert views.numbers() == [number]


# Files that were made anew.


def test_who_reads_deleted_files_is_not_mixed_with_who_reads_new_ones(
    log: DealLog, tail: Tail, views: FileViews, other: FileViews
) -> None:
    with views.reading():
        pass  # leaves a connection behind
    delete(views)
    catch_up(other, tail)
    assert other.pointed_at() == 1, "as the files that were deleted"
    append_deals(log, 3, first=50)
    with views.reading() as first:
        catch_up(views, tail)
        assert count_deals(first) == 5
    with views.reading() as first, views.reading() as second:
        assert [count_deals(first), count_deals(second)] == [5, 5]
    assert rebuild(views, tail, check=True).differences == []


def test_a_connection_is_to_the_file_that_was_found(
    tail: Tail, views: FileViews, other: FileViews
) -> None:
    found = views.current()
    with found.writing() as connection:
        delete(views)
        catch_up(other, tail)
        with pytest.raises(Replaced), found.reading():
            pass
        with pytest.raises(Replaced):
            found.lock(connection, ["deals"])


def test_the_link_does_not_point_to_a_file_before_it_is_finished(
    tail: Tail, views: FileViews
) -> None:
    """Though it was left when the file was deleted."""
    views.close()
    for file in files_of(views):
        if file != views.path:
            file.unlink()
    with views.building() as building:
        assert building.start().number == 2
        assert views.pointed_at() is None
    catch_up(views, tail)
    assert len(rows_of(views)["deals"]) == 2


def deleted_while_filled(views: FileViews, files: Callable[[Path], bool]) -> Any:
    """A patch: once, files are deleted while a generation is filled, and another one is built."""
    fill_all = filling.fill_all
    deleted: list[bool] = []

    def slower(site: Any, *arguments: Any) -> Any:
        counts = fill_all(site, *arguments)
        if not deleted:
            deleted.append(True)
            for file in filter(files, files_of(views)):
                file.unlink()
            assert rebuild(FileViews(views.path), site.tail).switched
        return counts

    return patch.object(rebuilding, "fill_all", slower)


def test_a_file_that_is_being_built_is_neither_removed_nor_made_again(
    tail: Tail, views: FileViews
) -> None:
    """By who builds another one, since the lock of builders was deleted."""
    with deleted_while_filled(views, lambda file: file.name == "deals.views.lock"):
        assert rebuild(views, tail).switched
    assert str(views.path.readlink()) == "deals.views.2.db"
    assert len(rows_of(views)["deals"]) == 2


def test_a_file_that_was_deleted_while_it_was_built_never_answers(
    log: DealLog, tail: Tail, views: FileViews
) -> None:
    with (
        deleted_while_filled(views, lambda file: True),
        pytest.raises(StoreBusy, match="was removed while it was built"),
    ):
        rebuild(views, tail)
    assert len(rows_of(views)["deals"]) == 2
    delete(views)
    with deleted_while_filled(views, lambda file: True):
        catch_up(views, tail)  # builds it once more
    assert rebuild(views, tail, check=True).differences == []


def test_a_file_that_was_deleted_before_the_switch_never_answers(
    tail: Tail, views: FileViews
) -> None:
    switch = rebuilding._switch

    def deleting(*arguments: Any) -> None:
        (views.path.parent / "deals.views.2.db").unlink()
        switch(*arguments)

    with (
        patch.object(rebuilding, "_switch", deleting),
        pytest.raises(StoreBusy, match="was removed while it was built"),
    ):
        rebuild(views, tail)
    assert str(views.path.readlink()) == "deals.views.1.db"
    assert len(rows_of(views)["deals"]) == 2
