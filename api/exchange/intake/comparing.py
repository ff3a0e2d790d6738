"""Whether what a source tells is what is recorded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from api.exchange.identity import again
from domain.stages.facts import StageAdvanced, StageRegressed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from api.exchange.intake.derivation import Derived
    from domain.deal import DealEvent


def last_recorded(command_id: str, by_id: Mapping[str, DealEvent]) -> tuple[str, DealEvent | None]:
    """The next free command id of a fact, and the event that it last became."""
    earlier = None
    while command_id in by_id:
        earlier = by_id[command_id]
        command_id = again(command_id)
    return command_id, earlier


def is_at(event: DealEvent, told: Derived) -> bool:
    """Whether an event stands where the source says, by the day where it gives no time."""
    if event.occurred_at == told.draft.occurred_at:
        return True
    end = told.reading.at
    return told.reading.day is not None and end - timedelta(days=1) < event.occurred_at <= end


def stands_as_told(event: DealEvent, told: Derived, at: datetime) -> bool:
    return event.fact == told.fact and (event.occurred_at == at or is_at(event, told))


def claim_the_same(event: DealEvent, told: Derived) -> bool:
    """Whether two facts differ at most in what came before them."""
    if not is_at(event, told):
        return False
    if isinstance(event.fact, StageAdvanced | StageRegressed):
        return (
            isinstance(told.fact, StageAdvanced | StageRegressed) and event.fact.to == told.fact.to
        )
    return event.fact == told.fact
