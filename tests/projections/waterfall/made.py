"""Random deals that are moved about, and questions for the waterfall between two moments."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import NamedTuple

from hypothesis import strategies as st
from msgspec.structs import replace

from domain.corrections import DealMerged, EventWithdrawn
from domain.deal import DealEvent, DealFact, replay
from domain.history import Draft, in_fold_order
from domain.lifecycle import Status
from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityLost,
    OpportunityReopened,
    OpportunityResumed,
    OpportunitySuspended,
    OpportunityWon,
    OwnerChanged,
)
from domain.rates import Known, RateBook
from domain.stages.facts import ForecastRevised
from domain.values import END_OF_TIME
from projections.figures import DIMENSIONS
from projections.waterfall.asking import Question
from tests.laws.test_pipeline import value_of
from tests.projections.histories import (
    CURRENCIES,
    EPOCH,
    RECORDED_AT,
    amounts,
    around,
    facts,
    openings,
)
from tests.scenario import opened

Histories = Sequence[Sequence[DealEvent]]

CLOSES = [date(2026, 6, 30), date(2026, 3, 5), date(2026, 9, 30)]
WINDOWS = [
    None,
    None,
    (date(2026, 3, 5), date(2026, 6, 30)),
    (date(2026, 6, 30), date(2026, 6, 30)),
    (date(2026, 3, 6), date(2026, 9, 30)),
]


DAYS = [EPOCH + timedelta(days=n) for n in range(7)]


@st.composite
def deals(draw: st.DrawFn, stream: str, currency: str) -> tuple[DealEvent, ...]:
    """A deal that is moved about: in and out of windows, handed over, ended and taken up again.

    Much happens on few days, most of it is known at once, some late, and some is withdrawn.
    """
    first = draw(st.sampled_from(DAYS[:3]))
    some: list[tuple[DealFact, datetime]] = [(draw(openings(currency)), first)]
    some += [(draw(forecasts(currency)), first)] * draw(st.sampled_from([1, 1, 1, 0]))
    some += [(fact, draw(st.sampled_from(DAYS))) for fact in draw(turns(currency))]
    events = []
    for version, (fact, occurred_at) in enumerate(some, start=1):
        known_at = draw(st.sampled_from([*[occurred_at] * 3 * (3 - min(version, 2)), *DAYS[3:]]))
        withdraws = version > 2 and draw(st.integers(0, 7)) == 7
        told = EventWithdrawn((draw(st.integers(2, version - 1)),), "…") if withdraws else fact
        draft = Draft(told, occurred_at, "ann", "api", f"c-{version}", "c", known_at)
        events.append(draft.recorded(stream, version, RECORDED_AT))
    return tuple(events)


def lawful(events: Sequence[DealEvent]) -> list[DealEvent]:
    """The same deal without what cannot be: it ends, rests and is taken up again in turn.

    Nothing is withdrawn, and versions are without gaps.
    """
    kept: list[DealEvent] = []
    for event in in_fold_order(events):
        status = replay(kept, END_OF_TIME).life.status
        if event.version == 1 or status in _WHILE.get(type(event.fact), _OPENED):
            kept.append(event)
    ordered = sorted(kept, key=lambda event: event.version)
    return [replace(event, version=n) for n, event in enumerate(ordered, start=1)]


_OPENED = frozenset(Status) - {Status.UNOPENED}
_RUNNING = frozenset({Status.OPEN, Status.SUSPENDED})
_ENDED = frozenset({Status.WON, Status.LOST, Status.VOIDED})
_WHILE: dict[type[object], frozenset[Status]] = {
    OpportunityWon: _RUNNING,
    OpportunityLost: _RUNNING,
    OpportunitySuspended: frozenset({Status.OPEN}),
    OpportunityResumed: frozenset({Status.SUSPENDED}),
    OpportunityReopened: _ENDED,
    DealMerged: _RUNNING | _ENDED,
    EventWithdrawn: frozenset(),
}


@cache
def forecasts(currency: str) -> st.SearchStrategy[ForecastRevised]:
    closes = st.sampled_from(CLOSES)
    return st.builds(ForecastRevised, amount=amounts(currency), expected_close=closes)


@cache
def turns(currency: str) -> st.SearchStrategy[list[DealFact]]:
    closes = st.sampled_from(CLOSES)
    priced = st.builds(ForecastRevised, amount=amounts(currency))
    dated = st.builds(ForecastRevised, expected_close=closes)
    owned = st.builds(OwnerChanged, st.sampled_from(["ann", "bo", "mei"]))
    ended = st.one_of(
        st.builds(OpportunityWon, value=st.none() | amounts(currency)),
        st.builds(OpportunityLost, st.sampled_from(LostOutcome)),
        st.builds(DealMerged, st.just("d-9"), st.just("…")),
        st.builds(OpportunitySuspended, st.just("…")),
    )
    back = st.sampled_from([OpportunityReopened("proposal", "…"), OpportunityResumed()])
    some = st.one_of(priced, dated, forecasts(currency), owned, ended, ended, back, facts(currency))
    return st.lists(some, min_size=3, max_size=8)


@st.composite
def portfolios(draw: st.DrawFn) -> list[tuple[DealEvent, ...]]:
    currencies = draw(st.lists(st.sampled_from(CURRENCIES), min_size=1, max_size=3))
    return [draw(deals(f"deal:d-{n}", currency)) for n, currency in enumerate(currencies)]


class Asked(NamedTuple):
    portfolio: Histories
    question: Question


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    portfolio = draw(portfolios())
    # Mostly moments at which something happens, where one too many or too few shows.
    moments = st.sampled_from(DAYS) | st.sampled_from([*around(DAYS), END_OF_TIME])
    since = draw(st.sampled_from(DAYS[:4]) | moments)
    until = draw(st.sampled_from(DAYS[3:]) | moments)
    since, until = min(since, until), max(since, until)
    dimensions = st.lists(st.sampled_from(DIMENSIONS), unique=True, max_size=3)
    # Two that change often, so that deals move between groups.
    by = draw(dimensions | st.sampled_from([[], ["owner"], ["stage", "owner"], ["stage"]]))
    where = {name: draw(st.sampled_from(values(portfolio, name))) for name in draw(filters)}
    question = Question(
        since=since,
        until=until,
        known_at=draw(st.sampled_from([END_OF_TIME] * 9 + around(DAYS[3:]))),
        by=by,
        where=where,
        closing=draw(st.sampled_from(WINDOWS)),
        as_believed=draw(st.sampled_from([False, False, True])),
    )
    return Asked(portfolio, question)


def ended_twice() -> Asked:
    """Of deals that had ended and do so again on one day: as they had, and as duplicates."""
    lost = OpportunityLost(LostOutcome.NO_DECISION)
    first: list[tuple[DealFact, int]] = [(opened(), 0), (lost, 1)]
    again: list[tuple[DealFact, int]] = [(OpportunityReopened("contact", "…"), 3), (lost, 3)]
    merged: list[tuple[DealFact, int]] = [(DealMerged("d-9", "…"), 3)]
    portfolio = [
        [
            Draft(fact, DAYS[day], "ann", "api", f"c-{n}", "c", DAYS[day]).recorded(
                stream, n, RECORDED_AT
            )
            for n, (fact, day) in enumerate(some, start=1)
        ]
        for stream, some in (("deal:d-0", first + again), ("deal:d-1", first + merged))
    ]
    return Asked(portfolio, Question(since=DAYS[2], until=DAYS[4], known_at=END_OF_TIME))


filters = st.sampled_from([*[[]] * 12, ["owner"], ["stage"], ["region", "owner"], ["process"]])


def values(portfolio: Histories, dimension: str) -> list[str]:
    """What deals count as in a dimension at any time, and as what they never do."""
    states = [replay(events, event.occurred_at) for events in portfolio for event in events]
    found = {value_of(dimension, deal) or "" for deal in states if deal.life.opened_at}
    return sorted(found) or ["nobody"]


@st.composite
def books(draw: st.DrawFn) -> RateBook:
    """Dated rates of some currencies, of which some become known late, or are corrected."""
    days = [EPOCH.date() + timedelta(days=n) for n in (-30, 1, 3, 5)]
    pairs = [("EUR", "USD"), ("EUR", "JPY"), ("KWD", "EUR")]
    quotes = {}
    for pair in draw(st.sets(st.sampled_from(pairs), min_size=2)):
        known = [
            Known(
                days[0] if version == 1 else draw(st.sampled_from(days)),
                EPOCH + timedelta(days=-20 if version == 1 else draw(st.sampled_from([-20, 2, 4]))),
                version,
                draw(st.sampled_from(["1.08", "0.00712", "157.3", "1"])),
            )
            for version in range(1, draw(st.integers(2, 5)) + 1)
        ]
        quotes[pair] = sorted(known, key=lambda one: (one.day, one.known_at, one.version))
    return RateBook(quotes)
