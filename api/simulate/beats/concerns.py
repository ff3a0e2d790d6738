"""What the customer objects to and fears: raised, given to somebody, resolved or lived with."""

from functools import partial

from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.needs.commands import AcceptConcern, AssignConcern, RaiseConcern, ResolveConcern
from domain.needs.facts import ConcernCause, ConcernKind
from domain.process import BuyingPhase

_OBJECTIONS = {
    BuyingPhase.DECISION: (ConcernCause.NEED_NOT_DEVELOPED, ConcernCause.HABIT),
    BuyingPhase.CRITERIA: (ConcernCause.VALUE_NOT_SEEN, ConcernCause.HABIT),
    BuyingPhase.MEASUREMENT: (ConcernCause.VALUE_NOT_SEEN, ConcernCause.OVER_BUDGET),
    BuyingPhase.INVESTIGATION: (ConcernCause.RISK, ConcernCause.OVER_BUDGET, ConcernCause.RISK),
    BuyingPhase.SELECTION: (ConcernCause.RISK,),
}
_RAISED_BY = {
    ConcernCause.OVER_BUDGET: ("buyer", "fin", "mid"),
    ConcernCause.RISK: ("dm", "mid", "eng"),
    ConcernCause.HABIT: ("user", "mid"),
    ConcernCause.VALUE_NOT_SEEN: ("fin", "dm", "mid"),
    ConcernCause.NEED_NOT_DEVELOPED: ("mid", "user"),
}
_DELIVERING = (BuyingPhase.INVESTIGATION, BuyingPhase.SELECTION)


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """What comes up in this stay, and what is done about it."""
    planned: list[Cue] = []
    share = 0.55 if chapter.phase in _DELIVERING else 0.22
    if chapter.phase in _OBJECTIONS and plot.chance(share - 0.06 * plot.health):
        cause = plot.rng.choice(_OBJECTIONS[chapter.phase])
        raised = partial(raise_one, cause=cause)
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.05, 0.6)), raised))
    if chapter.last and chapter.goes_on and plot.chance(0.6 + 0.4 * plot.owner.habits.discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.8, 0.97)), settle_all))
    elif plot.chance(0.2 + 0.6 * plot.owner.habits.discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.6, 0.95)), answer_one))
    return planned


def raise_one(plot: Plot, cause: ConcernCause) -> Entries:
    """They object, or fear something; the careful give it to somebody at once."""
    by = next((plot.met(key) for key in _RAISED_BY[cause] if plot.met(key)), None)
    fear = cause is ConcernCause.RISK
    careful = plot.chance(0.15 + 0.6 * plot.owner.habits.discipline)
    plot.feels(-0.04)
    yield plot.happened(
        RaiseConcern(
            id=plot.name("concern"),
            kind=ConcernKind.CONCERN if fear else ConcernKind.OBJECTION,
            topic=plot.label(f"concern.{cause.value}"),
            cause=cause,
            by=by,
            owner=_takes_it(plot, cause) if careful else None,
        )
    )


def _takes_it(plot: Plot, cause: ConcernCause) -> str:
    team = plot.premise.team
    if cause is ConcernCause.RISK and plot.chance(0.4):
        return plot.engineer.id
    if cause is ConcernCause.OVER_BUDGET and plot.chance(0.3):
        return team.manager.id
    return plot.owner.id


def assign(plot: Plot) -> Entries:
    """Give every open concern to somebody."""
    for concern in plot.deal.needs.open_concerns:
        if concern.owner is None:
            cause = concern.raised.fact.cause or ConcernCause.OTHER
            yield plot.typed(AssignConcern(concern.id, _takes_it(plot, cause)))


def answer_one(plot: Plot) -> Entries:
    """Settle the concern that is open longest."""
    concerns = plot.deal.needs.open_concerns
    if not concerns or (plot.chapter is not None and plot.chapter.cause is not None):
        return
    yield from _settle(plot, concerns[0].id, concerns[0].raised.fact.cause)


def settle_all(plot: Plot) -> Entries:
    """Resolve every open concern, or have them live with it."""
    for concern in plot.deal.needs.open_concerns:
        yield from _settle(plot, concern.id, concern.raised.fact.cause)


def _settle(plot: Plot, concern: str, cause: ConcernCause | None) -> Entries:
    if plot.chance(0.14):
        by = plot.met("dm") or plot.met("mid")
        yield plot.happened(AcceptConcern(concern, by, plot.text("concern.accepted")))
        return
    plot.feels(0.02)
    key = cause.value if cause is not None else ConcernCause.RISK.value
    yield plot.happened(ResolveConcern(concern, plot.text(f"resolved.{key}")))
