"""Next steps: planned with an objective, done or put off."""

from datetime import datetime, timedelta

from api.simulate.causes import NO_NEXT_STEP
from api.simulate.centre import KEYS
from api.simulate.plot import Entries, Plot
from domain.lifecycle.commands import CompleteNextStep, PlanNextStep
from domain.process import BuyingPhase


def plan(
    plot: Plot, due: datetime, phase: BuyingPhase, with_objective: bool | None = None
) -> Entries:
    """Plan the next step, if none is open. By default diligence decides on an objective."""
    flawed = plot.flaw(NO_NEXT_STEP)
    if plot.open_step is not None or (flawed is None and _ends_soon(plot)):
        return
    plot.steps += 1
    words = plot.step_phrases(phase)
    plot.open_step = (f"step-{plot.steps}", words)
    careful = with_objective or plot.chance(0.35 + 0.65 * plot.owner.habits.diligence)
    careful = careful and not flawed
    # Where others always have one, the next step is agreed on in the scene, not at the desk.
    make = plot.typed if flawed is not False else plot.happened
    yield make(
        PlanNextStep(
            id=plot.open_step[0],
            what=plot.phrase(words.what),
            owner=plot.owner.id,
            objective=plot.phrase(words.objective) if careful else None,
            due=plot.hours.from_day(plot.hours.day(due)),
        )
    )


def _ends_soon(plot: Plot) -> bool:
    """Whether the deal ends within days, so that nothing more comes of a plan."""
    chapter = plot.chapter
    if chapter is None or not (chapter.outcome is not None or (chapter.goes_on and chapter.last)):
        return False
    return chapter.end - plot.moment < _LAST_DAYS


_LAST_DAYS = timedelta(days=6)


def aim(plot: Plot) -> tuple[str | None, list[str]]:
    """The objective of the open step, and the functions of the customer's people it names."""
    step = plot.deal.life.step(plot.open_step[0]) if plot.open_step else None
    if step is None:
        return None, []
    planned = step.planned.fact
    facts = plot.premise.facts
    named = [k for k in KEYS if facts[k].en in planned.what or facts[k].zh in planned.what]
    return planned.objective, named


def plan_with_objective(plot: Plot, due: datetime, phase: BuyingPhase) -> Entries:
    """Have an open step with an objective: a new one, or the open one with its objective added."""
    if plot.open_step is None:
        yield from plan(plot, due, phase, with_objective=True)
        return
    step = plot.deal.life.step(plot.open_step[0])
    assert step is not None
    planned = step.planned.fact
    if planned.objective is None and not plot.flaw(NO_NEXT_STEP):
        objective = plot.phrase(plot.open_step[1].objective)
        at_least = plot.hours.from_day(plot.hours.day(due))
        when = max(planned.due or at_least, at_least)
        yield plot.typed(PlanNextStep(planned.id, planned.what, planned.owner, objective, when))


def put_off(plot: Plot) -> Entries:
    """Give the open step a later date."""
    if plot.open_step is None:
        return
    step = plot.deal.life.step(plot.open_step[0])
    assert step is not None
    planned = step.planned.fact
    later = plot.today + timedelta(days=plot.rng.randint(6, 20))
    due = plot.hours.from_day(later)
    yield plot.typed(PlanNextStep(planned.id, planned.what, planned.owner, planned.objective, due))


def settle(plot: Plot) -> Entries:
    """Nothing that was planned stays open when the deal ends."""
    if plot.open_step is None:
        return
    step_id, _ = plot.open_step
    plot.open_step = None
    yield plot.happened(CompleteNextStep(step_id))


def complete(plot: Plot) -> Entries:
    """Do the open step; a few are noted down only weeks later."""
    if plot.open_step is None:
        return
    step_id, words = plot.open_step
    plot.open_step = None
    result = plot.phrase(words.result) if plot.chance(0.85) else None
    plot.feels(0.03)
    if plot.chance(0.10 * (1 - plot.owner.habits.diligence)):
        yield plot.known_later(CompleteNextStep(step_id, result), plot.days(6, 30))
    else:
        yield plot.happened(CompleteNextStep(step_id, result))
    if plot.flaw(NO_NEXT_STEP) is False:
        phase = plot.stage.decision_phase or BuyingPhase.SATISFACTION
        yield from plan(plot, plot.moment + plot.days(5, 14), phase, with_objective=True)
