"""Which events stand behind an entry."""

from datetime import timedelta

from domain.corrections import EventWithdrawn
from domain.deal import DealFact
from domain.history import Draft
from domain.lifecycle.facts import LostOutcome, NoteAdded, OpportunityLost, OwnerChanged
from domain.stages.facts import ForecastRevised, StageAdvanced
from projections.waterfall.asking import Question
from projections.waterfall.events import versions_behind
from projections.waterfall.steps import CORRECTED, END, INCREASED, MOVED_IN, START, Line
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
    assert behind(MOVED_IN, 2, asked(1, 3, by=["owner"])) == [3, 5]
    assert behind(MOVED_IN, 2, asked(1, 3, where={"stage": "proposal"})) == [5, 6]


def test_of_what_stands_it_is_the_last_that_made_it_so() -> None:
    assert behind(START, 1, asked(1, 3)) == [2]
    assert behind(END, 3, asked(1, 3)) == [5]
    assert behind(END, 3, asked(1, 3, by=["stage"])) == [6]


def test_corrections_are_late_events_and_withdrawals_of_earlier_ones() -> None:
    assert behind(CORRECTED, 3, asked(3, 6, as_believed=True)) == [8, 10]
    assert behind(CORRECTED, 3, asked(4, 6, as_believed=True)) == [8, 10, 11]
