"""Laws: a snapshot in one currency, and the deals behind its figures, are those of plain folds."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection, delete, insert, update

from domain.corrections import EventWithdrawn
from domain.deal import Deal, DealEvent, DealFact, replay
from domain.history import Draft
from domain.lifecycle import Status
from domain.lifecycle.facts import OpportunitySuspended, OpportunityWon
from domain.rates import Known, RateBook
from domain.stages.facts import ForecastRevised
from domain.values import END_OF_TIME
from projections.columns import Columns
from projections.columns.source import MODEL
from projections.conversion import Conversion
from projections.drilldown import COUNTED, DealBehind, DealQuery, deals_behind
from projections.figures import DIMENSIONS
from projections.pipeline import PipelineRow, snapshot, snapshot_and_totals
from projections.provenance import facts_set_by
from projections.reported import reported
from projections.tables import checkpoints, identity
from projections.views import Views
from tests.laws.test_pipeline import (
    amount_of,
    figures_of,
    is_there,
    moments,
    percent_of,
    value_of,
)
from tests.projections.histories import (
    CURRENCIES,
    EPOCH,
    MICROSECOND,
    amounts,
    around,
    histories,
    openings,
)
from tests.projections.stores import draft, events_of, project
from tests.scenario import BOOK

Histories = Sequence[Sequence[DealEvent]]
Point = tuple[datetime, datetime]

FEWER = settings(max_examples=settings().max_examples // 6)
"""Each example writes rows, and some make a copy of them."""

LATER = EPOCH + timedelta(days=900)

DAYS = [date(2026, 3, 1), date(2026, 3, 3), date(2026, 3, 6)]
ALL = [*CURRENCIES, "EUR"]
RATES = st.sampled_from(["1.1", "0.00667", "163.000000001", "3"])


@st.composite
def books(draw: st.DrawFn) -> RateBook:
    """Rates between some of the currencies, known early or late, some of them corrected."""
    quotes: dict[tuple[str, str], list[Known]] = {}
    for version in range(draw(st.integers(0, 8))):
        base, currency = draw(st.permutations(ALL))[:2]
        known_at = EPOCH + timedelta(days=draw(st.sampled_from([-1, 2, 30])))
        known = Known(draw(st.sampled_from(DAYS)), known_at, version, draw(RATES))
        quotes.setdefault((base, currency), []).append(known)
    for series in quotes.values():
        series.sort(key=lambda one: (one.day, one.known_at, one.version))
    return RateBook(quotes)


@st.composite
def plain_deals(draw: st.DrawFn, number: int, currency: str) -> tuple[DealEvent, ...]:
    """A deal that is opened, mostly worth something, and may be decided: most have a figure."""
    amount = draw(st.none() | amounts(currency))
    outcomes: list[DealFact] = [OpportunityWon(), OpportunitySuspended("…")]
    outcome = draw(st.none() | st.sampled_from(outcomes))
    facts: list[DealFact] = [draw(openings(currency))]
    facts += [ForecastRevised(amount=amount)] if amount else []
    facts += [outcome] if outcome else []
    drafts = [draft(fact, day, day) for day, fact in enumerate(facts)]
    return events_of(*drafts, deal_id=f"d-{number}")


@st.composite
def portfolios(draw: st.DrawFn) -> list[tuple[DealEvent, ...]]:
    """Some plain deals, and some to which anything may have happened."""
    currencies = draw(st.lists(st.sampled_from(CURRENCIES), min_size=2, max_size=7))
    return [
        draw(plain_deals(number, currency) if number < 5 else any_deal(number, currency))
        for number, currency in enumerate(currencies)
    ]


def any_deal(number: int, currency: str) -> st.SearchStrategy[tuple[DealEvent, ...]]:
    return histories(f"deal:d-{number}", currency, longest=5)


few_dimensions = st.lists(st.sampled_from(DIMENSIONS), unique=True, max_size=2)


@st.composite
def points(draw: st.DrawFn, portfolio: Histories) -> tuple[datetime, datetime]:
    """Any, but mostly late enough for all deals to be there."""
    return draw(st.just((LATER, LATER)) | st.just((LATER, LATER)) | moments(portfolio))


@contextmanager
def columns_of(views: Views, folder: Path, *, copied: bool) -> Iterator[Columns]:
    """The copy of what the tables hold; or none, so that their rows answer."""
    with views.writing() as connection:
        connection.execute(update(identity).values(set_id=token_hex(8)))
        connection.execute(delete(checkpoints))
        row = {"model": MODEL, "model_version": 1, "position": 100, "last_event": ""}
        connection.execute(insert(checkpoints), {**row, "moved_at": 0, "moved_by": ""})
    with closing(Columns(folder / "deals.views.db", least_periods=1, least_changed=2)) as columns:
        if copied:
            columns.maintain(views.reading)
        yield columns


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("columns")


def in_one(value: Decimal, currency: str, book: RateBook, target: str, day: date) -> Decimal | None:
    """Written from the definition, with as many digits as it takes."""
    rate = book.rate(currency, target, day)
    with localcontext() as context:
        context.prec = 200
        return None if rate is None else value * rate.value


def currency_of(deal: Deal) -> str:
    assert deal.life.currency is not None
    return deal.life.currency


def plain_rows(
    deals: Sequence[Deal], by: Sequence[str], conversion: Conversion
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The figures of each group in the currency that it is reported in."""
    own: dict[tuple[Any, ...], list[Deal]] = defaultdict(list)
    for deal in deals:
        own[*(value_of(name, deal) for name in by), currency_of(deal)].append(deal)
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    book, target, day = conversion.book, conversion.target, conversion.day
    for (*group, currency), some in own.items():
        figures = figures_of(some)
        told_in = currency
        if book.rate(currency, target, day) is not None:
            told_in = target
            for name in ("open_amount", "open_weighted_amount", "won_amount"):
                figures[name] = in_one(figures[name], currency, book, target, day)
        so_far = rows.setdefault((*group, told_in), dict.fromkeys(figures, 0))
        with localcontext() as context:
            context.prec = 200
            rows[*group, told_in] = {n: so_far[n] + value for n, value in figures.items()}
    return rows


