"""Transactions on the read models, on each database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Table, delete, insert, select
from sqlalchemy.exc import DBAPIError

from projections.engine.keeping_up import catch_up
from projections.tables import deal_marks
from projections.views import NotBuilt, Views, open_views
from store.errors import StoreError
from store.location import Location
from store.log import DealLog
from store.tail import Tail
from tests.conftest import NewLocation
from tests.projections.stores import append_deals, generations, make_tables, rows_of, views_beside

NUMBERS: Table = deal_marks


@pytest.fixture
def plain(new_location: NewLocation) -> Iterator[Views]:
    """Read models that are empty, to write numbers to, of a log that is not there."""
    with views_beside(new_location()) as views:
        make_tables(views)
        yield views


def add(views: Views, number: int) -> None:
    with views.writing() as connection:
        connection.execute(insert(NUMBERS).values(deal_id=f"d-{number}", position=number))


def numbers(views: Views) -> list[int]:
    with views.reading() as connection:
        return sorted(connection.execute(select(NUMBERS.c.position)).scalars())


def test_what_is_written_is_kept(plain: Views) -> None:
    add(plain, 1)
    plain.close()
    assert numbers(plain) == [1]


def test_what_fails_is_undone_and_holds_nobody_up(plain: Views) -> None:
    def fail() -> None:
        with plain.writing() as connection:
            connection.execute(insert(NUMBERS).values(deal_id="d-1", position=1))
            raise ZeroDivisionError

    for _ in range(40):
        with pytest.raises(ZeroDivisionError):
            fail()
    add(plain, 2)
    assert numbers(plain) == [2]


def test_a_reader_sees_one_moment(plain: Views) -> None:
    add(plain, 1)
    with plain.reading() as connection:
        assert len(connection.execute(select(NUMBERS)).all()) == 1
        add(plain, 2)
        assert len(connection.execute(select(NUMBERS)).all()) == 1
    assert numbers(plain) == [1, 2]


def test_writers_of_the_same_rows_wait_for_each_other(plain: Views) -> None:
    """Those that lock the same models, that is."""

    def add_one(_: int) -> None:
        with plain.writing() as connection:
            plain.current().lock(connection, ["deals"])
            most = max(connection.execute(select(NUMBERS.c.position)).scalars())
            connection.execute(delete(NUMBERS).where(NUMBERS.c.position < most - 1))
            values = {"deal_id": f"d-{most + 1}", "position": most + 1}
            connection.execute(insert(NUMBERS).values(**values))

    with plain.writing() as connection:
        connection.exec_driver_sql("INSERT INTO checkpoints VALUES ('deals', 1, 0, '', 0, '')")
    add(plain, 0)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add_one, range(40)))
    assert numbers(plain) == [38, 39, 40]


def test_nothing_is_there_before_it_is_built(new_location: NewLocation) -> None:
    with views_beside(new_location()) as views:
        for transaction in (views.reading, views.writing):
            with pytest.raises(NotBuilt), transaction():
                pass
        assert views.size_bytes() == 0
        make_tables(views)
        assert views.size_bytes() > 0


def test_everyone_can_come_first(log: DealLog, location: Location) -> None:
    """Building them at the same moment, each with connections of its own."""
    append_deals(log, 3)
    together, tail = Barrier(5), Tail(log)

    def come(_: int) -> int:
        views = open_views(location)
        together.wait(10)
        catch_up(views, tail)
        found = len(rows_of(views)["deals"])
        views.close()
        return found

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(come, range(5))) == [3] * 5
    assert len(generations(open_views(location))) == 1


def test_it_opens_again_when_it_was_closed(log: DealLog, tail: Tail, views: Views) -> None:
    append_deals(log, 1)
    for _ in range(3):
        catch_up(views, tail)
        views.close()
    assert len(rows_of(views)["deals"]) == 1


def test_a_mistake_of_ours_is_not_called_a_fault_of_the_store(plain: Views) -> None:
    with pytest.raises((DBAPIError, StoreError)) as raised, plain.reading() as connection:
        connection.exec_driver_sql("SELECT nothing FROM deals")
    assert "nothing" in str(raised.value)
    assert "damaged" not in str(raised.value)
