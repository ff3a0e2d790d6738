"""How the deal moved through its stages, and whether it deserved to go on."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from domain.corrections import EventWithdrawn
from domain.deal import FACT_TYPES, Deal
from domain.gates import gate_state
from domain.history import fold_order
from domain.lifecycle.facts import (
    BantStatus,
    LeadQualified,
    NextStepCompleted,
    NextStepPlanned,
    OpportunityAssessed,
)
from domain.process import Criterion
from domain.stages.facts import StageAdvanced
from domain.stages.standing import Visit
from projections.findings.case import PHASES, Case, Moment, lasting
from projections.findings.finding import Firing, Kind, Told, Weight
from projections.findings.pauses import later
from projections.findings.rule import Rule

LAST_PHASE = 6
"""Selection: what follows is no part of selling."""


def came_to(phase: int, now: Moment) -> Visit | None:
    """The stay with which the deal came to this phase or behind it, and did not go back since.

    None: it stands before the phase, behind the selection, or in a stage that tells no phase.
    """
    process = now.process
    if process is None or now.phase is None or not phase <= now.phase <= LAST_PHASE:
        return None
    came = None
    for visit in reversed(now.deal.stages.visits):
        stage = process.stage(visit.stage)
        if stage is None or stage.decision_phase not in PHASES[phase:]:
            break
        came = visit
    return came


def gate_overridden(case: Case) -> Iterator[Firing]:
    """Forward without the criteria, by somebody's leave.

    What the gate was held to lack when the leave was given is told beside what it lacked.
    """
    for moment in case.of(StageAdvanced):
        fact: StageAdvanced = moment.fact
        if fact.override is not None:
            yield from _unmet_gate(moment)


def gate_skipped(case: Case) -> Iterator[Firing]:
    """Forward past stages that have criteria, or without the criteria and by nobody's leave."""
    for moment in case.of(StageAdvanced):
        fact: StageAdvanced = moment.fact
        process = case.process_of(moment.before)
        if process is None:
            continue
        passed = [process.stage(one) for one in fact.skipped]
        skipped = tuple(one.id for one in passed if one is not None and one.gate)
        if skipped:
            told = {"stage": fact.from_, "stage_to": fact.to, "stages_skipped": skipped}
            yield _forward(moment, told=told, wording="stages")
        elif fact.override is None:
            yield from _unmet_gate(moment, wording="criteria")


def _unmet_gate(moment: Moment, *, wording: str = "") -> Iterator[Firing]:
    """The gate that was left, judged anew by what is known now of the moment of the move."""
    fact: StageAdvanced = moment.fact
    process = moment.case.process_of(moment.before)
    stage = process.stage(fact.from_) if process else None
    if stage is None:
        return
    gate = gate_state(moment.before, stage, moment.event.occurred_at)
    missing = gate.missing_criteria()
    needs: set[Kind] = set()
    if fact.gate is None:
        telling = [one for one in missing if _needs(one, moment.before) is not None]
        missing = [one for one in telling if _on_record(one, moment)] or telling
        for one in missing:
            needs |= {*(_needs(one, moment.before) or ())}
    if missing:
        told: Told = {"stage": fact.from_, "missing": tuple(one.id for one in missing)}
        if fact.override is not None and fact.gate is not None:
            told = {**told, "held_missing": fact.gate.missing}
        yield _forward(moment, told=told, wording=wording, needs=tuple(sorted(needs)))


def _forward(moment: Moment, **more: Any) -> Firing:
    version = moment.event.version
    return Firing(
        since=moment.at,
        evidence=(version,),
        trigger=version,
        subject=moment.fact.from_,
        **more,
    )


SHOWN_MISSING_BY: dict[str, tuple[Kind, ...]] = {
    "next-step-planned": (Kind.STEPS,),
    "qualified": (Kind.QUALIFICATION,),
    "bant-confirmed": (Kind.QUALIFICATION,),
    "stakeholder-recorded": (Kind.PEOPLE,),
    "reachable-contact": (Kind.CONTACTS,),
    "decision-chain-known": (Kind.PEOPLE,),
    "decision-chain-detailed": (Kind.PEOPLE, Kind.ATTITUDES),
    "buying-roles-filled": (Kind.PEOPLE,),
    "front-line-relationship": (Kind.PEOPLE, Kind.ATTITUDES),
    "middle-level-relationship": (Kind.PEOPLE, Kind.ATTITUDES),
    "decision-maker-relationship": (Kind.PEOPLE, Kind.ATTITUDES),
    "decision-maker-attitude": (Kind.PEOPLE, Kind.ATTITUDES),
    "middle-level-supportive": (Kind.PEOPLE, Kind.ATTITUDES),
    "decision-maker-met": (Kind.PEOPLE, Kind.CONTACTS),
    "engineers-met": (Kind.CONTACTS,),
    "solution-presented": (Kind.CONTACTS,),
    "need-known": (Kind.NEEDS,),
    "explicit-need-known": (Kind.NEEDS,),
    "reason-to-buy-known": (Kind.NEEDS,),
    "verified-by-second-source": (Kind.INFORMATION,),
    "value-confirmed": (Kind.VALUES,),
    "customer-resolved-to-act": (Kind.PHASES,),
    "decision-criteria-known": (Kind.CRITERIA,),
    "scored-against-competitor": (Kind.CRITERIA,),
    "competitors-known": (Kind.COMPETITORS,),
    "competitor-move-known": (Kind.COMPETITORS,),
    "competitor-moves-recent": (Kind.COMPETITORS,),
    "concerns-have-owners": (),
    "concerns-closed": (),
    "issues-agreed": (),
    "approvals-granted": (),
}
"""What has to be on record before a predicate that says no of an imported move means anything.

The last ones say no only of what is on record. Of the predicates that are not here nothing tells
whether the source would have recorded what they ask for.
"""


