"""Moves: forward through a gate met or overridden, back, to rest, into other hands."""

from datetime import timedelta

from api.simulate.beats import buying, forecast, gates, negotiation
from api.simulate.cast import User
from api.simulate.causes import OVERRIDDEN
from api.simulate.plot import Entries, Plot
from api.simulate.workdays import quarter_end
from domain.corrections import MergeDeal
from domain.lifecycle.commands import (
    ChangeOwner,
    ChangeProcess,
    ResumeOpportunity,
    SuspendOpportunity,
)
from domain.lifecycle.life import Status
from domain.process import BuyingPhase
from domain.stages.commands import (
    AdvanceStage,
    RegressStage,
    RevokeGateCriterion,
)
from domain.stages.facts import RevisionCause
from domain.values import ProcessRef, Side

_QUARTER_END_DAYS = 12


def advance(plot: Plot) -> Entries:
    """Go on to the next stage: with the gate met, after more work on it, or by an override."""
    rounds = 0
    won = plot.deal.life.status is Status.WON
    by_plan = plot.flaw(OVERRIDDEN) is not None and not won
    while not won and (missing := gates.to_meet(plot)) and rounds < 3:
        if not by_plan and _overrides(plot):
            break
        rounds += 1
        some = missing if plot.chance(plot.owner.habits.discipline) else missing[::2]
        plot.scene(plot.desk + plot.days(2, 9))
        yield from gates.make_up_for(plot, some)
    plot.scene(plot.desk, lag=timedelta(minutes=plot.rng.randint(2, 30)))
    plot.catch_up()
    if by_plan:
        yield from gates.see_to(plot, gates.to_meet(plot))
        plot.catch_up()
    skipped = not by_plan and _skips(plot)
    if not gates.still_missing(plot) and not skipped:
        plot.feels(0.1)
        yield plot.typed(AdvanceStage(plot.process.stages[plot.position + 1].id))
        return
    yield from _override(plot, skipped)


def _overrides(plot: Plot) -> bool:
    """Whether seller and manager would rather go on than do what is missing."""
    hurry = 1 - plot.owner.habits.discipline
    leniency = 1 - plot.manager.habits.discipline
    days_left = (quarter_end(plot.today) - plot.today).days
    pressure = 0.25 if days_left < _QUARTER_END_DAYS else 0.0
    return plot.chance(min(0.9, 0.9 * hurry * (0.45 + leniency) + pressure * hurry))


def _skips(plot: Plot) -> bool:
    two_on = plot.position + 2 < len(plot.selling)
    return two_on and plot.chance(0.012 + 0.045 * (1 - plot.owner.habits.discipline))


def _override(plot: Plot, skipped: bool) -> Entries:
    missing = gates.still_missing(plot)
    stages = plot.selling if skipped else plot.process.stages
    to = stages[plot.position + (2 if skipped else 1)].id
    plot.feels(-0.4 if skipped else 0.0)
    plot.feels(-min(0.7, 0.20 + 0.10 * len(missing)) if missing else 0.0)
    yield from gates.paperwork(plot, gates.to_meet(plot))
    key = "skip" if skipped else "override"
    won = plot.deal.life.status is Status.WON
    reason = plot.text("override.signed" if won else key)
    yield plot.typed(AdvanceStage(to=to, override_reason=reason), by=plot.manager)


# Back.


def regress(plot: Plot) -> Entries:
    """Fall back one or two stages: what was confirmed there has to be shown again."""
    side = plot.rng.choices((Side.CUSTOMER, Side.US, Side.COMPETITOR), _driving(plot))[0]
    plot.feels({Side.US: -0.35, Side.CUSTOMER: -0.2, Side.COMPETITOR: -0.45}[side])
    target = max(0, plot.position - (1 if plot.chance(0.7) else 2))
    if (ended := negotiation.broken_off(plot)) is not None:
        yield ended
    if plot.chance(0.35 + 0.45 * plot.owner.habits.discipline):
        yield from buying.step_back(plot, side, plot.position - target)
    yield from _revoke(plot, target, side)
    yield plot.typed(
        RegressStage(
            plot.process.stages[target].id, plot.text(f"regress.{side.value}"), driven_by=side
        )
    )
    if plot.chance(0.55):
        cause = {Side.US: RevisionCause.US, Side.CUSTOMER: RevisionCause.CUSTOMER}.get(side)
        yield from forecast.push(plot, cause or RevisionCause.UNKNOWN)


def _driving(plot: Plot) -> tuple[float, float, float]:
    """How much the customer, we and a competitor have to do with it."""
    theirs = max(0.5, 2.0 - plot.health) if plot.premise.contested else 0.0
    return (4.0, 2.0 + 2.0 * (1 - plot.owner.habits.discipline), theirs)


def _revoke(plot: Plot, target: int, side: Side) -> Entries:
    concerned = {
        criterion.id
        for stage in plot.process.stages[target : plot.position + 1]
        for criterion in stage.gate
    }
    attested = [e.fact.criterion for e in plot.deal.stages.attestations if not e.fact.aspect]
    standing = [criterion for criterion in attested if criterion in concerned]
    count = min(len(standing), plot.rng.choice((1, 1, 2, 3)))
    for criterion in plot.rng.sample(standing, count):
        yield plot.happened(RevokeGateCriterion(criterion, plot.text(f"revoke.{side.value}")))


# Rest.


def suspend(plot: Plot) -> Entries:
    """Let the deal rest until a day."""
    rest = timedelta(days=plot.rng.randint(45, 150))
    plot.feels(-0.2)
    yield plot.happened(
        SuspendOpportunity(plot.text("suspend"), plot.hours.from_day(plot.today + rest))
    )
    if plot.chance(0.6):
        yield from forecast.push(plot, RevisionCause.CUSTOMER)


def resume(plot: Plot) -> Entries:
    """Go on with a resting deal."""
    yield plot.happened(ResumeOpportunity(plot.text("resume") if plot.chance(0.9) else None))
    expected = plot.deal.stages.expected_close
    if expected is not None and expected < plot.today:
        yield from forecast.push(plot, RevisionCause.CUSTOMER)


# Other hands, another process, another deal.


def merge(plot: Plot) -> Entries:
    """It turns out to be a deal that somebody else has opened before."""
    assert plot.premise.duplicate_of is not None
    yield plot.typed(MergeDeal(plot.premise.duplicate_of, plot.text("merge")), by=plot.manager)


def hand_over(plot: Plot) -> Entries:
    """The owner has left; a colleague goes on."""
    yield from _change_owner(plot, "owner.left")


def reassign(plot: Plot) -> Entries:
    """The manager gives the deal to someone else."""
    yield from _change_owner(plot, "owner.moved")


def _change_owner(plot: Plot, key: str) -> Entries:
    day = plot.hours.day(plot.desk)
    colleagues = [u for u in plot.premise.team.sellers if u != plot.owner and u.here_on(day)]
    if not colleagues:
        return
    successor: User = plot.rng.choice(colleagues)
    plot.feels(-0.12)
    yield plot.typed(ChangeOwner(successor.id, plot.text(key)), by=plot.manager)
    plot.owner = successor


def change_process(plot: Plot) -> Entries:
    """Go on under the process for key accounts."""
    yield plot.typed(
        ChangeProcess(ProcessRef("key-account", 1), "P4", plot.text("process")), by=plot.manager
    )


def outgrows_process(plot: Plot) -> bool:
    """Whether a deal in the process of four phases has become too large for it."""
    measuring = plot.stage.decision_phase is BuyingPhase.MEASUREMENT
    return plot.process.id == "four-phase" and measuring and plot.chance(0.15)
