"""The schemas of the read models on PostgreSQL: what becomes of them on the server."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from threading import Thread
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace
from psycopg.sql import SQL, Identifier

from projections.engine import rebuilding
from projections.engine.keeping_up import catch_up
from projections.engine.models import MODELS
from projections.engine.rebuilding import rebuild
from projections.tables import metadata
from projections.views import Generation, open_views
from projections.views import postgres as postgres_views
from projections.views.generation import Replaced
from projections.views.postgres import SchemaBuilding, SchemaGeneration, SchemaViews
from store.errors import StoreBusy, StoreError, StoreUnavailable
from store.location import Location
from store.log import DealLog
from store.postgres import connections
from store.postgres.address import Database
from store.postgres.connections import connect, exists
from store.tail import Tail
from tests.postgresql import Server, data_folder
from tests.projections.stores import append_deals, generations, opened_store, rows_of


@pytest.fixture
def location(postgres: Database, tmp_path: Path) -> Location:
    """A place for a store that is not there yet."""
    return Location.around(replace(postgres, schema=f"s_{token_hex(6)}", home=str(tmp_path)))


@pytest.fixture
def store(location: Location) -> Iterator[tuple[DealLog, SchemaViews]]:
    with opened_store(location) as (log, views):
        assert isinstance(views, SchemaViews)
        yield log, views


@pytest.fixture
def views(store: tuple[DealLog, SchemaViews]) -> SchemaViews:
    """Read models of two deals."""
    log, views = store
    append_deals(log, 2)
    catch_up(views, Tail(log))
    return views


@pytest.fixture
def other(views: SchemaViews) -> Iterator[SchemaViews]:
    """The read models as somebody else has them open."""
    other = SchemaViews(views.database)
    yield other
    other.close()


def drop(views: SchemaViews, schema: str) -> None:
    with connect(views.database) as connection:
        connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))


@pytest.mark.parametrize("what", ["the pointer", "the generation", "both"])
@pytest.mark.parametrize("opened", [False, True])
def test_what_was_dropped_is_made_anew(
    log: DealLog, tail: Tail, views: SchemaViews, what: str, opened: bool
) -> None:
    """Also under the eyes of a process that has it open."""
    [number] = generations(views)
    if not opened:
        views.close()
    if what != "the pointer":
        drop(views, views.schema(number))
    if what != "the generation":
        drop(views, f"{views.database.schema}_views")
    append_deals(log, 1, first=2)
    catch_up(views, tail)
    assert len(rows_of(views)["deals"]) == 3
    assert rebuild(views, tail, check=True).differences == []
    assert len(generations(views)) == 1


def test_each_store_has_read_models_of_its_own(
    log: DealLog, tail: Tail, views: SchemaViews, location: Location
) -> None:
    assert location.database is not None
    longer = replace(location.database, schema=f"{location.database.schema}_views_1_more")
    with opened_store(replace(location, database=longer, keys=location.keys.with_name("k.db"))) as (
        other_log,
        other,
    ):
        append_deals(other_log, 5)
        catch_up(other, Tail(other_log))
        assert len(generations(views)) == len(generations(other)) == 1
        rebuild(views, tail)
        rebuild(other, Tail(other_log))
        assert len(rows_of(other)["deals"]) == 5
        assert len(rows_of(views)["deals"]) == 2


@pytest.mark.parametrize("table", ["identity", "checkpoints", "parked"])
@pytest.mark.parametrize("opened", [False, True])
def test_read_models_without_a_table_that_all_need_are_made_anew(
    log: DealLog, tail: Tail, views: SchemaViews, table: str, opened: bool
) -> None:
    if not opened:
        views.close()
    drop_table(views, table)
    if table != "identity":
        views.close()
    catch_up(views, tail)
    assert len(rows_of(views)["deals"]) == 2
    assert rebuild(views, tail, check=True).differences == []


def test_who_asks_a_read_model_without_its_table_is_told(tail: Tail, views: SchemaViews) -> None:
    drop_table(views, "deals")
    with pytest.raises(StoreError, match='incomplete: relation "deals" does not exist') as raised:
        rows_of(views)
    assert "`dealstate rebuild`" in raised.value.advice
    assert rebuild(views, tail).switched
    assert len(rows_of(views)["deals"]) == 2


def drop_table(views: SchemaViews, table: str) -> None:
    [number] = generations(views)
    with connect(views.database, search_path=views.schema(number)) as connection:
        connection.execute(SQL("DROP TABLE {}").format(Identifier(table)))


def test_nobody_looks_for_a_generation_for_ever(views: SchemaViews) -> None:
    """As where what is pointed at can be seen, but not be read."""
    views.close()
    drop_table(views, "identity")
    with (
        patch.object(SchemaViews, "pointed_at", return_value=1) as asked,
        pytest.raises(StoreBusy, match="were replaced whenever they were to be used"),
    ):
        rows_of(views)
    assert 2 < asked.call_count < 100


# What is somebody else's.


def test_what_is_called_like_a_generation_but_is_none_is_left_alone(
    log: DealLog, tail: Tail, views: SchemaViews, location: Location
) -> None:
    """Be it a log, or anything else, also under the number that is next."""
    [number] = generations(views)
    assert location.database is not None
    names = [views.schema(one) for one in (number + 1, number + 2, 77)]
    for name in names[:2]:
        with connect(views.database) as connection:
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(name)))
            connection.execute(SQL("CREATE TABLE {} ()").format(Identifier(name, "identity")))
    their = replace(location.database, schema=names[2])
    DealLog.create(replace(location, database=their, keys=location.keys.with_name("k"))).close()
    for _ in range(2):
        assert rebuild(views, tail).switched
    assert generations(views) == [number + 4]
    assert exists(their)
    with connect(views.database) as connection:
        for name in names[:2]:
            connection.execute(SQL("SELECT FROM {}").format(Identifier(name, "identity")))


@pytest.mark.parametrize("table", ["answering", "anything"])
def test_a_pointer_that_is_somebody_elses_is_refused(
    log: DealLog, tail: Tail, location: Location, table: str
) -> None:
    views = open_views(log.location)
    assert isinstance(views, SchemaViews)
    theirs = Identifier(f"{views.database.schema}_views", table)
    with connect(views.database) as connection:
        schema = Identifier(f"{views.database.schema}_views")
        connection.execute(SQL("CREATE SCHEMA {}").format(schema))
        connection.execute(SQL("CREATE TABLE {} (number bigint)").format(theirs))
        connection.execute(SQL("INSERT INTO {} VALUES (5)").format(theirs))
        for attempt in (lambda: catch_up(views, tail), lambda: rebuild(views, tail)):
            with pytest.raises(StoreError, match=r"_views', where .* is used by something else"):
                attempt()
        assert connection.execute(SQL("TABLE {}").format(theirs)).fetchall() == [(5,)]
    assert generations(views) == []
    views.close()


# Who has the right to build.


def end_lock_sessions(views: SchemaViews) -> None:
    """End all sessions that hold the right to build."""
    ask = (
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_locks WHERE pid <> pg_backend_pid()"
        " AND locktype = 'advisory' AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    with connect(views.database) as connection:
        assert connection.execute(ask).fetchone() == (1,)


def build(building: SchemaBuilding) -> SchemaGeneration:
    """A new generation without rows, which does not answer yet."""
    built = building.start()
    with built.writing() as connection:
        built.make_tables(connection)
        built.make_indexes(connection, metadata.sorted_tables)
    return built


@pytest.mark.parametrize("where", ["fill_all", "_catch_up_nearly", "_row_counts", "_switch"])
def test_a_builder_that_lost_its_lock_to_another_one_changes_nothing(
    log: DealLog, tail: Tail, views: SchemaViews, other: SchemaViews, where: str
) -> None:
    function, numbers = getattr(rebuilding, where), []

    def lose(*arguments: Any) -> object:
        numbers.append(max(generations(views)))
        if len(numbers) == 1:
            end_lock_sessions(views)
            append_deals(log, 2, first=2)
            assert rebuild(other, tail, workers=1).switched
        return function(*arguments)

    with (
        patch.object(rebuilding, where, lose),
        pytest.raises(StoreError, match="lost its lock, and another one began") as raised,
    ):
        rebuild(views, tail, workers=1)
    assert "Rebuild again" in raised.value.advice
    assert numbers[1] > numbers[0]
    other.close()
    assert other.pointed_at() == numbers[1]
    assert len(rows_of(views)["deals"]) == 4
    assert rebuild(views, tail, check=True).differences == []
    assert len(generations(views)) == 1


def test_a_builder_that_lost_its_lock_to_nobody_goes_on(tail: Tail, views: SchemaViews) -> None:
    fill, [old] = rebuilding._build, generations(views)

    def lose(*arguments: Any) -> object:
        end_lock_sessions(views)
        return fill(*arguments)

    with patch.object(rebuilding, "_build", lose):
        assert rebuild(views, tail, workers=1).switched
    assert len(rows_of(views)["deals"]) == 2
    assert old in generations(views), "left to who builds next"
    assert rebuild(views, tail, check=True).differences == []
    assert len(generations(views)) == 1


def test_who_helps_a_builder_that_lost_its_lock_is_told(
    views: SchemaViews, other: SchemaViews
) -> None:
    with views.building() as building:
        assert isinstance(building, SchemaBuilding)
        built = build(building)
        helping = views.unfinished(built.number)
        with helping.writing():
            pass
        end_lock_sessions(views)
        with other.building():
            for transaction in (helping.writing, helping.reading, lambda: built.beside(built)):
                with pytest.raises(StoreError, match="lost its lock"), transaction():
                    pass
            for within in (None, "the old one"):
                with (
                    pytest.raises(StoreError, match="lost its lock"),
                    views.writing() as connection,
                ):
                    building.replace(built, connection if within else None)
        helping.close()


def test_a_writer_is_told_that_its_generation_was_dropped(
    views: SchemaViews, other: SchemaViews
) -> None:
    """Between its look at who has the right, and its rows."""
    with views.building() as building:
        assert isinstance(building, SchemaBuilding)
        built = build(building)

        def write() -> None:
            with built.writing() as connection:
                end_lock_sessions(views)
                with other.building():
                    assert built.number not in generations(views)
                built.delete_rows(connection, metadata.tables["deals"], "deal_id", ["d-1"])

        with pytest.raises(StoreError, match="lost its lock"):
            write()


def test_a_generation_that_is_about_to_answer_is_not_swept(
    tail: Tail, views: SchemaViews, other: SchemaViews
) -> None:
    """Where its builder loses its lock before the transaction that turns the pointer ends."""

    def come() -> None:
        with other.building():
            pass

    coming = Thread(target=come)
    with views.building() as building:
        assert isinstance(building, SchemaBuilding)
        built = build(building)
        with views.writing() as connection:
            building.replace(built, connection)
            end_lock_sessions(views)
            coming.start()
            time.sleep(0.3)
            assert coming.is_alive()
        coming.join()
    assert generations(views) == [built.number]
    with views.reading():
        assert views.current().number == built.number


def test_the_pointer_turns_with_the_transaction_on_the_one_before(
    tail: Tail, views: SchemaViews, other: SchemaViews
) -> None:
    """So that nobody can write there between their last look and the switch."""
    names = [model.NAME for model in MODELS]

    def fail(old: Generation, building: SchemaBuilding, built: SchemaGeneration) -> None:
        with old.writing() as connection:
            building.replace(built, connection)
            raise ZeroDivisionError

    with views.building() as building:
        assert isinstance(building, SchemaBuilding)
        built, old = build(building), views.current()
        with pytest.raises(ZeroDivisionError):
            fail(old, building, built)
        assert len(rows_of(other)["deals"]) == 2
        theirs = other.current()
        with theirs.writing() as writing, old.writing() as connection:
            old.lock(connection, names)
            building.replace(built, connection)
            assert len(rows_of(other)["deals"]) == 2
            waiting = Thread(target=lambda: refused.append(is_refused(theirs, writing, names)))
            refused: list[bool] = []
            waiting.start()
            waiting.join(0.3)
            assert waiting.is_alive()
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("BEGIN")
            waiting.join()
        assert refused == [True]
        assert rows_of(other)["deals"] == []


def test_a_generation_is_not_dropped_while_another_one_looks_at_it(
    tail: Tail, views: SchemaViews
) -> None:
    with connect(views.database) as connection, views.building() as building:
        assert isinstance(building, SchemaBuilding)
        built, old = build(building), views.current()
        assert isinstance(old, SchemaGeneration)
        with built.beside(old):
            building.replace(built)
            views.schemas.sweep(connection)
            assert generations(views) == [old.number, built.number]
        views.schemas.sweep(connection)
        assert generations(views) == [built.number]
        with pytest.raises(Replaced), built.beside(old):
            pass


def is_refused(generation: Generation, connection: Any, names: list[str]) -> bool:
    try:
        generation.lock(connection, names)
    except Replaced:
        return True
    return False


def test_a_server_waits_for_who_writes_but_not_for_who_reads(
    log: DealLog, tail: Tail, views: SchemaViews
) -> None:
    """Who writes folds meanwhile."""
    name = "idle_in_transaction_session_timeout"
    with patch.dict(connections._SETTINGS, {name: "200ms"}):
        views.close()
        with views.writing() as connection:
            views.current().lock(connection, ["deals"])
            time.sleep(0.5)
            assert connection.exec_driver_sql("DELETE FROM deals").rowcount == 2
        with views.building() as building:
            assert isinstance(building, SchemaBuilding)
            built = build(building)
            with built.beside(views.current()) as (connection, _, theirs):
                time.sleep(0.5)
                connection.exec_driver_sql(f"TABLE {theirs}.deals")
        with pytest.raises(StoreUnavailable, match="stood still"):
            read_slowly(views)
    views.close()


def read_slowly(views: SchemaViews) -> None:
    with views.reading() as connection:
        time.sleep(0.5)
        connection.exec_driver_sql("TABLE deals")


# Names.


@pytest.mark.parametrize("name", ["a%b", "a%s (1)", 'a"b', "a?b", "a'b\\c", "a, {b}:c"])
def test_the_schema_may_have_any_name(location: Location, name: str) -> None:
    assert location.database is not None
    named = replace(location.database, schema=f"{name} {token_hex(4)}")
    with opened_store(replace(location, database=named, keys=location.keys.with_name("k"))) as (
        log,
        views,
    ):
        append_deals(log, 2)
        tail = Tail(log)
        catch_up(views, tail)
        assert rebuild(views, tail, MODELS[:1], check=True).differences == []
        assert len(rows_of(views)["deals"]) == 2
        assert views.size_bytes() > 0
        assert len(generations(views)) == 1


def test_a_schema_whose_name_leaves_no_room_is_refused(location: Location) -> None:
    assert location.database is not None
    long = replace(location, database=replace(location.database, schema="s" * 46))
    with pytest.raises(StoreError, match="leaves no room for its read models") as raised:
        open_views(long)
    assert "at most 45 bytes" in raised.value.advice
    open_views(replace(location, database=replace(location.database, schema="s" * 45)))


def test_more_readers_than_connections_are_told(views: SchemaViews) -> None:
    generation = views.current()
    assert isinstance(generation, SchemaGeneration)
    generation.engine.pool._timeout = 0.05  # type: ignore[attr-defined]
    held = [views.reading() for _ in range(16)]
    for one in held:
        one.__enter__()
    try:
        with pytest.raises(StoreBusy, match="all 16 connections"), views.reading():
            pass
    finally:
        for one in held:
            one.__exit__(None, None, None)
    with views.reading():
        pass


def test_readers_come_through_while_an_old_generation_is_dropped(
    log: DealLog, tail: Tail, views: SchemaViews
) -> None:
    """Who drops it waits for those in it, and those who come later do not wait for that."""
    other = open_views(log.location)
    with other.reading() as connection:
        connection.exec_driver_sql("SELECT 1")
        rebuilding = Thread(target=rebuild, args=(views, tail))
        rebuilding.start()
        while rebuilding.is_alive():
            assert len(rows_of(views)["deals"]) == 2
        rebuilding.join()
    assert len(rows_of(other)["deals"]) == 2
    other.close()


# The server.


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server for one test alone."""
    with Server(data_folder(tmp_path)).alone() as server:
        yield server


