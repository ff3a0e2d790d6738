"""The columnar copy: when there is one, what it does when it is damaged, and how it is made."""

import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import pytest
from sqlalchemy import Connection

from projections import periods
from projections.columns import Columns, base, making, passing
from projections.columns import columns as module
from projections.columns.relation import NOWHERE, Relation
from projections.columns.source import MODEL
from projections.figures import Question
from projections.pipeline import Pipeline, snapshot
from projections.views import Views
from store.errors import StoreUnavailable
from store.location import Location
from tests.projections.period_rows import Row, change, park, period, start, take_in
from tests.projections.stores import make_tables

NOW = datetime(2026, 6, 1, tzinfo=UTC)
EVERYTHING = Question(NOW, NOW, ("stage", "owner"), {})


def some(count: int, **values: object) -> dict[str, list[Row]]:
    """Deals, every other one with a period in the past as well."""
    return {
        f"d-{n}": [
            period(**{"owner": f"seller-{n % 7}", "amount_minor": n, **values}),
            *([period(occurred_until=1, known_from=1, owner="nobody")] if n % 2 else []),
        ]
        for n in range(count)
    }


@pytest.fixture
def tables(views: Views) -> Views:
    make_tables(views)
    start(views)
    return views


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    with closing(new_columns(tmp_path)) as columns:
        yield columns


def new_columns(folder: Path) -> Columns:
    return Columns(folder / "deals.views.db", least_periods=10, least_changed=5)


def maintain(columns: Columns, tables: Views) -> bool:
    return columns.maintain(tables.reading)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ask(columns: Columns | None, tables: Views, question: Question = EVERYTHING) -> Pipeline:
    with tables.reading() as connection:
        return ask_on(connection, columns, question)


def ask_on(
    connection: Connection, columns: Columns | None, question: Question = EVERYTHING
) -> Pipeline:
    return snapshot(connection, *question, copy=columns)


def by_copy(columns: Columns, tables: Views) -> bool:
    """Whether the copy answers, and as the rows do."""
    with tables.reading() as connection:
        parts = columns.snapshot(connection, EVERYTHING)
        assert ask_on(connection, columns) == ask_on(connection, None)
    return parts is not None


@pytest.mark.parametrize("name", ["process", "stage"])
def test_no_row_is_without_a_stage_even_if_its_name_is_empty(
    tables: Views, columns: Columns, name: str
) -> None:
    change(tables, some(20, stage="", process=""))
    assert maintain(columns, tables)
    question = EVERYTHING._replace(where={name: ""})
    assert ask(columns, tables, question) == ask(None, tables, question)
    with tables.reading() as connection:
        condition = columns.ask(connection, lambda periods: periods.matching({name: ""}))
    assert condition == f"true AND periods.place IN ({NOWHERE})"


def test_the_model_that_is_copied_is_the_one_of_deal_periods() -> None:
    assert MODEL == periods.NAME


# When there is a copy.


def test_a_store_of_few_periods_has_no_copy(tables: Views, columns: Columns) -> None:
    change(tables, some(6))
    assert maintain(columns, tables) is False
    assert names(columns.files.folder) == []
    assert not by_copy(columns, tables)
    change(tables, {"more": [period()]})
    assert maintain(columns, tables) is True
    assert by_copy(columns, tables)


