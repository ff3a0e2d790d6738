"""Work on the gate of a stage: visits on which criteria are met, and what is made up for later."""

from functools import partial

from api.simulate.beats import forecast, pursuit, steps
from api.simulate.material import phrases
from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.lifecycle.commands import ReviseOpportunity
from domain.process import BuyingPhase, Criterion
from domain.stages.commands import AttestGateCriterion

_TECHNICAL = {
    "technical-requirement-known",
    "engineers-met",
    "technical-plan-backed",
    "front-line-relationship",
}
"""Criteria that our engineer confirms, where there is one on the deal."""

_ONLY_UNCONTESTED = {
    "competitors-known",
    "competitors-compared",
    "scored-against-strongest-competitor",
}
_ABOUT_COMPETITORS = _ONLY_UNCONTESTED | {"competitor-move-known"}

_NEAR_WINNING = {
    "first-choice-confirmed",
    "preference-stated",
    "issues-agreed",
    "concerns-closed",
    "concerns-resolved",
    "terms-agreed",
}
_HOPE = 0.2
"""How often we hear from those who do not choose us that they will."""

_LAST = "next-step-planned"
_WON = "won"


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """The visits of this stay, and the criteria that each of them meets."""
    share, losing = _share(plot, chapter), chapter.outcome is not None
    achieved = [
        criterion
        for criterion in to_meet(plot)
        if plot.chance(share * _HOPE if criterion.id in _NEAR_WINNING and losing else share)
    ]
    count = max(1, min(4, round(chapter.days / 14 + plot.rng.uniform(-0.4, 0.6))))
    if not chapter.goes_on:
        count = max(1, count - 1)
    planned: list[Cue] = []
    for index in range(count):
        at = chapter.moment((index + plot.rng.uniform(0.25, 0.85)) / count)
        criteria = _on_visit(achieved, index, count)
        planned.append(Cue(at, partial(visit, criteria=criteria, chapter=chapter)))
    return planned


def _share(plot: Plot, chapter: Chapter) -> float:
    """How much of what is missing gets done. Before a signature it is almost all."""
    discipline = plot.owner.habits.discipline
    if not chapter.goes_on:
        return 0.25 + 0.4 * discipline
    return 0.95 if chapter.last else 0.74 + 0.25 * discipline


def to_meet(plot: Plot) -> list[Criterion]:
    """What the gate still needs. The signature is an outcome and has a scene of its own."""
    return [c for c in plot.gate.missing_criteria() if c.predicate != _WON]


def _on_visit(achieved: list[Criterion], index: int, count: int) -> list[Criterion]:
    """The share of one visit; what is planned for after the last one comes with the last."""
    now = [c for c in achieved if c.predicate != _LAST]
    share = now[index * len(now) // count : (index + 1) * len(now) // count]
    if index == count - 1:
        share += [c for c in achieved if c.predicate == _LAST]
    return share


def visit(plot: Plot, criteria: list[Criterion], chapter: Chapter) -> Entries:
    """See the customer: do the step that was planned, learn something, plan the next step."""
    if plot.chance(0.45 + 0.5 * plot.owner.habits.diligence):
        yield from steps.complete(plot)
    elif plot.chance(0.5):
        yield from steps.put_off(plot)
    else:
        plot.feels(-0.05)
    for criterion in criteria:
        yield from meet(plot, criterion)
    if plot.chance(0.35 + 0.6 * plot.owner.habits.diligence):
        due = plot.moment + plot.days(5, 18)
        yield from steps.plan(plot, due, _phase_ahead(plot, chapter))
    else:
        plot.feels(-0.05)


def _phase_ahead(plot: Plot, chapter: Chapter) -> BuyingPhase:
    """The phase that the next step is for: late in a stay, that of the next stage."""
    late = plot.moment > chapter.moment(0.7)
    if late and not chapter.last:
        following = plot.selling[plot.position + 1].decision_phase
        return following or chapter.phase
    return chapter.phase


def meet(plot: Plot, criterion: Criterion) -> Entries:
    """Do what a criterion asks for."""
    phase = plot.stage.decision_phase or BuyingPhase.SATISFACTION
    match criterion.predicate:
        case "account-and-source-recorded":
            sources = plot.rng.choice(("referral", "inbound enquiry", "cold call"))
            yield plot.typed(ReviseOpportunity(lead_source=sources))
        case "go-no-go-decided":
            yield from pursuit.assess(plot)
        case "next-step-planned":
            yield from steps.plan_with_objective(plot, plot.moment + plot.days(4, 14), phase)
        case "deal-team-of-two-roles":
            yield from pursuit.assign_team(plot)
        case "win-plan-set":
            yield from pursuit.set_win_plan(plot)
        case "close-date-and-amount-forecast":
            yield from forecast.set_first(plot)
        case _:
            yield from attest(plot, criterion)


def attest(plot: Plot, criterion: Criterion) -> Entries:
    """Confirm a criterion, or that it does not apply."""
    technical = criterion.id in _TECHNICAL and plot.engineer.id in plot.deal.life.team_ids
    by = plot.engineer if technical and plot.chance(0.6) else None
    plot.feels(0.012)
    yield plot.happened(attestation(plot, criterion), by)


def attestation(plot: Plot, criterion: Criterion) -> AttestGateCriterion:
    """What is written to confirm a criterion."""
    absent = f"absent.{criterion.id}"
    nobody = criterion.id in _ABOUT_COMPETITORS and not plot.premise.contested
    sometimes = criterion.id not in _ONLY_UNCONTESTED and plot.chance(0.14)
    if absent in phrases().remarks and (nobody or sometimes):
        return AttestGateCriterion(criterion.id, plot.text(absent), applies=False)
    return AttestGateCriterion(criterion.id, plot.text(f"attest.{criterion.id}"))


def make_up_for(plot: Plot, criteria: list[Criterion]) -> Entries:
    """A round of work on what is missing."""
    for criterion in criteria:
        yield from meet(plot, criterion)


def paperwork(plot: Plot, criteria: list[Criterion]) -> Entries:
    """What was true before the gate was overridden, and is only written down weeks later."""
    for criterion in criteria:
        if criterion.predicate is None and plot.chance(0.4):
            yield plot.known_later(attestation(plot, criterion), plot.days(5, 32))
