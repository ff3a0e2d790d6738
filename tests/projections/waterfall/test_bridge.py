"""The waterfall where little happens, and at the ends of time."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from domain.lifecycle import Status
from domain.values import END_OF_TIME, START_OF_TIME
from projections.columns import Columns
from projections.instants import FOREVER, micros
from projections.views import Views, open_views
from projections.views.sqlite import FileViews
from projections.waterfall.asking import Question
from projections.waterfall.bridge import Waterfall, waterfall
from projections.waterfall.deals import deals_behind
from projections.waterfall.steps import START, lines_named
from store.location import Location
from tests.projections.histories import EPOCH
from tests.projections.period_rows import change, period, start
from tests.projections.stores import make_tables

OPENED, CLOSED = micros(EPOCH), micros(EPOCH + timedelta(days=5))


@pytest.fixture
def views(tmp_path: Path) -> Iterator[Views]:
    with closing(open_views(Location.beside(tmp_path / "deals.db"))) as views:
        make_tables(views)
        start(views)
        yield views


def asked(**more: object) -> Question:
    given = {"since": START_OF_TIME, "until": END_OF_TIME, "known_at": END_OF_TIME, **more}
    return Question(**given)  # type: ignore[arg-type]


def open_columns(views: Views) -> Columns:
    assert isinstance(views, FileViews)
    return Columns(views.path)


def ask(views: Views, question: Question) -> Waterfall:
    with closing(open_columns(views)) as columns, views.reading() as connection:
        return waterfall(connection, columns, question)


def test_an_empty_store_has_no_groups(views: Views) -> None:
    assert ask(views, asked()).rows == []


def test_what_holds_for_ever_stands_at_the_end_of_time(views: Views) -> None:
    change(views, {"d-1": [period(occurred_from=OPENED, opened_at=OPENED)]})
    [row] = ask(views, asked(since=END_OF_TIME)).rows
    assert (row.start.deals, row.end.deals) == (1, 1)
    [row] = ask(views, asked()).rows
    assert (row.start.deals, row.end.deals) == (0, 1)


def test_sums_of_the_largest_amounts_are_exact(views: Views) -> None:
    largest = 10**18 - 1
    row = period(occurred_from=OPENED, opened_at=OPENED, amount_minor=largest)
    change(views, {f"d-{number}": [row] for number in range(40)})
    [found] = ask(views, asked()).rows
    assert int(found.end.amount.scaleb(2)) == 40 * largest


def test_a_stage_of_two_processes_is_one_group_unless_these_are_asked_by(views: Views) -> None:
    moved = [
        period(occurred_from=OPENED, occurred_until=CLOSED, process="a/1", stage="P1"),
        period(occurred_from=CLOSED, process="b/1", stage="P1"),
    ]
    change(views, {"d-1": moved})
    by_stage = ask(views, asked(by=["stage"])).rows
    assert [str(one.line) for one in by_stage[0].lines if one.times] == ["created"]
    by_both = ask(views, asked(by=["stage", "process"])).rows
    assert [row.end.deals for row in by_both] == [0, 1]


def test_groups_come_in_the_order_of_their_stages_and_without_a_value_last(views: Views) -> None:
    rows = {
        "d-1": [period(stage="B", stage_order=1, region="x")],
        "d-2": [period(stage="A", stage_order=2)],
        "d-3": [period(stage="B", stage_order=1)],
    }
    change(views, rows)
    found = ask(views, asked(by=["stage", "region"])).rows
    assert [tuple(row.group.values()) for row in found] == [("B", "x"), ("B", None), ("A", None)]


def test_an_unknown_dimension_or_line_is_refused(views: Views) -> None:
    with pytest.raises(ValueError, match="there is no dimension 'colour'"):
        ask(views, asked(by=["colour"]))
    with pytest.raises(ValueError, match="there is no line 'gone'"):
        lines_named("gone")


def test_a_deal_whose_id_has_quotes_is_listed_once(views: Views) -> None:
    ids = ["d'1", "d'2", 'd"3', "客户"]
    open_deal = period(occurred_from=OPENED, status=Status.OPEN.value, occurred_until=FOREVER)
    change(views, {deal_id: [open_deal] for deal_id in ids})
    question, found, after = asked(since=EPOCH), [], None
    with closing(open_columns(views)) as columns, views.reading() as connection:
        while True:
            page = deals_behind(connection, columns, question, [START], limit=1, after=after)
            found += [entry.deal_id for entry in page.entries]
            after = page.next
            if after is None:
                break
    assert found == sorted(ids)
