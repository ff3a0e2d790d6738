"""The pipeline over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.queries.drilldown import MOST_DEALS, Drilldown, ask_deals_behind, place_of
from api.queries.pipeline import ask_pipeline
from api.routes.common import (
    READS_DEALS,
    Answer,
    Caller,
    Store,
    answers,
    next_link,
    positioned,
    waits,
)
from api.routes.filters import FilteredParameters, currency_in, dimensions_in
from api.wire.drilldown import DealsBehind
from api.wire.pipelines import Pipeline
from api.workspace import Workspace
from domain.lifecycle import Status
from projections.drilldown import COUNTED
from projections.pipeline import DIMENSIONS

router = APIRouter(prefix="/v1/pipeline", tags=["pipeline"], default_response_class=Answer)


class ReportedParameters(FilteredParameters):
    """Both axes of time, which deals, and in which currency their amounts are told."""

    reporting_currency: str | None = Field(
        None,
        max_length=3,
        description="Tell all amounts in this currency (ISO 4217), with the exchange rates of the"
        " day of `as_of` as known at `known_at`; without it, each in its own.",
    )

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.target()

    def target(self) -> str | None:
        """The currency. Raises ParameterFault."""
        return currency_in(self.reporting_currency)


class PipelineParameters(ReportedParameters):
    """Both axes of time, how to group, and which deals. An empty value finds deals without one."""

    group_by: str = Field(
        "stage", description=f"Dimensions with commas between: {', '.join(DIMENSIONS)}."
    )

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.dimensions()

    def dimensions(self) -> list[str]:
        return dimensions_in(self.group_by)


@router.get(
    "",
    responses=answers(Pipeline, "The snapshot.", has_position=True),
    dependencies=[READS_DEALS, waits(PipelineParameters)],
)
def ask_the_pipeline(
    store: Store, caller: Caller, parameters: Annotated[PipelineParameters, Query()]
) -> Answer:
    """What was open, won and lost at any moment, grouped."""
    instants, by, where = parameters.instants(store), parameters.dimensions(), parameters.where()
    currency = parameters.target()
    answer, position = positioned(
        store, lambda: ask_pipeline(store, caller, instants, by, where, reporting_currency=currency)
    )
    return Answer(answer, headers=position)


class DealsBehindParameters(ReportedParameters):
    """Both axes of time, which deals of the snapshot, and from where on."""

    status: Literal["open", "suspended", "won", "lost", "voided"] | None = Field(
        None, description="Only deals with this status; without it, all that a snapshot counts."
    )
    unknown_amount: bool = Field(False, description="Only deals whose amount is unknown.")
    limit: int = Field(50, ge=1, le=MOST_DEALS, description="At most so many.")
    cursor: str | None = Field(None, description="Goes on where an earlier answer ended.")

    def check(self, store: Workspace) -> None:
        super().check(store)
        if self.cursor is not None:
            place_of(self.cursor, self.target())

    def drilldown(self) -> Drilldown:
        return Drilldown(
            (Status(self.status),) if self.status else COUNTED,
            self.where(),
            self.unknown_amount,
            self.target(),
            self.limit,
            self.cursor,
        )


@router.get(
    "/deals",
    responses=answers(DealsBehind, "The deals that the snapshot counts.", has_position=True),
    dependencies=[READS_DEALS, waits(DealsBehindParameters)],
)
def ask_the_deals_behind(
    request: Request,
    store: Store,
    caller: Caller,
    parameters: Annotated[DealsBehindParameters, Query()],
) -> Answer:
    """The deals behind a figure, and the events behind each. `Link` leads to those that follow."""
    instants, asked = parameters.instants(store), parameters.drilldown()
    answer, position = positioned(store, lambda: ask_deals_behind(store, caller, instants, asked))
    return Answer(answer, headers={**position, **next_link(request, answer.cursor)})
