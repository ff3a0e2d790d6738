"""The switch to another generation: nobody sees one that is half built, or goes back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Connection, func, select

from projections import deals
from projections.engine import rebuilding
from projections.engine.checkpoints import BuiltByNewer, read_checkpoints
from projections.engine.keeping_up import catch_up, position
from projections.engine.models import MODELS
from projections.engine.rebuilding import make_ready, rebuild
from projections.models import ReadModel
from projections.tables import deals as deals_table
from projections.views import Views, open_views
from projections.views.generation import Replaced
from store.log import DealLog
from store.tail import Tail
from tests.projections.stores import append_deals, generations, rows_of
from tests.projections.worker import ask, say, workers

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


@pytest.fixture
def other(log: DealLog) -> Iterator[Views]:
    """The read models as somebody else has them open."""
    views = open_views(log.location)
    yield views
    views.close()


# The switch.


def test_a_reader_sees_the_old_rows_to_the_end_of_its_transaction(
    log: DealLog, tail: Tail, views: Views, other: Views
) -> None:
    append_deals(log, 3)
    catch_up(views, tail)
    change(views, "DELETE FROM deals WHERE deal_id = 'd-1'")
    [old] = generations(views)
    with views.reading() as before, other.reading() as elsewhere:
        assert count_deals(before) == count_deals(elsewhere) == 2
        assert rebuild(views, tail).switched
        assert count_deals(before) == count_deals(elsewhere) == 2
        assert old in generations(views), "somebody reads it"
        with views.reading() as newcomer:
            assert count_deals(newcomer) == 3
        assert count_deals(before) == count_deals(elsewhere) == 2
    with other.reading() as connection:
        assert count_deals(connection) == 3
    assert rebuild(views, tail).switched
    with other.reading():
        pass
    assert old not in generations(views)
    assert len(generations(views)) <= 2
    other.close()
    assert rebuild(views, tail).switched
    assert len(generations(views)) == 1


def test_who_was_about_to_write_to_the_old_generation_is_sent_to_the_new_one(
    log: DealLog, tail: Tail, views: Views, other: Views
) -> None:
    """Else it would not find what it has caught up with."""
    catch_up(views, tail)
    old, names = other.current(), [model.NAME for model in MODELS]
    append_deals(log, 2)
    if old.ONE_WRITER:
        assert rebuild(views, tail).switched
        with pytest.raises(Replaced), old.writing() as connection:
            old.lock(connection, names)
    else:
        with old.writing() as connection:
            assert rebuild(views, tail).switched
            with pytest.raises(Replaced):
                old.lock(connection, names)
    append_deals(log, 2, first=2)
    catch_up(other, tail)
    with views.reading() as connection:
        assert count_deals(connection) == 4
    check(views, tail)


def test_a_switch_waits_for_a_writer(log: DealLog, tail: Tail, views: Views, other: Views) -> None:
    """And goes as far as that one does before it answers."""
    append_deals(log, 1)
    catch_up(views, tail)
    written, waited = Event(), Event()

    def write() -> None:
        with other.writing() as connection:
            other.current().lock(connection, [model.NAME for model in MODELS])
            written.set()
            waited.wait(0.3)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert written.wait(10)
        assert rebuild(views, tail).switched
        writing.result()
    check(views, tail)


def test_it_never_goes_back(log: DealLog, tail: Tail, views: Views, other: Views) -> None:
    """What was caught up while the new one was finished is in the new one when it answers."""
    append_deals(log, 2)
    catch_up(views, tail)
    nearly = rebuilding._catch_up_nearly

    def slower(*arguments: Any) -> None:
        nearly(*arguments)
        append_deals(log, 2, first=2)
        catch_up(other, tail)

    with patch.object(rebuilding, "_catch_up_nearly", slower):
        assert rebuild(views, tail).switched
    assert position(views, tail) == log.head()
    with views.reading() as connection:
        assert count_deals(connection) == 4


def test_live_read_models_go_on_while_others_are_made(
    log: DealLog, tail: Tail, views: Views, other: Views
) -> None:
    """Appends, catch-ups and reads by others, throughout several rebuilds."""
    append_deals(log, 10)
    catch_up(views, tail)
    done = Event()

    def live() -> int:
        number = 10
        while not done.is_set():
            append_deals(log, 1, first=number)
            number += 1
            catch_up(other, tail)
            with other.reading() as connection:
                assert count_deals(connection) == number
        return number

    with ThreadPoolExecutor(1) as pool:
        living = pool.submit(live)
        try:
            for checked in (False, True, False, True):
                rebuilt = rebuild(views, tail, check=checked)
                assert rebuilt.switched, rebuilt.differences
        finally:
            done.set()
        number = living.result()
    catch_up(views, tail)
    assert len(rows_of(views)["deals"]) == number
    check(views, tail)


def test_readers_never_see_a_model_that_is_half_built(
    log: DealLog, tail: Tail, views: Views, other: Views
) -> None:
    """Threads and another process, throughout rebuilds by one more."""
    append_deals(log, 12)
    catch_up(views, tail)
    done = Event()

    def read() -> int:
        reads = 0
        while not done.is_set():
            with other.reading() as connection:
                assert count_deals(connection) == 12
                assert {one.position for one in read_checkpoints(connection)} == {log.head()}
            reads += 1
        return reads

    with (
        ThreadPoolExecutor(2) as pool,
        workers(log.location, "answer", ("rebuild_again", "4")) as (answering, building),
    ):
        reading = [pool.submit(read) for _ in range(2)]
        try:
            while building.poll() is None:
                assert ask(answering) == "12"
        finally:
            done.set()
        assert all(one.result() > 4 for one in reading)
        assert building.returncode == 0
        say(answering, "end")
    check(views, tail)


# Another release.


@pytest.mark.parametrize("model", MODELS)
def test_another_version_of_a_model_alone_is_made_anew(
    log: DealLog, tail: Tail, views: Views, model: ReadModel
) -> None:
    head = append_deals(log, 2)
    catch_up(views, tail)
    # Only who copies a table keeps what is wrong in it.
    change(views, "UPDATE deals SET name = 'kept'")
    change(views, "UPDATE deal_periods SET owner = 'kept'")
    change(views, "UPDATE entries SET actor = 'kept'")
    with patch.object(model, "VERSION", model.VERSION + 1):
        assert position(views, tail) is None
        catch_up(views, tail)
        assert position(views, tail) == head
        assert catch_up(views, tail) == 0
        with views.reading() as connection:
            versions = {one.model: one.version for one in read_checkpoints(connection)}
        assert versions == {one.NAME: one.VERSION for one in MODELS}
    rows = rows_of(views)
    kept = {
        "deals": all("kept" in row for row in rows["deals"]),
        "deal-periods": all("kept" in row for row in rows["deal_periods"]),
        "audit": all("kept" in row for row in rows["entries"]),
    }
    assert kept == {one.NAME: one is not model for one in MODELS}


def test_an_earlier_release_answers_until_the_switch(
    log: DealLog, tail: Tail, views: Views
) -> None:
    append_deals(log, 3)
    catch_up(views, tail)
    seen: list[str] = []
    switch = rebuilding._switch

    with workers(log.location, "answer") as (earlier,):

        def asking(*arguments: Any) -> None:
            append_deals(log, 1, first=3)
            seen.append(ask(earlier))
            switch(*arguments)

        with (
            patch.object(deals, "VERSION", deals.VERSION + 1),
            patch.object(rebuilding, "_switch", asking),
        ):
            catch_up(views, tail)
            with views.reading() as connection:
                assert count_deals(connection) == 4
        assert seen == ["4"]
        assert ask(earlier).startswith(
            "BuiltByNewer: the read models were built by a newer release (deals). Upgrade"
        )
        say(earlier, "end")


def test_what_a_newer_release_built_is_left_alone_until_it_is_rebuilt(
    log: DealLog, tail: Tail, views: Views
) -> None:
    append_deals(log, 2)
    with patch.object(deals, "VERSION", deals.VERSION + 1):
        catch_up(views, tail)
    before = rows_of(views)
    for attempt in (catch_up, make_ready):
        with pytest.raises(BuiltByNewer, match="by a newer release") as raised:
            attempt(views, tail)
        assert "dealstate rebuild" in raised.value.advice
    assert rows_of(views) == before
    assert rebuild(views, tail).switched
    assert catch_up(views, tail) == 0
    check(views, tail)


def test_a_model_that_is_new_is_made_beside_the_others(
    log: DealLog, tail: Tail, views: Views
) -> None:
    head = append_deals(log, 2)
    catch_up(views, tail)
    change(views, "DELETE FROM checkpoints WHERE model = 'deals'")
    change(views, "DELETE FROM deals")
    change(views, "UPDATE entries SET actor = 'kept'")
    catch_up(views, tail)
    assert position(views, tail) == head
    rows = rows_of(views)
    assert len(rows["deals"]) == 2
    assert all("kept" in row for row in rows["entries"])
