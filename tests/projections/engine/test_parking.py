"""Parking: what one model cannot take in of one stream holds up nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from domain.corrections import EventWithdrawn
from domain.lifecycle.facts import NoteAdded
from projections import audit, deals, periods
from projections.engine import applying
from projections.engine.keeping_up import catch_up, try_again
from projections.engine.models import MODELS
from projections.engine.rebuilding import rebuild
from projections.engine.standing import Parked, read_parked
from projections.models import ReadModel, Row, Rows, Told
from projections.tables import deal_marks, entries
from projections.tables import deals as deals_table
from projections.views import Views
from store.log import DealLog
from store.tail import Tail
from tests.contract.tampering import raw
from tests.projections.stores import append, append_deals, draft, rows_of
from tests.scenario import opened

POISONED = "deal:d-1"


@contextmanager
def failing(
    model: ReadModel, stream: str = POISONED, error: Exception | None = None
) -> Iterator[None]:
    """The model fails for one stream."""
    original = model.rows

    def rows(told: Told) -> Rows:
        if told.stream == stream:
            raise error or ZeroDivisionError("a mistake of ours")
        return original(told)

    with patch.object(model, "rows", rows):
        yield


@contextmanager
def making(model: ReadModel, column: str, value: object, stream: str = POISONED) -> Iterator[None]:
    """The model makes rows of one stream with this value in a column of its first table."""
    original, table = model.rows, model.TABLES[0]
    at = [one.name for one in table.columns].index(column)

    def planted(row: Row) -> Row:
        return (*row[:at], value, *row[at + 1 :])

    def rows(told: Told) -> Rows:
        made = dict(original(told))
        if told.stream == stream:
            made[table] = [planted(row) for row in made.get(table, ())]
        return made

    with patch.object(model, "rows", rows):
        yield


def parked_in(views: Views) -> list[tuple[str, str]]:
    with views.reading() as connection:
        return [(one.model, one.stream) for one in read_parked(connection)]


def parked_one(views: Views) -> Parked:
    with views.reading() as connection:
        [one] = read_parked(connection)
    return one


def deals_in(views: Views, table: str) -> set[str]:
    """Which deals have rows in a table."""
    at = 1 if table == "entries" else 0
    return {str(row[at]).removeprefix("deal:") for row in rows_of(views)[table]} - {"process:short"}


def is_as_rebuilt(views: Views, tail: Tail) -> bool:
    """Whether rows and what is parked come out the same when they are made anew."""
    live = rows_of(views)
    rebuilt = rebuild(views, tail, check=True)
    return rebuilt.differences == [] and rows_of(views) == live


@pytest.fixture
def three(log: DealLog, tail: Tail, views: Views) -> Views:
    """Read models of a log with three deals."""
    append_deals(log, 3)
    catch_up(views, tail)
    return views


ALL = {"d-0", "d-1", "d-2"}
OTHERS = {"d-0", "d-2"}
TABLES = {"audit": "entries", "deals": "deals", "deal-periods": "deal_periods"}


# A model that fails.


@pytest.mark.parametrize("model", MODELS)
def test_a_model_that_fails_for_a_stream_parks_it_in_that_model_alone(
    log: DealLog, tail: Tail, three: Views, model: ReadModel
) -> None:
    with failing(model):
        append_deals(log, 2, first=3)
        head = append(log, "d-1", draft(NoteAdded("…"), 9))
        append(log, "d-2", draft(NoteAdded("…"), 9))
        catch_up(three, tail, batch_events=2)
        assert parked_in(three) == [(model.NAME, POISONED)]
        for other in MODELS:
            table = TABLES[other.NAME]
            expected = {"d-0", "d-1", "d-2", "d-3", "d-4"} - ({"d-1"} if other is model else set())
            assert deals_in(three, table) == expected, table
        one = parked_one(three)
        assert (one.version, one.position) == (4, head)
        assert one.error == "ZeroDivisionError: a mistake of ours"
        assert is_as_rebuilt(three, tail)


def test_all_tables_of_the_model_are_cleared(log: DealLog, tail: Tail, three: Views) -> None:
    with failing(periods):
        append(log, "d-1", draft(NoteAdded("…"), 9))
        catch_up(three, tail)
    assert deals_in(three, deal_marks.name) == OTHERS


@pytest.mark.parametrize("model", MODELS)
def test_the_next_event_tries_again(
    log: DealLog, tail: Tail, three: Views, model: ReadModel
) -> None:
    with failing(model):
        append(log, "d-1", draft(NoteAdded("…"), 9))
        catch_up(three, tail)
        append(log, "d-1", draft(NoteAdded("…"), 10))
        catch_up(three, tail)
        assert parked_one(three).version == 5
    catch_up(three, tail)
    assert parked_in(three) == [(model.NAME, POISONED)]
    append(log, "d-2", draft(NoteAdded("…"), 10))
    catch_up(three, tail)
    assert parked_in(three) == [(model.NAME, POISONED)]
    append(log, "d-1", draft(NoteAdded("…"), 11))
    catch_up(three, tail)
    assert parked_in(three) == []
    assert deals_in(three, TABLES[model.NAME]) == ALL
    assert is_as_rebuilt(three, tail)


@pytest.mark.parametrize("model", MODELS)
def test_it_is_tried_again_on_demand(
    log: DealLog, tail: Tail, three: Views, model: ReadModel
) -> None:
    before = rows_of(three)
    with failing(model):
        assert rebuild(three, tail).switched
        error = try_again(three, tail, model, POISONED)
        assert error == parked_one(three).error == "ZeroDivisionError: a mistake of ours"
    assert try_again(three, tail, model, POISONED) is None
    assert parked_in(three) == []
    assert rows_of(three) == before
    assert is_as_rebuilt(three, tail)


def test_what_is_not_parked_cannot_be_tried_again(tail: Tail, three: Views) -> None:
    with pytest.raises(LookupError, match="deal:d-1 is not parked in deals"):
        try_again(three, tail, deals, POISONED)


def test_a_stream_that_fails_from_its_beginning_is_parked_when_it_is_built(
    log: DealLog, tail: Tail, views: Views
) -> None:
    append_deals(log, 3)
    with failing(deals), failing(audit, "process:short"):
        catch_up(views, tail)
        assert parked_in(views) == [("audit", "process:short"), ("deals", POISONED)]
        assert deals_in(views, "deals") == OTHERS
        assert is_as_rebuilt(views, tail)


def test_words_of_an_error_that_cannot_be_kept_are_replaced(
    log: DealLog, tail: Tail, three: Views
) -> None:
    with failing(deals, error=ValueError("nul \0, half of a pair \ud800, long " + "x" * 9_999)):
        append(log, "d-1", draft(NoteAdded("…"), 9))
        catch_up(three, tail)
        error = parked_one(three).error
        assert error.startswith(r"ValueError: nul , half of a pair \ud800, long xxx")
        assert len(error) < 600
        assert is_as_rebuilt(three, tail)


# A row that the database refuses.

TOO_LARGE = 2**63
NUL = "a\0b"
HALF_A_PAIR = "a\ud800"
REFUSED: list[tuple[ReadModel, str, object]] = [
    (deals, "amount_minor", TOO_LARGE),
    (periods, "known_until", TOO_LARGE),
    (audit, "recorded_at", TOO_LARGE),
    (deals, "name", HALF_A_PAIR),
    (audit, "actor", HALF_A_PAIR),
    (deals, "deal_id", None),
    (deals, "name", object()),
]
ONLY_ON_POSTGRESQL: list[tuple[ReadModel, str, object]] = [
    (deals, "name", NUL),
    (periods, "owner", NUL),
    (audit, "actor", NUL),
    (deals, "probability", 2**31),
]


@pytest.mark.parametrize("refused", REFUSED + ONLY_ON_POSTGRESQL)
def test_a_row_that_the_database_refuses_parks_its_stream(
    log: DealLog, tail: Tail, three: Views, refused: tuple[ReadModel, str, object]
) -> None:
    model, column, value = refused
    if log.location.database is None and refused in ONLY_ON_POSTGRESQL:
        pytest.skip("SQLite keeps it")
    with making(model, column, value):
        append_deals(log, 2, first=3)
        append(log, "d-1", draft(NoteAdded("…"), 9))
        append(log, "d-2", draft(NoteAdded("…"), 9))
        catch_up(three, tail)
        assert parked_in(three) == [(model.NAME, POISONED)]
        for other in MODELS:
            table = TABLES[other.NAME]
            expected = {"d-0", "d-1", "d-2", "d-3", "d-4"} - ({"d-1"} if other is model else set())
            assert deals_in(three, table) == expected, table
        assert is_as_rebuilt(three, tail)
    assert try_again(three, tail, model, POISONED) is None
    assert is_as_rebuilt(three, tail)


def test_without_room_nothing_is_parked(log: DealLog, tail: Tail, three: Views) -> None:
    """A machine at its limits is no fault of the stream."""
    append(log, "d-1", draft(NoteAdded("…"), 9))
    before = rows_of(three)
    with failing(deals, error=MemoryError()), pytest.raises(MemoryError):
        catch_up(three, tail)
    assert rows_of(three) == before


# An event that cannot be read.


def damaged(state: bytes) -> bytes:
    return state.replace(b'"fact"', b'"facd"', 1)


def write(log: DealLog, stream: str, version: int, change: Callable[[bytes], bytes]) -> None:
    """Change the bytes of a stored event, past all rules."""
    with raw(log) as tables:
        tables.execute(
            "UPDATE stored_events SET state = ? WHERE originator_id = ?"
            " AND originator_version = ?",
            (change(next(e[4] for e in tables.events() if e[1:3] == (stream, version))), stream,
             version),
        )  # fmt: skip


def name_topic(log: DealLog, stream: str, version: int, topic: str) -> None:
    with raw(log) as tables:
        tables.execute(
            "UPDATE stored_events SET topic = ? WHERE originator_id = ? AND originator_version = ?",
            (topic, stream, version),
        )


def damage(log: DealLog, stream: str, version: int) -> None:
    write(log, stream, version, damaged)


def make_newer(log: DealLog, stream: str, version: int) -> None:
    name_topic(log, stream, version, "deal-went-to-the-moon@1")


@pytest.fixture(params=[damage, make_newer])
def spoil(request: pytest.FixtureRequest) -> Callable[[DealLog, str, int], None]:
    """Makes an event unreadable: damaged, or of a type that a later release added."""
    found: Callable[[DealLog, str, int], None] = request.param
    return found


def test_an_event_that_cannot_be_read_parks_its_stream_in_every_model(
    log: DealLog, tail: Tail, three: Views, spoil: Callable[[DealLog, str, int], None]
) -> None:
    append(log, "d-1", draft(NoteAdded("…"), 9))
    head = append(log, "d-1", draft(NoteAdded("…"), 9))
    spoil(log, POISONED, 4)
    append_deals(log, 2, first=3)
    catch_up(three, tail, batch_events=1)
    assert parked_in(three) == [(name, POISONED) for name in ("audit", "deal-periods", "deals")]
    assert deals_in(three, deals_table.name) == {"d-0", "d-2", "d-3", "d-4"}
    assert deals_in(three, "deal_periods") == {"d-0", "d-2", "d-3", "d-4"}
    with three.reading() as connection:
        first = read_parked(connection, "deals")[0]
    assert (first.version, first.position) == (5, head)
    assert first.error.startswith("UnreadableEvent: version 4 of deal:d-1")
    assert versions_in_the_audit(three) == [1, 2, 3, 5]
    assert is_as_rebuilt(three, tail)


def versions_in_the_audit(views: Views) -> list[int]:
    with views.reading() as connection:
        return list(
            connection.exec_driver_sql(
                f"SELECT version FROM entries WHERE stream = '{POISONED}' ORDER BY version"
            ).scalars()
        )


def test_the_last_event_that_cannot_be_read_leaves_those_before_in_the_audit(
    log: DealLog, tail: Tail, three: Views, spoil: Callable[[DealLog, str, int], None]
) -> None:
    append(log, "d-1", draft(NoteAdded("…"), 9))
    spoil(log, POISONED, 4)
    catch_up(three, tail)
    assert versions_in_the_audit(three) == [1, 2, 3]
    assert is_as_rebuilt(three, tail)


def test_a_stream_of_nothing_that_can_be_read_is_parked(
    log: DealLog, tail: Tail, three: Views, spoil: Callable[[DealLog, str, int], None]
) -> None:
    head = append(log, "d-9", draft(opened()))
    spoil(log, "deal:d-9", 1)
    append_deals(log, 1, first=3)
    catch_up(three, tail)
    assert [stream for _, stream in parked_in(three)] == ["deal:d-9"] * 3
    with three.reading() as connection:
        assert {one.position for one in read_parked(connection)} == {head}
    assert deals_in(three, "deals") == {"d-0", "d-1", "d-2", "d-3"}
    assert is_as_rebuilt(three, tail)


def test_an_event_that_can_be_read_again_is_taken_in_when_it_is_tried_again(
    log: DealLog, tail: Tail, three: Views
) -> None:
    append(log, "d-1", draft(NoteAdded("…"), 9))
    write(log, POISONED, 4, damaged)
    catch_up(three, tail)
    # The event at the checkpoint is another one now, so its bytes have to be as they were.
    write(log, POISONED, 4, lambda state: state.replace(b'"facd"', b'"fact"', 1))
    append(log, "d-2", draft(NoteAdded("…"), 9))
    catch_up(three, tail)
    for model in MODELS:
        if (model.NAME, POISONED) in parked_in(three):
            assert try_again(three, tail, model, POISONED) is None
    assert deals_in(three, "deals") == ALL
    assert versions_in_the_audit(three) == [1, 2, 3, 4]
    assert is_as_rebuilt(three, tail)


# A batch of many.


def test_few_events_in_memory_make_no_difference(log: DealLog, tail: Tail, three: Views) -> None:
    """Whether streams are taken in together or some at a time."""
    with patch.object(applying, "EVENTS_AT_ONCE", 4), making(deals, "amount_minor", TOO_LARGE):
        for number in range(3):
            append(log, f"d-{number}", draft(EventWithdrawn((2,), "…"), 9))
        append_deals(log, 4, first=3)
        catch_up(three, tail)
        assert parked_in(three) == [("deals", POISONED)]
        assert entries.name in rows_of(three)
        assert is_as_rebuilt(three, tail)


def test_one_model_fails_for_every_stream(log: DealLog, tail: Tail, three: Views) -> None:
    def fail(_: Any) -> Rows:
        raise ZeroDivisionError

    with patch.object(deals, "rows", fail):
        for number in range(3):
            append(log, f"d-{number}", draft(NoteAdded("…"), 9))
        catch_up(three, tail)
        assert parked_in(three) == [("deals", f"deal:d-{number}") for number in range(3)]
        assert rows_of(three)["deals"] == []
        assert deals_in(three, "deal_periods") == ALL
