"""Calibration over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.queries.calibrations import CalibrationQuery, ask_calibration, leads_of
from api.routes.common import (
    READS_DEALS,
    Answer,
    Caller,
    ParameterFault,
    Store,
    answers,
    positioned,
    waits,
)
from api.routes.filters import FilteredParameters, dimensions_in
from api.wire.calibrations import Calibration
from api.workspace import Workspace
from projections.pipeline import DIMENSIONS

router = APIRouter(prefix="/v1/calibration", tags=["forecast"], default_response_class=Answer)


class CalibrationParameters(FilteredParameters):
    """When deals are decided, which of them, and how long before it their probability counts."""

    lead: str = Field(
        "90,60,30,7", max_length=80, description="Days before the outcome, with commas between."
    )
    group_by: str = Field(
        "", description=f"Dimensions with commas between: {', '.join(DIMENSIONS)}."
    )
    as_occurred: bool = Field(
        False,
        description="Take what was true at the lead by today's knowledge, whenever it was entered:"
        " for imports that do not say when they knew.",
    )

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.query()

    def query(self) -> CalibrationQuery:
        """What is asked. Raises ParameterFault."""
        try:
            leads = leads_of(self.lead)
        except ValueError as error:
            raise ParameterFault("lead", str(error)) from None
        by = dimensions_in(self.group_by)
        return CalibrationQuery(leads, by, self.where(), self.as_occurred)


@router.get(
    "",
    responses=answers(Calibration, "The scores by lead.", has_position=True),
    dependencies=[READS_DEALS, waits(CalibrationParameters)],
)
def ask_the_calibration(
    store: Store, caller: Caller, parameters: Annotated[CalibrationParameters, Query()]
) -> Answer:
    """How far the probabilities that were on record before the outcome could be trusted."""
    at, query = parameters.instants(store), parameters.query()
    answer, position = positioned(store, lambda: ask_calibration(store, caller, at, query))
    return Answer(answer, headers=position)
