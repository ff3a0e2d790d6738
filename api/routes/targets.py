"""Targets over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from api.queries.targets import list_targets
from api.routes.common import (
    Answer,
    ParameterFault,
    Parameters,
    Store,
    answers,
    instant,
    takes,
    waits,
)
from api.wire.targets import TargetList
from api.workspace import Workspace
from projections.calendar import Period, PeriodError

router = APIRouter(prefix="/v1/targets", tags=["targets"], default_response_class=Answer)


class TargetParameters(Parameters):
    """Which targets."""

    period: str | None = Field(
        None,
        description="Only targets of exactly this period: 2026, 2026-Q1, 2026-03 or"
        " 2026-01-15..2026-02-14.",
    )
    known_at: str | None = Field(None, description="What was known then; without it, all that is.")

    def check(self, store: Workspace) -> None:
        self.days(store)
        self.known(store)

    def days(self, store: Workspace) -> Period | None:
        try:
            return None if self.period is None else store.calendar.period(self.period)
        except PeriodError as error:
            raise ParameterFault("period", str(error)) from None

    def known(self, store: Workspace) -> Any:
        return instant(store, "known_at", self.known_at)


@router.get(
    "",
    responses=answers(TargetList, "The targets that count."),
    dependencies=[takes(), waits(TargetParameters)],
)
def list_the_targets(store: Store, parameters: Annotated[TargetParameters, Query()]) -> Answer:
    """What is to be won, by period, and by whom or where."""
    period, known_at = parameters.days(store), parameters.known(store)
    return Answer(list_targets(store, period=period, known_at=known_at))
