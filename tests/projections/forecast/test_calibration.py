"""Calibration of deals whose scores can be reckoned by hand."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from projections.columns import Columns
from projections.forecast.brier import FEWEST
from projections.forecast.calibration import (
    Calibration,
    CalibrationAsked,
    LeadScore,
    Without,
    calibration,
)
from projections.forecast.slices import Moment
from projections.instants import FOREVER, micros
from projections.views import Views
from tests.projections.period_rows import Row, change, period, start
from tests.projections.stores import make_tables

NOW = Moment(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
CLOSED = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def tables(views: Views) -> Views:
    make_tables(views)
    start(views)
    return views


@pytest.fixture
def columns(tmp_path: Path) -> Iterator[Columns]:
    with closing(Columns(tmp_path / "deals.views.db")) as columns:
        yield columns


def before(days: float) -> int:
    """That many days before the outcome."""
    return micros(CLOSED - timedelta(days=days))


def decided(percent: int | None, status: str, **values: object) -> list[Row]:
    """A deal of a hundred days that was won or lost."""
    opened, closed = before(100), before(0)
    return [
        period(occurred_from=opened, occurred_until=closed, known_from=opened, opened_at=opened)
        | {"known_until": FOREVER, "probability": percent, **values},
        period(occurred_from=closed, known_from=closed, status=status, opened_at=opened)
        | {"closed_at": closed, "probability": 100 if status == "won" else 0, **values},
    ]


def ask(
    tables: Views,
    columns: Columns,
    *leads: int,
    by: tuple[str, ...] = (),
    where: dict[str, str] | None = None,
    as_occurred: bool = False,
    fewest: int = 1,
) -> Calibration:
    with tables.reading() as connection:
        asked = CalibrationAsked(NOW, leads or (30,), by, where or {}, as_occurred, fewest)
        return calibration(connection, columns, asked)


def many(percent: int, won: int, lost: int, name: str, **values: object) -> dict[str, list[Row]]:
    return {
        f"{name}-{percent}-{n}": decided(percent, "won" if n < won else "lost", **values)
        for n in range(won + lost)
    }


def test_the_score_of_forty_deals(tables: Views, columns: Columns) -> None:
    change(tables, {**many(80, 15, 5, "a"), **many(20, 5, 15, "b")})
    [lead] = ask(tables, columns, 30).leads
    assert lead.brier is not None
    assert (lead.deals, lead.won) == (40, 20)
    # Of twenty each 75 % and 25 % were won, where 80 % and 20 % were said.
    assert lead.brier.reliability == Fraction(5, 100) ** 2
    assert lead.brier.resolution == Fraction(1, 4) ** 2
    assert lead.brier.uncertainty == Fraction(1, 4)
    assert lead.brier.score == Fraction(19, 100)
    assert lead.brier.skill == Fraction(24, 100)
    assert [(one.low, one.deals, one.won) for one in lead.bins] == [(20, 20, 5), (80, 20, 15)]


def test_below_thirty_deals_there_is_no_score(tables: Views, columns: Columns) -> None:
    change(tables, many(50, 10, 19, "a"))
    [lead] = ask(tables, columns, fewest=FEWEST).leads
    assert (lead.deals, lead.brier, lead.bins) == (29, None, [])
    change(tables, many(50, 1, 0, "b"))
    [lead] = ask(tables, columns, fewest=FEWEST).leads
    assert lead.brier is not None
    assert [(one.deals, one.won) for one in lead.bins] == [(30, 11)]


def test_groups_have_scores_of_their_own_and_add_up(tables: Views, columns: Columns) -> None:
    change(
        tables,
        {
            **many(50, 20, 10, "a", lead_source="fair", owner="ann"),
            **many(50, 3, 2, "b", lead_source=None, owner="bo"),
        },
    )
    [lead] = ask(tables, columns, by=("lead_source",), fewest=FEWEST).leads
    fair, none = lead.groups
    assert [(one.low, one.deals, one.won) for one in fair.bins] == [(50, 30, 20)]
    assert none.bins == []
    assert (fair.group, fair.deals, fair.won) == ({"lead_source": "fair"}, 30, 20)
    assert fair.brier is not None
    assert fair.brier.score == Fraction(1, 4)
    assert (none.group, none.deals, none.won, none.brier) == ({"lead_source": None}, 5, 3, None)
    [lead] = ask(tables, columns, where={"owner": "ann"}).leads
    assert (lead.deals, lead.groups) == (30, [])


def test_a_deal_counts_where_it_stood_then(tables: Views, columns: Columns) -> None:
    opened, moved = before(100), before(40)
    first = decided(10, "won")[0] | {"occurred_until": moved, "stage": "P1"}
    late = decided(60, "won")[0] | {"occurred_from": moved, "known_from": moved, "stage": "P4"}
    believed = first | {"known_until": moved, "occurred_until": FOREVER}
    known = first | {"known_from": moved}
    end = decided(60, "won")[1]
    change(tables, {"d": [believed, known, late, end]})
    assert opened < moved
    far, near = ask(tables, columns, 41, 40, by=("stage",)).leads
    assert [(one.low, one.won) for one in far.bins] == [(10, 1)]
    assert [one.group for one in far.groups] == [{"stage": "P1"}]
    # At the very instant of the change it holds.
    assert [(one.low, one.won) for one in near.bins] == [(60, 1)]


def test_what_was_entered_later_flatters_nobody(tables: Views, columns: Columns) -> None:
    opened, entered = before(100), before(10)
    believed = decided(30, "won")[0] | {"known_until": entered}
    corrected = decided(95, "won")[0] | {"known_from": entered}
    change(tables, {"d": [believed, corrected, decided(95, "won")[1]]})
    assert opened < entered

    def said(*leads: int, as_occurred: bool = False) -> list[list[int]]:
        found = ask(tables, columns, *leads, as_occurred=as_occurred).leads
        return [[one.low for one in lead.bins] for lead in found]

    assert said(90, 11, 10, 7) == [[30], [30], [95], [95]]
    assert said(90, 11, as_occurred=True) == [[95], [95]]


def reasons(lead: LeadScore) -> dict[Without, int]:
    return {why: count for why, count in lead.without.items() if count}


def test_deals_without_a_probability_are_told_apart(tables: Views, columns: Columns) -> None:
    young = decided(50, "lost")
    young[0] |= {"occurred_from": before(20), "known_from": before(20), "opened_at": before(20)}
    young[1] |= {"opened_at": before(20)}
    imported = decided(50, "lost")
    imported[0] |= {"known_from": before(5)}
    reopened = decided(50, "lost")
    reopened[0] |= {"status": "lost"}
    suspended = decided(70, "won")
    suspended[0] |= {"status": "suspended"}
    change(
        tables,
        {
            "young": young,
            "imported": imported,
            "reopened": reopened,
            "none": decided(None, "won"),
            "suspended": suspended,
            "voided": decided(70, "voided"),
            "merged": decided(70, "merged"),
            "open": [period(probability=10)],
        },
    )
    found = ask(tables, columns, 30)
    assert (found.won, found.lost, found.voided, found.merged) == (2, 3, 1, 1)
    [lead] = found.leads
    assert reasons(lead) == {
        Without.NOT_OPENED: 1,
        Without.NOT_KNOWN: 1,
        Without.NOT_RUNNING: 1,
        Without.NO_PROBABILITY: 1,
    }
    assert [(one.low, one.won) for one in lead.bins] == [(70, 1)]
    [lead] = ask(tables, columns, 30, as_occurred=True).leads
    assert Without.NOT_KNOWN not in reasons(lead)
    assert [(one.low, one.deals) for one in lead.bins] == [(50, 1), (70, 1)]


def test_nothing_decided_is_an_answer(tables: Views, columns: Columns) -> None:
    found = ask(tables, columns, 90, 30)
    assert (found.won, found.lost) == (0, 0)
    assert [(one.days, one.deals, one.brier, one.bins) for one in found.leads] == [
        (90, 0, None, []),
        (30, 0, None, []),
    ]


def test_an_unknown_dimension_is_refused(tables: Views, columns: Columns) -> None:
    with pytest.raises(ValueError, match="there is no dimension 'colour'"):
        ask(tables, columns, by=("colour",))
