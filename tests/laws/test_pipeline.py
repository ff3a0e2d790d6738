"""Law: the pipeline snapshot is the sum over the deals as they stood, each folded by itself."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deal import Deal, DealEvent, replay
from domain.gates import win_probability
from domain.lifecycle import Status
from domain.values import END_OF_TIME, START_OF_TIME, ForecastCategory
from projections.pipeline import DIMENSIONS, Pipeline, PipelineRow, snapshot
from projections.views import Views
from tests.projections.histories import CURRENCIES, around, histories
from tests.projections.stores import project
from tests.scenario import BOOK

Histories = Sequence[Sequence[DealEvent]]
Group = tuple[str | None, ...]

DAY_SECONDS = 86_400


@st.composite
def portfolios(draw: st.DrawFn) -> list[tuple[DealEvent, ...]]:
    currencies = draw(st.lists(st.sampled_from(CURRENCIES), max_size=4))
    return [
        draw(histories(f"deal:d-{number}", currency, longest=5))
        for number, currency in enumerate(currencies)
    ]


@st.composite
def moments(draw: st.DrawFn, portfolio: Histories) -> tuple[datetime, datetime]:
    occurred = {event.occurred_at for history in portfolio for event in history}
    known = {event.known_at for history in portfolio for event in history}
    ends = [END_OF_TIME, START_OF_TIME]
    return (
        draw(st.sampled_from(ends + around(sorted(occurred)))),
        draw(st.sampled_from(ends + around(sorted(known)))),
    )


dimensions = st.lists(st.sampled_from(DIMENSIONS), unique=True, max_size=4)


def is_there(deal: Deal) -> bool:
    return deal.life.opened_at is not None and deal.life.status is not Status.MERGED


def value_of(dimension: str, deal: Deal) -> str | None:
    """What a deal counts as in a dimension."""
    life, stages = deal.life, deal.stages
    assert life.process is not None
    match dimension:
        case "stage":
            return stages.stage
        case "owner":
            return life.owner
        case "region":
            return life.own_region or (life.account.region if life.account else None)
        case "industry":
            return life.account.industry if life.account else None
        case "territory":
            return life.territory
        case "product":
            return ", ".join(life.products) or None
        case "business_type":
            return life.business_type.value if life.business_type else None
        case "lead_source":
            return life.lead_source
        case "forecast_category":
            return forecast_category_of(deal)
        case "grade":
            grade = life.assessment.fact.grade if life.assessment else None
            return grade.value if grade else None
        case "currency":
            return life.currency
        case "process":
            return f"{life.process.id}/{life.process.version}"
        case _:
            raise AssertionError(f"the law does not know the dimension {dimension}")


def forecast_category_of(deal: Deal) -> str | None:
    match deal.life.status:
        case Status.WON:
            return ForecastCategory.CLOSED.value
        case Status.LOST | Status.VOIDED | Status.MERGED:
            return ForecastCategory.OMITTED.value
        case _:
            assert deal.life.process is not None
            stage = BOOK.get(deal.life.process).stage(deal.stages.stage or "")
            category = deal.stages.category or (stage.forecast if stage else None)
            return category.value if category else None


def amount_of(deal: Deal) -> Decimal | None:
    outcome = deal.life.outcome
    value = getattr(outcome.fact, "value", None) if outcome else None
    money = value or deal.stages.amount
    return money.amount if money else None


def percent_of(deal: Deal) -> int:
    assert deal.life.process is not None
    # None of the gates of these processes asks what is recent.
    return win_probability(deal, BOOK.get(deal.life.process), END_OF_TIME) or 0


def age_of(deal: Deal, as_of: datetime) -> Fraction:
    assert deal.life.opened_at is not None
    age = as_of - deal.life.opened_at
    return Fraction(age.days * DAY_SECONDS + age.seconds) + Fraction(age.microseconds, 10**6)


def figures_of(deals: Sequence[Deal]) -> dict[str, Any]:
    with_status = {
        status: [deal for deal in deals if deal.life.status is status] for status in Status
    }
    opened, won = with_status[Status.OPEN], with_status[Status.WON]
    return {
        "open": len(opened),
        "open_amount": sum((amount_of(d) or Decimal(0) for d in opened), Decimal(0)),
        "open_weighted_amount": sum(
            ((amount_of(d) or Decimal(0)) * percent_of(d) / 100 for d in opened), Decimal(0)
        ),
        "open_unknown_amount": sum(amount_of(d) is None for d in opened),
        "suspended": len(with_status[Status.SUSPENDED]),
        "won": len(won),
        "won_amount": sum((amount_of(d) or Decimal(0) for d in won), Decimal(0)),
        "won_unknown_amount": sum(amount_of(d) is None for d in won),
        "lost": len(with_status[Status.LOST]),
        "voided": len(with_status[Status.VOIDED]),
    }


def figures_in(row: PipelineRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in figures_of([])}


def expected(
    portfolio: Histories, at: tuple[datetime, datetime], by: Sequence[str], where: dict[str, str]
) -> dict[Group, list[Deal]]:
    """The deals of each group in each currency."""
    groups: dict[Group, list[Deal]] = defaultdict(list)
    for events in portfolio:
        deal = replay(events, *at)
        if is_there(deal) and all((value_of(n, deal) or "") == v for n, v in where.items()):
            groups[*(value_of(name, deal) for name in by), deal.life.currency].append(deal)
    return groups


def group_of(row: PipelineRow, by: Sequence[str]) -> Group:
    assert list(row.group) == list(by)
    return (*(row.group[name] for name in by), row.currency)


def ask(
    views: Views,
    at: tuple[datetime, datetime],
    by: Sequence[str] = (),
    where: dict[str, str] | None = None,
) -> Pipeline:
    with views.reading() as connection:
        return snapshot(connection, *at, by, where)


@given(portfolio=portfolios(), by=dimensions, data=st.data())
def test_a_snapshot_is_the_sum_over_the_deals_and_its_groups_add_up(
    views: Views, portfolio: Histories, by: list[str], data: st.DataObject
) -> None:
    at = data.draw(moments(portfolio))
    standing = [deal for events in portfolio if is_there(deal := replay(events, *at))]
    where = {
        name: data.draw(st.sampled_from([value_of(name, deal) or "" for deal in standing] or [""]))
        for name in data.draw(dimensions)
    }
    project(views, portfolio)

    rows = ask(views, at, by, where).rows
    groups = expected(portfolio, at, by, where)
    assert len(rows) == len(groups)
    assert {group_of(row, by): figures_in(row) for row in rows} == {
        group: figures_of(deals) for group, deals in groups.items()
    }
    for row in rows:
        ages = [age_of(d, at[0]) for d in groups[group_of(row, by)] if d.life.status is Status.OPEN]
        if not ages:
            assert row.open_average_age_days is None
        else:
            mean = float(sum(ages) / len(ages) / DAY_SECONDS)
            assert row.open_average_age_days == pytest.approx(mean, abs=0.0501)

    totals = {row.currency: figures_in(row) for row in ask(views, at, (), where).rows}
    sums: dict[str, dict[str, Any]] = {}
    for row in rows:
        so_far = sums.setdefault(row.currency, dict.fromkeys(figures_in(row), 0))
        sums[row.currency] = {n: so_far[n] + value for n, value in figures_in(row).items()}
    assert sums == totals
