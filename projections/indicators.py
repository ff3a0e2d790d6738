"""Indicators: how a deal stands at one moment, in figures that can be compared.

They are worked out from the state at that moment, so nothing later is in them.
What rests on secrets stands in `SecretIndicators`, apart from the rest.
docs/replay.md gives the formula of each.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from domain.alignment import alignment, observed_phase
from domain.competition.facts import Rank
from domain.deal import Deal
from domain.gates import gate_state, win_probability
from domain.lifecycle import Status
from domain.negotiation.figures import figures
from domain.negotiation.marks import distances_at
from domain.process import BuyingPhase, SalesProcess
from domain.values import Money
from projections.instants import days_between
from projections.people import LevelFigures, coverage

RECENT = timedelta(days=30)


class Indicators(msgspec.Struct, frozen=True, gc=False):
    """How a deal stands. Days are whole days; None: not known, or there is none."""

    status: Status
    stage: str | None
    stage_number: int | None
    """Position of the stage in its process, from 0; None: the process has no such stage."""
    phase: BuyingPhase | None
    """The phase of the decision cycle that the stage assumes."""
    probability: int | None
    """The process estimate, per cent: the stage's default, or the override."""
    day: int
    """Days since the opening."""
    days_in_stage: int
    gate_met: int
    gate_total: int
    """Criteria of the stage's gate."""
    buyer_phase: BuyingPhase | None
    """In which the customer was last observed."""
    alignment: int | None
    """By how many phases our stage is ahead of the customer."""
    roles_filled: int
    """Of the six buying roles."""
    people: int
    """Who has a part in the purchase, as far as known."""
    people_contacted: int
    """Of them, those contacted in the last 30 days."""
    contacts: int
    """Contacts in the last 30 days."""
    days_since_contact: int | None
    days_since_decision_maker_met: int | None
    support: int
    """Sum of attitude (-2 to 2) × influence (1 to 5)."""
    support_by_level: tuple[LevelFigures, ...]
    open_concerns: int
    position: Rank | None
    """Against the competitors, as last assessed."""
    amount: Money | None
    days_to_expected_close: int | None
    """Negative once it is past."""
    conceded: Decimal | None
    """What our concessions cost so far, in the deal's currency; None: one has no known cost."""
    concessions: int
    """Of ours."""


class SecretIndicators(msgspec.Struct, frozen=True, gc=False):
    """What rests on our marks."""

    to_walk_away: tuple[tuple[str, Decimal], ...]
    """By issue: how far our position lies from our walk-away, in units of the issue."""


def indicators(deal: Deal, process: SalesProcess, at: datetime) -> Indicators:
    """Those of `deal`, the state at `at`, which runs under `process` and was opened."""
    life, stages = deal.life, deal.stages
    assert life.opened_at is not None
    position = process.position(stages.stage or "")
    stage = None if position is None else process.stages[position]
    gate = gate_state(deal, stage, at) if stage else None
    covered = coverage(deal.people, at)
    contacts = deal.people.contacts
    conceded = [figures(one).ours for one in deal.negotiations.opened]
    costs = [side.cost for side in conceded if side.concessions]
    return Indicators(
        status=life.status,
        stage=stages.stage,
        stage_number=position,
        phase=stage.decision_phase if stage else None,
        probability=win_probability(deal, process, at),
        day=days_between(life.opened_at, at),
        days_in_stage=days_between(stages.entered_at, at) if stages.entered_at else 0,
        gate_met=len(gate.met) if gate else 0,
        gate_total=len(gate.criteria) if gate else 0,
        buyer_phase=observed_phase(deal, process, at),
        alignment=alignment(deal, process, at),
        roles_filled=len(covered.roles_filled),
        people=len(deal.people.present),
        people_contacted=len(covered.contacted_lately),
        contacts=sum(at - one.made.occurred_at <= RECENT for one in contacts),
        days_since_contact=days_between(contacts[-1].made.occurred_at, at) if contacts else None,
        days_since_decision_maker_met=covered.days_since_decision_maker_met,
        support=covered.support,
        support_by_level=covered.levels,
        open_concerns=len(deal.needs.open_concerns),
        position=deal.field.position.fact.rank if deal.field.position else None,
        amount=deal.amount,
        days_to_expected_close=(
            (stages.expected_close - at.date()).days if stages.expected_close else None
        ),
        conceded=None if None in costs else sum((c for c in costs if c), Decimal()),
        concessions=sum(side.concessions for side in conceded),
    )


def secret_indicators(deal: Deal) -> SecretIndicators:
    """What rests on secrets, of the negotiations that are not concluded."""
    found = []
    for negotiation in deal.negotiations.open:
        for state in negotiation.issues:
            stands = state.our_stands
            if stands:
                distance = distances_at(state, stands[-1].value, stands[-1].moment).to_walk_away
                if distance is not None:
                    found.append((state.issue.id, distance))
    return SecretIndicators(tuple(found))


__all__ = ["Indicators", "SecretIndicators", "indicators", "secret_indicators"]
