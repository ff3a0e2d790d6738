"""How the customer comes to buy: phases, approval, money, criteria, our part, promises."""

from functools import partial

from api.simulate.beats.pursuit import PHASES
from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.buying.commands import (
    ApproveProject,
    BreakCommitment,
    ChangeVendorStatus,
    KeepCommitment,
    ObserveBudget,
    ObserveBuyingPhase,
    ObserveCustomerEvent,
    ObserveOurPart,
    RecordApprovalStep,
    RecordCommitment,
)
from domain.buying.facts import (
    ApprovalResult,
    ApprovalStepKind,
    BudgetStatus,
    CustomerEventKind,
    OurPart,
    VendorStatus,
    Vocabulary,
)
from domain.process import BuyingPhase
from domain.values import OURSELVES, Money, Party, Side

_BUDGETS = {
    BuyingPhase.ACKNOWLEDGEMENT: BudgetStatus.ESTIMATED,
    BuyingPhase.DECISION: BudgetStatus.APPLIED_FOR,
    BuyingPhase.MEASUREMENT: BudgetStatus.APPROVED,
    BuyingPhase.INVESTIGATION: BudgetStatus.APPROVED,
}
_COMPARING = (BuyingPhase.CRITERIA, BuyingPhase.MEASUREMENT, BuyingPhase.INVESTIGATION)


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """Where the customer is seen to stand in this stay, and what it lets us know."""
    habits, purchase = plot.owner.habits, plot.deal.purchase
    planned: list[Cue] = []
    if plot.chance(0.3 + 0.55 * habits.discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.15, 0.5)), observe_phase))
    if chapter.phase in _BUDGETS and plot.chance(0.3 + 0.45 * habits.discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.8)), ask_for_budget))
    if chapter.phase in _COMPARING[1:] and plot.chance(0.15 + 0.35 * habits.discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, 0.8)), judge_our_part))
    if chapter.phase in _COMPARING[:2] and plot.chance(0.45):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.5, 0.9)), vendors_enter))
    if purchase.approval_steps and plot.chance(0.45 + 0.45 * habits.diligence):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.5, 0.9)), approval_goes_on))
    planned += _of_chance(plot, chapter)
    return planned


def _of_chance(plot: Plot, chapter: Chapter) -> list[Cue]:
    """Promises, and what happens at the customer anyway."""
    planned: list[Cue] = []
    if plot.chance(0.22):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.1, 0.5)), promise))
    if plot.deal.purchase.commitments and plot.chance(0.75):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.3, 0.95)), settle_promise))
    if chapter.phase in PHASES[:3] and plot.chance(0.16):
        trigger = partial(customer_event, kind=CustomerEventKind.TRIGGER)
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.1, 0.9)), trigger))
    elif plot.chance(0.06):
        kind = plot.rng.choice((CustomerEventKind.STRATEGY, CustomerEventKind.REORGANISATION))
        planned.append(
            Cue(chapter.moment(plot.rng.uniform(0.1, 0.9)), partial(customer_event, kind=kind))
        )
    return planned


# Phases.


def observe_phase(plot: Plot) -> Entries:
    """Say where they stand: in our stage's phase, or behind it where all is not well."""
    phase = plot.stage.decision_phase or BuyingPhase.SATISFACTION
    behind = 0
    if plot.chance(0.12 - 0.18 * plot.health):
        behind = 1 if plot.chance(0.65) else 2
    elif plot.chance(0.06):
        behind = -1
    seen = PHASES[max(0, min(6, PHASES.index(phase) - behind))]
    yield from _observed(plot, seen)


def _observed(plot: Plot, phase: BuyingPhase, driven_by: Side | None = None) -> Entries:
    key = "dm" if plot.met("dm") and plot.chance(0.6) else "buyer"
    yield plot.happened(
        ObserveBuyingPhase(
            phase=phase.value,
            stakeholder=plot.met(key) if plot.chance(0.65) else None,
            driven_by=driven_by
            or (plot.rng.choice((Side.CUSTOMER, Side.US)) if plot.chance(0.4) else None),
            evidence=plot.text(f"phase.{phase.value}") if plot.chance(0.8) else None,
            contact=plot.contact,
        )
    )


