"""How far targets are covered, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.queries.coverage import TargetKind, ask_coverage
from api.queries.figures import periods_of
from api.routes.common import (
    READS_DEALS,
    Answer,
    AtParameters,
    Caller,
    ParameterFault,
    Store,
    answers,
    positioned,
    waits,
)
from api.wire.coverage import CoverageReport
from api.workspace import Workspace
from projections.calendar import Period, PeriodError

router = APIRouter(prefix="/v1/coverage", tags=["pipeline"], default_response_class=Answer)


class CoverageParameters(AtParameters):
    """Both axes of time, and which targets."""

    period: str | None = Field(
        None,
        description="A fiscal year (2017), a quarter (2017-Q2), a month (2017-04) or days"
        " (2017-04-01..2017-05-15); without one, the quarter of the as-of instant.",
    )
    by: TargetKind | None = Field(None, description="Only targets of this kind.")

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.period_asked(store)

    def period_asked(self, store: Workspace) -> Period:
        as_of = self.instants(store).as_of or store.now()
        try:
            [period] = periods_of(store.calendar, as_of, self.period, None)
        except PeriodError as error:
            raise ParameterFault("period", str(error)) from None
        return period


@router.get(
    "",
    responses=answers(CoverageReport, "The targets and their coverage.", has_position=True),
    dependencies=[READS_DEALS, waits(CoverageParameters)],
)
def ask_for_coverage(
    store: Store, caller: Caller, parameters: Annotated[CoverageParameters, Query()]
) -> Answer:
    """What is won of each target, and whether the pipeline covers the rest."""
    at, period = parameters.instants(store), parameters.period_asked(store)
    answer, position = positioned(
        store, lambda: ask_coverage(store, caller, at, period, parameters.by)
    )
    return Answer(answer, headers=position)
