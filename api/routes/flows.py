"""The flow of deals over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.cursors import decode_cursor
from api.queries.flows import (
    MOST_DEALS,
    TOLD_APART_BY,
    FlowQuery,
    StuckQuery,
    ask_cohorts,
    ask_flow,
    ask_outcomes,
    ask_stuck,
    ask_survival,
)
from api.routes.common import (
    READS_DEALS,
    Answer,
    Caller,
    ParameterFault,
    Store,
    answers,
    next_link,
    positioned,
    waits,
)
from api.routes.filters import FilteredParameters
from api.wire.flows import (
    CohortTable,
    Flow,
    OutcomesOverTime,
    TimeInStage,
)
from api.wire.stuck import StuckDeals
from api.workspace import Workspace
from projections.calendar import Grain

router = APIRouter(prefix="/v1/flow", tags=["pipeline"], default_response_class=Answer)

_ORDER = "entered_at"


class FlowParameters(FilteredParameters):
    """Both axes of time, and which deals, by their values at the moment asked for."""


class CohortParameters(FlowParameters):
    """Both axes of time, which deals, and how long the periods of opening are."""

    period: Grain = Field(Grain.MONTH, description="How long the periods of opening are.")


class CurveParameters(FlowParameters):
    """Both axes of time, which deals, and what they are told apart by."""

    group_by: str | None = Field(
        None,
        description="What to tell deals apart by, a dimension or the period of their opening:"
        f" {', '.join(TOLD_APART_BY)}.",
    )

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.query()

    def query(self) -> FlowQuery:
        if self.group_by is not None and self.group_by not in TOLD_APART_BY:
            raise ParameterFault(
                "group_by",
                f"there is no dimension {self.group_by!r}; use {', '.join(TOLD_APART_BY)}",
            )
        return FlowQuery(self.where(), self.group_by)


class StuckParameters(FlowParameters):
    """Both axes of time, which deals, and which page of them."""

    limit: int = Field(50, ge=1, le=MOST_DEALS, description="At most so many deals.")
    cursor: str | None = Field(None, description="Goes on where an earlier answer ended.")

    def check(self, store: Workspace) -> None:
        super().check(store)
        if self.cursor is not None:
            decode_cursor(self.cursor, _ORDER, descending=False)

    def query(self) -> StuckQuery:
        return StuckQuery(self.where(), self.limit, self.cursor)


@router.get(
    "",
    responses=answers(Flow, "The stages at (as of, known at).", has_position=True),
    dependencies=[READS_DEALS, waits(FlowParameters)],
)
def ask_the_flow(
    store: Store, caller: Caller, parameters: Annotated[FlowParameters, Query()]
) -> Answer:
    """Visits of every stage: how they began and ended, after how many days, and who is stuck."""
    at, where = parameters.instants(store), parameters.where()
    answer, position = positioned(store, lambda: ask_flow(store, caller, at, where))
    return Answer(answer, headers=position)


@router.get(
    "/cohorts",
    responses=answers(CohortTable, "The cohorts at (as of, known at).", has_position=True),
    dependencies=[READS_DEALS, waits(CohortParameters)],
)
def ask_the_cohorts(
    store: Store, caller: Caller, parameters: Annotated[CohortParameters, Query()]
) -> Answer:
    """Of the deals opened in one period: how far they came, and how they ended."""
    at, where = parameters.instants(store), parameters.where()
    answer, position = positioned(
        store, lambda: ask_cohorts(store, caller, at, where, parameters.period)
    )
    return Answer(answer, headers=position)


@router.get(
    "/survival",
    responses=answers(TimeInStage, "Curves at (as of, known at).", has_position=True),
    dependencies=[READS_DEALS, waits(CurveParameters)],
)
def ask_the_time_in_stage(
    store: Store, caller: Caller, parameters: Annotated[CurveParameters, Query()]
) -> Answer:
    """How long deals stay in each stage, by Kaplan and Meier; visits that go on are censored."""
    at, query = parameters.instants(store), parameters.query()
    answer, position = positioned(store, lambda: ask_survival(store, caller, at, query))
    return Answer(answer, headers=position)


@router.get(
    "/outcomes",
    responses=answers(OutcomesOverTime, "Curves at (as of, known at).", has_position=True),
    dependencies=[READS_DEALS, waits(CurveParameters)],
)
def ask_the_outcomes(
    store: Store, caller: Caller, parameters: Annotated[CurveParameters, Query()]
) -> Answer:
    """What deals come to, by days since their opening, by Aalen and Johansen."""
    at, query = parameters.instants(store), parameters.query()
    answer, position = positioned(store, lambda: ask_outcomes(store, caller, at, query))
    return Answer(answer, headers=position)


@router.get(
    "/stuck",
    responses=answers(StuckDeals, "A page of stuck deals.", has_position=True),
    dependencies=[READS_DEALS, waits(StuckParameters)],
)
def list_the_stuck_deals(
    request: Request, store: Store, caller: Caller, parameters: Annotated[StuckParameters, Query()]
) -> Answer:
    """Open deals that have been in their stage for longer than most that were won."""
    at, query = parameters.instants(store), parameters.query()
    answer, position = positioned(store, lambda: ask_stuck(store, caller, at, query))
    return Answer(answer, headers={**position, **next_link(request, answer.cursor)})
