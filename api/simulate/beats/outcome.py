"""Ends: won, lost in all ways, by whose account; taken up again."""

from datetime import timedelta

from api.simulate import chances
from api.simulate.beats import buying, forecast, steps, tender
from api.simulate.chronicle import Entry
from api.simulate.plot import Entries, Plot
from domain.buying.facts import VendorStatus
from domain.lifecycle.commands import (
    LoseOpportunity,
    RecordDebrief,
    RecordOutcomeReason,
    ReopenOpportunity,
    WinOpportunity,
)
from domain.lifecycle.facts import LostOutcome, ReasonDriver, Teller
from domain.values import OURSELVES, Party

_LEARNED_LATE = {LostOutcome.LOST_TO_COMPETITOR: 0.35, LostOutcome.VOIDED: 0.2}
_TOLD_BY_NOBODY = {LostOutcome.DISQUALIFIED, LostOutcome.WITHDRAWN, LostOutcome.UNKNOWN}


def clear_the_way(plot: Plot) -> Entries:
    """What has to be there before a signature: our proposal, and their own approval."""
    yield from tender.have_offered(plot)
    yield from buying.pass_approvals(plot)
    yield from steps.settle(plot)


def win(plot: Plot) -> Entries:
    """The contract is signed, and put on record the same or the next day."""
    amount = plot.deal.stages.amount or plot.premise.amount
    reasons = plot.clauses("won", plot.rng.choice((0, 1, 1, 2)))
    settled = plot.price_agreed or plot.chance(0.35)
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
    yield from steps.settle(plot)
    plot.gap = _price_gap(plot)
    competitor = None
    if outcome is LostOutcome.LOST_TO_COMPETITOR:
        unseen = plot.rival("rival") if plot.chance(0.8) else "unknown"
        competitor = _first_choice(plot) or next(iter(plot.rivals), unseen)
    told = plot.chance(0.35 + 0.5 * plot.owner.habits.diligence)
    yield plot.happened(
        LoseOpportunity(
            outcome=outcome,
            competitor=competitor,
            reasons=plot.clauses(_why(plot, outcome), 1) if told else (),
        )
    )


def _price_gap(plot: Plot) -> int:
    """By how many per cent we were dearer: as far as the table shows it, else as they say."""
    for negotiation in reversed(plot.deal.negotiations.opened):
        price = negotiation.issue("price")
        ours = price.position(Party.US) if price is not None else None
        theirs = price.position(Party.CUSTOMER) if price is not None else None
        if ours is not None and theirs is not None:
            return max(1, round(100 * (1 - float(theirs) / float(ours))))
    return plot.rng.randint(8, 35)


def _first_choice(plot: Plot) -> str | None:
    """The competitor that the customer is known to have chosen."""
    chosen = (
        event.fact.vendor
        for event in plot.deal.purchase.vendor_statuses
        if event.fact.status is VendorStatus.FIRST_CHOICE and event.fact.vendor != OURSELVES
    )
    return next(chosen, None)


def _why(plot: Plot, outcome: LostOutcome) -> str:
    """The key of what is said of an end: by its cause where a competitor won."""
    if outcome is LostOutcome.LOST_TO_COMPETITOR and plot.cause is not None:
        return f"lost.to.{plot.cause.value}"
    return f"lost.{outcome.value}"


# Why: the seller, the manager and the buyer do not always say the same.


def explain_loss(plot: Plot, outcome: LostOutcome) -> Entries:
    """Reasons over the following weeks, then perhaps a debrief."""
    true = plot.cause or ReasonDriver.TIMING
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
