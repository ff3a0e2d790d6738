"""Law: the pages of a listing are the whole list, no deal missing and none twice."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from projections.deals import SORTABLE, DealQuery, page
from projections.tables import deals
from projections.views import Views
from tests.projections.stores import make_tables

Row = dict[str, Any]

# A few values each, so that ties are common.
few = st.integers(-1, 2)
rows = st.fixed_dictionaries(
    {
        "opened_at": few,
        "closed_at": st.none() | few,
        "amount_minor": st.none() | few,
        "expected_close": st.none() | st.sampled_from([date(2026, 1, 31), date(2026, 12, 1)]),
        "name": st.sampled_from(["a", "B", "é", "压机", "🏭"]),
        "last_occurred_at": few,
        "region": st.none() | st.sampled_from(["", "EMEA"]),
    }
)
ids = st.text("aB1压", min_size=1, max_size=3)
tables_of_deals = st.dictionaries(ids, rows, max_size=9)


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Views]:
    views = Views(tmp_path_factory.mktemp("paging") / "views.db")
    make_tables(views)
    yield views
    views.close()


def fill(views: Views, table: dict[str, Row]) -> None:
    usual = {"version": 1, "status": "open", "process": "short/1", "stage": "contact"}
    usual |= {"stage_order": 0, "currency": "USD", "owner": "ann"}
    with views.writing() as connection:
        connection.execute(deals.delete())
        if table:
            full = [usual | row | {"deal_id": deal_id} for deal_id, row in table.items()]
            connection.execute(insert(deals), full)


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


@given(table=tables_of_deals, limit=st.integers(1, 3), region=st.sampled_from(["", "EMEA"]))
def test_pages_keep_to_the_filter(
    views: Views, table: dict[str, Row], limit: int, region: str
) -> None:
    fill(views, table)
    found = pages(views, DealQuery(where={"region": region}, limit=limit))
    matching = {d: row for d, row in table.items() if row["region"] == (region or None)}
    assert [deal_id for some in found for deal_id in some] == in_order(matching, "opened_at", True)
