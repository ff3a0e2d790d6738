"""Notes, corrected facts, and mistakes that are withdrawn again."""

from datetime import timedelta
from functools import partial

from api.simulate.material import market, phrases
from api.simulate.plot import Beat, Chapter, Cue, Entries, Plot
from domain.corrections import WithdrawEvent
from domain.lifecycle.commands import AddNote, LoseOpportunity, ReviseOpportunity
from domain.lifecycle.facts import LostOutcome
from domain.process import BuyingPhase, Criterion
from domain.stages.commands import AttestGateCriterion, ReviseForecast

_SILENT_ENDS = {LostOutcome.NO_DECISION, LostOutcome.UNKNOWN}


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """What is noted in this stay, and what is entered by mistake."""
    habits = plot.owner.habits
    count = plot.rng.choices((0, 1, 2), (5, 4, 1))[0]
    planned = [Cue(chapter.moment(plot.rng.uniform(0.05, 0.95)), note) for _ in range(count)]
    if plot.chance(0.09):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.9)), managers_note))
    if chapter.outcome in _SILENT_ENDS:
        shares = [share for share in (0.55, 0.75) if plot.chance(0.5)]
        planned += [Cue(chapter.moment(share), silence) for share in shares]
    if plot.chance(0.012 + 0.03 * (1 - habits.diligence)):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.8)), mistake))
    if plot.chance(0.04):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.8)), revise))
    return planned


_NOTES = {
    BuyingPhase.SATISFACTION: "note.early",
    BuyingPhase.ACKNOWLEDGEMENT: "note.early",
    BuyingPhase.DECISION: "note.middle",
    BuyingPhase.CRITERIA: "note.middle",
    BuyingPhase.MEASUREMENT: "note.middle",
    BuyingPhase.INVESTIGATION: "note.late",
    BuyingPhase.SELECTION: "note.late",
    BuyingPhase.RECONSIDERATION: "note.late",
}


def note(plot: Plot) -> Entries:
    """Note something heard or seen, a few of them long after."""
    command = AddNote(plot.text(_NOTES[plot.stage.decision_phase or BuyingPhase.SATISFACTION]))
    if plot.chance(0.02 + 0.16 * (1 - plot.owner.habits.diligence)):
        yield plot.known_later(command, plot.days(4, 35))
    else:
        yield plot.happened(command)


def managers_note(plot: Plot) -> Entries:
    """The manager asks what is missing."""
    plot.feels(0.05)
    yield plot.typed(AddNote(plot.text("note.manager")), by=plot.manager)


def silence(plot: Plot) -> Entries:
    """Nobody answers."""
    plot.feels(-0.05)
    yield plot.happened(AddNote(plot.text("note.silent")))


def revise(plot: Plot) -> Entries:
    """Something about the deal itself turns out otherwise."""
    life = plot.deal.life
    sold = set(life.products)
    others = [product.name.en for product in market().products if product.name.en not in sold]
    if plot.chance(0.6):
        yield plot.typed(ReviseOpportunity(products=(*life.products, plot.rng.choice(others))))
    else:
        routes = [route for route in market().common.routes if route != life.route]
        yield plot.typed(ReviseOpportunity(route=plot.rng.choice(routes)))


# Mistakes: entered, noticed, withdrawn, and where need be entered anew.


def mistake(plot: Plot) -> Entries:
    """Enter something wrong and take it back."""
    beats: list[Beat] = [wrong_note, wrong_loss]
    if plot.deal.stages.amount is not None and not plot.price_agreed:
        beats += [wrong_amount, wrong_amount]
    open_criteria = [
        c for c in plot.gate.missing_criteria() if f"attest.{c.id}" in phrases().remarks
    ]
    if open_criteria:
        beats.append(partial(wrong_attestation, criterion=plot.rng.choice(open_criteria)))
    yield from plot.rng.choice(beats)(plot)


def wrong_amount(plot: Plot) -> Entries:
    """One zero too many."""
    current = plot.deal.stages.amount
    assert current is not None
    right = plot.money(float(current.amount) * plot.rng.uniform(1.02, 1.12), 3)
    reason = plot.text("forecast.up")
    yield plot.typed(ReviseForecast(amount=plot.money(float(right.amount) * 10, 3), reason=reason))
    yield from _withdraw(plot, "withdraw.amount", timedelta(minutes=plot.rng.randint(5, 3000)))
    yield plot.typed(ReviseForecast(amount=right, reason=reason))


def wrong_note(plot: Plot) -> Entries:
    """A note that belongs to another deal."""
    yield plot.typed(AddNote(plot.text("note.middle")))
    yield from _withdraw(plot, "withdraw.wrong-deal", timedelta(minutes=plot.rng.randint(3, 9000)))


def wrong_attestation(plot: Plot, criterion: Criterion) -> Entries:
    """A criterion confirmed too early."""
    text = plot.text(f"attest.{criterion.id}")
    yield plot.typed(AttestGateCriterion(criterion.id, text))
    yield from _withdraw(plot, "withdraw.attestation", plot.days(0.1, 6))


def wrong_loss(plot: Plot) -> Entries:
    """Another deal was lost, not this one."""
    yield plot.typed(
        LoseOpportunity(LostOutcome.LOST_TO_COMPETITOR, next(iter(plot.rivals), "unknown"))
    )
    yield from _withdraw(plot, "withdraw.loss", timedelta(minutes=plot.rng.randint(4, 1500)))


def _withdraw(plot: Plot, key: str, after: timedelta) -> Entries:
    wrong = plot.version
    plot.scene(plot.desk + after, lag=timedelta(minutes=plot.rng.randint(1, 30)))
    yield plot.typed(WithdrawEvent(wrong, plot.text(key)))
