"""Laws: forecast, what became of it, its history and calibration, against plain folds of events."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, insert, select, update

from domain.deal import Deal, replay
from domain.gates import win_probability
from domain.lifecycle import Status
from domain.rates import ExchangeRatesPublished, Quote, RateBook
from domain.values import END_OF_TIME, START_OF_TIME
from projections.calendar import Calendar, Grain
from projections.columns import Columns
from projections.columns.source import MODEL
from projections.conversion import Conversion
from projections.forecast.brier import FEWEST, Said, brier_of
from projections.forecast.calibration import Calibration, CalibrationAsked, Without, calibration
from projections.forecast.facts import Behind, deals_in_forecast
from projections.forecast.happened import Before, Happened, Rates, happened
from projections.forecast.history import MonthAsked, month_history
from projections.forecast.ledger import month_results, row_results
from projections.forecast.rollup import Rollup, rollup
from projections.forecast.slices import Asked, Moment
from projections.pipeline import snapshot
from projections.tables import checkpoints, deal_marks, identity
from projections.views import Views
from tests.laws.test_pipeline import (
    Histories,
    amount_of,
    dimensions,
    forecast_category_of,
    is_there,
    moments,
    portfolios,
    value_of,
)
from tests.projections.histories import EPOCH, around
from tests.projections.stores import draft, project
from tests.scenario import BOOK

A = TypeVar("A")

ZONES = [ZoneInfo(name) for name in ("UTC", "Pacific/Honolulu", "Pacific/Kiritimati")]
zones = st.sampled_from(ZONES)

few = settings(max_examples=max(settings().max_examples // 10, 4))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forecast")


class Asking:
    """Asks of the rows and, where wanted, of a columnar copy of them, which have to agree."""

    def __init__(self, views: Views, folder: Path) -> None:
        self._views = views
        self._folder = folder
        self.copied = False

    def project(self, portfolio: Histories, *, copied: bool) -> None:
        project(self._views, portfolio)
        self.copied = copied and any(portfolio)
        if not self.copied:
            return
        with self._views.writing() as connection:
            connection.execute(update(identity).values(set_id=token_hex(8)))
            [position] = connection.execute(select(func.max(deal_marks.c.position))).one()
            row = {"model": MODEL, "model_version": 1, "position": position, "last_event": ""}
            connection.execute(insert(checkpoints), {**row, "moved_at": 0, "moved_by": ""})

    def __call__(self, ask: Callable[[Connection, Columns], A]) -> A:
        none = Columns(self._folder / "none.views.db")
        with closing(none), self._views.reading() as connection:
            answer = ask(connection, none)
        if self.copied:
            path = self._folder / "deals.views.db"
            with closing(Columns(path, least_periods=1, least_changed=2)) as copy:
                copy.maintain(self._views.reading)
                with self._views.reading() as connection:
                    assert copy.files.all()
                    assert ask(connection, copy) == answer
        return answer


@pytest.fixture(scope="module")
def asking(views: Views, folder: Path) -> Asking:
    return Asking(views, folder)


# Plainly.


def percent_of(deal: Deal) -> int | None:
    assert deal.life.process is not None
    # None of the gates of these processes asks what is recent.
    return win_probability(deal, BOOK.get(deal.life.process), END_OF_TIME)


def weighted(deal: Deal) -> Decimal:
    return (amount_of(deal) or Decimal(0)) * (percent_of(deal) or 0) / 100


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    if moment == END_OF_TIME:
        return date.max
    return date.min if moment == START_OF_TIME else moment.astimezone(zone).date()


def close_of(deal: Deal, today: date) -> str:
    expected = deal.stages.expected_close
    if expected is None:
        return "undated"
    return "overdue" if expected < today else f"{expected:%Y-%m}"


def matches(deal: Deal, where: dict[str, str]) -> bool:
    return all((value_of(name, deal) or "") == value for name, value in where.items())


def is_open(deal: Deal) -> bool:
    return deal.life.opened_at is not None and deal.life.status is Status.OPEN


def is_won(deal: Deal) -> bool:
    return deal.life.opened_at is not None and deal.life.status is Status.WON


def is_decided(deal: Deal) -> bool:
    life = deal.life
    return life.opened_at is not None and life.status in (Status.WON, Status.LOST)


def month_of(moment: datetime | None, zone: ZoneInfo) -> str:
    assert moment is not None
    return Calendar(zone).holding(moment, Grain.MONTH).label


def plain_rollup(portfolio: Histories, asked: Asked) -> dict[object, tuple[object, ...]]:
    cells: defaultdict[object, list[Deal]] = defaultdict(list)
    for events in portfolio:
        deal = replay(events, asked.at.as_of, asked.at.known_at)
        if is_open(deal) and matches(deal, dict(asked.where)):
            values = tuple(value_of(name, deal) for name in asked.by)
            close = close_of(deal, day_of(asked.at.as_of, asked.zone))
            cells[values, close, forecast_category_of(deal), deal.life.currency].append(deal)
    return {
        key: (
            len(deals),
            sum((amount_of(one) or Decimal(0) for one in deals), Decimal(0)),
            sum(map(weighted, deals), Decimal(0)),
            sum(amount_of(one) is None for one in deals),
        )
        for key, deals in cells.items()
    }


def told(found: Rollup) -> dict[object, tuple[object, ...]]:
    return {
        (tuple(row.group.values()), row.close, row.category, row.currency): (
            row.sum.deals,
            row.sum.amount,
            row.sum.weighted,
            row.sum.unknown_amounts,
        )
        for row in found.rows
    }


@st.composite
def questions(draw: st.DrawFn, portfolio: Histories) -> Asked:
    at = draw(moments(portfolio))
    standing = [deal for events in portfolio if is_there(deal := replay(events, *at))]
    where = {
        name: draw(st.sampled_from([value_of(name, deal) or "" for deal in standing] or [""]))
        for name in draw(st.lists(dimensions.map(lambda some: (some or ["owner"])[0]), max_size=1))
    }
    return Asked(Moment(*at), draw(zones), tuple(draw(dimensions)), where)


# The roll-up.


@few
@given(portfolio=portfolios(), copied=st.booleans(), data=st.data())
def test_the_forecast_is_the_sum_over_the_deals_and_that_of_the_snapshot(
    asking: Asking, portfolio: Histories, copied: bool, data: st.DataObject
) -> None:
    asked = data.draw(questions(portfolio))
    asking.project(portfolio, copied=copied)
    found = asking(lambda connection, columns: rollup(connection, columns, asked))
    assert told(found) == plain_rollup(portfolio, asked)
    assert len(found.rows) == len(told(found))

    taken = asking(
        lambda connection, _: snapshot(
            connection, asked.at.as_of, asked.at.known_at, (), asked.where
        )
    )
    totals = {
        row.currency: (
            row.open,
            row.open_amount,
            row.open_weighted_amount,
            row.open_unknown_amount,
        )
        for row in taken.rows
        if row.open
    }
    assert totals == {
        currency: (one.deals, one.amount, one.weighted, one.unknown_amounts)
        for currency, one in found.sums.items()
    }
    whole = Asked(asked.at, asked.zone, (), asked.where)
    if asked.by:
        assert {
            key: (s.deals, s.amount, s.weighted, s.unknown_amounts)
            for row in found.totals
            for key, s in [(((), row.close, row.category, row.currency), row.sum)]
        } == plain_rollup(portfolio, whole)


@few
@given(portfolio=portfolios(), copied=st.booleans(), limit=st.integers(1, 3), data=st.data())
def test_the_deals_of_a_forecast_are_listed_page_by_page(
    asking: Asking, portfolio: Histories, copied: bool, limit: int, data: st.DataObject
) -> None:
    asked = data.draw(questions(portfolio))
    asking.project(portfolio, copied=copied)
    today = day_of(asked.at.as_of, asked.zone)
    expected = []
    for events in portfolio:
        deal = replay(events, asked.at.as_of, asked.at.known_at)
        if is_open(deal) and matches(deal, dict(asked.where)):
            expected.append((deal.stages.expected_close or date.max, events[0].identifier, deal))
    expected.sort(key=lambda one: one[:2])
    close = data.draw(st.sampled_from([None, *(close_of(one[2], today) for one in expected)]))
    expected = [one for one in expected if close in (None, close_of(one[2], today))]

    found, behind = [], None
    while True:
        page = asking(
            lambda connection, columns, behind=behind: deals_in_forecast(  # type: ignore[misc]
                connection, columns, asked, close=close, behind=behind, limit=limit
            )
        )
        found += page
        if len(page) < limit:
            break
        behind = Behind(page[-1].expected_close, page[-1].deal_id)
    assert [
        (one.deal_id, one.stage, one.expected_close, one.amount, one.probability, one.close)
        for one in found
    ] == [
        (
            deal_id,
            deal.stages.stage,
            deal.stages.expected_close,
            amount_of(deal),
            percent_of(deal),
            close_of(deal, today),
        )
        for _, deal_id, deal in expected
    ]


# What happened.


def plain_outcomes(
    portfolio: Histories, asked: Asked, against: Moment
) -> tuple[Counter[Any], Counter[Any]]:
    """Each deal of the forecast with what became of it, and each that was won besides."""
    outcomes: Counter[Any] = Counter()
    besides: Counter[Any] = Counter()
    zone, today = asked.zone, day_of(asked.at.as_of, asked.zone)
    for events in portfolio:
        before = replay(events, asked.at.as_of, asked.at.known_at)
        after = replay(events, against.as_of, against.known_at)
        worth = (amount_of(after) or Decimal(0), amount_of(after) is None)
        if is_open(before):
            if not matches(before, dict(asked.where)):
                continue
            life, month, reason = after.life, None, None
            fate = "gone" if life.opened_at is None else life.status.value
            if life.status is Status.WON:
                month = month_of(life.closed_at, zone)
            elif life.status is Status.OPEN:
                expected = after.stages.expected_close
                month = f"{expected:%Y-%m}" if expected else "undated"
            elif life.status is Status.LOST:
                reason = life.outcome_name
            values = tuple(value_of(name, before) for name in asked.by)
            place = (values, close_of(before, today), forecast_category_of(before))
            outcomes[*place, before.life.currency, fate, reason, month, *worth] += 1
        elif is_won(after) and matches(after, dict(asked.where)):
            month = month_of(after.life.closed_at, zone)
            if month >= f"{today:%Y-%m}":
                was = Before.CLOSED
                if before.life.opened_at is None:
                    was = Before.NEW
                elif before.life.status is Status.WON:
                    was = Before.WON
                values = tuple(value_of(name, after) for name in asked.by)
                besides[values, month, after.life.currency, was, *worth] += 1
    return outcomes, besides


def summed(deals: Counter[Any]) -> dict[object, tuple[int, Decimal, int]]:
    found: dict[object, tuple[int, Decimal, int]] = {}
    for (*key, amount, unknown), count in deals.items():
        deals_, total, unknown_ = found.get(tuple(key), (0, Decimal(0), 0))
        found[tuple(key)] = (deals_ + count, total + count * amount, unknown_ + count * unknown)
    return found


def told_outcomes(found: Happened) -> tuple[dict[object, object], dict[object, object]]:
    def tally(one: Any) -> tuple[object, ...]:
        return (one.deals, one.amount, one.unknown_amounts)

    return {
        (
            tuple(one.group.values()),
            *(one.close, one.category, one.currency, one.fate.value, one.reason, one.month),
        ): tally(one.tally)
        for one in found.outcomes
    }, {
        (tuple(one.group.values()), one.month, one.currency, one.before): tally(one.tally)
        for one in found.besides
    }


@st.composite
def later_than(draw: st.DrawFn, portfolio: Histories, at: Moment) -> Moment:
    as_of, known_at = draw(moments(portfolio))
    return Moment(max(as_of, at.as_of), max(known_at, at.known_at))


@few
@given(portfolio=portfolios(), copied=st.booleans(), data=st.data())
def test_what_became_of_a_forecast_adds_up_to_all_that_was_won(
    asking: Asking, portfolio: Histories, copied: bool, data: st.DataObject
) -> None:
    asked = data.draw(questions(portfolio))
    against = data.draw(later_than(portfolio, asked.at))
    asking.project(portfolio, copied=copied)
    became = asking(lambda connection, columns: happened(connection, columns, asked, against))
    outcomes, besides = plain_outcomes(portfolio, asked, against)
    assert told_outcomes(became) == (summed(outcomes), summed(besides))

    rolled = asking(lambda connection, columns: rollup(connection, columns, asked))
    for one in row_results(rolled, became, asked.zone, END_OF_TIME):
        parts = (
            *(one.won, one.voided, one.suspended, one.merged, one.gone),
            *one.won_in.values(),
            *one.lost.values(),
            *one.open_for.values(),
        )
        assert sum(part.deals for part in parts) == one.row.sum.deals
    if asked.where:
        return
    won: defaultdict[tuple[str, str | None], list[Deal]] = defaultdict(list)
    for events in portfolio:
        deal = replay(events, against.as_of, against.known_at)
        if is_won(deal):
            won[month_of(deal.life.closed_at, asked.zone), deal.life.currency].append(deal)
    first = f"{day_of(asked.at.as_of, asked.zone):%Y-%m}"
    results = month_results(rolled, became, asked.zone, END_OF_TIME)
    assert {
        (one.month, one.currency): (one.won.deals, one.won.amount)
        for one in results
        if one.won.deals
    } == {
        key: (len(deals), sum((amount_of(one) or Decimal(0) for one in deals), Decimal(0)))
        for key, deals in won.items()
        if key[0] >= first
    }
    for result in results:
        if result.error is not None:
            since = result.won.amount - result.already.amount
            assert result.error == result.forecast.weighted - since


RATES = {"USD": ("2026-03-02", "2"), "JPY": ("2026-03-04", "4")}
"""What one euro is worth, from which day on; there is no rate for dinars."""


def rate_book() -> RateBook:
    return RateBook.of(
        [
            draft(
                ExchangeRatesPublished("EUR", date.fromisoformat(day), (Quote(code, rate),)), 0, 0
            ).recorded("rates:EUR", version, EPOCH + timedelta(days=1))
            for version, (code, (day, rate)) in enumerate(RATES.items(), start=1)
        ]
    )


def in_euro(currency: str, day: date) -> Fraction | None:
    if currency not in RATES:
        return None
    since, rate = RATES[currency]
    return 1 / Fraction(rate) if day >= date.fromisoformat(since) else None


@few
@given(portfolio=portfolios(), copied=st.booleans(), data=st.data())
def test_amounts_are_converted_by_the_rates_of_the_days_that_count(
    asking: Asking, portfolio: Histories, copied: bool, data: st.DataObject
) -> None:
    asked = data.draw(questions(portfolio))
    against = data.draw(later_than(portfolio, asked.at))
    asking.project(portfolio, copied=copied)
    book = rate_book()
    rates = Rates(
        *(Conversion("EUR", day_of(one.as_of, asked.zone), book) for one in (asked.at, against))
    )
    found = asking(
        lambda connection, columns: (
            rollup(connection, columns, asked, rates.forecast),
            happened(connection, columns, asked, against, rates),
        )
    )
    today, later = (day_of(one.as_of, asked.zone) for one in (asked.at, against))
    weights: defaultdict[str, Fraction] = defaultdict(Fraction)
    fates: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    others: defaultdict[str, Fraction] = defaultdict(Fraction)
    converted: set[str] = set()
    lacking: set[str] = set()
    for events in portfolio:
        before = replay(events, asked.at.as_of, asked.at.known_at)
        after = replay(events, against.as_of, against.known_at)
        own, closed = after.life.currency or "", after.life.closed_at
        worth = Fraction(amount_of(after) or 0)
        then = later if closed is None else day_of(closed, asked.zone)
        if is_open(before) and matches(before, dict(asked.where)):
            rate = in_euro(own, today)
            weights["EUR" if rate else own] += Fraction(weighted(before)) * (rate or 1)
            used = (in_euro(own, then) or rate) if rate else Fraction(1)
            if amount_of(after) is not None:
                (converted if rate else lacking).add(own)
            fates["EUR" if rate else own, after.life.status] += worth * (used or 1)
        elif (
            not is_open(before)
            and is_won(after)
            and matches(after, dict(asked.where))
            and month_of(closed, asked.zone) >= f"{today:%Y-%m}"
        ):
            rate = in_euro(own, then) or in_euro(own, today)
            others["EUR" if rate else own] += worth * (rate or 1)
            if amount_of(after) is not None:
                (converted if rate else lacking).add(own)
    rolled, became = found
    assert {c: Fraction(s.weighted) for c, s in rolled.sums.items()} == weights
    sums: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for one in became.outcomes:
        sums[one.currency, one.fate] += Fraction(one.tally.amount)
    assert sums == fates
    besides: defaultdict[str, Fraction] = defaultdict(Fraction)
    for other in became.besides:
        besides[other.currency] += Fraction(other.tally.amount)
    assert besides == others
    assert [(own, one.value, f"{one.day}") for own, one in became.used.rates] == [
        (own, 1 / Decimal(RATES[own][1]), RATES[own][0]) for own in sorted(converted)
    ]
    assert became.used.lacking == tuple(sorted(lacking - {"EUR"}))


# How it came.


@few
@given(portfolio=portfolios(), copied=st.booleans(), zone=zones, data=st.data())
def test_a_month_stands_at_each_moment_as_the_forecast_then_has_it(
    asking: Asking, portfolio: Histories, copied: bool, zone: ZoneInfo, data: st.DataObject
) -> None:
    period = Calendar(zone).period(data.draw(st.sampled_from(["2026-02", "2026-03", "2026-06"])))
    at = sorted(data.draw(st.sets(st.sampled_from(around([EPOCH, period.end])), max_size=4)))
    result_at = Moment(*data.draw(moments(portfolio)))
    asking.project(portfolio, copied=copied)
    in_one = data.draw(st.booleans())
    book = rate_book()

    def converting(day: date, known_at: datetime) -> Conversion:
        return Conversion("EUR", day, book.as_known(known_at))

    found = asking(
        lambda connection, columns: month_history(
            connection,
            columns,
            MonthAsked(period, at, result_at, zone),
            converting if in_one else None,
        )
    )

    def plainly(moment: Moment) -> dict[str, list[Fraction]]:
        """By currency: open deals, what they come to, weighted; deals won, and what they do."""
        sums: defaultdict[str, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 4)
        for events in portfolio:
            deal = replay(events, moment.as_of, moment.known_at)
            closed, close = deal.life.closed_at, deal.stages.expected_close
            own = deal.life.currency or ""
            if is_open(deal) and close and period.first <= close <= period.last:
                one, day = (1, weighted(deal), 0, Decimal(0)), day_of(moment.as_of, zone)
            elif is_won(deal) and closed and period.holds(closed):
                one, day = (0, Decimal(0), 1, amount_of(deal) or Decimal(0)), day_of(closed, zone)
            else:
                continue
            knows = in_one and moment.known_at >= EPOCH
            at_day = day_of(moment.as_of, zone)
            rate = (in_euro(own, day) or in_euro(own, at_day)) if knows else None
            told_in = "EUR" if rate else own
            worth = [Fraction(value) for value in one]
            worth[1] *= rate or 1
            worth[3] *= rate or 1
            sums[told_in] = [a + b for a, b in zip(sums[told_in], worth, strict=True)]
        return dict(sums)

    assert {
        (one.at, one.currency): [
            one.open.deals,
            Fraction(one.open.weighted),
            one.won.deals,
            Fraction(one.won.amount),
        ]
        for one in found.standings
        if one.open.deals or one.won.deals
    } == {
        (moment, currency): sums
        for moment in at
        for currency, sums in plainly(Moment(moment, moment)).items()
    }
    # Where there is something at one moment, the others tell that there is nothing.
    told_in = {one.currency for one in found.standings}
    assert len(found.standings) == len(at) * len(told_in)
    won_in = {currency for currency, sums in plainly(result_at).items() if sums[2]} if at else set()
    assert told_in == {c for moment in at for c in plainly(Moment(moment, moment))} | won_in
    assert {
        currency: [one.deals, Fraction(one.amount)] for currency, one in found.result.items()
    } == {currency: sums[2:] for currency, sums in plainly(result_at).items() if sums[2]}


# Calibration.

LEADS = (0, 1, 2, 3)


def plain_points(
    portfolio: Histories, asked: CalibrationAsked, days: int
) -> Iterator[tuple[Deal, bool, Deal, datetime]]:
    """The decided deals as decided, whether won, as they were at the lead, and when that was."""
    for events in portfolio:
        deal = replay(events, asked.at.as_of, asked.at.known_at)
        if not is_decided(deal) or not matches(deal, dict(asked.where)):
            continue
        assert deal.life.closed_at is not None
        at = deal.life.closed_at - timedelta(days=days)
        known = asked.at.known_at if asked.as_occurred else at
        yield deal, deal.life.status is Status.WON, replay(events, at, known), at


def plain_lead(
    portfolio: Histories, asked: CalibrationAsked, days: int
) -> tuple[Counter[Any], Counter[Without]]:
    said: Counter[Any] = Counter()
    without: Counter[Without] = Counter()
    for deal, won, then, at in plain_points(portfolio, asked, days):
        assert deal.life.opened_at is not None
        if then.life.opened_at is None:
            early = deal.life.opened_at > at
            without[Without.NOT_OPENED if early else Without.NOT_KNOWN] += 1
        elif then.life.status not in (Status.OPEN, Status.SUSPENDED):
            without[Without.NOT_RUNNING] += 1
        elif (percent := percent_of(then)) is None:
            without[Without.NO_PROBABILITY] += 1
        else:
            said[tuple(value_of(name, then) for name in asked.by), percent, won] += 1
    return said, without


def ask_calibration(asking: Asking, asked: CalibrationAsked) -> Calibration:
    return asking(lambda connection, columns: calibration(connection, columns, asked))


@few
@given(portfolio=portfolios(), copied=st.booleans(), as_occurred=st.booleans(), data=st.data())
def test_calibration_takes_the_probability_on_record_at_the_lead(
    asking: Asking, portfolio: Histories, copied: bool, as_occurred: bool, data: st.DataObject
) -> None:
    question = data.draw(questions(portfolio))
    asked = CalibrationAsked(question.at, LEADS, question.by, question.where, as_occurred, 1)
    asking.project(portfolio, copied=copied)
    found = ask_calibration(asking, asked)
    for lead in found.leads:
        said, without = plain_lead(portfolio, asked, lead.days)
        assert lead.without == {why: without[why] for why in Without}
        assert (lead.deals, lead.won) == (
            said.total(),
            sum(count for (_, _, won), count in said.items() if won),
        )
        bins: dict[int, tuple[int, int]] = {}
        for (_, percent, won), count in said.items():
            deals, wins = bins.get(percent, (0, 0))
            bins[percent] = (deals + count, wins + count * won)
        assert {one.low: (one.deals, one.won) for one in lead.bins} == bins
        assert lead.deals + sum(without.values()) == found.won + found.lost
        groups = {tuple(one.group.values()): (one.deals, one.won, one.brier) for one in lead.groups}
        if asked.by:
            assert sum(one[0] for one in groups.values()) == lead.deals
            assert groups.keys() == {values for values, _, _ in said}
        for values, (deals, wins, brier) in groups.items():
            plain = [
                Said(percent, count, count * won)
                for (group, percent, won), count in said.items()
                if group == values
            ]
            assert (deals, wins) == (sum(o.deals for o in plain), sum(o.won for o in plain))
            assert brier == brier_of(plain)
        # By default so few deals tell nothing.
        assert lead.deals < FEWEST


@few
@given(portfolio=portfolios(), data=st.data())
def test_what_became_known_after_the_lead_changes_no_probability_of_it(
    asking: Asking, portfolio: Histories, data: st.DataObject
) -> None:
    days = data.draw(st.sampled_from(LEADS))
    asked = CalibrationAsked(Moment(END_OF_TIME, END_OF_TIME), (days,), fewest=1)
    asking.project(portfolio, copied=False)
    lead = ask_calibration(asking, asked).leads[0]
    blinded: Counter[tuple[int, bool]] = Counter()
    for events in portfolio:
        deal = replay(events)
        if not is_decided(deal):
            continue
        assert deal.life.closed_at is not None
        at = deal.life.closed_at - timedelta(days=days)
        seen = [event for event in events if event.known_at <= at]
        then = replay(seen, at)
        if then.life.opened_at and then.life.status in (Status.OPEN, Status.SUSPENDED):
            percent = percent_of(then)
            if percent is not None:
                blinded[percent, deal.life.status is Status.WON] += 1
    said = [Said(percent, count, count * won) for (percent, won), count in sorted(blinded.items())]
    assert {one.low: (one.deals, one.won) for one in lead.bins} == {
        percent: (
            sum(one.deals for one in said if one.percent == percent),
            sum(one.won for one in said if one.percent == percent),
        )
        for percent in {one.percent for one in said}
    }
    assert (brier_of(said) is None) == (lead.deals == 0)
