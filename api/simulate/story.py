"""The course of one deal: an opening, stays in stages, an end, and what follows.

A stay in a stage is planned when it begins: how it will end, how long it takes, and which scenes it
has. Each concern of `PLANNERS` adds its scenes; a new one is added there.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from api.simulate import chances
from api.simulate.beats import (
    buying,
    competition,
    concerns,
    contacts,
    criteria,
    delivery,
    forecast,
    gates,
    moves,
    needs,
    negotiation,
    outcome,
    people,
    planting,
    pursuit,
    remarks,
    steps,
    tender,
    undoing,
)
from api.simulate.plot import Beat, Chapter, Cue, Entries, Plot
from api.simulate.workdays import month_end, quarter_end
from domain.lifecycle.commands import AddNote, OpenOpportunity
from domain.lifecycle.facts import LostOutcome, SpendKind
from domain.process import BuyingPhase

PLANNERS: tuple[Callable[[Plot, Chapter], list[Cue]], ...] = (
    gates.cues,
    contacts.cues,
    people.cues,
    needs.cues,
    concerns.cues,
    buying.cues,
    criteria.cues,
    tender.cues,
    competition.cues,
    negotiation.cues,
    pursuit.cues,
    forecast.cues,
    remarks.cues,
    undoing.cues,
    planting.cues,
)
"""Who adds scenes to a stay. Each is asked once, when the stay begins."""


def tell(plot: Plot) -> Entries:
    """The whole story. It goes on past the end of the period, where the chronicle stops reading."""
    yield from _play(plot, plot.premise.opened_at, _opening, lag=timedelta(minutes=5))
    while True:
        if plot.premise.duplicate_of is not None and plot.position < _NOTICED_BY:
            yield from _play(plot, plot.desk + plot.days(6, 30), moves.merge)
            return
        if _rests(plot):
            yield from _rest(plot)
            if plot.deal.life.status.closed:
                return
        if moves.outgrows_process(plot):
            yield from _play(plot, plot.desk + plot.days(1, 9), moves.change_process)
        chapter = plan_chapter(plot)
        yield from _stay(plot, chapter)
        if chapter.outcome is not None:
            yield from _end_lost(plot, chapter.end, chapter.outcome)
            if plot.deal.life.status.closed:
                return
        elif chapter.goes_on and _is_fated(plot, chapter):
            yield from _reviews(plot, chapter.end)
            yield from _end_lost(plot, chapter.end, _fated_end(plot, chapter))
            return
        elif chapter.goes_on and chapter.last:
            yield from _play(plot, chapter.end, outcome.win)
            yield from _after_win(plot)
            if plot.deal.life.status.closed:
                return
        elif chapter.goes_on:
            yield from _play(plot, chapter.end, moves.advance)
        else:
            yield from _play(plot, chapter.end, moves.regress)


_NOTICED_BY = 3
"""Duplicates are noticed before this stage, or never."""


def _play(plot: Plot, at: datetime, beat: Beat, lag: timedelta | None = None) -> Entries:
    """One scene, after the monthly reviews that come before it."""
    yield from _reviews(plot, at)
    yield from _scene(plot, at, beat, lag)


def _reviews(plot: Plot, until: datetime) -> Entries:
    for day in forecast.reviews_due(plot, until):
        yield from _scene(plot, plot.hours.meeting(day, plot.rng), forecast.review)


def _scene(plot: Plot, at: datetime, beat: Beat, lag: timedelta | None = None) -> Entries:
    """One scene. If the owner has left by then, the deal is handed over first."""
    plot.scene(at, lag)
    here = plot.owner.here_on(plot.hours.day(plot.desk))
    if not here and plot.deal.life.owner is not None and not plot.deal.life.status.closed:
        yield from moves.hand_over(plot)
        plot.scene(plot.desk, lag)
    yield from beat(plot)
    yield from planting.keep_going(plot)


# The opening.


def _opening(plot: Plot) -> Entries:
    premise = plot.premise
    project = premise.project
    service = project.product.service
    yield plot.happened(
        OpenOpportunity(
            name=premise.name,
            owner=premise.seller.id,
            currency=premise.amount.currency,
            process=premise.process,
            stage=plot.processes.get(premise.process).stages[premise.stage].id,
            account=project.customer.account,
            business_type=premise.business_type,
            spend_kind=SpendKind.OPERATING if service else SpendKind.CAPITAL,
            products=(project.product.name.en,),
            territory=project.territory.name,
            region=project.territory.region,
            route=premise.route,
            lead_source=premise.lead_source,
            reference=premise.reference,
        )
    )
    taken_over = premise.stage > 0
    yield from pursuit.assign_manager(plot)
    yield from people.take_stock(plot, taken_over)
    if taken_over or plot.chance(0.6):
        key = "note.taken-over" if taken_over else "note.opening"
        yield plot.typed(AddNote(plot.text(key)))
    if plot.chance(0.45):
        yield from pursuit.qualify(plot)
    if taken_over or plot.chance(0.35):
        yield from forecast.set_first(plot)
    if plot.chance(0.3 + 0.6 * plot.owner.habits.diligence):
        phase = plot.stage.decision_phase or BuyingPhase.SATISFACTION
        yield from steps.plan(plot, plot.moment + plot.days(3, 14), phase)


# Stays.


def plan_chapter(plot: Plot) -> Chapter:
    """Settle how the coming stay ends, and when."""
    stage = plot.stage
    phase = stage.decision_phase or BuyingPhase.SATISFACTION
    last = plot.position == len(plot.selling) - 1
    end = _fate(plot, phase)
    goes_on = end is None and not plot.chance(chances.regression(plot.position, plot.health))
    start = max(plot.moment, plot.desk)
    days = stage.expected_days * plot.tempo * plot.rng.lognormvariate(0.0, 0.28)
    days *= 0.8 + 0.3 * plot.owner.habits.discipline
    visits = sum(visit.stage == stage.id for visit in plot.deal.stages.visits)
    days *= 0.6 if visits > 1 else 1.0
    days *= chances.LINGERING[end] if end else 1.0
    ends_on = start + timedelta(days=max(4.0, days))
    if goes_on and last:
        ends_on = max(ends_on, start + _TALKS)
        ends_on = _signing(plot, start, ends_on)
    elif end is LostOutcome.NO_DECISION and plot.chance(0.4):
        ends_on = max(ends_on, _clean_up(plot, ends_on))
    cause = undoing.cause_of(plot, end) if end is not None else None
    plot.cause = cause or plot.cause
    chapter = Chapter(stage, phase, start, ends_on, goes_on, last, end, cause)
    plot.chapter = chapter
    return chapter


_TALKS = timedelta(days=15)
"""Nobody gets from a first choice to a signature sooner."""


def _fate(plot: Plot, phase: BuyingPhase) -> LostOutcome | None:
    """How the deal is lost in this stay, or None: also where its fate is settled elsewhere."""
    if plot.fate is not None:
        return None
    if plot.revoked and plot.chance(0.7):
        return LostOutcome.LOST_TO_COMPETITOR if plot.premise.contested else LostOutcome.NO_DECISION
    if not plot.chance(chances.loss(phase, len(plot.selling), plot.health)):
        return None
    weights = chances.outcomes(phase, plot.premise.tender, plot.premise.contested)
    return plot.rng.choices(list(weights), list(weights.values()))[0]


def _is_fated(plot: Plot, chapter: Chapter) -> bool:
    """Whether the deal is lost where it would move on or be won, as was settled at its opening."""
    return plot.fate is not None and plot.fate.loses(chapter.phase, chapter.last)


def _fated_end(plot: Plot, chapter: Chapter) -> LostOutcome:
    """In which way it is lost, and by what they will say."""
    weights = chances.planted_outcomes(chapter.phase, plot.premise.contested)
    end = plot.rng.choices(list(weights), list(weights.values()))[0]
    plot.cause = undoing.cause_of(plot, end)
    return end


def _signing(plot: Plot, start: datetime, natural: datetime) -> datetime:
    """Signatures come in the last days of a quarter, where one is near."""
    day = plot.hours.day(natural)
    end = quarter_end(day - timedelta(days=_DAYS_AFTER_QUARTER))
    if abs((end - day).days) > _DAYS_BEFORE_QUARTER or plot.chance(0.15):
        return natural
    last_days = end - timedelta(days=plot.rng.choice((1, 2, 3, 4, 5, 7, 9, 12)))
    signing = plot.hours.meeting(plot.hours.until_day(last_days), plot.rng)
    return signing if signing > start + timedelta(days=12) else natural


_DAYS_BEFORE_QUARTER = 38
_DAYS_AFTER_QUARTER = 10
"""Within so many days of a quarter's end, a signature is hurried or held over to it."""


