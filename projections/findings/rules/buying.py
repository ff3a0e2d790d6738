"""Where the customer stands in buying, by whose criteria, and what was promised."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from domain.alignment import KNOWN_FOR, observation, phase_told
from domain.buying.facts import (
    BuyingPhaseObserved,
    CommitmentBroken,
    CommitmentKept,
    CommitmentRecorded,
    CriteriaStatus,
    CriteriaStatusObserved,
    DecisionCriterionDropped,
    DecisionCriterionSet,
    ProposalKind,
    ProposalSubmitted,
    VendorStatus,
)
from domain.buying.purchase import Commitment, DecisionCriterion
from domain.competition.facts import CompetitorIdentified
from domain.corrections import EventWithdrawn
from domain.deal import Deal
from domain.history import Recorded, fold_order
from domain.lifecycle.facts import NextStepPlanned, OpportunityAssessed, PursuitDecision
from domain.people.facts import (
    ContactMade,
    StakeholderDeparted,
    StakeholderIdentified,
    StakeholderRevised,
    SubjectErased,
)
from domain.process import BuyingPhase
from domain.stages.facts import StageRegressed
from domain.values import END_OF_TIME, OURSELVES, Party, Side
from projections.findings.case import PHASES, Case, Moment, lasting
from projections.findings.finding import Firing, Kind, Told, Weight
from projections.findings.pauses import later
from projections.findings.rule import Rule

Observation = Recorded[BuyingPhaseObserved]

_MEASUREMENT = PHASES.index(BuyingPhase.MEASUREMENT)
_NAMES = (StakeholderIdentified, StakeholderRevised, SubjectErased)


def ahead_of_buyer(case: Case) -> Iterator[Firing]:
    """Our stage is two or more phases ahead of where the customer was last observed.

    The alignment of `domain.alignment`: an observation counts for 60 days.
    """
    return lasting(case, _ahead)


def _ahead(now: Moment) -> Iterator[Firing]:
    process, phase = now.process, now.phase
    if process is None or phase is None:
        return
    at = now.at
    while at < END_OF_TIME and (seen := observation(now.deal, process, at)) is not None:
        told = phase_told(seen.fact, process)
        assert told is not None, "only an observation that tells a phase speaks"
        # It still counts at the end of its time, and no longer just behind that.
        end = later(seen.occurred_at, KNOWN_FOR + timedelta.resolution)
        ahead = phase - PHASES.index(told)
        if ahead >= now.settings.ahead_phases:
            yield Firing(
                since=at,
                until=end,
                evidence=tuple(sorted({seen.version, now.deal.stages.visits[-1].version})),
                told={"stage": now.deal.stages.stage or "", "ahead": ahead, **_seen_in(seen, told)},
                subject=seen.fact.stakeholder or "",
                wording=_whose(seen),
            )
        at = end


def _whose(seen: Observation) -> str:
    return "customer" if seen.fact.stakeholder is None else "person"


def _seen_in(seen: Observation, phase: BuyingPhase) -> Told:
    who = seen.fact.stakeholder
    return {"phase": phase.value, "on": seen.occurred_at.date().isoformat()} | (
        {"who": who} if who else {}
    )


def buyer_went_back(case: Case) -> Iterator[Firing]:
    """The deal went back, or the same person, or the customer, was seen in an earlier phase.

    Driven by a competitor or by nobody known; driven by us it is a note, and by the
    customer no fault. It holds until the ground is regained.
    """
    return chain(_regressions(case), _seen_earlier(case))


def _weight(driver: Side | None) -> Weight:
    return Weight.NOTE if driver is Side.US else Weight.MISTAKE


def _driver(driver: Side | None) -> str:
    match driver:
        case None:
            return "nobody known"
        case Side.COMPETITOR:
            return "a competitor"
        case _:
            return driver.value


def _regressions(case: Case) -> Iterator[Firing]:
    for moment in case.of(StageRegressed):
        fact: StageRegressed = moment.fact
        if fact.driven_by is not Side.CUSTOMER:
            yield Firing(
                since=moment.at,
                until=case.first(moment, partial(_stands_at, fact.from_)),
                evidence=(moment.event.version,),
                trigger=moment.event.version,
                subject=f"stage:{fact.from_}",
                told={
                    "stage_from": fact.from_,
                    "stage_to": fact.to,
                    "driver": _driver(fact.driven_by),
                },
                weight=_weight(fact.driven_by),
                wording="stage",
            )


def _stands_at(stage: str, moment: Moment) -> bool:
    """At that stage, or past it."""
    if moment.process is None:
        return False
    there = moment.process.position(stage)
    here = moment.process.position(moment.deal.stages.stage or "")
    return there is not None and here is not None and there <= here


_Step = tuple[Observation, Observation]


def _seen_earlier(case: Case) -> Iterator[Firing]:
    """Steps back that are known from a moment on, which a late entry can show too."""
    for moment in case.of(BuyingPhaseObserved, EventWithdrawn):
        known_before = _steps_back(case, moment.before)
        for key, (above, seen) in _steps_back(case, moment.deal).items():
            driver = seen.fact.driven_by
            process = moment.process
            if key in known_before or driver is Side.CUSTOMER or process is None:
                continue
            was, now_is = phase_told(above.fact, process), phase_told(seen.fact, process)
            assert was is not None, "a step back leads from a phase"
            assert now_is is not None, "and into one"
            yield Firing(
                since=moment.at,
                until=case.first(moment, partial(_regained, (above, seen), was)),
                evidence=tuple(sorted((above.version, seen.version))),
                trigger=moment.event.version,
                subject=f"phase:{seen.fact.stakeholder or ''}",
                told={"was": was.value, "driver": _driver(driver), **_seen_in(seen, now_is)},
                weight=_weight(driver),
                wording=_whose(seen),
            )


def _steps_back(case: Case, deal: Deal) -> Mapping[tuple[int, int], _Step]:
    """Each observation in an earlier phase than the one before it of the same, by versions."""
    process = case.process_of(deal)
    steps: dict[tuple[int, int], _Step] = {}
    last: dict[str | None, tuple[int, Observation]] = {}
    for one in deal.purchase.phases:
        phase = phase_told(one.fact, process) if process else None
        if phase is None:
            continue
        number, whose = PHASES.index(phase), one.fact.stakeholder
        if whose in last and number < last[whose][0]:
            above = last[whose][1]
            steps[above.version, one.version] = (above, one)
        last[whose] = (number, one)
    return steps


def _regained(step: _Step, was: BuyingPhase, later: Moment) -> bool:
    """The step is no longer known, or they were seen there again since."""
    above, seen = step
    known = _steps_back(later.case, later.deal)
    if later.process is None or (above.version, seen.version) not in known:
        return True
    return any(
        PHASES.index(phase) >= PHASES.index(was)
        for one in later.deal.purchase.phases
        if one.fact.stakeholder == seen.fact.stakeholder and fold_order(one) > fold_order(seen)
        if (phase := phase_told(one.fact, later.process)) is not None
    )


def criteria_not_ours(case: Case) -> Iterator[Firing]:
    """Measurement was reached, and the heaviest criteria were set by a competitor, or unknown.

    Where who set a criterion is not told, whose the criteria are as a whole tells it.
    """
    return lasting(case, _measured_by_others)


def _measured_by_others(now: Moment) -> Iterator[Firing]:
    if now.phase is None or not _MEASUREMENT <= now.phase < len(PHASES) - 1:
        return
    status, criteria = now.deal.purchase.criteria_status, _heaviest(now.deal)
    by = [(one, one.set.fact.set_by or _whole_set_by(status)) for one in criteria]
    theirs = [one for one, side in by if side is Side.COMPETITOR]
    unknown = [one for one, side in by if side is None]
    reached = now.deal.stages.visits[-1].version
    judged_by = {status.version} if status else set()
    if found := theirs or unknown:
        rests_on = {one.set.version for one in found}
        if any(one.set.fact.set_by is None for one in found):
            rests_on |= judged_by
        yield Firing(
            since=now.at,
            evidence=tuple(sorted({reached, *rests_on})),
            told={"criteria": tuple(one.id for one in found)},
            wording="competitor" if theirs else "unknown-setter",
        )
    elif not criteria and _whole_set_by(status) in (Side.COMPETITOR, None):
        yield Firing(
            since=now.at,
            evidence=tuple(sorted({reached, *judged_by})),
            needs=(Kind.CRITERIA,),
            wording="with-competitor" if _whole_set_by(status) else "unknown",
        )


def _heaviest(deal: Deal) -> list[DecisionCriterion]:
    """The criteria of the largest weight; all of them where no weight is known."""
    criteria = deal.purchase.criteria
    largest = max((one.set.fact.weight or 0 for one in criteria), default=0)
    return [one for one in criteria if (one.set.fact.weight or 0) == largest]


def _whole_set_by(status: Recorded[CriteriaStatusObserved] | None) -> Side | None:
    """Who set the criteria as a whole; None: nobody knows, or they are not set."""
    sides = {
        CriteriaStatus.WITH_US: Side.US,
        CriteriaStatus.WITH_COMPETITOR: Side.COMPETITOR,
        CriteriaStatus.THEIR_OWN: Side.CUSTOMER,
    }
    return sides.get(status.fact.status) if status else None


def pre_selected_vendor(case: Case) -> Iterator[Firing]:
    """We are in a tender in which another vendor is believed to be chosen beforehand.

    We are in it unless we are out, or decided against it and handed no bid in.
    """
    return lasting(case, _pre_selected)


def _pre_selected(now: Moment) -> Iterator[Firing]:
    purchase = now.deal.purchase
    vendor = purchase.mode.fact.pre_selected if purchase.mode and purchase.tender else None
    if vendor is None or vendor == OURSELVES or not _in_the_tender(now.deal):
        return
    assert purchase.mode is not None
    yield Firing(
        since=now.at,
        evidence=(purchase.mode.version,),
        told={"vendor": vendor},
        subject=vendor,
    )


def _in_the_tender(deal: Deal) -> bool:
    ours = deal.purchase.vendor_status(OURSELVES)
    if ours is not None and ours.fact.status is VendorStatus.OUT:
        return False
    assessed = deal.life.assessment
    declined = assessed is not None and assessed.fact.decision is PursuitDecision.NO_GO
    return not declined or deal.purchase.proposal(ProposalKind.BID) is not None


def promise_broken(case: Case) -> Iterator[Firing]:
    """A commitment of ours broken, or one of theirs broken without a response within seven days.

    A response is a contact, a planned step or another promise of theirs.
    """
    return lasting(case, _broken)


def _broken(now: Moment) -> Iterator[Firing]:
    for commitment in now.deal.purchase.commitments:
        settled = commitment.settled
        if settled is None or not isinstance(settled.fact, CommitmentBroken):
            continue
        evidence = (commitment.recorded.version, settled.version)
        told: Told = {"commitment": commitment.id, "on": settled.occurred_at.date().isoformat()}
        if commitment.recorded.fact.side is Party.US:
            yield Firing(
                since=now.at,
                evidence=tuple(sorted(evidence)),
                told=told,
                subject=commitment.id,
                wording="ours",
            )
        elif not _answered(now.deal, commitment):
            yield from _unanswered(now, settled.occurred_at, evidence, told)


def _unanswered(
    now: Moment, broken: datetime, evidence: tuple[int, ...], told: Told
) -> Iterator[Firing]:
    clock = now.case.clock(broken, now)
    if clock is None:
        return
    since, until = clock
    days = now.settings.promise_days
    yield Firing(
        since=later(since, timedelta(days=days)),
        until=until,
        evidence=tuple(sorted(evidence)),
        told={**told, "days": days},
        subject=str(told["commitment"]),
        needs=(Kind.CONTACTS,),
        wording="theirs",
    )


def _answered(deal: Deal, commitment: Commitment) -> bool:
    assert commitment.settled is not None
    broken = fold_order(commitment.settled)
    responses = chain(
        (one.made for one in deal.people.contacts),
        (one.planned for one in deal.life.next_steps),
        (
            one.recorded
            for one in deal.purchase.commitments
            if one.recorded.fact.side is Party.CUSTOMER
        ),
    )
    return any(fold_order(one) > broken for one in responses)


RULES = (
    Rule(
        "ahead-of-buyer",
        ahead_of_buyer,
        Weight.MISTAKE,
        reads=(BuyingPhaseObserved, StakeholderDeparted, *_NAMES),
    ),
    Rule(
        "buyer-went-back",
        buyer_went_back,
        Weight.MISTAKE,
        reads=(BuyingPhaseObserved, *_NAMES),
    ),
    Rule(
        "criteria-not-ours",
        criteria_not_ours,
        Weight.MISTAKE,
        reads=(DecisionCriterionSet, DecisionCriterionDropped, CriteriaStatusObserved),
    ),
    Rule(
        "pre-selected-vendor",
        pre_selected_vendor,
        Weight.MISTAKE,
        reads=(ProposalSubmitted, OpportunityAssessed, CompetitorIdentified),
    ),
    Rule(
        "promise-broken",
        promise_broken,
        Weight.MISTAKE,
        reads=(CommitmentRecorded, CommitmentBroken, CommitmentKept, ContactMade, NextStepPlanned),
    ),
)
"""The rules of this family."""