def found_rows(
    rows: Sequence[PipelineRow], by: Sequence[str]
) -> dict[tuple[Any, ...], dict[str, Any]]:
    names = figures_of([])
    return {
        (*(row.group[name] for name in by), row.currency): {n: getattr(row, n) for n in names}
        for row in rows
    }


def draw_question(
    data: st.DataObject, portfolio: Histories
) -> tuple[Point, dict[str, str], list[Deal]]:
    """A point, conditions, and the deals that meet them, folded."""
    at = data.draw(points(portfolio))
    deals = [deal for events in portfolio if is_there(deal := replay(events, *at))]
    where = {
        name: data.draw(st.sampled_from([value_of(name, deal) or "" for deal in deals] or [""]))
        for name in data.draw(st.lists(st.sampled_from(DIMENSIONS), unique=True, max_size=1))
    }
    meet = [d for d in deals if all((value_of(n, d) or "") == v for n, v in where.items())]
    return at, where, meet


@FEWER
@given(
    portfolio=portfolios(),
    by=few_dimensions,
    book=books(),
    target=st.sampled_from(ALL),
    copied=st.booleans(),
    data=st.data(),
)
def test_a_snapshot_in_one_currency_is_the_sum_of_converted_deals(
    views: Views,
    folder: Path,
    *,
    portfolio: Histories,
    by: list[str],
    book: RateBook,
    target: str,
    copied: bool,
    data: st.DataObject,
) -> None:
    at, where, deals = draw_question(data, portfolio)
    conversion = Conversion(target, data.draw(st.sampled_from(DAYS)), book.as_known(at[1]))
    project(views, portfolio)
    with columns_of(views, folder, copied=copied) as copy, views.reading() as connection:
        rows, totals = snapshot_and_totals(
            connection, *at, by, where, copy=copy, conversion=conversion
        )
    expected = plain_rows(deals, by, conversion)
    assert len(rows.rows) == len(expected)
    assert found_rows(rows.rows, by) == expected
    assert found_rows(totals.rows, ()) == plain_rows(deals, (), conversion)
    # The groups add up to the totals.
    added: dict[str, dict[str, Any]] = {}
    for row in rows.rows:
        figures = found_rows([row], ())[(row.currency,)]
        so_far = added.setdefault(row.currency, dict.fromkeys(figures, 0))
        with localcontext() as context:
            context.prec = 200
            added[row.currency] = {n: so_far[n] + value for n, value in figures.items()}
    assert {(code,): figures for code, figures in added.items()} == found_rows(totals.rows, ())
    # What has no rate stands behind all that has one.
    apart = [row.currency != target for row in rows.rows]
    assert apart == sorted(apart)
    own = {currency_of(deal) for deal in deals}
    lacking = {one for one in own if book.as_known(at[1]).rate(one, target, conversion.day) is None}
    assert set(rows.lacking) == lacking
    assert set(rows.rates) == own - lacking - {target}


