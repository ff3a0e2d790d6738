"""Which events stand behind an entry."""

from datetime import date, timedelta

from domain.corrections import EventWithdrawn
from domain.deal import DealFact
from domain.history import Draft
from domain.lifecycle.facts import (
    LostOutcome,
    NoteAdded,
    OpportunityLost,
    OpportunityReopened,
    OwnerChanged,
)
from domain.stages.facts import ForecastRevised, StageAdvanced
from projections.waterfall.asking import Question
from projections.waterfall.events import versions_behind
from projections.waterfall.steps import (
    CORRECTED,
    CREATED,
    END,
    INCREASED,
    MOVED_IN,
    REOPENED,
    START,
    Line,
    lines_named,
)
from tests.projections.histories import EPOCH
from tests.projections.stores import draft, events_of
from tests.scenario import BOOK, opened, usd

EVENTS: tuple[Draft[DealFact], ...] = (
    draft(opened(), 0, 0),
    draft(ForecastRevised(amount=usd("10")), 1, 1),
    draft(OwnerChanged("bo"), 2, 2),
    draft(NoteAdded("…"), 2, 2),
    draft(ForecastRevised(amount=usd("20")), 2, 2),
    draft(StageAdvanced("contact", "proposal"), 2, 2),
    draft(OpportunityLost(LostOutcome.NO_DECISION), 4, 4),
    draft(ForecastRevised(amount=usd("15")), 1.5, 5),
    draft(NoteAdded("late"), 1.5, 5),
    draft(EventWithdrawn((2,), "…"), 5, 5),
    draft(EventWithdrawn((7,), "…"), 5, 5),
)


def behind(line: Line, day: float, question: Question) -> list[int]:
    moment = EPOCH + timedelta(days=day)
    return versions_behind(events_of(*EVENTS), line, moment, question, BOOK)


def asked(since: float, until: float, **more: object) -> Question:
    days = [EPOCH + timedelta(days=day) for day in (since, until, 4)]
    given = {"since": days[0], "until": days[1], "known_at": days[2], **more}
    return Question(**given)  # type: ignore[arg-type]


def test_of_several_events_at_an_instant_those_count_that_change_what_is_asked_by() -> None:
    assert behind(INCREASED, 2, asked(1, 3)) == [5]
    assert behind(MOVED_IN, 2, asked(1, 3, by=["owner"])) == [3]
    assert behind(MOVED_IN, 2, asked(1, 3, where={"stage": "proposal"})) == [6]


def test_an_amount_of_nothing_brings_no_more_than_an_unknown_one() -> None:
    """It does not make what is created; and what stands has a known amount by it."""
    events = events_of(draft(opened(), 1, 1), draft(ForecastRevised(amount=usd("0")), 1, 1))
    moment, question = EPOCH + timedelta(days=1), asked(0, 3)
    assert versions_behind(events, CREATED, moment, question, BOOK) == [1]
    assert versions_behind(events, END, EPOCH + timedelta(days=3), question, BOOK) == [2]


def test_of_what_stands_it_is_the_last_that_made_it_so() -> None:
    assert behind(START, 1, asked(1, 3)) == [2]
    assert behind(END, 3, asked(1, 3)) == [5]
    assert behind(END, 3, asked(1, 3, by=["stage"])) == [6]


def test_of_what_sets_an_amount_and_a_date_at_one_instant_each_stands_on_its_line() -> None:
    events = events_of(
        draft(opened(), 0, 0),
        draft(ForecastRevised(amount=usd("10"), expected_close=date(2026, 3, 31)), 0, 0),
        draft(ForecastRevised(amount=usd("20")), 2, 2),
        draft(ForecastRevised(expected_close=date(2026, 4, 1)), 2, 2),
        draft(ForecastRevised(expected_close=date(2026, 6, 1)), 3, 3),
    )
    question = asked(1, 4, closing=(date(2026, 1, 1), date(2026, 3, 31)))

    def at(line: Line, day: float, question: Question = question) -> list[int]:
        return versions_behind(events, line, EPOCH + timedelta(days=day), question, BOOK)

    assert at(lines_named("pushed-out")[0], 2) == [4]
    assert at(INCREASED, 2) == [3]
    assert at(CREATED, 0, asked(-1, 4)) == [1, 2]
    # Whether it closes in April or in June is the same to a window that ends in March.
    assert at(END, 4) == [4]


def test_what_is_taken_up_and_ends_again_at_one_instant_names_both() -> None:
    events = events_of(
        draft(opened(), 0, 0),
        draft(OpportunityLost(LostOutcome.NO_DECISION), 1, 1),
        draft(OpportunityReopened("contact", "…"), 3, 3),
        draft(OpportunityLost(LostOutcome.NO_DECISION), 3, 3),
    )
    moment = EPOCH + timedelta(days=3)
    assert versions_behind(events, REOPENED, moment, asked(1, 4), BOOK) == [3]
    [lost] = lines_named("lost:no-decision")
    assert versions_behind(events, lost, moment, asked(1, 4), BOOK) == [4]


def test_corrections_are_late_events_and_withdrawals_that_changed_what_counts() -> None:
    events = events_of(
        draft(opened(), 0, 0),
        draft(ForecastRevised(amount=usd("10")), 1, 1),
        draft(OpportunityLost(LostOutcome.NO_DECISION), 2, 2),
        draft(ForecastRevised(probability=70), 1, 5),
        draft(OwnerChanged("bo"), 1.5, 5),
        draft(ForecastRevised(amount=usd("15")), 1.5, 5),
        draft(ForecastRevised(amount=usd("12")), 1.2, 5),
        draft(NoteAdded("late"), 1.5, 5),
        draft(EventWithdrawn((3,), "…"), 6, 6),
        draft(EventWithdrawn((4,), "…"), 6, 6),
    )

    def corrected(until: float, **more: object) -> list[int]:
        moment = EPOCH + timedelta(days=3)
        question = asked(3, until, as_believed=True, **more)
        return versions_behind(events, CORRECTED, moment, question, BOOK)

    assert corrected(5) == [6]
    assert corrected(5, by=["owner"]) == [5, 6]
    assert corrected(7) == [6, 9]
