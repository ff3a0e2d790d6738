"""Law: the pages of a listing are the whole list, no deal missing and none twice."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections import deal_pages as model
from projections.deal_pages import SORTABLE, page
from projections.deal_walks import DealQuery
from projections.deals import found_by
from projections.search import FILTERS, fold
from projections.tables import deals
from projections.views import Views, open_views
from tests.conftest import NewLocation
from tests.projections.stores import make_tables

Row = dict[str, Any]

# A few values each, so that ties are common.
few = st.integers(-1, 2)
rows = st.fixed_dictionaries(
    {
        "opened_at": few,
        "closed_at": st.none() | few,
        "amount_minor": st.none() | few,
        "expected_close": st.none() | st.sampled_from(["2026-01-31", "2026-12-01"]),
        "name": st.sampled_from(["a", "B", "é", "压机", "🏭", "Press É 压机"]),
        "status": st.sampled_from(["open", "won"]),
        "account": st.none() | st.sampled_from(["press", "机", "\uff30RESS_1%"]),
        "last_occurred_at": few,
        "region": st.none() | st.sampled_from(["", "EMEA"]),
    }
)
ids = st.text("aB1压", min_size=1, max_size=3)
tables_of_deals = st.dictionaries(ids, rows, max_size=9)


@pytest.fixture(scope="module")
def views(new_location: NewLocation) -> Iterator[Views]:
    views = open_views(new_location())
    make_tables(views)
    yield views
    views.close()


@pytest.fixture(params=[0, model.WALKED_PER_DEAL], ids=["gathered", "walked"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two ways to a page: by the words at once, or by a walk that finds it in so few deals."""
    monkeypatch.setattr(model, "WALKED_PER_DEAL", request.param)
    monkeypatch.setattr(model, "WALKED_FAR_PER_DEAL", request.param)
    monkeypatch.setattr(model, "MANY", 2)


def fill(views: Views, table: dict[str, Row]) -> None:
    usual = dict.fromkeys(deals.columns.keys()) | {"version": 1, "process": "short/1"}
    usual |= {"stage": "contact", "stage_order": 0, "currency": "USD", "owner": "ann"}
    rows = []
    for number, (deal_id, row) in enumerate(table.items(), start=1):
        full = usual | row | {"deal_id": deal_id, "number": number}
        full["folded"], full["words"] = found_by(tuple(full.values()))
        rows.append(tuple(full.values()))
    with views.writing() as connection:
        connection.execute(deals.delete())
        views.current().add_rows(connection, deals, rows)


def in_order(table: dict[str, Row], sort: str, descending: bool) -> list[str]:
    """Ids by the sort column, then by id, both in the one direction; rows without it last."""
    having = [deal_id for deal_id, row in table.items() if row[sort] is not None]
    lacking = [deal_id for deal_id, row in table.items() if row[sort] is None]
    having.sort(key=lambda deal_id: (table[deal_id][sort], deal_id), reverse=descending)
    return having + sorted(lacking, reverse=descending)


def pages(views: Views, query: DealQuery) -> Iterator[list[str]]:
    while True:
        with views.reading() as connection:
            found = page(connection, query)
        yield [row["deal_id"] for row in found.rows]
        if found.next is None:
            return
        assert found.rows, "a page before the end holds deals"
        query = msgspec.structs.replace(query, after=found.next)


@pytest.mark.parametrize("sort", SORTABLE)
@pytest.mark.parametrize("descending", [False, True])
@settings(max_examples=settings().max_examples // 4)
@given(table=tables_of_deals, limit=st.integers(1, 4))
def test_pages_one_after_the_other_are_the_whole_list(
    views: Views, sort: str, descending: bool, table: dict[str, Row], limit: int
) -> None:
    fill(views, table)
    query = DealQuery(sort=sort, descending=descending, limit=limit)
    found = list(pages(views, query))
    assert [deal_id for some in found for deal_id in some] == in_order(table, sort, descending)
    assert all(len(some) == limit for some in found[:-1])


@pytest.mark.usefixtures("way")
@given(table=tables_of_deals, limit=st.integers(1, 3), region=st.sampled_from(["", "EMEA"]))
def test_pages_keep_to_the_filter(
    views: Views, table: dict[str, Row], limit: int, region: str
) -> None:
    fill(views, table)
    found = pages(views, DealQuery(where={"region": region}, limit=limit))
    matching = {d: row for d, row in table.items() if row["region"] == (region or None)}
    assert [deal_id for some in found for deal_id in some] == in_order(matching, "opened_at", True)


@pytest.mark.usefixtures("way")
@given(
    table=tables_of_deals,
    query=st.builds(
        DealQuery,
        where=st.fixed_dictionaries({}, optional={"status": st.just("open")}),
        search=st.text("aPRESpresé压机_1% ", min_size=1, max_size=4),
        sort=st.sampled_from(SORTABLE),
        descending=st.booleans(),
        limit=st.integers(1, 3),
    ),
)
def test_pages_hold_what_is_searched(views: Views, table: dict[str, Row], query: DealQuery) -> None:
    fill(views, table)
    wanted = fold(query.search or "")
    matching = {
        deal_id: row
        for deal_id, row in table.items()
        if any(wanted in fold(row[name] or "") for name in ("name", "account"))
        and all(row[name] == value for name, value in query.where.items())
    }
    found = [deal_id for some in pages(views, query) for deal_id in some]
    assert found == in_order(matching, query.sort, query.descending)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_finds_its_value(views: Views, name: str) -> None:
    row = {"name": "x", "status": "open", "opened_at": 1, "last_occurred_at": 1}
    fill(views, {"d": row | {name: "Of it"}, "e": row | {name: "of it"}})
    assert [*pages(views, DealQuery(where={name: "Of it"}))] == [["d"]]