def step_back(plot: Plot, side: Side | None, phases: int = 1) -> Entries:
    """They are seen in an earlier phase than they were."""
    last = plot.deal.purchase.phases
    here = plot.stage.decision_phase or BuyingPhase.SATISFACTION
    told = [one.fact.phase for one in last if one.fact.vocabulary is Vocabulary.DECISION_CYCLE]
    seen = BuyingPhase(told[-1]) if told else here
    earlier = PHASES[max(0, min(PHASES.index(here), PHASES.index(seen)) - phases)]
    yield plot.happened(
        ObserveBuyingPhase(
            phase=earlier.value,
            stakeholder=plot.met("dm") or plot.met("buyer"),
            driven_by=side,
            evidence=plot.text("phase.back") if plot.chance(0.85) else None,
        )
    )


# Approval and money.


def approve(plot: Plot) -> Entries:
    """The customer sets the project up."""
    yield plot.happened(
        ApproveProject(
            by=plot.knows("dm"),
            body=plot.premise.facts["body"].en.removeprefix("the "),
            note=plot.text("attest.project-approved-by-customer"),
        )
    )


_STEPS = (
    ("technical-proof", ApprovalStepKind.TECHNICAL_PROOF),
    ("deployment-plan", ApprovalStepKind.DEPLOYMENT_PLAN),
    ("cost-and-roi", ApprovalStepKind.COST_AND_ROI),
    ("final-approval", ApprovalStepKind.APPROVAL),
)


def list_approval_steps(plot: Plot) -> Entries:
    """Know what has to pass, one step after the other."""
    left_out = "deployment-plan" if plot.chance(0.5) else None
    for name, kind in _STEPS:
        if name == left_out:
            continue
        keys = {"technical-proof": ("eng", "mid"), "cost-and-roi": ("fin", "buyer")}
        departments = tuple(
            dict.fromkeys(plot.centre[key].department for key in keys.get(name, ("dm",)))
        )
        note = plot.text("attest.approval-steps-listed") if kind is _STEPS[0][1] else None
        yield plot.happened(RecordApprovalStep(name, kind, departments, note=note))


_PASSED_BY = {
    BuyingPhase.MEASUREMENT: 1,
    BuyingPhase.INVESTIGATION: 3,
    BuyingPhase.SELECTION: 4,
}
"""How many of the steps are over when a phase is."""


def approval_goes_on(plot: Plot) -> Entries:
    """The next steps pass, or one fails and comes back; the last not where the deal is lost."""
    dying = plot.chapter is not None and plot.chapter.outcome is not None
    over = _PASSED_BY.get(plot.stage.decision_phase or BuyingPhase.SATISFACTION, 0)
    for name, kind in _STEPS[: over - dying if over else 0]:
        event = plot.deal.purchase.approval_step(name)
        if event is None or event.fact.result is ApprovalResult.PASSED:
            continue
        step = event.fact
        if step.result is ApprovalResult.PENDING and plot.chance(0.10 - 0.06 * plot.health):
            plot.feels(-0.08)
            note = plot.text("approval.failed")
            yield plot.happened(
                RecordApprovalStep(name, kind, step.departments, ApprovalResult.FAILED, note)
            )
            return
        again = step.result is ApprovalResult.FAILED
        passed = plot.text("approval.passed") if again or plot.chance(0.6) else None
        yield plot.happened(
            RecordApprovalStep(name, kind, step.departments, ApprovalResult.PASSED, passed)
        )


def pass_approvals(plot: Plot) -> Entries:
    """Every step on record passes, one that failed on the second try."""
    for event in plot.deal.purchase.approval_steps:
        step = event.fact
        if step.result is ApprovalResult.PASSED:
            continue
        again = step.result is ApprovalResult.FAILED
        note = plot.text("approval.passed") if again or plot.chance(0.6) else None
        yield plot.happened(
            RecordApprovalStep(step.id, step.kind, step.departments, ApprovalResult.PASSED, note)
        )


def ask_for_budget(plot: Plot) -> Entries:
    """Ask where the money stands."""
    status = (
        _BUDGETS[plot.stage.decision_phase or BuyingPhase.ACKNOWLEDGEMENT]
        if plot.stage.decision_phase in _BUDGETS
        else BudgetStatus.ESTIMATED
    )
    dying = plot.chapter is not None and plot.chapter.outcome is not None
    if dying and status is BudgetStatus.APPROVED and plot.chance(0.6):
        status = BudgetStatus.APPLIED_FOR
    known = plot.deal.purchase.budget
    if known is not None and known.fact.status is status:
        return
    teller = plot.rng.choice(("mid", "fin", "buyer", "dm"))
    amount = plot.premise.amount
    named = plot.chance(0.6)
    guess = plot.money(float(amount.amount) * plot.rng.uniform(0.85, 1.15)) if named else None
    yield plot.happened(ObserveBudget(status, guess, plot.met(teller) or plot.met("mid")))


