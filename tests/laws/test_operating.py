"""Law: operating figures are what a plain count over folded deals comes to, and groups add up."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random
from secrets import token_hex
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update

from domain.corrections import DealMerged, EventWithdrawn
from domain.deal import DealEvent, DealFact
from domain.history import Draft
from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityResumed,
    OpportunityRevised,
    OpportunitySuspended,
    OpportunityWon,
    OwnerChanged,
    ProcessChanged,
)
from domain.negotiation.facts import QuoteIssued, QuoteLine
from domain.rates import Known, RateBook
from domain.stages.facts import ForecastRevised, StageAdvanced, StageRegressed
from domain.values import END_OF_TIME, Money
from projections.calendar import Calendar, Period
from projections.columns import Columns
from projections.columns.source import MODEL
from projections.figures import DIMENSIONS
from projections.operating.asking import TEAM, Question
from projections.operating.figures import Figures, OperatingFigures, operating_figures
from projections.operating.listing import Count, deals_counted
from projections.operating.worth import Worth
from projections.tables import checkpoints, deal_marks, identity
from projections.views import Views
from tests.laws.operating_model import Asked, Found, Key, counted
from tests.projections.histories import CURRENCIES, EPOCH, RECORDED_AT, STAGES
from tests.projections.stores import project
from tests.scenario import LONGER, SHORT

ZONES = [ZoneInfo(name) for name in ("UTC", "Asia/Shanghai", "America/New_York")]
CLOSES = [date(2026, 3, day) for day in (1, 3, 4, 6, 9)]
KNOWN = EPOCH + timedelta(days=2)
BOOK_OF_RATES = RateBook(
    {
        ("USD", "JPY"): [
            Known(date(2026, 3, 3), EPOCH, 1, "149.123456789"),
            Known(date(2026, 3, 6), KNOWN, 2, "0.0071"),
        ],
        ("KWD", "USD"): [Known(date(2026, 3, 5), EPOCH, 1, "123456789012")],
    }
)


def portfolio_of(chance: Random) -> list[tuple[DealEvent, ...]]:
    """Many deals of many events each: a count is wrong where several things meet in a deal."""
    return [course(chance, number) for number in range(chance.randint(1, 16))]


def course(chance: Random, number: int) -> tuple[DealEvent, ...]:
    """The events of one deal, opened first, mostly in order, with some withdrawals."""
    currency = chance.choice(CURRENCIES)
    count = chance.randint(1, 9)
    hours = [chance.choice(HOURS) for _ in range(count)]
    if chance.random() < 0.8:
        hours.sort()
    drawn = [opening(chance, currency)]
    for version in range(2, count + 2):
        withdrawn = EventWithdrawn((chance.randint(2, version),), "…")
        drawn.append(withdrawn if chance.random() < 0.1 else fact(chance, currency))
    return tuple(
        Draft(one, EPOCH + timedelta(hours=at), "ann", "api", "c", "c", EPOCH + known).recorded(
            f"deal:d-{number}", version, RECORDED_AT
        )
        for version, (one, at, known) in enumerate(
            zip(
                drawn,
                [chance.choice([-24, 0, 4]), *hours],
                [chance.choice(KNOWN_AFTER) for _ in drawn],
                strict=True,
            ),
            start=1,
        )
    )


HOURS = [*range(-24, 168, 12), 7, 31, 55, 15, 39, 63, 87, 20, 44, 68, 139, 141]
"""Some are midnight in Shanghai, Greenwich and New York; the clocks of the last change soon."""
KNOWN_AFTER = [timedelta(0)] * 6 + [timedelta(days=2), timedelta(days=5)]


def opening(chance: Random, currency: str) -> DealFact:
    return OpportunityOpened(
        name="Press line",
        process=chance.choice([SHORT.ref, LONGER.ref]),
        stage=chance.choice(["contact", "proposal"]),
        currency=currency,
        owner=chance.choice(["ann", "bo", "mei"]),
        products=chance.choice([(), ("press",)]),
        territory=chance.choice([None, "North"]),
        lead_source=chance.choice([None, "fair"]),
    )


def fact(chance: Random, currency: str) -> DealFact:
    """Outcomes, moves of the expected close and quotes more often than others."""
    amount = chance.choice([None, *(Money.from_minor(m, currency) for m in (100, 0, 99_999_999))])
    stages = chance.choice(STAGES), chance.choice(STAGES)
    kinds: list[tuple[int, DealFact]] = [
        (5, ForecastRevised(amount=amount, expected_close=chance.choice(CLOSES))),
        (3, StageAdvanced(*stages)),
        (2, StageRegressed(*stages)),
        (2, OpportunityWon(value=amount)),
        (2, OpportunityLost(chance.choice(list(LostOutcome)))),
        (2, OpportunityReopened("proposal", "…")),
        (1, DealMerged("d-0", "…")),
        (2, quote(chance, currency)),
        (2, OwnerChanged(chance.choice(["ann", "bo", "mei"]))),
        (1, OpportunityRevised(territory=chance.choice([None, "South"]), products=("mill",))),
        (1, OpportunitySuspended("…")),
        (1, OpportunityResumed()),
        (1, ProcessChanged(chance.choice([SHORT.ref, LONGER.ref]), stages[0])),
    ]
    return chance.choices([one for _, one in kinds], [weight for weight, _ in kinds])[0]


def quote(chance: Random, currency: str) -> QuoteIssued:
    listed = chance.choice([None, 500, 1000])
    price = None if listed is None else Money.from_minor(listed, currency)
    total = Money.from_minor(chance.choice([800, 999]), currency)
    return QuoteIssued(1, total, (QuoteLine("press", "2", total, price),))


def periods_of(chance: Random, calendar: Calendar) -> list[Period]:
    inner = chance.sample(range(-1, 7), chance.randint(0, 3))
    days = [date(2026, 3, 2) + timedelta(days=one) for one in sorted({*inner, -3, 8})]
    return [calendar.days(first, after - timedelta(days=1)) for first, after in pairwise(days)]


def team_of(owner: str) -> str | None:
    return {"ann": "North", "bo": "South + West"}.get(owner)


def question_of(chance: Random) -> Asked:
    zone = chance.choice(ZONES)
    dimensions = [*DIMENSIONS, "owner", "stage", TEAM, TEAM]
    where = [{}, {}, {}, {"owner": "ann"}, {"territory": ""}, {"stage": "proposal"}]
    at = EPOCH + timedelta(hours=chance.choice(HOURS))
    known_at = chance.choice([END_OF_TIME, END_OF_TIME, EPOCH, EPOCH + timedelta(days=3)])
    currency = chance.choice([None, "USD", "JPY"])
    return Asked(
        chance.choice([END_OF_TIME, at]),
        known_at,
        periods_of(chance, Calendar(zone)),
        list(dict.fromkeys(chance.choices(dimensions, k=chance.randint(0, 3)))),
        chance.choice(where),
        team_of,
        Worth(zone, currency, BOOK_OF_RATES.as_known(known_at)),
    )


def seen(views: Views) -> None:
    """Let a copy of the rows know that they are others."""
    with views.writing() as connection:
        connection.execute(update(identity).values(set_id=token_hex(8)))
        position = connection.execute(select(func.max(deal_marks.c.position))).scalar() or 0
        checkpoint = {"model": MODEL, "model_version": 1, "position": position}
        connection.execute(
            insert(checkpoints), {**checkpoint, "last_event": "", "moved_at": 0, "moved_by": ""}
        )


def ask(views: Views, columns: Columns, asked: Asked) -> OperatingFigures:
    question = Question(asked.as_of, asked.known_at, asked.periods, asked.by, asked.where)
    with views.reading() as connection:
        return operating_figures(connection, columns, question, asked.worth, asked.team)


def key_of(row: Figures, asked: Asked) -> Key:
    number = [period.label for period in asked.periods].index(row.period.label)
    return number, tuple(row.group[name] for name in asked.by)


COUNTS = (
    *("new", "cohort_won", "cohort_lost", "cohort_voided", "won", "lost", "voided"),
    *("lost_to_competitor", "won_days", "decided_days", "won_without_amount", "won_quoted"),
    *("active", "expected", "pushed_out", "pushes", "open"),
)
WAYS = ("forward", "back", "ended", "elsewhere")
LISTED = [one for one in Count if one is not Count.PUSHED]
"""Counts of deals that figures tell by the same name."""


def told(row: Figures) -> dict[str, Any]:
    """What was found of a group, without what is not there."""
    return without_nothing(
        {name: getattr(row, name) for name in COUNTS},
        {
            (one.currency, name): Fraction(getattr(one, name))
            for one in row.money
            for name in ("won", "won_amount", "open", "quoted_deals", "listed", "quoted")
        },
        {(one.process, one.stage, way): getattr(one, way) for one in row.stages for way in WAYS},
    )


def expected(found: Found, key: Key) -> dict[str, Any]:
    return without_nothing(
        dict(found.counts[key]),
        {
            (currency, name): value
            for currency, values in found.money[key].items()
            for name, value in values.items()
        },
        dict(found.stages[key]),
    )


def without_nothing(*parts: dict[Any, Any]) -> dict[str, Any]:
    return {
        name: {k: v for k, v in part.items() if v}
        for name, part in zip(("counts", "money", "stages"), parts, strict=True)
    }


def added(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    sums: dict[str, Any] = {name: defaultdict(int) for name in ("counts", "money", "stages")}
    for row in rows:
        for name, part in row.items():
            for key, value in part.items():
                sums[name][key] += value
    return without_nothing(*map(dict, sums.values()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("columns")


@settings(max_examples=settings().max_examples // 6)
@given(seed=st.integers(0, 2**64))
def test_figures_are_what_a_plain_count_comes_to_and_groups_add_up(
    views: Views, folder: Path, seed: int
) -> None:
    chance = Random(seed)
    portfolio, asked = portfolio_of(chance), question_of(chance)
    project(views, portfolio)
    seen(views)
    with closing(Columns(folder / "none" / "deals.views.db")) as columns:
        answer = ask(views, columns, asked)
    with closing(Columns(folder / "deals.views.db", least_periods=1, least_changed=2)) as columns:
        assert columns.maintain(views.reading)
        assert ask(views, columns, asked) == answer

    found = counted(portfolio, asked)
    rows = {key_of(row, asked): told(row) for row in answer.rows}
    keys = found.counts.keys() | found.money.keys() | found.stages.keys()
    assert {key: row for key, row in rows.items() if any(row.values())} == {
        key: value for key in keys if any((value := expected(found, key)).values())
    }
    for number, total in enumerate(answer.totals):
        assert told(total) == added([row for key, row in rows.items() if key[0] == number])


@settings(max_examples=settings().max_examples // 6)
@given(seed=st.integers(0, 2**64))
def test_the_deals_behind_a_count_are_as_many(views: Views, folder: Path, seed: int) -> None:
    chance = Random(seed)
    portfolio, asked = portfolio_of(chance), question_of(chance)
    project(views, portfolio)
    seen(views)
    period, listed = [chance.choice(asked.periods)], chance.choice(LISTED)
    question = Question(asked.as_of, asked.known_at, period, asked.by, asked.where)
    with (
        closing(Columns(folder / "none" / "deals.views.db")) as columns,
        views.reading() as connection,
    ):
        [total] = operating_figures(connection, columns, question, asked.worth).totals
        page = deals_counted(connection, columns, question, listed, limit=100)
        pushed = deals_counted(connection, columns, question, Count.PUSHED, limit=100)
    assert len(page.deal_ids) == getattr(total, listed.value.replace("-", "_"))
    assert len(pushed.deal_ids) <= total.pushes
    assert bool(pushed.deal_ids) == bool(total.pushes)


def test_a_push_on_the_stroke_of_midnight_is_one_of_the_period_that_begins(
    views: Views, folder: Path
) -> None:
    told: list[tuple[DealFact, int]] = [
        (OpportunityOpened("Press line", SHORT.ref, "contact", "USD", "ann"), -24),
        (ForecastRevised(expected_close=date(2026, 3, 3)), -20),
        (ForecastRevised(expected_close=date(2026, 3, 9)), 15),
    ]
    midnight = tuple(
        Draft(fact, EPOCH + timedelta(hours=at), "ann", "api", "c", "c", EPOCH).recorded(
            "deal:d-1", version, RECORDED_AT
        )
        for version, (fact, at) in enumerate(told, start=1)
    )
    calendar = Calendar(ZoneInfo("UTC"))
    days = [calendar.days(day, day) for day in (date(2026, 3, 2), date(2026, 3, 3))]
    project(views, [midnight])
    seen(views)
    worth = Worth(calendar.zone)
    asked = Asked(END_OF_TIME, END_OF_TIME, days, (), {}, team_of, worth)
    with closing(Columns(folder / "none" / "deals.views.db")) as columns:
        before, after = ask(views, columns, asked).totals
    assert (before.expected, before.pushed_out, before.pushes) == (0, 0, 0)
    assert (after.expected, after.pushed_out, after.pushes) == (1, 1, 1)
