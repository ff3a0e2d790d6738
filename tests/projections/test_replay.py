"""Replay: one deal move by move, with what each move changed and how the deal then stood."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent
from domain.deal import replay as state_at
from domain.lifecycle.facts import (
    LostOutcome,
    NoteAdded,
    OpportunityLost,
    OpportunityResumed,
    OpportunitySuspended,
    WinPlanSet,
)
from domain.stages.facts import (
    ForecastRevised,
    GateCriterionAttested,
    StageAdvanced,
    StageRegressed,
)
from domain.values import Side
from projections.indicators import Indicators
from projections.instants import days_between
from projections.replay import Move, replay
from tests.projections.histories import EPOCH, around, histories
from tests.projections.stores import draft, events_of
from tests.scenario import BOOK, opened, usd


def forecast(amount: str, close: date | None = None) -> ForecastRevised:
    if close is None:
        return ForecastRevised(amount=usd(amount))
    return ForecastRevised(amount=usd(amount), expected_close=close)


# A deal of `SHORT`, from 2 March 2026, 09:00: the plan was written down on day 20, but of day 4;
# the second amount was a mistake and taken back on day 12.
HISTORY = events_of(
    draft(opened(), 0, 0),
    draft(StageAdvanced("contact", "proposal"), 2, 2),
    draft(forecast("900.00", date(2026, 3, 31)), 3, 3, by="bo"),
    draft(forecast("9000.00"), 5, 5),
    draft(GateCriterionAttested("need-confirmed", "their engineer said so"), 6, 6.75),
    draft(EventWithdrawn((4,), "a digit too many"), 12, 12),
    draft(ForecastRevised(expected_close=date(2026, 4, 30)), 12, 12),
    draft(WinPlanSet("show the press"), 4, 20),
    draft(StageAdvanced("proposal", "closing"), 21, 21),
    draft(OpportunitySuspended("new management"), 30, 30),
    draft(OpportunityResumed(), 40, 40),
    draft(StageRegressed("closing", "proposal", "starting over", Side.CUSTOMER), 41, 41),
    draft(OpportunityLost(LostOutcome.LOST_TO_COMPETITOR, "Rival"), 62, 62),
    draft(NoteAdded("debrief follows"), 63, 63),
)

ALL = """
 1 v1  day  0 open       contact      amount -          close -           10%  gate 0/0  stage   0d  close    -  last   0d  late  0d  opened 'Press line' in contact of short/1
       status: unopened → open; name: None → Press line; process: None → short/1; stage: None → contact; owner: None → ann
 2 v2  day  2 open       proposal     amount -          close -           40%  gate 0/2  stage   0d  close    -  last   2d  late  0d  advanced from contact to proposal
       stage: contact → proposal
 3 v3  day  3 open       proposal     amount 900.00 USD close 2026-03-31  40%  gate 0/2  stage   1d  close   26  last   1d  late  0d  amount unknown → 900.00 USD; close date unknown → 2026-03-31
       amount: None → 900.00 USD; expected_close: None → 2026-03-31
 4 v8  day  4 open       proposal     amount 900.00 USD close 2026-03-31  40%  gate 1/2  stage   2d  close   25  last   1d  late 16d  win plan set
 5 v5  day  6 open       proposal     amount 900.00 USD close 2026-03-31  40%  gate 2/2  stage   4d  close   23  last   2d  late  1d  need-confirmed attested: their engineer said so
 6 v6  day 12 open       proposal     amount 900.00 USD close 2026-03-31  40%  gate 2/2  stage  10d  close   17  last   6d  late  0d  withdrew event 4: a digit too many
 7 v7  day 12 open       proposal     amount 900.00 USD close 2026-04-30  40%  gate 2/2  stage  10d  close   47  last   0d  late  0d  close date 2026-03-31 → 2026-04-30 (slipped 30 days)
       expected_close: 2026-03-31 → 2026-04-30
 8 v9  day 21 open       closing      amount 900.00 USD close 2026-04-30  80%  gate 0/1  stage   0d  close   38  last   9d  late  0d  advanced from proposal to closing
       stage: proposal → closing
 9 v10 day 30 suspended  closing      amount 900.00 USD close 2026-04-30  80%  gate 0/1  stage   9d  close   29  last   9d  late  0d  suspended: new management
       status: open → suspended
10 v11 day 40 open       closing      amount 900.00 USD close 2026-04-30  80%  gate 0/1  stage  19d  close   19  last  10d  late  0d  resumed
       status: suspended → open
11 v12 day 41 open       proposal     amount 900.00 USD close 2026-04-30  40%  gate 2/2  stage   0d  close   18  last   1d  late  0d  back from closing to proposal, driven by customer: starting over
       stage: closing → proposal
12 v13 day 62 lost       proposal     amount 900.00 USD close 2026-04-30   0%  gate 2/2  stage  21d  close   -3  last  21d  late  0d  lost, lost-to-competitor (Rival)
       status: open → lost; outcome: None → lost-to-competitor