def test_a_server_that_was_killed_and_restarted_loses_nothing(
    own_server: Server, tmp_path: Path
) -> None:
    """What was not synced of the read models is read from the log again."""
    location = Location.around(replace(own_server.database, schema="deals", home=str(tmp_path)))
    with opened_store(location) as (log, views):
        tail = Tail(log)
        catch_up(views, tail)
        for number in range(3):
            append_deals(log, 5, first=number * 5)
            catch_up(views, tail)
            own_server.stop()
            with pytest.raises(StoreUnavailable):
                rows_of(views)
            with pytest.raises(StoreUnavailable):
                rebuild(views, tail)
            own_server.start()
            catch_up(views, tail)
            assert len(rows_of(views)["deals"]) == number * 5 + 5
            assert rebuild(views, tail, check=True).differences == []
            assert len(generations(views)) == 1


def test_the_right_to_build_is_free_as_soon_as_it_is_given_back(
    views: SchemaViews, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not only once the server has noticed that the connection was closed."""
    with ExitStack() as noticed:

        @contextmanager
        def closed_late(database: Database) -> Iterator[Any]:
            yield noticed.enter_context(connect(database))

        monkeypatch.setattr(postgres_views, "connect", closed_late)
        for _ in range(2):
            with views.building():
                pass