def freeze_budget(plot: Plot) -> Entries:
    """There is no money any more."""
    none = plot.deal.purchase.budget is None and plot.chance(0.5)
    status = BudgetStatus.NONE if none else BudgetStatus.FROZEN
    plot.feels(-0.1)
    yield plot.happened(ObserveBudget(status, None, plot.met("fin") or plot.met("mid")))


def no_budget(plot: Plot) -> Entries:
    """There never was any money."""
    yield plot.happened(ObserveBudget(BudgetStatus.NONE, None, plot.met("mid") or plot.met("user")))


# Our part, and that of the others.


def judge_our_part(plot: Plot) -> Entries:
    """Say what they use us for."""
    part = OurPart.CONTENDER
    if plot.premise.contested and plot.health < -0.1 and plot.chance(0.5):
        part = plot.rng.choice((OurPart.BACKUP, OurPart.PRICE_LEVER, OurPart.PROCESS_FILLER))
    yield from our_part(plot, part)


def our_part(plot: Plot, part: OurPart) -> Entries:
    evidence = plot.text(f"part.{part.value}") if plot.chance(0.8) else None
    yield plot.happened(ObserveOurPart(part, evidence, plot.met("mid") or plot.met("user")))


def vendors_enter(plot: Plot) -> Entries:
    """Who is on their list, and later who is left on it."""
    late = plot.stage.decision_phase is not BuyingPhase.CRITERIA
    status = VendorStatus.SHORTLISTED if late else VendorStatus.ENTERED
    teller = plot.met("buyer") or plot.met("mid")
    yield plot.happened(ChangeVendorStatus(OURSELVES, status, teller))
    for rival in plot.rivals:
        out = late and rival == plot.rival("other") and plot.chance(0.6)
        theirs = VendorStatus.OUT if out else status
        yield plot.happened(ChangeVendorStatus(rival, theirs, teller))


def choose_rival(plot: Plot) -> Entries:
    """Another vendor is their first choice, and we are out."""
    if not plot.rivals:
        return
    teller = plot.met("buyer") or plot.met("mid") or plot.met("user")
    yield plot.happened(
        ChangeVendorStatus(
            plot.rivals[0], VendorStatus.FIRST_CHOICE, teller, plot.text("choice.rival")
        )
    )
    if plot.chance(0.5):
        yield plot.happened(ChangeVendorStatus(OURSELVES, VendorStatus.OUT, teller))


# Promises and events.


def promise(plot: Plot) -> Entries:
    """One side promises the other something."""
    if not plot.met_people:
        return
    ours = plot.chance(0.6)
    kind = plot.rng.choice(("pilot", "documents", "visit", "reference", "figures"))
    theirs = plot.met(plot.rng.choice(plot.met_people))
    due = plot.hours.from_day((plot.moment + plot.days(7, 28)).date())
    yield plot.happened(
        RecordCommitment(
            id=plot.name("promise"),
            what=plot.label(f"promise.{'ours' if ours else 'theirs'}.{kind}"),
            side=Party.US if ours else Party.CUSTOMER,
            kind=kind,
            by=plot.owner.id if ours else theirs,
            due=due,
        )
    )


def settle_promise(plot: Plot) -> Entries:
    """A promise is kept, or it is broken."""
    promises = [one for one in plot.deal.purchase.commitments if one.settled is None]
    if not promises:
        return
    one = promises[0]
    ours = one.recorded.fact.side is Party.US
    good = 0.7 + 0.25 * plot.owner.habits.diligence if ours else 0.75 + 0.12 * plot.health
    dying = plot.chapter is not None and plot.chapter.outcome is not None
    if plot.chance(good - (0.35 if dying else 0.0)):
        note = plot.text("promise.kept") if plot.chance(0.5) else None
        yield plot.happened(KeepCommitment(one.id, note))
        return
    plot.feels(-0.12)
    yield plot.happened(
        BreakCommitment(one.id, plot.text(f"promise.broken.{'us' if ours else 'them'}"))
    )


def customer_event(plot: Plot, kind: CustomerEventKind) -> Entries:
    """Something happens at the customer."""
    deadline = None
    if kind is CustomerEventKind.TRIGGER and plot.chance(0.5):
        deadline = plot.hours.from_day((plot.moment + plot.days(120, 330)).date())
    yield plot.happened(ObserveCustomerEvent(kind, plot.text(f"event.{kind.value}"), deadline))


def price_of(plot: Plot) -> Money:
    """What we ask for by now."""
    return plot.deal.stages.amount or plot.premise.amount
