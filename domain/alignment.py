"""Alignment: how far our stage is ahead of the customer's own decision."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from domain.buying.facts import BuyingPhaseObserved, Vocabulary
from domain.people.facts import BuyingRole
from domain.process import BuyingPhase

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from domain.deal import Deal
    from domain.history import Recorded
    from domain.process import SalesProcess

KNOWN_FOR = timedelta(days=60)
"""How long an observed phase counts; after that nobody knows where they are."""

_ORDER = tuple(BuyingPhase)


def alignment(deal: Deal, process: SalesProcess, at: datetime) -> int | None:
    """By how many phases of the decision cycle our stage is ahead of the customer.

    Negative where the customer is ahead. `deal` is the state at `at`, and `process` the
    one it runs under. The customer stands where the decision maker was last observed,
    else the purchaser, else the customer as a whole. None, unknown, without an
    observation in the last `KNOWN_FOR`, and in a stage that assumes no phase.
    """
    stage = process.stage(deal.stages.stage or "")
    return phases_ahead(stage.decision_phase if stage else None, observed_phase(deal, process, at))


def phases_ahead(ours: BuyingPhase | None, seen: BuyingPhase | None) -> int | None:
    """By how many phases ours is ahead of that in which the customer was seen; None: unknown."""
    return None if ours is None or seen is None else _ORDER.index(ours) - _ORDER.index(seen)


def observed_phase(deal: Deal, process: SalesProcess, at: datetime) -> BuyingPhase | None:
    """The phase of the decision cycle in which the customer counts as standing at `at`."""
    seen = observation(deal, process, at)
    return phase_told(seen.fact, process) if seen is not None else None


def observation(
    deal: Deal, process: SalesProcess, at: datetime
) -> Recorded[BuyingPhaseObserved] | None:
    """The observation by which the customer counts as standing somewhere at `at`; it tells a phase.

    None: there is none of the last `KNOWN_FOR`.
    """
    fresh = [
        event
        for event in reversed(deal.purchase.phases)
        if at - event.occurred_at <= KNOWN_FOR and phase_told(event.fact, process) is not None
    ]
    if not fresh:
        return None
    for whose in _speaking_for_the_customer(deal):
        for event in fresh:
            if event.fact.stakeholder in whose:
                return event
    return None


def _speaking_for_the_customer(deal: Deal) -> Iterator[frozenset[str | None]]:
    """By precedence: who is to be asked where the customer stands; None is the whole of it."""
    for role in (BuyingRole.DECISION_MAKER, BuyingRole.PURCHASER):
        yield frozenset(one.id for one in deal.people.with_role(role))
    yield frozenset({None})


def phase_told(fact: BuyingPhaseObserved, process: SalesProcess) -> BuyingPhase | None:
    """The phase of the decision cycle that an observation tells; a purchase step's, through it.

    None for a step that belongs to no phase, or that this process does not list.
    """
    match fact.vocabulary:
        case Vocabulary.DECISION_CYCLE:
            return BuyingPhase(fact.phase) if fact.phase in _ORDER else None
        case Vocabulary.PURCHASE_STEPS:
            step = process.purchase_step(fact.phase)
            return step.phase if step else None
        case _:
            assert_never(fact.vocabulary)
