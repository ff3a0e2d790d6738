"""Law: the columnar copy answers what the rows of the store answer, whatever happened before."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from domain.lifecycle import Status
from domain.values import END_OF_TIME, START_OF_TIME
from projections.columns import Columns
from projections.columns.relation import Relation
from projections.figures import DIMENSIONS, Question
from projections.instants import FOREVER, instant_of, micros
from projections.pipeline import snapshot_and_totals
from projections.readable import Readable
from projections.tables import deal_periods, deal_team
from projections.views import Views, open_views
from tests.conftest import NewLocation
from tests.projections.period_rows import Row, change, park, period, start, take_in
from tests.projections.relations import Found, in_relation, in_tables, numbers_of
from tests.projections.stores import make_tables

DEALS = ["d-1", "d-2", "d-3", "客户", "d'5"]
TEAMS = {"d-1": "ann", "客户": "ann", "d'5": "bo"}
"""The owners of some deals."""
READABLE = {
    "nothing": (Readable(), []),
    "their own": (Readable(member="bo"), ["d'5"]),
    "of owners": (Readable(member="cy", owners=frozenset({"ann", "dee"})), ["d-1", "客户"]),
    "twice": (Readable(member="ann", owners=frozenset({"ann", "bo"})), list(TEAMS)),
}
"""What somebody may read, and the deals that this comes to."""
TEXTS = [None, "", "A", "a", "é", "中文", "𝄞", "x'; --", 'a"b', "a\nb\tc", "\\", "{0}", " ", "NULL"]
LARGEST = 10**18 - 1

FIRST = micros(START_OF_TIME)
INSTANTS = [FIRST, -1, 0, 1, 1_700_000_000_000_000, 1_700_000_000_000_001, FOREVER - 1]


@st.composite
def spans(draw: st.DrawFn) -> tuple[int, int]:
    since = draw(st.sampled_from(INSTANTS))
    return since, draw(st.sampled_from([at for at in [*INSTANTS, FOREVER] if at > since]))


@st.composite
def periods(draw: st.DrawFn) -> Row:
    occurred, known = draw(spans()), draw(spans())
    optional = ("region", "industry", "territory", "product", "business_type", "grade")
    return period(
        occurred_from=occurred[0],
        occurred_until=occurred[1],
        known_from=known[0],
        known_until=known[1],
        status=draw(st.sampled_from(list(Status))).value,
        process=draw(st.sampled_from(["p/1", "p/2", ""])),
        stage=draw(st.sampled_from(["P1", "P2", ""])),
        stage_order=draw(st.integers(0, 2)),
        amount_minor=draw(st.none() | st.sampled_from([0, 1, 7, LARGEST, LARGEST - 1])),
        probability=draw(st.none() | st.sampled_from([0, 1, 99, 100])),
        currency=draw(st.sampled_from(["EUR", "JPY", "KWD"])),
        owner=draw(st.sampled_from(TEXTS[1:])),
        forecast_category=draw(st.sampled_from(TEXTS)),
        opened_at=draw(st.sampled_from(INSTANTS)),
        closed_at=draw(st.none() | st.sampled_from(INSTANTS)),
        expected_close=draw(
            st.none() | st.sampled_from(["1969-12-31", "1970-01-01", "9999-12-31"])
        ),
        listed_minor=draw(st.none() | st.sampled_from([1, LARGEST])),
        quoted_minor=draw(st.none() | st.sampled_from([0, LARGEST])),
        outcome=draw(st.sampled_from(TEXTS)),
        lead_source=draw(st.sampled_from(TEXTS)),
        **{name: draw(st.sampled_from(TEXTS)) for name in draw(st.sets(st.sampled_from(optional)))},
    )


def of_one_key_each(rows: list[Row]) -> list[Row]:
    return list({(row["occurred_from"], row["known_from"]): row for row in rows}.values())


rows = st.lists(periods(), max_size=4).map(of_one_key_each)
changes = st.dictionaries(st.sampled_from(DEALS), rows, max_size=3)
moments = st.sampled_from([START_OF_TIME, END_OF_TIME, *map(instant_of, INSTANTS)])


@st.composite
def questions(draw: st.DrawFn) -> Question:
    by = draw(st.lists(st.sampled_from(DIMENSIONS), max_size=3))
    where = {
        name: draw(st.sampled_from(["P1", "P2", "p/1", "EUR", *(text or "" for text in TEXTS)]))
        for name in draw(st.lists(st.sampled_from(DIMENSIONS), max_size=1))
    }
    return Question(draw(moments), draw(moments), by, where)


@pytest.fixture(scope="module")
def views(new_location: NewLocation) -> Iterator[Views]:
    with closing(open_views(new_location())) as views:
        make_tables(views)
        team = [{"deal_id": deal, "member": who, "owns": True} for deal, who in TEAMS.items()]
        with views.writing() as connection:
            connection.execute(insert(deal_team), team)
        yield views


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("columns")


class Store:
    """The tables, their copy, and connections that were opened earlier."""

    def __init__(self, views: Views, columns: Columns, opened: ExitStack) -> None:
        self.views = views
        self.columns = columns
        self.opened = opened
        self.earlier: list[Connection] = []
        self.parked: dict[str, int] = {}

    def do(self, step: str, data: st.DataObject) -> None:
        match step:
            case "change":
                changed = data.draw(changes)
                self.position = change(self.views, changed)
                self.parked = {d: at for d, at in self.parked.items() if d not in changed}
            case "park":
                deal_id = data.draw(st.sampled_from(DEALS))
                park(self.views, deal_id)
                self.parked[deal_id] = 0
            case "retry":
                for deal_id in self.parked:
                    take_in(self.views, deal_id, data.draw(rows), self.parked[deal_id])
                self.parked = {}
            case "maintain":
                self.columns.maintain(self.views.reading)
            case "open":
                reading: AbstractContextManager[Connection] = self.views.reading()
                self.earlier.append(self.opened.enter_context(reading))
            case _:
                raise AssertionError(step)

    def compare(self, connection: Connection, question: Question) -> None:
        asked: Mapping[str, Any] = question._asdict()
        expected = snapshot_and_totals(connection, **asked)
        assert snapshot_and_totals(connection, **asked, copy=self.columns) == expected
        self.compare_rows(connection, question)

    def compare_rows(self, connection: Connection, question: Question) -> None:
        """The relation has the rows of the tables, and each deal that has some one number."""
        expected, meeting = in_tables(connection), in_tables(connection, where=question.where)
        ids = sorted({row[0] for row in expected})

        def asked(relation: Relation) -> tuple[Found, Found, list[str]]:
            numbered = [deal_id for _, deal_id in numbers_of(relation)]
            return (
                in_relation(relation),
                in_relation(relation, question.where),
                sorted(numbered),
            )

        assert self.columns.ask(connection, asked) == (expected, meeting, ids)

    def compare_readable(self, connection: Connection, question: Question, whose: str) -> None:
        """Of deals that somebody may read: their rows alone, and the sums of these."""
        readable, deals = READABLE[whose]
        asked: Mapping[str, Any] = question._asdict() | {"readable": readable}
        summed = snapshot_and_totals(connection, **asked)
        assert snapshot_and_totals(connection, **asked, copy=self.columns) == summed
        expected = in_tables(connection, deal_periods.c.deal_id.in_(deals))
        ids = sorted({row[0] for row in expected})

        def found(relation: Relation) -> tuple[Found, list[str], list[str]]:
            known = [row[0] for row in relation.rows("FROM deals SELECT id ORDER BY id")]
            return in_relation(relation), [i for _, i in numbers_of(relation)], known

        rows, numbered, known = self.columns.of(readable).ask(connection, found)
        assert (rows, sorted(numbered)) == (expected, ids)
        assert set(known) <= set(deals)


steps = st.lists(
    st.sampled_from(["change", "change", "maintain", "park", "retry", "open"]), max_size=8
)


# On two databases, and with files made anew in each example.
@settings(max_examples=settings().max_examples // 4)
@given(
    steps=steps,
    asked=st.lists(questions(), min_size=3, max_size=3),
    whose=st.sampled_from(list(READABLE)),
    data=st.data(),
)
def test_the_copy_answers_what_the_rows_answer(
    views: Views,
    folder: Path,
    *,
    steps: list[str],
    asked: list[Question],
    whose: str,
    data: st.DataObject,
) -> None:
    set_id = start(views)
    columns = Columns(folder / "deals.views.db", least_periods=1, least_changed=2)
    with ExitStack() as opened, closing(columns):
        store = Store(views, columns, opened)
        for step in ["change", *steps]:
            store.do(step, data)
            with views.reading() as connection:
                store.compare(connection, asked[0])
                has_base = any(file.set_id == set_id for file in columns.files.all())
                assert (columns.snapshot(connection, asked[1]) is not None) == has_base
        with views.reading() as connection:
            for connection_ in (connection, *store.earlier):
                for question in asked:
                    store.compare(connection_, question)
                store.compare_readable(connection_, asked[0], whose)


def test_the_instants_of_the_law_are_the_ends_of_time() -> None:
    assert instant_of(FIRST) == START_OF_TIME
    assert instant_of(FOREVER) == END_OF_TIME
    assert datetime.max.replace(tzinfo=END_OF_TIME.tzinfo) - END_OF_TIME == timedelta()
