"""Stuck deals: the threshold itself is not stuck, and a deal taken up again starts anew."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from projections.calendar import Calendar
from projections.columns import Columns
from projections.columns.relation import Place, Relation
from projections.flow import stuck
from projections.flow.asking import Asked
from projections.flow.stuck import StuckIn, Threshold, count_stuck, stuck_deals, thresholds
from projections.instants import FOREVER
from projections.views import Views
from tests.projections.period_rows import Row, change, period, start
from tests.projections.stores import make_tables

DAY = 86_400_000_000
NOW = datetime(1970, 4, 11, tzinfo=UTC)
TODAY = 100
PLACE = Place("key-account/1", "P1", 1)


def course(*turns: tuple[int, str]) -> list[Row]:
    """A deal in P1, with these statuses from these days on."""
    ends = [day for day, _ in turns[1:]]
    return [
        period(
            occurred_from=day * DAY,
            occurred_until=end * DAY if end is not None else FOREVER,
            opened_at=turns[0][0] * DAY,
            status=status,
        )
        for (day, status), end in zip(turns, [*ends, None], strict=True)
    ]


DEALS = {
    **{f"won-{days:02}": course((0, "open"), (days, "won")) for days in range(1, 11)},
    "at-threshold": course((TODAY - 8, "open")),
    "beyond": course((TODAY - 9, "open")),
    "long": course((10, "open"), (20, "suspended"), (30, "open")),
    "again": course((10, "open"), (30, "lost"), (TODAY - 8, "open")),
    "resting": course((10, "open"), (30, "suspended")),
}


def asked(views: Views, folder: Path) -> tuple[list[Threshold], list[tuple[str, int]], StuckIn]:
    at = Asked(NOW, NOW, Calendar(ZoneInfo("UTC")))

    def question(one: Relation) -> tuple[list[Threshold], list[tuple[str, int]], StuckIn]:
        limits = thresholds(one, at)
        found = stuck_deals(one, at, limits, limit=9)
        [counts] = count_stuck(one, at, limits)
        return limits, [(deal.deal_id, deal.days) for deal in found], counts

    with views.reading() as connection:
        return Columns(folder / "deals.views.db").ask(connection, question, at.reach)


@pytest.fixture
def filled(views: Views) -> Views:
    make_tables(views)
    start(views)
    change(views, DEALS)
    return views


def test_longer_than_four_fifths_is_stuck_and_equally_long_is_not(
    filled: Views, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stuck, "FEWEST", 10)
    limits, found, counts = asked(filled, tmp_path)
    assert limits == [Threshold(PLACE, 10, 8)]
    assert found == [("long", 90), ("beyond", 9)]
    assert counts == StuckIn(limits[0], 4, 2)


def test_of_fewer_visits_nothing_is_said(filled: Views, tmp_path: Path) -> None:
    limits, found, counts = asked(filled, tmp_path)
    assert limits == [Threshold(PLACE, 10, None)]
    assert found == []
    assert counts == StuckIn(limits[0], 4, None)