13 v14 day 63 lost       proposal     amount 900.00 USD close 2026-04-30   0%  gate 2/2  stage  22d  close   -4  last   1d  late  0d  note: debrief follows
"""  # noqa: E501


def told(moves: list[Move]) -> str:
    lines = []
    for move in moves:
        stood = shown(move)
        days = stood.days_to_expected_close
        close = "-" if days is None else days
        lines.append(
            f"{move.number:>2} v{move.version:<2} day {stood.day:>2} {stood.status:<10} "
            f"{stood.stage:<12} amount {stood.amount or '-'!s:<10} "
            f"close {move.expected_close or '-':<10} "
            f"{stood.probability:>3}%  gate {stood.gate_met}/{stood.gate_total}  "
            f"stage {stood.days_in_stage:>3}d  close {close:>4}  "
            f"last {move.days_since_last_move:>3}d  late {move.known_late_days:>2}d  {move.what}"
        )
        changes = "; ".join(f"{c.field}: {c.before} → {c.after}" for c in move.changes)
        if changes:
            lines.append(f"       {changes}")
    return "\n" + "\n".join(lines) + "\n"


def shown(move: Move) -> Indicators:
    """The indicators of a move of an opened deal."""
    assert move.indicators is not None
    return move.indicators


def on(day: float) -> datetime:
    return EPOCH + timedelta(days=day)


def test_a_deal_move_by_move() -> None:
    assert told(replay(HISTORY, BOOK)) == ALL


def test_the_moves_that_had_been_made_by_a_day() -> None:
    moves = replay(HISTORY, BOOK, as_of=on(12))
    assert told(moves) == ALL[: ALL.index(" 8 v9")]


def test_the_moves_that_were_known_on_a_day() -> None:
    """The plan was not written down yet, and the mistake not noticed."""
    moves = replay(HISTORY, BOOK, known_at=on(11))
    assert [move.version for move in moves] == [1, 2, 3, 4, 5]
    assert [str(shown(move).amount) for move in moves[2:]] == [
        "900.00 USD",
        "9,000.00 USD",
        "9,000.00 USD",
    ]
    assert [shown(move).gate_met for move in moves] == [0, 0, 0, 0, 1]


def test_both_axes_at_once() -> None:
    assert [move.version for move in replay(HISTORY, BOOK, on(6), on(6.75))] == [1, 2, 3, 4, 5]
    assert [move.version for move in replay(HISTORY, BOOK, on(6), on(6.5))] == [1, 2, 3, 4]
    assert [move.version for move in replay(HISTORY, BOOK, on(4), on(20))] == [1, 2, 3, 8]


def test_before_the_opening_there_are_no_moves() -> None:
    assert replay(HISTORY, BOOK, as_of=on(-1)) == []
    assert replay((), BOOK) == []


def test_a_move_carries_its_circumstances() -> None:
    move = replay(HISTORY, BOOK)[2]
    assert (move.actor, move.source, move.type, move.inferred) == (
        "bo",
        "api",
        "forecast-revised",
        False,
    )
    assert (move.occurred_at, move.known_at) == (on(3), on(3))


def test_what_stands_before_the_opening_has_no_indicators() -> None:
    moves = replay(events_of(draft(NoteAdded("heard of it"), 0), draft(opened(), 1)), BOOK)
    assert moves[0].indicators is None
    assert (shown(moves[1]).status, moves[1].number, moves[1].days_since_last_move) == (
        "open",
        2,
        1,
    )


@given(events=histories(), data=st.data())
def test_the_last_move_shows_the_state_of_the_fold(
    events: tuple[DealEvent, ...], data: st.DataObject
) -> None:
    as_of = data.draw(st.sampled_from(around([event.occurred_at for event in events])))
    known_at = data.draw(st.sampled_from(around([event.known_at for event in events])))
    moves = replay(events, BOOK, as_of, known_at)
    assert [move.number for move in moves] == list(range(1, len(moves) + 1))
    assert all(move.occurred_at <= as_of and move.known_at <= known_at for move in moves)
    if not moves:
        return
    deal, last = state_at(events, as_of, known_at), moves[-1].indicators
    if last is None:
        assert deal.life.opening is None
        return
    assert (last.status, last.stage, last.amount) == (
        deal.life.status,
        deal.stages.stage,
        deal.amount,
    )


@given(events=histories())
def test_moves_keep_their_version_when_more_is_known(events: tuple[DealEvent, ...]) -> None:
    """A frame is named by its event, so a link to it stays."""
    by_version = {event.version: event for event in events}
    for move in replay(events, BOOK):
        event = by_version[move.version]
        assert (move.occurred_at, move.type) == (event.occurred_at, event.type)


@pytest.mark.parametrize(
    ("earlier", "later", "days"),
    [
        (on(0), on(0), 0),
        (on(0), on(1), 1),
        (datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC), 1),
        (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC), 0),
        (on(1), on(0), 0),
        (on(-50_000), on(0), 50_000),
    ],
)
def test_days_are_those_of_the_calendar(earlier: datetime, later: datetime, days: int) -> None:
    assert days_between(earlier, later) == days