def test_duckdb_is_loaded_for_a_base_alone(tmp_path: Path) -> None:
    code = (
        "import sys, projections.columns, projections.pipeline\n"
        "assert not {'duckdb', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_tables_there_is_no_copy(views: Views, columns: Columns) -> None:
    make_tables(views)
    assert maintain(columns, views) is False
    assert not by_copy(columns, views)


def test_a_base_is_named_for_its_tables_and_its_position(tables: Views, columns: Columns) -> None:
    set_id = start(tables)
    position = change(tables, some(20))
    assert maintain(columns, tables)
    assert names(columns.files.folder) == [f"deals.columns.{set_id}.{position}.duckdb"]
    assert maintain(columns, tables) is False


def test_a_base_of_other_tables_is_passed_over_and_replaced(
    tables: Views, columns: Columns
) -> None:
    change(tables, some(20))
    assert maintain(columns, tables)
    start(tables)
    change(tables, some(30, owner="other"))
    assert not by_copy(columns, tables)
    assert maintain(columns, tables)
    assert by_copy(columns, tables)
    assert len(names(columns.files.folder)) == 1


def test_the_other_tables_are_not_taken_for_these_by_the_name_of_a_file(
    tables: Views, columns: Columns
) -> None:
    change(tables, some(20))
    assert maintain(columns, tables)
    [wrong] = columns.files.all()
    set_id = start(tables)
    position = change(tables, some(20, stage="P2"))
    wrong.path.rename(columns.files.path(set_id, position))
    assert not by_copy(columns, tables)
    assert names(columns.files.folder) == []


# What changed since.


def test_changes_are_seen_at_once(tables: Views, columns: Columns) -> None:
    change(tables, some(20))
    maintain(columns, tables)
    before = ask(columns, tables)
    for rows in ([period(owner="new", stage="new", amount_minor=None)], [], [period()]):
        change(tables, {"d-3": rows})
        assert by_copy(columns, tables)
    change(tables, {"d-new": [period(region="ß")], "d-3": some(20)["d-3"]})
    assert by_copy(columns, tables)
    change(tables, {"d-new": []})
    assert by_copy(columns, tables)
    assert ask(columns, tables) == before


def test_an_earlier_connection_gets_its_own_state(tables: Views, columns: Columns) -> None:
    change(tables, some(20))
    maintain(columns, tables)
    with tables.reading() as earlier:
        expected = ask_on(earlier, None)
        change(tables, {"d-1": [], "d-2": [period(owner="new")], "d-new": [period()]})
        assert by_copy(columns, tables)
        assert columns.snapshot(earlier, EVERYTHING) is not None
        assert ask_on(earlier, columns) == expected
        assert by_copy(columns, tables)


def test_a_connection_from_before_the_base_asks_the_rows(tables: Views, columns: Columns) -> None:
    change(tables, some(20))
    with tables.reading() as earlier:
        expected = ask_on(earlier, None)
        change(tables, {"d-1": []})
        maintain(columns, tables)
        assert columns.snapshot(earlier, EVERYTHING) is None
        assert ask_on(earlier, columns) == expected


def test_parked_deals_are_left_out_until_they_are_taken_in(tables: Views, columns: Columns) -> None:
    change(tables, some(20))
    park(tables, "d-7")
    maintain(columns, tables)
    park(tables, "d-8")
    assert by_copy(columns, tables)
    take_in(tables, "d-7", [period(owner="back")], 8)
    assert by_copy(columns, tables)
    take_in(tables, "d-8", [period(owner="back")], 9)
    assert by_copy(columns, tables)
    [back] = [row for row in ask(columns, tables).rows if row.group["owner"] == "back"]
    assert back.open == 2


def test_many_changes_of_few_deals_do_not_fill_the_memory(
    tables: Views, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "_SPARE_ROWS", 3)
    change(tables, some(20))
    maintain(columns, tables)
    for number in range(20):
        change(tables, {"d-1": [period(amount_minor=number)], "d-2": [period(owner="x")]})
        assert by_copy(columns, tables)
    opened = columns._open
    assert opened is not None
    assert opened._written < 10


# A new base.


def test_a_new_base_is_due_when_many_deals_have_changed(tables: Views, columns: Columns) -> None:
    change(tables, some(20))
    maintain(columns, tables)
    for deal_id in ("d-1", "d-2", "d-3", "d-4"):
        position = change(tables, {deal_id: [period()]})
        assert maintain(columns, tables) is False
    position = change(tables, {"d-1": [period(owner="again")], "d-new": [period()]})
    assert maintain(columns, tables) is True
    assert [file.position for file in columns.files.all()] == [position]
    assert by_copy(columns, tables)


def test_a_new_base_comes_from_the_one_before(
    tables: Views, columns: Columns, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    change(tables, some(20))
    maintain(columns, tables)

    def no_reading(*_: object) -> None:
        raise AssertionError("all rows were read again")

    monkeypatch.setattr(making, "Collected", no_reading)
    for round_ in range(3):
        park(tables, f"d-{round_ + 10}")
        change(tables, {f"d-{n}": [period(owner=f"o{round_}")] for n in range(6)} | {"d-6": []})
        change(tables, {f"new-{round_}": [period(amount_minor=10**18 - 1, probability=100)]})
        assert maintain(columns, tables) is True
        with closing(new_columns(tmp_path)) as another:
            assert by_copy(another, tables)
        assert by_copy(columns, tables)


def test_a_damaged_base_is_not_made_into_a_new_one(tables: Views, tmp_path: Path) -> None:
    change(tables, some(300))
    with closing(new_columns(tmp_path)) as columns:
        maintain(columns, tables)
        [file] = columns.files.all()
    whole = file.path.read_bytes()
    change(tables, some(20, owner="other"))
    for at in range(0, len(whole), len(whole) // 12):
        broken = bytearray(whole)
        broken[at : at + 64] = bytes(255 - byte for byte in whole[at : at + 64])
        for other in tmp_path.iterdir():
            other.unlink()
        file.path.write_bytes(broken)
        with closing(new_columns(tmp_path)) as columns:
            assert maintain(columns, tables) is True
            assert by_copy(columns, tables)


def test_no_transaction_stands_still_while_a_base_is_written(
    tables: Views, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(tables, some(20))
    opened: list[str] = []

    @contextmanager
    def reading() -> Iterator[Connection]:
        with tables.reading() as connection:
            opened.append("one")
            yield connection
            opened.pop()

    fill = making.fill

    def filling(*arguments: Any) -> None:
        assert opened == []
        fill(*arguments)

    monkeypatch.setattr(making, "fill", filling)
    assert columns.maintain(reading) is True
    change(tables, some(6, owner="other"))
    assert columns.maintain(reading) is True


def test_when_nearly_all_has_changed_the_rows_answer_and_are_read_again(
    tables: Views, columns: Columns
) -> None:
    change(tables, some(30))
    maintain(columns, tables)
    change(tables, some(21, owner="other"))
    assert not by_copy(columns, tables)
    assert maintain(columns, tables) is True
    assert by_copy(columns, tables)


def test_who_has_an_older_base_open_goes_on(tables: Views, tmp_path: Path) -> None:
    change(tables, some(20))
    with closing(new_columns(tmp_path)) as one, closing(new_columns(tmp_path)) as other:
        maintain(one, tables)
        assert by_copy(one, tables)
        assert by_copy(other, tables)
        with tables.reading() as connection:
            change(tables, some(6, region="West"))
            assert maintain(one, tables)
            assert ask_on(connection, other) == ask_on(connection, None)
        assert by_copy(other, tables)
        assert by_copy(one, tables)


def test_two_do_not_make_a_base_at_once(tables: Views, columns: Columns) -> None:
    change(tables, some(20))
    with columns.files.making():
        assert maintain(columns, tables) is False
    assert maintain(columns, tables) is True


def test_what_a_killed_maker_left_is_removed(tables: Views, columns: Columns) -> None:
    change(tables, some(20))
    folder = columns.files.folder
    left = folder / "deals.columns.making"
    (left / "read").mkdir(parents=True)
    (left / "read" / making.BASE).write_bytes(b"half")
    (folder / "deals.columns.lock").touch()
    assert not by_copy(columns, tables)
    assert maintain(columns, tables) is True
    assert names(folder) == [columns.files.all()[0].path.name]
    assert by_copy(columns, tables)


_KILLED = """
import os, pickle, signal, sys
from projections.columns import Columns, making
from projections.columns.files import Files
from projections.columns.relation import Relation
from projections.views import open_views

location, beside = pickle.load(sys.stdin.buffer)
room, step = {"making": making, "Files": Files}[sys.argv[1]], sys.argv[2]
setattr(room, step, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
Columns(beside, least_periods=10).maintain(open_views(location).reading)
"""


@pytest.mark.parametrize(
    ("room", "step"),
    [("making", "add_periods"), ("making", "fill"), ("making", "detach"), ("Files", "publish")],
)
def test_a_maker_that_is_killed_leaves_no_base(
    tables: Views, columns: Columns, location: Location, room: str, step: str
) -> None:
    change(tables, some(20))
    beside = columns.files.folder / "deals.views.db"
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, room, step],
        input=pickle.dumps((location, beside)),
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert columns.files.all() == []
    assert not by_copy(columns, tables)
    assert maintain(columns, tables) is True
    assert by_copy(columns, tables)
    assert len(names(columns.files.folder)) == 1


def test_a_maker_that_fails_leaves_nothing(
    tables: Views, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(tables, some(20))

    def broken(_: Connection) -> Iterator[Sequence[object]]:
        raise OSError("no space left")

    monkeypatch.setattr(module, "all_periods", broken)
    with pytest.raises(StoreUnavailable, match="no columnar copy"):
        maintain(columns, tables)
    assert names(columns.files.folder) == []


# Damage.


def test_a_damaged_base_gives_no_wrong_answer(tables: Views, tmp_path: Path) -> None:
    change(tables, some(300))
    with closing(new_columns(tmp_path)) as columns:
        maintain(columns, tables)
        [file] = columns.files.all()
    whole = file.path.read_bytes()
    refused = 0
    for at in range(0, len(whole), len(whole) // 40):
        broken = bytearray(whole)
        broken[at : at + 64] = bytes(255 - byte for byte in whole[at : at + 64])
        file.path.write_bytes(broken)
        with closing(new_columns(tmp_path)) as columns:
            if not by_copy(columns, tables):
                refused += 1
                assert not file.path.exists()
    assert refused > 5


@pytest.mark.parametrize("content", [b"", b"DUCK", b"\0" * 20_000])
def test_what_is_no_base_is_removed_and_made_anew(
    tables: Views, columns: Columns, content: bytes
) -> None:
    set_id = start(tables)
    position = change(tables, some(20))
    columns.files.path(set_id, position).write_bytes(content)
    assert not by_copy(columns, tables)
    assert maintain(columns, tables)
    assert by_copy(columns, tables)


def test_without_memory_the_rows_answer(
    tables: Views, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(tables, some(300))
    maintain(columns, tables)

    def too_little(*_: object) -> None:
        raise duckdb.OutOfMemoryException("too little")

    monkeypatch.setattr(base.Asking, "_sums", too_little)
    assert not by_copy(columns, tables)
    assert len(columns.files.all()) == 1


# Many at once.


def test_threads_get_the_answer_of_their_own_connection(tables: Views, columns: Columns) -> None:
    change(tables, some(60))
    maintain(columns, tables)
    failures: list[BaseException] = []
    copied: list[bool] = []

    def asking() -> None:
        try:
            for _ in range(15):
                with tables.reading() as connection:
                    copied.append(columns.snapshot(connection, EVERYTHING) is not None)
                    assert ask_on(connection, columns) == ask_on(connection, None)
        except BaseException as error:  # noqa: BLE001 (told by the test's own thread)
            failures.append(error)

    threads = [Thread(target=asking) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(40):
        change(tables, {f"d-{number % 9}": [period(owner=f"o{number}", amount_minor=number)]})
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(copied)


# Questions that fail, and those that are large.


def test_a_fault_of_the_question_costs_no_base(tables: Views, columns: Columns) -> None:
    change(tables, some(60))
    maintain(columns, tables)
    with tables.reading() as connection:
        for wrong in ("SELEC 1", "SELECT nothing FROM periods", "SELECT 'x'::INTEGER"):

            def asked(periods: Relation, text: str = wrong) -> object:
                return periods.rows(text)

            with pytest.raises(duckdb.Error):
                columns.ask(connection, asked)
    assert len(columns.files.all()) == 1


def test_a_base_that_has_spilled_becomes_the_next_one(
    tables: Views, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "_MEMORY", "60MB")
    monkeypatch.delattr(passing, "passing")
    change(tables, some(60))
    maintain(columns, tables)
    drawn = "SELECT random() AS b FROM range(3000000)"
    sorted_rows = f"SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY b) AS n FROM ({drawn}))"
    with tables.reading() as connection:
        assert columns.ask(connection, lambda periods: periods.rows(sorted_rows)) == [(3000000,)]
    before = columns.files.all()
    change(tables, some(6, amount_minor=7))
    monkeypatch.delattr(making, "Collected")
    maintain(columns, tables)
    assert columns.files.all() != before
    assert by_copy(columns, tables)