def _needs(criterion: Criterion, deal: Deal) -> tuple[Kind, ...] | None:
    """What a criterion missing in an imported move needs on record; None: it cannot tell."""
    if criterion.predicate is None:
        return () if deal.stages.attestations else None
    return SHOWN_MISSING_BY.get(criterion.predicate)


def _on_record(criterion: Criterion, moment: Moment) -> bool:
    shown = [moment.case.recorded_from(kind) for kind in _needs(criterion, moment.before) or ()]
    return all(one is not None and one.index <= moment.index for one in shown)


_FIRST_UNQUALIFIED, _ALL_CONFIRMED = 2, 4


def unqualified(case: Case) -> Iterator[Firing]:
    """From P2 on one of budget, authority, need and timeline unknown, from P4 on not confirmed."""
    return lasting(case, _unqualified)


def _unqualified(now: Moment) -> Iterator[Firing]:
    came = came_to(_ALL_CONFIRMED, now)
    late = came is not None
    came = came or came_to(_FIRST_UNQUALIFIED, now)
    if came is None:
        return
    judged = now.deal.life.qualification
    open_ = tuple(
        name
        for name in ("budget", "authority", "need", "timeline")
        if _is_open(getattr(judged.fact, name) if judged else BantStatus.UNKNOWN, late)
    )
    if open_:
        versions = {came.version, judged.version} if judged else {came.version}
        yield Firing(
            since=now.at,
            evidence=tuple(sorted(versions)),
            told={"stage": now.deal.stages.stage or "", "open": open_},
            needs=(Kind.QUALIFICATION,),
            wording="unconfirmed" if late else "unknown",
        )


def _is_open(status: BantStatus, late: bool) -> bool:
    return status is not BantStatus.CONFIRMED if late else status is BantStatus.UNKNOWN


def not_worth_winning(case: Case) -> Iterator[Firing]:
    """Judged hardly worth winning and hardly to be won, and pursued for so long nevertheless."""
    return lasting(case, _not_worth)


def _not_worth(now: Moment) -> Iterator[Firing]:
    judged = now.deal.life.assessment
    if judged is None or not _is_low(judged.fact, now):
        return
    first = _low_since(now) or (judged.occurred_at, judged.version)
    clock = now.case.clock(first[0], now)
    if clock is None:
        return
    days = now.settings.not_worth_days
    yield Firing(
        since=later(clock[0], timedelta(days=days)),
        until=clock[1],
        evidence=tuple(sorted({first[1], judged.version})),
        told={
            "worth": judged.fact.worth_winning,
            "can": judged.fact.can_win,
            "days": days,
            "first": first[0].date().isoformat(),
        },
    )


def _is_low(fact: OpportunityAssessed, now: Moment) -> bool:
    return max(fact.worth_winning, fact.can_win) <= now.settings.not_worth_score


def _low_since(now: Moment) -> tuple[datetime, int] | None:
    """When and by which event it was first judged so, of the judgements that stand, without break.

    The state keeps the latest judgement alone, and to judge so again does not begin anew.
    """
    known = [moment.event for moment in now.case.moments[: now.index + 1]]
    gone = {v for one in known if isinstance(one.fact, EventWithdrawn) for v in one.fact.versions}
    first = None
    for event in sorted(known, key=fold_order, reverse=True):
        if isinstance(event.fact, OpportunityAssessed) and event.version not in gone:
            if not _is_low(event.fact, now):
                break
            first = event.occurred_at, event.version
    return first


def next_step_missing(case: Case) -> Iterator[Firing]:
    """For so many days no step ahead that has an objective, from P1 to P6."""
    return lasting(case, _stepless)


def _stepless(now: Moment) -> Iterator[Firing]:
    came = came_to(1, now)
    steps = [one for one in now.deal.life.next_steps if one.planned.fact.objective]
    if came is None or any(one.completed is None for one in steps):
        return
    done = [(one.completed.occurred_at, one.completed.version) for one in steps if one.completed]
    begun, version = max([(came.entered_at, came.version), *done])
    clock = now.case.clock(begun, now)
    if clock is not None:
        days = now.settings.next_step_days
        yield Firing(
            since=later(clock[0], timedelta(days=days)),
            until=clock[1],
            evidence=(version,),
            told={"days": days},
            needs=(Kind.STEPS,),
        )


RULES = (
    # A gate may ask of anything.
    Rule("gate-overridden", gate_overridden, Weight.MISTAKE, reads=FACT_TYPES),
    Rule("gate-skipped", gate_skipped, Weight.MISTAKE, reads=FACT_TYPES),
    Rule("unqualified", unqualified, Weight.MISTAKE, reads=(LeadQualified,)),
    Rule("not-worth-winning", not_worth_winning, Weight.MISTAKE, reads=(OpportunityAssessed,)),
    Rule(
        "next-step-missing",
        next_step_missing,
        Weight.NOTE,
        reads=(NextStepPlanned, NextStepCompleted),
    ),
)
"""The rules of this family."""