def pages(
    columns: Columns, connection: Connection, query: DealQuery, conversion: Conversion | None
) -> Iterator[DealBehind]:
    """The deals of all pages, one after the other."""
    after, matching = None, None
    while True:
        page = deals_behind(columns, connection, replace(query, after=after), conversion)
        assert len(page.deals) <= query.limit
        assert matching in (None, page.matching)
        yield from page.deals
        after, matching = page.next, page.matching
        if after is None:
            return
        assert len(page.deals) == query.limit
        assert after.deal_id == page.deals[-1].deal_id


@FEWER
@given(
    portfolio=portfolios(),
    book=st.none() | books(),
    target=st.sampled_from(ALL),
    statuses=st.sets(st.sampled_from(COUNTED), min_size=1),
    unknown=st.booleans(),
    copied=st.booleans(),
    limit=st.integers(1, 5),
    data=st.data(),
)
def test_the_deals_listed_are_those_that_the_figures_count(
    views: Views,
    folder: Path,
    *,
    portfolio: Histories,
    book: RateBook | None,
    target: str,
    statuses: set[Status],
    unknown: bool,
    copied: bool,
    limit: int,
    data: st.DataObject,
) -> None:
    at, where, _ = draw_question(data, portfolio)
    folded = {e[0].stream.removeprefix("deal:"): replay(e, *at) for e in portfolio}
    expected = {
        deal_id: deal
        for deal_id, deal in folded.items()
        if is_there(deal)
        and deal.life.status in statuses
        and all((value_of(n, deal) or "") == v for n, v in where.items())
        and not (unknown and amount_of(deal) is not None)
    }
    conversion = None if book is None else Conversion(target, DAYS[1], book.as_known(at[1]))
    query = DealQuery(*at, sorted(statuses), where, unknown, limit)
    project(views, portfolio)
    with columns_of(views, folder, copied=copied) as columns, views.reading() as connection:
        found = list(pages(columns, connection, query, conversion))
        snapshots = snapshot(connection, *at, (), where, conversion=conversion)
    assert [deal.deal_id for deal in found] == sorted(
        expected, key=lambda deal_id: place_of(deal_id, expected[deal_id], conversion)
    )
    for listed in found:
        assert_told(listed, expected[listed.deal_id], at[0])
    if not unknown:
        assert_adds_up(found, snapshots.rows, statuses, conversion)


def place_of(deal_id: str, deal: Deal, conversion: Conversion | None) -> tuple[Any, ...]:
    amount, currency = amount_of(deal), currency_of(deal)
    apart = conversion is not None and conversion.rate(currency) is None
    if amount is None:
        return (apart, 1, 0, deal_id)
    return (apart, 0, -(conversion.amount(amount, currency) if conversion else amount), deal_id)


def assert_told(listed: DealBehind, deal: Deal, as_of: datetime) -> None:
    amount = amount_of(deal)
    assert (listed.amount and listed.amount.amount) == amount
    assert listed.weighted == (None if amount is None else amount * percent_of(deal) / 100)
    facts = reported(deal, BOOK, as_of)
    assert facts is not None
    for name in ("status", "outcome", "process", "stage", "currency", "owner", "opened_at"):
        assert getattr(listed, name) == getattr(facts, name), name
    for name in ("expected_close", "closed_at", "lead_source", "grade", "region", "product"):
        assert getattr(listed, name) == getattr(facts, name), name


