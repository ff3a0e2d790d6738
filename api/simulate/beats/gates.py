"""Work on the gate of a stage: visits on which its criteria are met, and what is made up for later.

A criterion is met by telling the facts it asks for. Where they do not show it, the careful leave it
open, and others attest it all the same.
"""

from collections.abc import Sequence
from functools import partial

from api.simulate.beats import contacts, people, steps
from api.simulate.beats.telling import TELLING
from api.simulate.causes import NO_NEXT_STEP, OVERRIDDEN
from api.simulate.material import phrases
from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.people.facts import ContactKind
from domain.process import BuyingPhase, Criterion
from domain.stages.commands import AttestGateCriterion

_ABOUT_COMPETITORS = {
    "competitors-known",
    "competitor-move-known",
    "competitor-moves-recent",
    "position-recent",
    "scored-against-competitor",
}
"""Predicates that ask for competitors: where there are none, somebody says so."""

_NEAR_WINNING = {
    "first-choice-confirmed",
    "preference-stated",
    "issues-agreed",
    "terms-agreed",
    "concerns-closed",
}
_HOPE = 0.2
"""How often we hear from those who do not choose us that they will."""

_LAST = "next-step-planned"
_WON = "won"

_SEEN_WITH: dict[str, tuple[str, ...]] = {
    "stakeholder-recorded": ("user",),
    "reachable-contact": ("mid",),
    "scale-known": ("mid",),
    "technical-requirement-known": ("eng", "user"),
    "need-known": ("mid", "user"),
    "explicit-need-known": ("mid",),
    "customer-resolved-to-act": ("mid", "dm"),
    "reason-to-buy-known": ("mid",),
    "decision-chain-known": ("mid", "buyer"),
    "purchase-mode-known": ("buyer",),
    "competitor-move-known": ("user",),
    "front-line-relationship": ("user",),
    "middle-level-relationship": ("mid",),
    "middle-level-supportive": ("mid",),
    "engineers-met": ("eng",),
    "decision-maker-met": ("dm",),
    "decision-maker-relationship": ("dm",),
    "decision-maker-attitude": ("dm",),
    "value-confirmed": ("mid", "fin"),
    "first-choice-confirmed": ("buyer",),
    "decision-criteria-known": ("eng", "buyer"),
    "solution-presented": ("dm",),
    "preference-stated": ("dm", "mid"),
    "concerns-closed": ("dm",),
}
"""Whom one sees for a predicate. The second is seen at times beside the first."""

