"""What the customer needs, asks for and fears, and how well we know it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

from domain.buying.facts import (
    BudgetObserved,
    CriteriaStatusObserved,
    CriterionScored,
    DecisionCriterionDropped,
    DecisionCriterionSet,
    PurchaseMethod,
)
from domain.deal import Deal, DealEvent
from domain.history import Fact, Recorded
from domain.lifecycle.facts import (
    LostOutcome,
    OpportunityLost,
    OpportunityRevised,
    OpportunityWon,
)
from domain.needs.facts import (
    ConcernAccepted,
    ConcernAssigned,
    ConcernRaised,
    ConcernResolved,
    FactChecked,
    FactRecorded,
    NeedDeveloped,
    NeedUncovered,
    RequirementResponse,
    RequirementStated,
    Topic,
)
from domain.needs.needs import Concern
from domain.people.facts import (
    ContactMade,
    Focus,
    Level,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)
from domain.process import BuyingPhase
from domain.stages.facts import ForecastRevised, StageAdvanced
from domain.values import BusinessType
from projections.findings.case import PHASES, Case, Moment, lasting, runs
from projections.findings.finding import Firing, Kind, Weight
from projections.findings.pauses import later
from projections.findings.rule import Rule

_DECISION = PHASES.index(BuyingPhase.DECISION)
_SELECTION = PHASES.index(BuyingPhase.SELECTION)

Telling: TypeAlias = Recorded[Any]
"""An event whose fact names who told it (`told_by`)."""


def no_dissatisfaction(case: Case) -> Iterator[Firing]:
    """P2 left with no focus of dissatisfaction found.

    Not for a renewal or an add-on, nor for a single source. It holds until one is found, or
    the deal is back in P2, where one can be looked for.
    """
    for moment in case.of(StageAdvanced):
        if moment.left(_DECISION) and not _someone_suffers(moment.deal):
            yield Firing(
                since=moment.at,
                until=case.first(moment, _no_longer_without),
                evidence=(moment.event.version,),
                trigger=moment.event.version,
                told={"stage": moment.deal.stages.stage or ""},
                needs=(Kind.ATTITUDES,),
            )


def _someone_suffers(deal: Deal) -> bool:
    """A focus of dissatisfaction is found, or the deal needs none."""
    mode = deal.purchase.mode
    return (
        deal.life.business_type in (BusinessType.RENEWAL, BusinessType.ADD_ON)
        or (mode is not None and mode.fact.method is PurchaseMethod.SINGLE_SOURCE)
        or any(Focus.DISSATISFACTION in one.focus for one in deal.people.present)
    )


def _no_longer_without(later: Moment) -> bool:
    in_decision_again = later.phase is not None and later.phase <= _DECISION
    return in_decision_again or _someone_suffers(later.deal)


def unsolvable_dissatisfaction(case: Case) -> Iterator[Firing]:
    """The only explicit needs are ones that we cannot solve."""
    return lasting(case, _unsolvable)


def _unsolvable(now: Moment) -> Iterator[Firing]:
    explicit = [one for one in now.deal.needs.needs if one.explicit]
    if explicit and all(one.uncovered.fact.solvable_by_us is False for one in explicit):
        made = [one.made_explicit.version for one in explicit if one.made_explicit]
        yield Firing(
            since=now.at,
            evidence=tuple(sorted({*(one.uncovered.version for one in explicit), *made})),
            told={"needs": tuple(one.id for one in explicit)},
        )


def requirement_untraced(case: Case) -> Iterator[Firing]:
    """A requirement accepted with neither need nor reason behind it."""
    return lasting(case, _untraced)


def _untraced(now: Moment) -> Iterator[Firing]:
    for stated in now.deal.needs.requirements:
        fact = stated.fact
        accepted = fact.response is RequirementResponse.ACCEPTED
        if accepted and fact.need is None and fact.why is None:
            yield Firing(
                since=now.at,
                evidence=(stated.version,),
                told={"requirement": fact.id},
                subject=fact.id,
            )


def concern_unresolved(case: Case) -> Iterator[Firing]:
    """A concern open at the outcome, or 14 days in P6 without a step on it.

    A step is that somebody takes it on, and a contact with whoever raised it; with anybody,
    where nobody is named. Open when the deal was won, it is a note: it goes into delivery. So it
    is where the purchase came to nothing, which nobody's concern decided.
    """
    yield from lasting(case, _left_alone)
    for moment in case.of(OpportunityWon, OpportunityLost):
        for concern in moment.deal.needs.open_concerns:
            yield Firing(
                since=moment.at,
                until=case.first(moment, partial(_not_open, concern.id)),
                evidence=tuple(sorted((concern.raised.version, moment.event.version))),
                trigger=moment.event.version,
                told={"concern": concern.id},
                subject=concern.id,
                weight=None if _is_lost(moment.fact) else Weight.NOTE,
                wording=_of_its_kind(concern, "outcome"),
                of_outcome=True,
            )


def _is_lost(fact: OpportunityWon | OpportunityLost) -> bool:
    return isinstance(fact, OpportunityLost) and fact.outcome is not LostOutcome.VOIDED


def _of_its_kind(concern: Concern, wording: str) -> str:
    """An objection to the offer is called so, the fear of its risk a concern."""
    return f"{concern.raised.fact.kind.value}-{wording}"


def _not_open(concern_id: str, later: Moment) -> bool:
    """It was dealt with, or not raised after all, or the deal goes on."""
    concern = later.deal.needs.concern(concern_id)
    return concern is None or not concern.open or runs(later.deal)


def _left_alone(now: Moment) -> Iterator[Firing]:
    if now.phase != _SELECTION:
        return
    visit = now.deal.stages.visits[-1]
    for concern in now.deal.needs.open_concerns:
        step = max(_steps_on(now.deal, concern), key=lambda one: one.occurred_at)
        clock = now.case.clock(max(visit.entered_at, step.occurred_at), now)
        if clock is None:
            continue
        since, until = clock
        days = now.settings.concern_days
        yield Firing(
            since=later(since, timedelta(days=days)),
            until=until,
            evidence=tuple(sorted({concern.raised.version, step.version, visit.version})),
            told={"concern": concern.id, "days": days, "stage": visit.stage},
            subject=concern.id,
            needs=(Kind.CONTACTS,),
            wording=_of_its_kind(concern, "left-alone"),
        )


def _steps_on(deal: Deal, concern: Concern) -> Iterator[Recorded[Fact]]:
    """What was done about a concern, with its being raised."""
    by = concern.raised.fact.by
    yield concern.raised
    if concern.assigned:
        yield concern.assigned
    yield from (
        one.made for one in deal.people.contacts if by is None or by in one.made.fact.their_people
    )


def unverified_information(case: Case) -> Iterator[Firing]:
    """The forecast or the criteria rest on front-line people only, or on one, none checked.

    The forecast rests on who told its amount and its date of closing as they stand, the
    budget, and what was recorded on budget and timeline. The criteria rest on who told
    whose they are, the scores, and what was recorded on criteria. It holds while no piece
    of information on the deal was checked with a second source, by whatever it then said.
    Where nobody is named, as where we worked it out ourselves, it says nothing.
    """
    by_version = {one.event.version: one.event for one in case.moments}
    return lasting(case, partial(_unverified, by_version))


def _unverified(by_version: Mapping[int, DealEvent], now: Moment) -> Iterator[Firing]:
    if any(one.checks for one in now.deal.needs.information):
        return
    for what, events in (
        ("the forecast", _tellings_of_forecast(by_version, now.deal)),
        ("the criteria", _tellings_of_criteria(now.deal)),
    ):
        told = [one for one in events if one.fact.told_by is not None]
        tellers = tuple(sorted({one.fact.told_by for one in told}))
        front_line = bool(tellers) and all(_front_line(now.deal, one) for one in tellers)
        if len(tellers) == 1 or front_line:
            yield Firing(
                since=now.at,
                evidence=tuple(sorted({one.version for one in told})),
                told={"what": what, "who": tellers},
                subject=what.removeprefix("the "),
                needs=(Kind.INFORMATION,),
                wording="one" if len(tellers) == 1 else "front-line",
            )


def _front_line(deal: Deal, stakeholder: str) -> bool:
    person = deal.people.stakeholder(stakeholder)
    return person is not None and person.level is Level.FRONT_LINE


def _tellings_of_forecast(by_version: Mapping[int, DealEvent], deal: Deal) -> Iterator[Telling]:
    for version in (deal.stages.amount_set_by, deal.stages.expected_close_set_by):
        if version is not None:
            yield by_version[version]
    if deal.purchase.budget:
        yield deal.purchase.budget
    yield from _recorded_on(deal, (Topic.BUDGET, Topic.TIMELINE))


def _tellings_of_criteria(deal: Deal) -> Iterator[Telling]:
    status = deal.purchase.criteria_status
    yield from (status,) if status else ()
    yield from (score for one in deal.purchase.criteria for score in one.scores)
    yield from _recorded_on(deal, (Topic.CRITERIA,))


def _recorded_on(deal: Deal, topics: Iterable[Topic]) -> Iterator[Telling]:
    pieces = (one.recorded for one in deal.needs.information)
    return (one for one in pieces if one.fact.topic in topics)


_CONCERNS = (ConcernRaised, ConcernAssigned, ConcernResolved, ConcernAccepted)
_WHO_AND_WHERE = (StakeholderIdentified, StakeholderRevised, SubjectErased)

RULES = (
    Rule(
        "no-dissatisfaction",
        no_dissatisfaction,
        Weight.MISTAKE,
        reads=(
            StakeholderIdentified,
            StakeholderAssessed,
            StakeholderDeparted,
            OpportunityRevised,
        ),
    ),
    Rule(
        "unsolvable-dissatisfaction",
        unsolvable_dissatisfaction,
        Weight.MISTAKE,
        reads=(NeedUncovered, NeedDeveloped),
    ),
    Rule("requirement-untraced", requirement_untraced, Weight.NOTE, reads=(RequirementStated,)),
    Rule(
        "concern-unresolved",
        concern_unresolved,
        Weight.MISTAKE,
        reads=(*_CONCERNS, ContactMade),
    ),
    Rule(
        "unverified-information",
        unverified_information,
        Weight.NOTE,
        reads=(
            ForecastRevised,
            BudgetObserved,
            CriteriaStatusObserved,
            DecisionCriterionSet,
            DecisionCriterionDropped,
            CriterionScored,
            FactRecorded,
            FactChecked,
            *_WHO_AND_WHERE,
        ),
    ),
)
"""The rules of this family."""
