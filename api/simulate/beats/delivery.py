"""After winning: on to delivery, accepted, measured, and the next need."""

from datetime import timedelta

from api.simulate.beats import outcome
from api.simulate.cast import User
from api.simulate.plot import Entries, Plot
from domain.lifecycle.commands import (
    AddNote,
    IdentifyExpansion,
    MeasureSatisfaction,
    ReachDeliveryMilestone,
    RecordOutcomeReason,
)
from domain.lifecycle.facts import (
    DeliveryMilestone,
    ReasonDriver,
    SatisfactionMeasure,
    Teller,
)
from domain.stages.commands import AttestGateCriterion
from domain.values import BusinessType

_WON_DRIVERS = (
    ReasonDriver.RELATIONSHIP,
    ReasonDriver.PRODUCT,
    ReasonDriver.RISK,
    ReasonDriver.PROCESS,
)


def deliver(plot: Plot) -> Entries:
    """From the kick-off to the acceptance and what is learned there."""
    if plot.chance(0.45):
        plot.scene(plot.desk + plot.days(2, 20))
        driver = plot.rng.choice(_WON_DRIVERS)
        yield plot.happened(RecordOutcomeReason(Teller.BUYER, driver, plot.text("reason.won")))
    for milestone, least, most in _MILESTONES:
        plot.scene(plot.desk + plot.days(least, most))
        note = plot.text(f"delivery.{milestone.value}") if plot.chance(0.8) else None
        yield plot.happened(ReachDeliveryMilestone(milestone, note), by=_deliverer(plot))
        if plot.chance(0.12):
            yield plot.happened(AddNote(plot.text("note.delivery")), by=_deliverer(plot))
    yield from _measure(plot)
    yield from _next_need(plot)
    if plot.chance(0.4):
        yield from outcome.debrief(plot, "lesson.won")


_MILESTONES = (
    (DeliveryMilestone.STARTED, 8, 25),
    (DeliveryMilestone.DELIVERED, 30, 85),
    (DeliveryMilestone.ACCEPTED, 10, 40),
)


def _deliverer(plot: Plot) -> User | None:
    """The delivery lead where one is on the deal, else the owner."""
    lead = plot.premise.team.delivery
    return lead if lead.id in plot.deal.life.team_ids else None


def _measure(plot: Plot) -> Entries:
    plot.scene(plot.desk + plot.days(15, 60), lag=timedelta(minutes=20))
    yield plot.typed(_satisfaction(plot))
    if plot.chance(0.2):
        yield plot.typed(_satisfaction(plot))


def _satisfaction(plot: Plot) -> MeasureSatisfaction:
    mood = 0.4 * plot.health + plot.rng.gauss(0, 0.8)
    if plot.chance(0.5):
        score = round(max(-100, min(100, 30 + 30 * mood)) / 10) * 10
        return MeasureSatisfaction(SatisfactionMeasure.NPS, score)
    measure = plot.rng.choice((SatisfactionMeasure.CSI, SatisfactionMeasure.TSI))
    return MeasureSatisfaction(measure, round(max(20, min(99, 78 + 9 * mood))))


def _next_need(plot: Plot) -> Entries:
    if plot.chance(0.5):
        size = float(plot.premise.amount.amount) * plot.rng.uniform(0.15, 0.9)
        yield plot.happened(
            IdentifyExpansion(
                description=plot.text("expansion"),
                business_type=plot.rng.choice(
                    (BusinessType.ADD_ON, BusinessType.CROSS_SELL, BusinessType.UPSELL)
                ),
                amount=plot.money(size) if plot.chance(0.7) else None,
            )
        )
    elif any(criterion.id == _NEXT_NEED for criterion in plot.stage.gate):
        text = plot.text(f"absent.{_NEXT_NEED}")
        yield plot.happened(AttestGateCriterion(_NEXT_NEED, text, applies=False))


_NEXT_NEED = "next-need-recorded"