def assert_adds_up(
    found: Sequence[DealBehind],
    rows: Sequence[PipelineRow],
    statuses: set[Status],
    conversion: Conversion | None,
) -> None:
    """The deals add up to the figures of a snapshot without groups."""

    def told_in(deal: DealBehind) -> str:
        return conversion.reported_in(deal.currency) if conversion else deal.currency

    def sums(status: Status, currency: str, name: str) -> tuple[int, Decimal, int]:
        some = [d for d in found if d.status is status and told_in(d) == currency]
        amounts = [
            (d.amount.amount if name == "amount" else d.weighted or Decimal(0), d.currency)
            for d in some
            if d.amount is not None
        ]
        with localcontext() as context:
            context.prec = 200
            total = sum(
                (conversion.amount(*one) if conversion else one[0] for one in amounts), Decimal(0)
            )
        return len(some), total, len(some) - len(amounts)

    for row in rows:
        if Status.OPEN in statuses:
            of_row = (row.open, row.open_amount, row.open_unknown_amount)
            assert sums(Status.OPEN, row.currency, "amount") == of_row
            assert sums(Status.OPEN, row.currency, "weighted")[1] == row.open_weighted_amount
        if Status.WON in statuses:
            of_row = (row.won, row.won_amount, row.won_unknown_amount)
            assert sums(Status.WON, row.currency, "amount") == of_row


@FEWER
@given(portfolio=portfolios(), data=st.data())
def test_a_withdrawal_changes_the_snapshot_by_its_deal_alone(
    views: Views, portfolio: Histories, data: st.DataObject
) -> None:
    if not portfolio:
        return
    learned = sorted({event.known_at for history in portfolio for event in history})
    at = (data.draw(moments(portfolio))[0], data.draw(st.sampled_from(around(learned))))
    place = data.draw(st.integers(0, len(portfolio) - 1))
    events = tuple(portfolio[place])
    # Known at the moment that is asked for, so that it counts from there on and not before.
    withdrawal = EventWithdrawn((data.draw(st.integers(1, len(events))),), "…")
    draft = Draft(withdrawal, LATER, "ann", "api", "w", "w", at[1])
    longer = (*events, draft.recorded(events[0].stream, len(events) + 1, END_OF_TIME))
    earlier = (at[0], at[1] - MICROSECOND)

    def of_deal(events: Sequence[DealEvent], at: Point) -> dict[tuple[Any, ...], dict[str, Any]]:
        deal = replay(events, *at)
        conversion = Conversion("EUR", DAYS[0], RateBook())
        return plain_rows([deal] if is_there(deal) else [], ("stage",), conversion)

    def asked(at: Point) -> dict[tuple[Any, ...], dict[str, Any]]:
        with views.reading() as connection:
            return found_rows(snapshot(connection, *at).rows, ("stage",))

    def difference(
        one: Mapping[Any, dict[str, Any]], other: Mapping[Any, dict[str, Any]]
    ) -> dict[Any, dict[str, Any]]:
        zero = dict.fromkeys(figures_of([]), 0)
        changed = {
            key: {n: other.get(key, zero)[n] - one.get(key, zero)[n] for n in zero}
            for key in {*one, *other}
        }
        return {key: figures for key, figures in changed.items() if any(figures.values())}

    project(views, portfolio)
    before = {point: asked(point) for point in (at, earlier)}
    project(views, [*portfolio[:place], longer, *portfolio[place + 1 :]])
    for point in (at, earlier):
        of_that_deal = difference(of_deal(events, point), of_deal(longer, point))
        assert difference(before[point], asked(point)) == of_that_deal
    assert asked(earlier) == before[earlier]
    assert facts_set_by(longer, *earlier, BOOK) == facts_set_by(events, *earlier, BOOK)
