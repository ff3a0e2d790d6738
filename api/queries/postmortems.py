"""The post-mortem of one deal."""

from datetime import datetime

from api.queries.cohorts import Learned, Progress, learning, untold
from api.queries.deals import Then
from api.queries.instants import Instants
from api.queries.replays import Played, moves_of, no_return_of, played
from api.queries.views import View
from api.wire.comparisons import Comparison
from api.wire.deals import Deal
from api.wire.findings import Finding, NotAssessable
from api.wire.moves import TurningPoint
from api.wire.negotiation import DealNegotiations
from api.wire.people import StakeholderMap
from api.wire.postmortems import Lesson, OutcomeReason, PostMortem
from domain.deal import Deal as DealState
from domain.lifecycle import Life
from domain.lifecycle.facts import OpportunityLost
from domain.process import Words
from projections.findings import Finding as Found
from projections.findings import Weight
from projections.frames import Frame
from projections.instants import days_between
from projections.review import Review, compared
from store.times import written

MAIN_TURNING_POINTS = 5
"""So many are marked on the curve, and told first."""
MOST_LESSONS = 6


def postmortem_of(view: View, at: Instants, progress: Progress = untold) -> PostMortem:
    """The deal looked back on from (as of, known at). Raises DealNotFound, NothingThen."""
    game = played(view, at)
    with learning(view.store, game.moments, progress, view.beside) as learned:
        then, seen = game.then, game.reviewed(learned)
        comparison = _compared(game, seen, learned)
    main = seen.main_turning_points(MAIN_TURNING_POINTS)
    best = _best(seen)
    numbers = {point.move: number for number, point in enumerate(seen.turning_points, start=1)}
    life = then.state.life
    end = min(life.closed_at or then.as_of, then.as_of)
    return PostMortem(
        as_of=written(then.as_of),
        known_at=written(then.known_at),
        deal=then.deal,
        days=days_between(life.opened_at or end, end),
        furthest_stage=_furthest(then),
        lost_to=_lost_to(then.state),
        reasons=_reasons(life, then),
        moves=moves_of(seen, then),
        findings=[Finding.of(finding) for finding in seen.assessment.findings],
        not_assessable=NotAssessable.all_of(seen.assessment),
        turning_points=TurningPoint.all_of(seen, then.names),
        main_turning_points=[numbers[point.move] for point in main],
        point_of_no_return=no_return_of(seen),
        best_move=None if best is None else seen.moves[best].number,
        map_at_best=None if best is None else _map(then, game.frames[best]),
        map_at_the_end=StakeholderMap.of(then.deal, then.state, as_of=end, known_at=then.known_at),
        negotiations=DealNegotiations.of(
            then.deal,
            then.state,
            view.store.log.organisation(),
            then.names,
            secrets_shown=game.secrets,
            as_of=then.as_of,
            known_at=then.known_at,
        ),
        comparison=comparison,
        lessons=_lessons(seen, life),
        caveats=learned.caveats,
    )


def _best(seen: Review) -> int | None:
    """The move behind which the deal stood best; None without estimates."""
    known = [
        (one.estimate.probability, -index)
        for index, one in enumerate(seen.judged)
        if one.estimate is not None and one.estimate.probability is not None
    ]
    return -max(known)[1] if known else None


def _compared(game: Played, seen: Review, learned: Learned) -> Comparison | None:
    """At the point of no return, else where the estimate first fell far, else at the last move."""
    running = [index for index, one in enumerate(seen.judged) if one.measured is not None]
    if not running or learned.missing is not None:
        return None
    index = seen.no_return
    if index is None:
        falls = [point.move for point in seen.turning_points if point.fall is not None]
        index = falls[0] if falls else running[-1]
    found = compared(seen, index, game.frames, game.then.processes, learned)
    move = seen.moves[index]
    return None if found is None else Comparison.of(found, move.number, written(move.at))


def _furthest(then: Then) -> str:
    """The stage furthest on in the process that the deal stood in before its outcome."""
    life = then.state.life
    assert life.process is not None
    process = then.processes.get(life.process)
    closed_at = life.closed_at
    stood = [
        visit.stage
        for visit in then.state.stages.visits
        if closed_at is None or visit.entered_at <= closed_at
    ]
    return max(stood, key=lambda stage: process.position(stage) or 0, default=then.deal.stage)


def _lost_to(state: DealState) -> str | None:
    outcome = state.life.outcome
    if outcome is None or not isinstance(outcome.fact, OpportunityLost):
        return None
    competitor = outcome.fact.competitor
    known = state.field.competitor(competitor) if competitor else None
    return known.fact.name if known else competitor


def _reasons(life: Life, then: Then) -> list[OutcomeReason]:
    return [
        OutcomeReason(
            event.fact.told_by,
            event.fact.driver,
            event.fact.text,
            then.names.user(event.actor),
            written(event.occurred_at),
            event.version,
        )
        for event in life.outcome_reasons
    ]


def _map(then: Then, frame: Frame) -> StakeholderMap:
    """The people as they stood behind a frame."""
    at: datetime = frame.at
    deal: Deal = then.deal
    return StakeholderMap.of(deal, frame.after, as_of=at, known_at=then.known_at)


def _lessons(seen: Review, life: Life) -> list[Lesson]:
    """What the debriefs say, then the practice of the rules that were broken most heavily."""
    said = [
        Lesson(Words(text), "debrief", [], [event.version])
        for event in life.debriefs
        for text in event.fact.lessons
    ]
    broken: dict[str, list[Found]] = {}
    for finding in seen.assessment.findings:
        if finding.weight is not Weight.NOTE:
            broken.setdefault(finding.practice.en, []).append(finding)
    ranked = sorted(broken.values(), key=_heaviness, reverse=True)
    learned = [
        Lesson(found[0].practice, "practice", sorted({one.rule for one in found}), [])
        for found in ranked
    ]
    return [*said, *learned[:MOST_LESSONS]]


def _heaviness(findings: list[Found]) -> tuple[int, int]:
    return sum(one.weight is Weight.BLUNDER for one in findings), len(findings)
