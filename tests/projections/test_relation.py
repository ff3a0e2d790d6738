"""The deal periods as one relation: from a base, from a base with changes, and without one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import and_, or_

from domain.values import END_OF_TIME, START_OF_TIME
from projections.columns import Columns, Reach, base, passing
from projections.columns.relation import NOWHERE, Place, Relation
from projections.columns.source import COLUMNS, all_periods
from projections.figures import DIMENSIONS
from projections.instants import FOREVER, instant_of
from projections.tables import deal_periods
from projections.views import Views
from tests.projections.period_rows import Row, change, park, period, start
from tests.projections.relations import in_relation, in_tables, numbers_of
from tests.projections.stores import make_tables

SECOND = 1_000_000


@pytest.fixture
def tables(views: Views) -> Views:
    make_tables(views)
    start(views)
    return views


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    path = tmp_path / "deals.views.db"
    with closing(Columns(path, least_periods=1, least_changed=5)) as columns:
        yield columns


def some(count: int, **values: Any) -> dict[str, list[Row]]:
    """Deals of two periods each, which differ in all that a period has."""
    return {
        f"d-{n}": [
            period(
                occurred_until=n * SECOND + 1,
                amount_minor=None,
                probability=None,
                region="North" if n % 2 else None,
            ),
            period(
                occurred_from=n * SECOND + 1,
                amount_minor=n,
                stage=f"P{n % 3}",
                expected_close=f"2026-0{n % 9 + 1}-28",
                closed_at=n if n % 2 else None,
                status="won" if n % 2 else "open",
                outcome="won" if n % 2 else None,
                lead_source="fair" if n % 3 else None,
                listed_minor=n * 100 if n % 4 else None,
                quoted_minor=n * 90 if n % 4 else None,
                **values,
            ),
        ]
        for n in range(count)
    }


def same_rows(columns: Columns, tables: Views) -> bool:
    """Whether the relation has the rows of the tables, one number a deal, and no other."""
    with tables.reading() as connection:
        expected = in_tables(connection)
        found = columns.ask(connection, in_relation)
        numbers = columns.ask(connection, numbers_of)
    ids = [deal_id for _, deal_id in numbers]
    return found == expected and sorted(ids) == sorted({row[0] for row in expected})


def has_base(columns: Columns) -> bool:
    return bool(columns.files.all())


# Where the rows come from.


def test_without_a_base_the_rows_are_read_for_the_question(tables: Views, columns: Columns) -> None:
    change(tables, some(9))
    assert same_rows(columns, tables)
    assert not has_base(columns)


def test_of_no_rows_there_are_none(tables: Views, columns: Columns) -> None:
    assert same_rows(columns, tables)
    change(tables, {"d-1": []})
    assert same_rows(columns, tables)


def test_a_base_has_the_rows_of_the_tables(tables: Views, columns: Columns) -> None:
    change(tables, some(9))
    assert columns.maintain(tables.reading)
    assert same_rows(columns, tables)


def test_what_changed_since_takes_the_place_of_rows_in_the_base(
    tables: Views, columns: Columns
) -> None:
    change(tables, some(9))
    assert columns.maintain(tables.reading)
    changed = {"d-3": some(9, owner="bo")["d-3"], "new": some(1)["d-0"], "d-4": []}
    change(tables, changed)
    assert same_rows(columns, tables)
    change(tables, {"d-3": [period(owner="cy")], "new": []})
    park(tables, "d-5")
    assert same_rows(columns, tables)


def test_whoever_reads_what_was_gets_what_was(tables: Views, columns: Columns) -> None:
    change(tables, some(9))
    assert columns.maintain(tables.reading)
    change(tables, {"d-2": [period(owner="then")]})
    with tables.reading() as earlier:
        expected = in_tables(earlier)
        change(tables, {"d-2": [period(owner="since")], "d-3": [], "new": [period()]})
        # The changes have been read by now, for somebody else.
        assert same_rows(columns, tables)
        assert columns.ask(earlier, in_relation) == expected
        ids = [deal_id for _, deal_id in columns.ask(earlier, numbers_of)]
        assert sorted(ids) == [f"d-{n}" for n in range(9)]


def test_the_rows_of_a_deal_need_not_follow_one_another(
    tables: Views, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(tables, some(4))

    def scattered(*given: Any) -> Iterator[Sequence[Any]]:
        """One row at a time: the first of each deal, then the second of each."""
        rows = sorted(
            (row for batch in all_periods(*given) for row in batch),
            key=lambda row: (row[COLUMNS.index("occurred_from")] > 0, row[0]),
        )
        return iter([[row] for row in rows])

    monkeypatch.setattr(passing, "all_periods", scattered)
    assert same_rows(columns, tables)
    monkeypatch.setattr("projections.columns.columns.all_periods", scattered)
    assert columns.maintain(tables.reading)
    assert same_rows(columns, tables)


@pytest.mark.parametrize("fault", ["gone", "cut"])
def test_a_base_that_is_damaged_meanwhile_is_given_up_for_the_rows(
    tables: Views, columns: Columns, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    change(tables, some(9))
    assert columns.maintain(tables.reading)
    asked = 0

    def question(relation: Relation) -> object:
        nonlocal asked
        asked += 1
        found = in_relation(relation)
        if asked == 1:
            # What DuckDB says of a block that is not as it was written.
            select = "SELECT 1 FROM nothing" if fault == "gone" else "SELECT error('torn')"
            relation.rows(select)
        return found

    with tables.reading() as connection:
        assert columns.ask(connection, question) == in_tables(connection)
    assert asked == 2
    assert not has_base(columns)
    assert columns.maintain(tables.reading)
    assert same_rows(columns, tables)


def test_where_memory_is_short_the_rows_answer(
    tables: Views, columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(tables, some(9))
    assert columns.maintain(tables.reading)

    def short(self: object, connection: object, stand: object) -> None:
        raise MemoryError

    monkeypatch.setattr(base.OpenBase, "asking", short)
    assert same_rows(columns, tables)
    assert has_base(columns)


def test_a_fault_of_the_question_is_no_fault_of_the_base(tables: Views, columns: Columns) -> None:
    change(tables, some(9))
    assert columns.maintain(tables.reading)

    def question(relation: Relation) -> None:
        raise ValueError("of its own")

    with tables.reading() as connection, pytest.raises(ValueError, match="of its own"):
        columns.ask(connection, question)
    assert has_base(columns)


# How far a question reaches.


def reached(reach: Reach) -> Any:
    """The condition, written from what it says."""
    period = deal_periods.c
    at = [
        min((k - instant_of(0)) // timedelta(microseconds=1), FOREVER - 1) for k in reach.known_at
    ]
    known = [and_(period.known_from <= k, period.known_until > k) for k in at]
    conditions = [or_(*known)] if known else []
    if reach.since is not None:
        since = (reach.since - instant_of(0)) // timedelta(microseconds=1)
        conditions.append(or_(period.occurred_until > since, period.occurred_until == FOREVER))
    if reach.until is not None:
        until = (reach.until - instant_of(0)) // timedelta(microseconds=1)
        conditions.append(period.occurred_from <= until)
    return and_(True, *conditions)


MOMENTS = [START_OF_TIME, instant_of(0), instant_of(1), instant_of(3 * SECOND + 1), END_OF_TIME]
REACHES = [
    Reach(),
    *(Reach(known_at=(at,)) for at in MOMENTS),
    *(Reach(since=at) for at in MOMENTS),
    *(Reach(until=at) for at in MOMENTS),
    *(Reach(known_at=(at,), since=at, until=at) for at in MOMENTS),
    Reach(known_at=(instant_of(0), END_OF_TIME)),
]


def test_without_a_base_only_what_is_within_reach_is_read(tables: Views, columns: Columns) -> None:
    known = {"old": [period(known_until=2)], "new": [period(known_from=2)]}
    change(tables, {**some(6), **known})
    with tables.reading() as connection:
        for reach in REACHES:
            expected = in_tables(connection, reached(reach))
            assert columns.ask(connection, in_relation, reach) == expected, reach
        everything = in_tables(connection)
    assert columns.maintain(tables.reading)
    with tables.reading() as connection:
        for reach in REACHES:
            assert columns.ask(connection, in_relation, reach) == everything


# What a question can be made of.


Asked = Callable[[Callable[[Relation], Any]], Any]


@pytest.fixture(params=["base", "changed", "none"])
def asked(request: pytest.FixtureRequest, tables: Views, columns: Columns) -> Asked:
    """Asks the same rows in each way that there is."""
    rows = some(6)
    if request.param == "none":
        change(tables, rows)
    else:
        late = {"d-1", "d-2"} if request.param == "changed" else set()
        change(tables, {name: rows[name] for name in rows if name not in late})
        assert columns.maintain(tables.reading)
        change(tables, {name: rows[name] for name in late})

    def ask(question: Callable[[Relation], Any]) -> Any:
        with tables.reading() as connection:
            return columns.ask(connection, question)

    return ask


def test_steps_are_named_queries(asked: Asked) -> None:
    def question(relation: Relation) -> Any:
        return relation.rows(
            "SELECT sum(amount), count(*) FROM priced_ones",
            slice_of_now=f"FROM periods SELECT * WHERE occurred_until = {FOREVER}",
            priced_ones="FROM slice_of_now WHERE priced = 1",
        )

    assert asked(question) == [(15, 6)]


def test_arrays_have_a_mask_where_something_is_null(asked: Asked) -> None:
    found = asked(
        lambda relation: relation.arrays(
            f"FROM periods SELECT amount, listed WHERE occurred_until = {FOREVER} ORDER BY amount"
        )
    )
    assert list(found["amount"]) == [0, 1, 2, 3, 4, 5]
    assert list(found["listed"].filled(-1)) == [-1, 100, 200, 300, -1, 500]


def test_a_query_can_be_held_for_those_that_follow(asked: Asked) -> None:
    def question(relation: Relation) -> Any:
        relation.hold("held", "FROM priced_ones", priced_ones="FROM periods WHERE priced = 1")
        return relation.rows("SELECT sum(amount) FROM held")

    assert asked(question) == [(15,)]
    # It ends with its question.
    assert asked(question) == [(15,)]


def test_a_name_that_is_none_is_an_error(asked: Asked) -> None:
    with pytest.raises(AssertionError):
        asked(lambda relation: relation.hold("held; DROP", "FROM periods"))


def test_codes_stand_for_texts(asked: Asked) -> None:
    def question(relation: Relation) -> Any:
        assert relation.code("region", "") == 0
        assert relation.code("region", "Nowhere's") == NOWHERE
        assert relation.codes("region", ["", "Nowhere's"]) == f"(0, {NOWHERE})"
        assert relation.codes("region", []) == "()"
        north = relation.code("region", "North")
        assert relation.texts("region")[north] == "North"
        assert relation.texts("region")[0] is None
        # The processes and stages are those of the places.
        assert set(relation.places) == {Place("key-account/1", f"P{n}", 1) for n in range(3)}
        assert relation.texts("stage") == [place.stage for place in relation.places]
        assert set(relation.texts("process")) == {"key-account/1"}
        return relation.rows(f"FROM periods SELECT count(*) WHERE region = {north}")

    assert asked(question) == [(3,)]


CONDITIONS: list[dict[str, str]] = [
    {},
    {"region": "North"},
    {"region": ""},
    {"region": "x' OR true --"},
    {"stage": "P1"},
    {"process": "key-account/1", "stage": "P2"},
    {"stage": "nowhere"},
    {"stage": "P1", "region": "", "currency": "EUR"},
]


def test_conditions_keep_the_rows_with_these_values(asked: Asked, tables: Views) -> None:
    def question(relation: Relation) -> Any:
        return [in_relation(relation, where) for where in CONDITIONS]

    with tables.reading() as connection:
        expected = [in_tables(connection, where=where) for where in CONDITIONS]
    assert asked(question) == expected


def test_conditions_can_be_of_another_table(asked: Asked) -> None:
    def question(relation: Relation) -> Any:
        condition = relation.matching({"region": "North"}, "one")
        return relation.rows(
            "SELECT count(*) FROM periods AS one JOIN periods AS other USING (deal)"
            f" WHERE {condition}"
        )

    assert asked(question) == [(6,)]


def test_every_dimension_has_a_column(asked: Asked) -> None:
    def question(relation: Relation) -> Any:
        return {name: values(relation, name) for name in DIMENSIONS}

    def values(relation: Relation, name: str) -> set[str | None]:
        texts = relation.texts(name)
        codes = relation.rows(f"FROM periods SELECT DISTINCT {relation.coded(name)}")
        return {texts[code] for (code,) in codes}

    rows = [row for rows in some(6).values() for row in rows]
    assert asked(question) == {name: {row[name] for row in rows} for name in DIMENSIONS}


@pytest.mark.parametrize("wrong", ["deal", "region; --"])
def test_an_unknown_dimension_is_an_error(tables: Views, columns: Columns, wrong: str) -> None:
    with tables.reading() as connection:
        with pytest.raises(ValueError, match="there is no dimension"):
            columns.ask(connection, lambda relation: relation.coded(wrong))
        with pytest.raises(ValueError, match="there is no dimension"):
            columns.ask(connection, lambda relation: relation.matching({wrong: "x"}))


def test_ids_come_back_for_numbers(asked: Asked) -> None:
    def question(relation: Relation) -> Any:
        numbers = [
            row[0] for row in relation.rows("FROM periods SELECT deal WHERE amount IN (1, 2)")
        ]
        assert relation.ids([]) == {}
        assert relation.ids([10_000]) == {}
        return sorted(relation.ids([*numbers, *numbers]).values())

    assert asked(question) == ["d-1", "d-2"]