def _clean_up(plot: Plot, natural: datetime) -> datetime:
    """Dead deals are closed when the month is cleaned up."""
    return plot.hours.meeting(month_end(plot.hours.day(natural)), plot.rng)


def _stay(plot: Plot, chapter: Chapter) -> Entries:
    cues = [cue for planner in PLANNERS for cue in planner(plot, chapter)]
    if plot.chance(0.025):
        cues.append(Cue(chapter.moment(plot.rng.random()), moves.reassign))
    for cue in sorted(cues, key=lambda cue: cue.at):
        yield from _play(plot, cue.at, cue.beat)
    if chapter.goes_on and chapter.last:
        yield from _play(plot, chapter.moment(0.9), outcome.clear_the_way)


# Rest.


def _rests(plot: Plot) -> bool:
    suspended = plot.deal.life.suspension is not None
    return (
        not suspended
        and plot.position > 0
        and plot.chance(chances.shifted(0.022, plot.health, 0.5))
    )


def _rest(plot: Plot) -> Entries:
    start = max(plot.moment, plot.desk)
    yield from _play(plot, start + plot.days(2, 12), moves.suspend)
    suspension = plot.deal.life.suspension
    assert suspension is not None
    assert suspension.fact.until is not None
    until = plot.hours.meeting(suspension.fact.until, plot.rng) + plot.days(-10, 25)
    if plot.fate is None and plot.chance(_NEVER_RESUMED):
        yield from _end_lost(plot, until, LostOutcome.NO_DECISION)
    else:
        yield from _play(plot, until, moves.resume)


_NEVER_RESUMED = 0.15


# Ends.


def _end_lost(plot: Plot, at: datetime, end: LostOutcome) -> Entries:
    lag = outcome.learned_after(plot, end)

    def lose(plot: Plot) -> Entries:
        yield from outcome.lose(plot, end)

    yield from _play(plot, at, lose, lag)
    yield from outcome.explain_loss(plot, end)
    if plot.fate is None and outcome.comes_back(plot, end):
        yield from _play(plot, plot.desk + plot.days(25, 150), outcome.reopen)


def _after_win(plot: Plot) -> Entries:
    if plot.fate is None and not plot.reopened and plot.chance(0.02):
        yield from _play(plot, plot.desk + plot.days(4, 20), outcome.revoke_win)
        return
    yield from _play(plot, plot.desk + plot.days(0.5, 9), moves.advance)
    yield from delivery.deliver(plot)
