"""Laws of the review: nothing later changes what is said of a move, and no secret does.

On deals as the simulator tells them, which are coherent, and on histories that know no rules. The
models are those of a made-up portfolio, which is cut off where the deal is.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeAlias

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.corrections import EventWithdrawn
from domain.deal import DealEvent
from domain.negotiation.facts import PressureReading, Term
from domain.process import ProcessBook
from projections.cohort.comparison import Comparison
from projections.cohort.models import CohortModels
from projections.findings import Finding, judge
from projections.findings.case import Case
from projections.frames import Frame, frames_as_known, frames_of
from projections.replay import Move
from projections.review import Judged, Review, compared, review
from tests.laws.deals import histories as nonsense
from tests.projections.cohort.portfolios import (
    NOW,
    PROCESSES,
    events_of,
    first_of,
    histories,
    models,
    models_of,
)
from tests.scenario import BOOK

COUNT = 90
MONTHS = [first_of(2025, 8), first_of(2025, 12), first_of(2026, 3), first_of(2026, 6)]
FAR = NOW + timedelta(days=400)

few = settings(max_examples=max(8, settings().max_examples // 8))

Axis: TypeAlias = Callable[[Sequence[DealEvent], datetime], list[Frame]]

numbers = st.integers(0, COUNT - 1)
"""Of deals of the portfolio; their events would be too long to print."""
axes: st.SearchStrategy[Axis] = st.sampled_from([frames_of, frames_as_known])


def known_by(events: Sequence[DealEvent], limit: datetime) -> list[DealEvent]:
    """What had happened, and was known."""
    return [one for one in events if max(one.occurred_at, one.known_at) <= limit]


def before(events: Sequence[DealEvent], axis: Axis, at: datetime) -> list[DealEvent]:
    """What an axis shows up to a moment: what was known then, or all that had happened then.

    What is true takes all that is known now, so what was taken back later was never so.
    """
    if axis is frames_as_known:
        return known_by(events, at)
    return [one for one in events if one.occurred_at <= at or isinstance(one.fact, EventWithdrawn)]


@cache
def models_then(limit: datetime) -> CohortModels:
    """The models of the portfolio as it was at a moment."""
    cut = {deal_id: known_by(events, limit) for deal_id, events in histories(COUNT).items()}
    return models_of({deal_id: events for deal_id, events in cut.items() if events})


class Seen(msgspec.Struct, frozen=True):
    """A history on an axis, looked back on from a moment."""

    frames: list[Frame]
    review: Review
    processes: ProcessBook
    by: CohortModels

    @classmethod
    def of(
        cls,
        events: Sequence[DealEvent],
        axis: Axis,
        by: CohortModels,
        until: datetime = FAR,
        *,
        processes: ProcessBook = PROCESSES,
        secrets: bool = True,
    ) -> "Seen":
        frames = axis(events, until)
        assessment = judge(Case(frames, processes, until), secrets=secrets)
        return cls(
            frames, review(frames, processes, assessment, by, secrets=secrets), processes, by
        )

    def move(self, index: int) -> tuple[Move, tuple[Any, ...]]:
        """All that a move shows of itself."""
        return self.review.moves[index], plain(self.review.judged[index])

    def comparison(self, index: int) -> Comparison | None:
        return compared(self.review, index, self.frames, self.processes, self.by)

    def findings_at(self, at: datetime) -> list[Finding]:
        """Those that had begun by then, without what ended them later."""
        return [as_seen_at(one, at) for one in self.review.assessment.findings if one.since <= at]

    def turning_points(self, at: datetime) -> list[tuple[int, float | None, list[Finding]]]:
        """Move, fall and findings of those that show by a moment."""
        found = self.review.assessment.findings
        points = [
            (
                point.move,
                point.fall,
                [as_seen_at(found[n], at) for n in point.findings if found[n].since <= at],
            )
            for point in self.review.turning_points
            if self.review.moves[point.move].at <= at
        ]
        return [one for one in points if one[1] is not None or one[2]]


def as_seen_at(finding: Finding, at: datetime) -> Finding:
    ended = finding.until is not None and finding.until <= at
    return finding if ended else msgspec.structs.replace(finding, until=None)


def plain(judged: Judged) -> tuple[Any, ...]:
    """What can be compared, not-a-numbers too."""
    measured = None if judged.measured is None else judged.measured.tobytes()
    return judged.estimate, judged.before, judged.moved_by, judged.fall, measured


@st.composite
def cut_off(draw: st.DrawFn, events: Sequence[DealEvent], month: datetime) -> datetime:
    """A moment of a month, where something of the deal happened if anything did."""
    moments = [max(one.occurred_at, one.known_at) for one in events]
    moments += [one.occurred_at for one in events]
    inside = [at for at in moments if month <= at < month + timedelta(days=28)]
    return draw(st.sampled_from(inside or [month])) + draw(
        st.sampled_from([timedelta(), timedelta(hours=9), timedelta(days=2)])
    )


def nothing_later_shows(
    events: Sequence[DealEvent],
    axis: Axis,
    at: datetime,
    portfolios: tuple[CohortModels, CohortModels],
    processes: ProcessBook = PROCESSES,
) -> None:
    """The moves up to a moment are the same, whatever comes later, here and in other deals."""
    whole = Seen.of(events, axis, portfolios[0], processes=processes)
    then = Seen.of(before(events, axis, at), axis, portfolios[1], at, processes=processes)
    count = len(then.frames)
    assert [frame.at <= at for frame in whole.frames[: count + 1]] == [True] * count + [False] * (
        len(whole.frames) > count
    )
    for index in range(count):
        assert whole.move(index) == then.move(index)
    for index in range(max(count - 3, 0), count):
        assert whole.comparison(index) == then.comparison(index)
    assert whole.findings_at(at) == list(then.review.assessment.findings)
    assert whole.turning_points(at) == then.turning_points(at)


@few
@given(numbers, axes, st.sampled_from(MONTHS), st.data())
def test_what_a_move_shows_does_not_depend_on_what_came_later(
    deal: int, axis: Axis, month: datetime, data: st.DataObject
) -> None:
    events = events_of(deal)
    at = data.draw(cut_off(events, month))
    then = models_then(month - timedelta(microseconds=1))
    nothing_later_shows(events, axis, at, (models(COUNT), then))


@few
@given(nonsense(), axes, st.data())
def test_nor_does_it_in_a_history_that_knows_no_rules(
    events: Sequence[DealEvent], axis: Axis, data: st.DataObject
) -> None:
    at = data.draw(cut_off(events, first_of(2026, 3)))
    then = models_then(first_of(2026, 3) - timedelta(microseconds=1))
    nothing_later_shows(events, axis, at, (models(COUNT), then), BOOK)


def test_the_portfolio_puts_the_law_to_the_test() -> None:
    """Falls, findings and comparisons are there to change, and deals decided later."""
    seen = [Seen.of(events_of(number), frames_of, models(COUNT)) for number in range(COUNT)]
    points = [point for one in seen for point in one.review.turning_points]
    assert sum(point.fall is not None for point in points) > 10
    assert sum(bool(point.findings) for point in points) > 20
    assert any(one.review.no_return is not None for one in seen)
    placed = [one.comparison(len(one.frames) // 2) for one in seen]
    assert sum(bool(one and one.places) for one in placed) > 5
    for month in MONTHS:
        assert models(COUNT).at(month).model is not None
        assert models(COUNT).at(month).size < models(COUNT).at(NOW).size


# Secrets.


def kept_otherwise(event: DealEvent, number: str) -> DealEvent:
    """The event with other secrets."""
    fact: Any = event.fact
    changed = {name: _otherwise(getattr(fact, name), number) for name in fact.secret}
    return msgspec.structs.replace(event, fact=msgspec.structs.replace(fact, **changed))


def _otherwise(value: Any, number: str) -> Any:
    match value:
        case None:
            return None
        case PressureReading():
            return next(one for one in PressureReading if one is not value)
        case tuple():
            return tuple(msgspec.structs.replace(one, value=number) for one in value)
        case Term():
            return msgspec.structs.replace(value, value=number)
        case str() if _is_number(value):
            return number
        case str():
            return f"Because of {number}."
        case _:
            raise AssertionError(f"no other secret for {value!r}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def public_of(seen: Seen) -> list[Any]:
    """All of a review but the state, of which secrets are a part."""
    moves = [(msgspec.structs.replace(one, secret=None)) for one in seen.review.moves]
    judged = [plain(one) for one in seen.review.judged]
    return [moves, judged, seen.comparison(len(seen.frames) - 1)]


def not_secret(seen: Seen) -> list[Finding]:
    return [one for one in seen.review.assessment.findings if not one.secret]


@cache
def negotiated() -> list[int]:
    """Deals with something that only our side knows."""
    return [number for number in range(COUNT) if any(map(_holds_secrets, events_of(number)))]


def _holds_secrets(event: DealEvent) -> bool:
    return any(getattr(event.fact, name) for name in event.fact.secret)


@few
@given(st.data(), axes, st.integers(0, 10**6).map(str), st.booleans())
def test_secrets_change_no_estimate(
    data: st.DataObject, axis: Axis, number: str, secrets: bool
) -> None:
    """Neither what a move shows beside them, whoever looks, nor where the deal stands."""
    events = events_of(data.draw(st.sampled_from(negotiated())))
    other = [kept_otherwise(one, number) for one in events]
    assert other != list(events)
    ours = Seen.of(events, axis, models(COUNT), secrets=secrets)
    theirs = Seen.of(other, axis, models(COUNT), secrets=secrets)
    assert public_of(ours) == public_of(theirs)
    assert not_secret(ours) == not_secret(theirs)
    if not secrets:
        assert ours.review.assessment == theirs.review.assessment
        assert ours.review.turning_points == theirs.review.turning_points
        assert ours.review.no_return == theirs.review.no_return
        assert {one.secret for one in ours.review.moves} == {None}
        assert not any(one.secret for one in ours.review.assessment.findings)


def test_secrets_are_not_learned_from() -> None:
    otherwise = {
        deal_id: [kept_otherwise(one, "7") for one in events]
        for deal_id, events in histories(COUNT).items()
    }
    learned = models_of(otherwise)
    for month in MONTHS:
        assert learned.at(month) == models(COUNT).at(month)


def test_secrets_are_there_to_show() -> None:
    """For who may see them: distances, and findings that rest on them."""
    seen = [
        Seen.of([kept_otherwise(one, mark) for one in events_of(number)], frames_of, models(COUNT))
        for number in negotiated()
        for mark in ("0", "1000000")
    ]
    assert any(one.secret and one.secret.to_walk_away for s in seen for one in s.review.moves)
    assert any(one.secret for s in seen for one in s.review.assessment.findings)
