"""Indicators: how a deal stands at one moment, in figures that can be compared.

They are worked out from the state at that moment, so nothing later is in them.
What rests on secrets stands in `SecretIndicators`, apart from the rest.
docs/replay.md gives the formula of each.
"""

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from domain.alignment import observed_phase, phases_ahead
from domain.competition.facts import Rank
from domain.deal import Deal
from domain.gates import gate_state, win_probability
from domain.lifecycle import Status
from domain.negotiation.ledger import concessions
from domain.negotiation.marks import distances_at
from domain.negotiation.orders import total
from domain.negotiation.positions import Negotiations
from domain.people import People
from domain.process import BuyingPhase, SalesProcess
from domain.values import Money, Party
from projections.instants import days_between
from projections.people import LevelFigures, decision_maker_met_at, levels, roles_filled

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
    return Gauge().indicators(deal, process, at)


class Gauge:
    """Reads the indicators of one deal at its moments, in any order.

    Most events leave most parts of a deal as they were. So what a part comes to, whatever the
    time, is worked out once while that part is the same object.
    """

    def __init__(self) -> None:
        self._met = _Kept(_met)
        self._conceded = _Kept(_conceded)
        self._to_walk_away = _Kept(_to_walk_away)

    def indicators(self, deal: Deal, process: SalesProcess, at: datetime) -> Indicators:
        """As `indicators`."""
        life, stages = deal.life, deal.stages
        assert life.opened_at is not None
        position = process.position(stages.stage or "")
        stage = None if position is None else process.stages[position]
        gate = gate_state(deal, stage, at) if stage else None
        phase, seen = stage.decision_phase if stage else None, observed_phase(deal, process, at)
        met, conceded = self._met(deal.people), self._conceded(deal.negotiations)
        return Indicators(
            status=life.status,
            stage=stages.stage,
            stage_number=position,
            phase=phase,
            probability=win_probability(deal, process, at),
            day=days_between(life.opened_at, at),
            days_in_stage=days_between(stages.entered_at, at) if stages.entered_at else 0,
            gate_met=len(gate.met) if gate else 0,
            gate_total=len(gate.criteria) if gate else 0,
            buyer_phase=seen,
            alignment=phases_ahead(phase, seen),
            roles_filled=met.roles_filled,
            people=met.people,
            people_contacted=sum(at - last <= RECENT for last in met.last_contacts),
            contacts=len(met.contacts) - bisect_left(met.contacts, at - RECENT),
            days_since_contact=_days_since(met.contacts[-1] if met.contacts else None, at),
            days_since_decision_maker_met=_days_since(met.decision_maker_at, at),
            support=sum(level.support for level in met.levels),
            support_by_level=met.levels,
            open_concerns=len(deal.needs.open_concerns),
            position=deal.field.position.fact.rank if deal.field.position else None,
            amount=deal.amount,
            days_to_expected_close=(
                (stages.expected_close - at.date()).days if stages.expected_close else None
            ),
            conceded=conceded.cost,
            concessions=conceded.concessions,
        )

    def secret_indicators(self, deal: Deal) -> SecretIndicators:
        """What rests on secrets, of the negotiations that are not concluded."""
        return self._to_walk_away(deal.negotiations)


_Part = TypeVar("_Part")
_Found = TypeVar("_Found")


class _Kept(Generic[_Part, _Found]):
    """What a function says of a part of the state, asked once while the part is the same object."""

    def __init__(self, work: Callable[[_Part], _Found]) -> None:
        self._work = work
        self._last: tuple[_Part, _Found] | None = None

    def __call__(self, part: _Part) -> _Found:
        if self._last is None or self._last[0] is not part:
            self._last = (part, self._work(part))
        return self._last[1]


class _Met(msgspec.Struct, frozen=True, gc=False):
    """The customer's people, and when they were met."""

    roles_filled: int
    people: int
    levels: tuple[LevelFigures, ...]
    contacts: tuple[datetime, ...]
    """When each contact was made, ascending."""
    last_contacts: tuple[datetime, ...]
    """The last one with each who has a part in the purchase and was met."""
    decision_maker_at: datetime | None


def _met(people: People) -> _Met:
    last: dict[str, datetime] = {}
    for contact in people.contacts:
        last |= dict.fromkeys(contact.made.fact.their_people, contact.made.occurred_at)
    present = people.present
    return _Met(
        roles_filled=len(roles_filled(present)),
        people=len(present),
        levels=levels(present),
        contacts=tuple(one.made.occurred_at for one in people.contacts),
        last_contacts=tuple(last[one.id] for one in present if one.id in last),
        decision_maker_at=decision_maker_met_at(people),
    )


class _Conceded(msgspec.Struct, frozen=True, gc=False):
    """What we gave up in all negotiations."""

    cost: Decimal | None
    concessions: int


def _conceded(negotiations: Negotiations) -> _Conceded:
    ours = [
        one
        for negotiation in negotiations.opened
        for one in concessions(negotiation)
        if one.move.side is Party.US
    ]
    costs = [one.cost for one in ours if one.cost is not None]
    return _Conceded(total(costs) if len(costs) == len(ours) else None, len(ours))


def _to_walk_away(negotiations: Negotiations) -> SecretIndicators:
    found = []
    for negotiation in negotiations.open:
        for state in negotiation.issues:
            stands = state.our_stands
            if stands:
                distance = distances_at(state, stands[-1].value, stands[-1].moment).to_walk_away
                if distance is not None:
                    found.append((state.issue.id, distance))
    return SecretIndicators(tuple(found))


def _days_since(then: datetime | None, at: datetime) -> int | None:
    return None if then is None else days_between(then, at)


__all__ = ["Gauge", "Indicators", "SecretIndicators", "indicators"]
