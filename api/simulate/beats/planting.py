"""Flaws that are planted in a deal: its story shows them, and that of other deals does not."""

from functools import partial

from api.simulate.beats import contacts, steps
from api.simulate.causes import NO_MINUTES, NO_NEXT_STEP, TOO_EARLY
from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.lifecycle.life import Status
from domain.process import BuyingPhase


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """The scenes in which a flaw shows, and those that it takes to tell that others lack it."""
    planned: list[Cue] = []
    first = len(plot.deal.stages.visits) == 1
    if plot.flaw(TOO_EARLY) and first:
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.02, 0.1)), contacts.hasty_demo))
    if plot.flaw(NO_MINUTES) is not None and _reaches_the_top(plot, chapter):
        at_the_top = partial(contacts.at_the_top, remarks=["visit.with.dm"])
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.6)), at_the_top))
    return planned


def _reaches_the_top(plot: Plot, chapter: Chapter) -> bool:
    middle = chapter.phase in (BuyingPhase.CRITERIA, BuyingPhase.MEASUREMENT)
    return middle and plot.met("dm") is None


def keep_going(plot: Plot) -> Entries:
    """Where planning next steps is what sets deals apart, the others always have one planned."""
    chapter = plot.chapter
    if plot.flaw(NO_NEXT_STEP) is not False or plot.deal.life.status is not Status.OPEN:
        return
    if chapter is not None and chapter.last and plot.moment > chapter.moment(0.85):
        return
    step = plot.deal.life.step(plot.open_step[0]) if plot.open_step else None
    due = step.planned.fact.due if step else None
    if due is not None and due < plot.today:
        yield from steps.put_off(plot)
    phase = plot.stage.decision_phase or BuyingPhase.SATISFACTION
    if step is None or step.planned.fact.objective is None:
        yield from steps.plan_with_objective(plot, plot.moment + plot.days(5, 14), phase)
