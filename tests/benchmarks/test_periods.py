"""Made-up deal periods: what the database copies is as good as what was folded."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from projections.columns.source import changed_since, stand_of
from projections.instants import FOREVER
from projections.tables import deal_marks, deal_periods
from projections.views import open_views
from store.postgres.address import Database
from tests.benchmarks.periods import CHANGED, COPIES, EVENTS_OF_A_DEAL, Periods

DEALS = 10 * COPIES
_DAY = 86_400_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path: Path, postgres: Database) -> Iterator[Periods]:
    made = Periods(tmp_path, DEALS, None if request.param == "sqlite" else postgres)
    made.drop()
    yield made
    made.drop()


def rows_of(made: Periods) -> dict[str, list[dict[str, Any]]]:
    """What the record says now of each deal, in the order of time."""
    known = select(deal_periods).where(deal_periods.c.known_until == FOREVER)
    by_deal = defaultdict(list)
    with closing(open_views(made.location)) as views, views.reading() as connection:
        for row in connection.execute(known.order_by(deal_periods.c.occurred_from)).mappings():
            by_deal[row["deal_id"]].append(dict(row))
    return by_deal


def shape(rows: list[dict[str, Any]]) -> tuple[Any, ...]:
    """What copies of a deal have in common: all but when it is, and its id."""
    opened = rows[0]["opened_at"]
    return tuple(
        (
            row["occurred_from"] - opened,
            row["status"],
            row["owner"],
            row["amount_minor"],
            row["quoted_minor"],
            row["closed_at"] and row["closed_at"] - opened,
            row["expected_close"]
            and date.fromisoformat(row["expected_close"]).toordinal() - opened // _DAY,
        )
        for row in rows
    )


def test_every_deal_is_a_chain_without_gaps_from_its_opening(made: Periods) -> None:
    deals = rows_of(made)
    assert len(deals) == DEALS
    for rows in deals.values():
        ends = [row["occurred_until"] for row in rows]
        assert [row["occurred_from"] for row in rows] == [rows[0]["opened_at"], *ends[:-1]]
        assert ends[-1] == FOREVER


def test_a_deal_comes_as_often_as_there_are_copies_at_other_times(made: Periods) -> None:
    deals = rows_of(made)
    assert set(Counter(map(shape, deals.values())).values()) == {COPIES}
    assert len({rows[0]["opened_at"] for rows in deals.values()}) == DEALS
    assert any(
        row["expected_close"] and row["quoted_minor"] for rows in deals.values() for row in rows
    )


def test_some_deals_count_as_changed_behind_the_position_of_the_copy(made: Periods) -> None:
    with closing(open_views(made.location)) as views, views.reading() as connection:
        before = stand_of(connection)
        assert before is not None
        assert before.position == DEALS * EVENTS_OF_A_DEAL
        assert len(set(connection.execute(select(deal_marks.c.position)).scalars())) == DEALS
        assert changed_since(connection, before.position, DEALS) == {}
    with closing(open_views(made.changed_location)) as views, views.reading() as connection:
        after = stand_of(connection)
        changed = changed_since(connection, before.position, DEALS)
    assert after is not None
    assert len(changed) == DEALS // CHANGED
    assert max(changed.values()) == after.position
