"""Laws of the waterfall: it is the walk over the deals, and it adds up, in every group."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import insert, update

from domain.deal import replay
from domain.lifecycle.facts import OpportunityReopened
from domain.rates import RateBook
from domain.values import END_OF_TIME
from projections.columns import Columns
from projections.columns.source import MODEL
from projections.conversion import EXACT, total
from projections.pipeline import snapshot
from projections.tables import checkpoints, identity
from projections.views import Views
from projections.waterfall.asking import Question
from projections.waterfall.bridge import Bridge, Rates, Waterfall, waterfall
from projections.waterfall.deals import Entry, Place, deals_behind
from projections.waterfall.events import versions_behind
from projections.waterfall.steps import (
    CORRECTED,
    END,
    LINES,
    REOPENED,
    REVALUED,
    START,
    WON,
    Line,
    lines_named,
)
from tests.projections.histories import (
    around,
)
from tests.projections.stores import project
from tests.projections.waterfall.causes import makes_it
from tests.projections.waterfall.made import (
    DAYS,
    Asked,
    Histories,
    asked,
    books,
    ended_twice,
    lawful,
)
from tests.projections.waterfall.plain import told, waterfall_of
from tests.scenario import BOOK

Standing = tuple[int, int, Decimal]
"""Deals, those without an amount among them, and the amount."""

Group = tuple[str | None, ...]
"""The values of a group, and the currency behind them."""


class Store:
    """Read models of the deals of an example, with a copy or without."""

    def __init__(self, views: Views, folder: Path, *, copied: bool) -> None:
        self._views = views
        self._columns = Columns(folder / "deals.views.db", least_periods=1, least_changed=2)
        self._copied = copied

    def fill(self, portfolio: Histories) -> None:
        project(self._views, portfolio)
        events = sum(map(len, portfolio))
        with self._views.writing() as connection:
            # A set of its own, so that no copy of another example answers.
            connection.execute(update(identity).values(set_id=token_hex(8)))
            checkpoint = {"model": MODEL, "model_version": 1, "position": events}
            rest = {"last_event": "", "moved_at": 0, "moved_by": ""}
            connection.execute(insert(checkpoints), {**checkpoint, **rest})
        if self._copied:
            self._columns.maintain(self._views.reading)

    def ask(self, question: Question, rates: Rates | None = None) -> Waterfall:
        with self._views.reading() as connection:
            return waterfall(connection, self._columns, question, rates)

    def deals(
        self, question: Question, lines: Sequence[Line], rates: Rates | None, limit: int
    ) -> list[Entry]:
        """All pages of a listing."""
        found: list[Entry] = []
        after: Place | None = None
        while True:
            with self._views.reading() as connection:
                page = deals_behind(
                    connection, self._columns, question, lines, rates, limit=limit, after=after
                )
            assert after is None or page.entries, "a page that says there are more leads to some"
            found += page.entries
            after = page.next
            if after is None:
                return found

    def snapshot(
        self, as_of: datetime, known_at: datetime, question: Question
    ) -> dict[Group, Standing]:
        with self._views.reading() as connection:
            rows = snapshot(connection, as_of, known_at, question.by, question.where).rows
        return {
            (*row.group.values(), row.currency): (
                row.open,
                row.open_unknown_amount,
                row.open_amount,
            )
            for row in rows
            if row.open
        }

    def close(self) -> None:
        self._columns.close()


@pytest.fixture(scope="module", params=["rows", "copy"])
def store(
    request: pytest.FixtureRequest, views: Views, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("waterfall")
    with closing(Store(views, folder, copied=request.param == "copy")) as store:
        yield store


def rates_of(book: RateBook, question: Question) -> Rates:
    return Rates.of(book, "EUR", question, ZoneInfo("Asia/Shanghai"))


fewer = settings(max_examples=max(settings().max_examples // 8, 1))


@fewer
@given(asked=asked())
@example(asked=ended_twice())
def test_the_waterfall_is_the_walk_over_the_deals(store: Store, asked: Asked) -> None:
    store.fill(asked.portfolio)
    answer = store.ask(asked.question)
    assert told(answer, asked.question) == waterfall_of(asked.portfolio, asked.question)


@fewer
@given(asked=asked(), book=books())
def test_start_and_lines_add_up_to_the_end_in_every_group(
    store: Store, asked: Asked, book: RateBook
) -> None:
    store.fill(asked.portfolio)
    question = asked.question
    for answer in (store.ask(question), store.ask(question, rates_of(book, question))):
        for row in (*answer.rows, *answer.totals):
            assert row.start.deals + sum(one.deals for one in row.lines) == row.end.deals
            moved = total(one.amount for one in row.lines)
            assert EXACT.add(row.start.amount, moved) == row.end.amount


@fewer
@given(asked=asked())
def test_start_and_end_are_the_snapshots(store: Store, asked: Asked) -> None:
    store.fill(asked.portfolio)
    question = replace(asked.question, closing=None)
    answer = told(store.ask(question), question)
    known = (question.known_at, question.known_at)
    if question.as_believed:
        known = (question.since, question.until)
    start = {place: plain.start for place, plain in answer.items() if plain.start[0]}
    end = {place: plain.end for place, plain in answer.items() if plain.end[0]}
    assert start == store.snapshot(question.since, known[0], question)
    assert end == store.snapshot(question.until, known[1], question)


def by_currency(rows: Sequence[Bridge]) -> dict[str, dict[str, tuple[int, Decimal]]]:
    """What stands on each line over all rows; what moves between groups is one line."""
    found: dict[str, dict[str, tuple[int, Decimal]]] = {}
    for row in rows:
        lines = found.setdefault(row.currency, defaultdict(lambda: (0, Decimal(0))))
        told = [(str(one.line), one.deals, one.amount) for one in row.lines]
        told += [("start", row.start.deals, row.start.amount)]
        told += [("end", row.end.deals, row.end.amount)]
        for name, deals, amount in told:
            line = "moved" if name.startswith("moved-") else name
            held = lines[line]
            lines[line] = (held[0] + deals, EXACT.add(held[1], amount))
    return found


@fewer
@given(asked=asked(), book=books())
def test_the_groups_add_up_to_the_total(store: Store, asked: Asked, book: RateBook) -> None:
    store.fill(asked.portfolio)
    rates = rates_of(book, asked.question)
    answer = store.ask(asked.question, rates)
    alone = store.ask(replace(asked.question, by=()), rates)
    sums = by_currency(answer.rows)
    assert by_currency(answer.totals) == sums
    assert {currency: sums[currency] for currency in by_currency(alone.rows)} == by_currency(
        alone.rows
    )
    for currency in sums.keys() - by_currency(alone.rows).keys():
        assert not any(map(any, sums[currency].values()))


@fewer
@given(asked=asked(), data=st.data())
def test_one_ends_where_the_next_starts(store: Store, asked: Asked, data: st.DataObject) -> None:
    store.fill(asked.portfolio)
    question = asked.question
    between = [one for one in around(DAYS) if question.since <= one <= question.until]
    middle = data.draw(st.sampled_from([*between, question.since, question.until]))
    first = told(store.ask(replace(question, until=middle)), question)
    second = told(store.ask(replace(question, since=middle)), question)
    ends = {place: plain.end for place, plain in first.items() if plain.end[0]}
    assert {place: plain.start for place, plain in second.items() if plain.start[0]} == ends


@fewer
@given(asked=asked(), book=books())
def test_amounts_are_at_the_rates_of_the_last_day_but_those_of_the_start(
    store: Store, asked: Asked, book: RateBook
) -> None:
    store.fill(asked.portfolio)
    question = asked.question
    rates = rates_of(book, question)
    at = [
        moment.astimezone(ZoneInfo("Asia/Shanghai")).date() if moment < END_OF_TIME else date.max
        for moment in (question.since, question.until)
    ]
    known = [question.known_at, question.known_at]
    if question.as_believed:
        known = [question.since, question.until]
    expected: dict[tuple[object, ...], dict[str, Decimal]] = {}
    for row in store.ask(question).rows:
        found = [
            book.as_known(k).rate(row.currency, "EUR", d) for k, d in zip(known, at, strict=True)
        ]
        apart = None in found
        first, last = (Decimal(1) if apart or one is None else one.value for one in found)
        place = (*row.group.values(), row.currency if apart else "EUR")
        sums = expected.setdefault(place, defaultdict(Decimal))
        sums["start"] += row.start.amount * first
        sums["end"] += row.end.amount * last
        sums["revalued"] += row.start.amount * (last - first)
        for one in row.lines:
            sums[str(one.line)] += one.amount * last
    answer = store.ask(question, rates)
    assert {
        (*row.group.values(), row.currency): {
            "start": row.start.amount,
            "end": row.end.amount,
            **{str(one.line): one.amount for one in row.lines},
        }
        for row in answer.rows
    } == expected


@fewer
@given(asked=asked(), book=books(), data=st.data())
def test_the_deals_behind_a_line_add_up_to_it_and_name_what_did_it(
    store: Store, asked: Asked, book: RateBook, data: st.DataObject
) -> None:
    store.fill(asked.portfolio)
    question = asked.question
    rates = data.draw(st.sampled_from([None, rates_of(book, question)]))
    answer = store.ask(question, rates)
    histories = {f"{events[0].stream}".partition(":")[2]: events for events in asked.portfolio}
    some = st.lists(st.sampled_from(list(lines_of(question, rates))), min_size=2, max_size=4)
    for lines in data.draw(some):
        entries = store.deals(question, lines, rates, limit=data.draw(st.integers(1, 4)))
        assert [(one.moment, one.deal_id) for one in entries] == sorted(
            (one.moment, one.deal_id) for one in entries
        )
        assert summed(entries, question) == on(lines, answer, question)
        for one in entries:
            events = histories[one.deal_id]
            versions = versions_behind(events, one.line, one.moment, question, BOOK)
            assert versions
            for version in versions:
                assert makes_it(events, version, one, question)


@fewer
@given(asked=asked())
@example(asked=ended_twice())
def test_what_ends_stands_on_the_line_of_its_outcome(store: Store, asked: Asked) -> None:
    """And what is taken up again names the event that did so."""
    portfolio = [lawful(events) for events in asked.portfolio]
    store.fill(portfolio)
    question = replace(
        asked.question, known_at=END_OF_TIME, as_believed=False, closing=None, where={}
    )
    histories = {f"{events[0].stream}".partition(":")[2]: events for events in portfolio}
    ends = set()
    for deal_id, events in histories.items():
        for at in {event.occurred_at for event in events}:
            outcome = replay(events, at).life.outcome
            if outcome and outcome.occurred_at == at and question.since < at <= question.until:
                ends.add((deal_id, at, outcome.version))
    listed = [
        (one.deal_id, one.moment, version)
        for line in (WON, Line("lost"))
        for one in store.deals(question, lines_named(str(line)), None, limit=50)
        for version in versions_behind(histories[one.deal_id], one.line, one.moment, question, BOOK)
    ]
    assert sorted(listed) == sorted(ends)
    for one in store.deals(question, [REOPENED], None, limit=50):
        events = histories[one.deal_id]
        versions = versions_behind(events, REOPENED, one.moment, question, BOOK)
        assert any(isinstance(events[v - 1].fact, OpportunityReopened) for v in versions)


def lines_of(question: Question, rates: Rates | None) -> Iterator[list[Line]]:
    for name in dict.fromkeys(line.name for line in (START, *LINES, END)):
        lines = [line for line in (START, *LINES, END) if line.name == name]
        if lines == [CORRECTED] and not question.as_believed:
            continue
        if lines == [REVALUED] and rates is None:
            continue
        yield lines


Told = dict[tuple[object, ...], tuple[int, Decimal, int]]


def summed(entries: Sequence[Entry], question: Question) -> Told:
    found: Told = {}
    for one in entries:
        key = (*(one.group[name] for name in question.by), one.currency, one.line)
        deals, amount, times = found.get(key, (0, Decimal(0), 0))
        found[key] = (deals + one.deals, EXACT.add(amount, one.amount), times + 1)
    return found


def on(lines: Sequence[Line], answer: Waterfall, question: Question) -> Told:
    found: Told = {}
    for row in answer.rows:
        group = (*(row.group[name] for name in question.by), row.currency)
        for line, stand in ((START, row.start), (END, row.end)):
            if line in lines and stand.deals:
                found[(*group, line)] = (stand.deals, stand.amount, stand.deals)
        for one in row.lines:
            if one.line in lines and one.times:
                found[(*group, one.line)] = (one.deals, one.amount, one.times)
    return found