_UNTOLD = {"stakeholder-recorded", "reachable-contact", "competitor-move-known"}
"""What a summary does not speak of."""


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """The visits of this stay, and the criteria that each of them meets."""
    share, losing = _share(plot, chapter), chapter.outcome is not None
    achieved = [
        criterion
        for criterion in to_meet(plot)
        if plot.chance(share * _HOPE if _asks(criterion) in _NEAR_WINNING and losing else share)
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


def _asks(criterion: Criterion) -> str:
    return criterion.predicate or criterion.id


def _share(plot: Plot, chapter: Chapter) -> float:
    """How much of what is missing gets done. Before a signature it is almost all."""
    discipline = plot.owner.habits.discipline
    if not chapter.goes_on:
        return 0.25 + 0.4 * discipline
    return 0.95 if chapter.last else 0.56 + 0.42 * discipline


def to_meet(plot: Plot) -> list[Criterion]:
    """What the gate still needs. The signature is an outcome and has a scene of its own."""
    return [c for c in still_missing(plot) if not _left_undone(plot, c)]


def still_missing(plot: Plot) -> list[Criterion]:
    """What the gate still needs, also what this deal goes on without."""
    return [c for c in plot.gate.missing_criteria() if c.predicate != _WON]


_LEFT_UNDONE = {
    "win-plan-set",
    "approval-steps-listed",
    "customer-resolved-to-act",
    "preference-stated",
}
"""No finding but that of the gate looks at these."""


def _left_undone(plot: Plot, criterion: Criterion) -> bool:
    """Whether this deal goes on without it, by a flaw that is planted."""
    return plot.flaw(OVERRIDDEN) is True and _asks(criterion) in _LEFT_UNDONE


def _on_visit(achieved: list[Criterion], index: int, count: int) -> list[Criterion]:
    """The share of one visit; what is planned for after the last one comes with the last."""
    now = [c for c in achieved if c.predicate != _LAST]
    share = now[index * len(now) // count : (index + 1) * len(now) // count]
    if index == count - 1:
        share += [c for c in achieved if c.predicate == _LAST]
    return share


# Visits.


def visit(plot: Plot, criteria: list[Criterion], chapter: Chapter) -> Entries:
    """See the customer: do the step that was planned, learn something, plan the next step."""
    done = plot.open_step is not None and plot.chance(0.45 + 0.5 * plot.owner.habits.diligence)
    purpose, named = steps.aim(plot) if done else (None, [])
    if purpose is None and plot.chance(0.35 + 0.5 * plot.owner.habits.discipline):
        purpose = plot.text(f"purpose.{chapter.phase.value}")
    yield from meet_them(plot, criteria, chapter.phase, purpose, named)
    if done:
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


def meet_them(
    plot: Plot,
    criteria: Sequence[Criterion],
    phase: BuyingPhase,
    purpose: str | None = None,
    named: Sequence[str] = (),
) -> Entries:
    """The contact of a visit: with those named for it, and those whom its criteria are about."""
    asked = [_asks(criterion) for criterion in criteria]
    keys = [*named, *(key for ask in asked for key in _seen_with(plot, ask))]
    if not keys:
        known = [key for key in plot.known_people if key not in ("dm", "fin")]
        keys = [plot.rng.choice(known or ["user"])]
    remarks = [
        f"attest.{c.id}"
        for c in criteria
        if _asks(c) in _SEEN_WITH and _asks(c) not in _UNTOLD and _speaks(c)
    ]
    remarks = plot.rng.sample(remarks, min(2, len(remarks))) or [f"visit.{phase.value}"]
    keys = list(dict.fromkeys(keys))[:4]
    if "dm" in keys:
        yield from contacts.at_the_top(plot, remarks, purpose)
        for key in keys:
            yield from people.identify(plot, key)
        return
    kind = ContactKind.VISIT
    if "engineers-met" in asked or ("eng" in keys and plot.chance(0.4)):
        kind = plot.rng.choice((ContactKind.TECHNICAL_EXCHANGE, ContactKind.WORKSHOP))
    elif plot.chance(0.15):
        kind = ContactKind.CALL
    yield from contacts.hold(plot, kind, keys, remarks, purpose=purpose)


def _speaks(criterion: Criterion) -> bool:
    return f"attest.{criterion.id}" in phrases().remarks


def _seen_with(plot: Plot, ask: str) -> tuple[str, ...]:
    keys = _SEEN_WITH.get(ask, ())
    return keys if plot.chance(0.3) else keys[:1]


def _phase_ahead(plot: Plot, chapter: Chapter) -> BuyingPhase:
    """The phase that the next step is for: late in a stay, that of the next stage."""
    late = plot.moment > chapter.moment(0.7)
    if late and not chapter.last:
        following = plot.selling[plot.position + 1].decision_phase
        return following or chapter.phase
    return chapter.phase


def meet(plot: Plot, criterion: Criterion) -> Entries:
    """Do what a criterion asks for, unless the visit has shown it already."""
    if criterion.id not in plot.gate.missing:
        return
    ask = criterion.predicate
    nobody = ask in _ABOUT_COMPETITORS and not plot.premise.contested
    if ask == _LAST and plot.flaw(NO_NEXT_STEP):
        yield plot.happened(AttestGateCriterion(criterion.id, plot.text(_NO_AIM)))
        return
    if ask in TELLING and not nobody:
        plot.feels(0.012)
        yield from TELLING[ask](plot)
        shown = criterion.id not in plot.gate.missing
        if shown or ask == _LAST or not _insists(plot):
            return
    if ask in _AT_THE_TABLE and not _talked_out(plot):
        return
    yield from attest(plot, criterion, applies=not nobody)


_NO_AIM = "aimless.next-visit"
_AT_THE_TABLE = {"issues-agreed", "terms-agreed", "approvals-granted"}


def _talked_out(plot: Plot) -> bool:
    """Whether nothing is being negotiated, and nothing will be in this stay."""
    late = plot.chapter is not None and plot.moment > plot.chapter.moment(0.85)
    return plot.talks is None and not plot.deal.negotiations.opened and late


def see_to(plot: Plot, criteria: list[Criterion]) -> Entries:
    """Do what these ask for, and attest what that does not show."""
    for criterion in criteria:
        yield from meet(plot, criterion)
    for criterion in to_meet(plot):
        if _speaks(criterion):
            yield from attest(plot, criterion)


def _insists(plot: Plot) -> bool:
    """Whether somebody attests what the facts do not show."""
    return plot.chance(0.08 + 0.3 * (1 - plot.owner.habits.discipline))


def attest(plot: Plot, criterion: Criterion, applies: bool = True) -> Entries:
    """Confirm a criterion, or that it does not apply, with the contact it rests on."""
    plot.feels(0.012)
    yield plot.happened(attestation(plot, criterion, applies))


def attestation(plot: Plot, criterion: Criterion, applies: bool = True) -> AttestGateCriterion:
    """What is written to confirm a criterion."""
    absent = f"absent.{criterion.id}"
    if not applies and absent in phrases().remarks:
        return AttestGateCriterion(criterion.id, plot.text(absent), applies=False)
    key = f"attest.{criterion.id}"
    return AttestGateCriterion(criterion.id, plot.text(key), contact=plot.contact)


def make_up_for(plot: Plot, criteria: list[Criterion]) -> Entries:
    """A round of work on what is missing."""
    if any(_asks(criterion) in _SEEN_WITH for criterion in criteria):
        phase = plot.stage.decision_phase or BuyingPhase.SATISFACTION
        yield from meet_them(plot, criteria, phase)
    for criterion in criteria:
        yield from meet(plot, criterion)


def paperwork(plot: Plot, criteria: list[Criterion]) -> Entries:
    """What was true before the gate was overridden, and is only written down weeks later."""
    for criterion in criteria:
        if criterion.predicate is None and plot.chance(0.4):
            yield plot.known_later(attestation(plot, criterion), plot.days(5, 32))
