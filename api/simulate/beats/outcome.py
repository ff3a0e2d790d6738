"""Ends: won, lost in all ways, by whose account; taken up again."""

from datetime import timedelta

from api.simulate import chances
from api.simulate.beats import forecast
from api.simulate.chronicle import Entry
from api.simulate.plot import Entries, Plot
from domain.lifecycle.commands import (
    LoseOpportunity,
    RecordDebrief,
    RecordOutcomeReason,
    ReopenOpportunity,
    WinOpportunity,
)
from domain.lifecycle.facts import LostOutcome, ReasonDriver, Teller

_LEARNED_LATE = {LostOutcome.LOST_TO_COMPETITOR: 0.35, LostOutcome.VOIDED: 0.2}
_TOLD_BY_NOBODY = {LostOutcome.DISQUALIFIED, LostOutcome.WITHDRAWN, LostOutcome.UNKNOWN}


def win(plot: Plot) -> Entries:
    """The contract is signed, and put on record the same or the next day."""
    amount = plot.deal.stages.amount or plot.premise.amount
    reasons = plot.clauses("won", plot.rng.choice((0, 1, 1, 2)))
    settled = plot.chance(0.85 if plot.negotiated else 0.2)
    serial = plot.rng.randint(1000, 9999)
    yield plot.happened(
        WinOpportunity(
            value=amount if settled else forecast.after_discount(plot, amount),
            signed_on=plot.today,
            contract_reference=f"C-{plot.today.year}-{serial}" if plot.chance(0.8) else None,
            reasons=reasons,
            share_percent=plot.rng.choice((100, 100, 100, 70, 60, 50))
            if plot.chance(0.5)
            else None,
        )
    )


def learned_after(plot: Plot, outcome: LostOutcome) -> timedelta | None:
    """How long after the end we heard of it, None for the usual."""
    if plot.chance(_LEARNED_LATE.get(outcome, 0.0)):
        return plot.days(3, 24)
    return None


def lose(plot: Plot, outcome: LostOutcome) -> Entries:
    """The deal ends without us."""
    competitor = None
    if outcome is LostOutcome.LOST_TO_COMPETITOR:
        rival = "rival" if plot.chance(0.8) else "other"
        competitor = "unknown" if plot.chance(0.06) else plot.premise.facts[rival].en
    told = plot.chance(0.35 + 0.5 * plot.owner.habits.diligence)
    yield plot.happened(
        LoseOpportunity(
            outcome=outcome,
            competitor=competitor,
            reasons=plot.clauses(f"lost.{outcome.value}", 1) if told else (),
        )
    )


# Why: the seller, the manager and the buyer do not always say the same.

_TRUE_DRIVERS = {
    ReasonDriver.RELATIONSHIP: 24,
    ReasonDriver.PROCESS: 20,
    ReasonDriver.PRODUCT: 16,
    ReasonDriver.PRICE: 14,
    ReasonDriver.RISK: 12,
    ReasonDriver.TIMING: 10,
    ReasonDriver.OTHER: 4,
}


def explain_loss(plot: Plot, outcome: LostOutcome) -> Entries:
    """Reasons over the following weeks, then perhaps a debrief."""
    true = _true_driver(plot, outcome)
    if plot.chance(0.3 + 0.5 * plot.owner.habits.diligence):
        blamed = ReasonDriver.PRICE if plot.chance(0.55) else true
        yield _reason(plot, Teller.SELLER, blamed)
    if plot.chance(0.15 + 0.45 * plot.manager.habits.discipline):
        plot.scene(plot.desk + plot.days(3, 14), lag=timedelta(minutes=10))
        yield _reason(plot, Teller.MANAGER, true if plot.chance(0.75) else ReasonDriver.PROCESS)
    if outcome not in _TOLD_BY_NOBODY and plot.chance(0.4):
        plot.scene(plot.desk + plot.days(7, 40))
        yield _reason(plot, Teller.BUYER, true if plot.chance(0.8) else ReasonDriver.PRICE)
    if plot.chance(0.10 + 0.3 * plot.manager.habits.discipline):
        yield from debrief(plot, "lesson.lost")


def _true_driver(plot: Plot, outcome: LostOutcome) -> ReasonDriver:
    weights = dict(_TRUE_DRIVERS)
    if outcome in (LostOutcome.NO_DECISION, LostOutcome.VOIDED):
        weights |= {ReasonDriver.TIMING: 40, ReasonDriver.PRICE: 6, ReasonDriver.PRODUCT: 5}
    if plot.owner.habits.discipline < 0.5:
        weights[ReasonDriver.PROCESS] += 20
    return plot.rng.choices(list(weights), list(weights.values()))[0]


def _reason(plot: Plot, teller: Teller, driver: ReasonDriver) -> Entry:
    text = plot.text(f"reason.{teller.value}.{driver.value}")
    command = RecordOutcomeReason(teller, driver, text)
    if teller is Teller.MANAGER:
        return plot.typed(command, by=plot.manager)
    return plot.happened(command)


def debrief(plot: Plot, key: str) -> Entries:
    """Say what was learned."""
    plot.scene(plot.desk + plot.days(5, 30), lag=timedelta(minutes=30))
    lessons = plot.clauses(key, plot.rng.choice((1, 2, 2, 3)))
    yield plot.typed(RecordDebrief(lessons), by=plot.manager if plot.chance(0.5) else None)


# Again.


def comes_back(plot: Plot, outcome: LostOutcome) -> bool:
    """Whether a lost deal is taken up again, at most once."""
    return not plot.reopened and plot.chance(chances.REOPENING[outcome])


def reopen(plot: Plot) -> Entries:
    """Take up a lost deal, at or before the stage in which it ended."""
    plot.reopened = True
    plot.open_step = None
    plot.feels(0.4)
    back = max(0, plot.position - plot.rng.choice((0, 1, 1, 2)))
    stage = plot.selling[min(back, len(plot.selling) - 1)]
    yield plot.happened(ReopenOpportunity(plot.text("reopen.lost"), stage.id))


def revoke_win(plot: Plot) -> Entries:
    """The order is taken back after the signature."""
    plot.reopened = plot.revoked = True
    plot.feels(-0.8)
    yield plot.happened(ReopenOpportunity(plot.text("reopen.won"), plot.selling[-1].id))
