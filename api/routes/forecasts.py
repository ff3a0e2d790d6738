"""The forecast over HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.queries.forecasts import (
    MOST_DEALS,
    DealsQuery,
    ForecastQuery,
    HistoryQuery,
    TooEarly,
    ask_forecast,
    ask_forecast_deals,
    ask_forecast_history,
    behind_of,
    require_close,
)
from api.queries.instants import Instants
from api.routes.common import (
    READS_DEALS,
    Answer,
    Caller,
    ParameterFault,
    Store,
    answers,
    instant,
    next_link,
    positioned,
    waits,
)
from api.routes.filters import dimensions_in
from api.routes.pipeline import ReportedParameters
from api.wire.forecasts import Forecast, ForecastDeals, ForecastHistory
from api.workspace import Workspace
from projections.calendar import PeriodError
from projections.pipeline import DIMENSIONS

router = APIRouter(prefix="/v1/forecast", tags=["forecast"], default_response_class=Answer)


class ForecastParameters(ReportedParameters):
    """Both axes of time, how to group, which deals, and when to look at what happened."""

    group_by: str = Field(
        "", description=f"Dimensions with commas between: {', '.join(DIMENSIONS)}."
    )
    against: str | None = Field(
        None, description="Tell what had become of the same deals by then: a later time, or now."
    )
    against_known_at: str | None = Field(
        None, description="What was known of that then; without it, all that is."
    )

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.query(store)

    def query(self, store: Workspace) -> ForecastQuery:
        """What is asked. Raises ParameterFault."""
        by = dimensions_in(self.group_by)
        return ForecastQuery(by, self.where(), self.target(), self._against(store))

    def _against(self, store: Workspace) -> Instants | None:
        if self.against is None:
            if self.against_known_at is not None:
                raise ParameterFault("against_known_at", "it goes with `against`")
            return None
        return Instants(
            instant(store, "against", self.against),
            instant(store, "against_known_at", self.against_known_at),
        )


@router.get(
    "",
    responses=answers(Forecast, "The forecast.", has_position=True),
    dependencies=[READS_DEALS, waits(ForecastParameters)],
)
def ask_the_forecast(
    store: Store, caller: Caller, parameters: Annotated[ForecastParameters, Query()]
) -> Answer:
    """The open deals by the month they should close in, at any moment, and what became of them."""
    at, query = parameters.instants(store), parameters.query(store)
    try:
        answer, position = positioned(store, lambda: ask_forecast(store, caller, at, query))
    except TooEarly as error:
        raise ParameterFault("against", str(error)) from None
    return Answer(answer, headers=position)


class ForecastDealsParameters(ReportedParameters):
    """Both axes of time, which deals of the forecast, and from where on."""

    close: str | None = Field(
        None, description="Only deals of this month, as in 2026-04, or overdue or undated ones."
    )
    limit: int = Field(50, ge=1, le=MOST_DEALS, description="At most so many.")
    cursor: str | None = Field(None, description="Goes on where an earlier answer ended.")

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.query()
        if self.cursor is not None:
            behind_of(self.cursor)

    def query(self) -> DealsQuery:
        """What is asked. Raises ParameterFault."""
        try:
            close = None if self.close is None else require_close(self.close)
        except PeriodError as error:
            raise ParameterFault("close", str(error)) from None
        return DealsQuery(self.where(), close, self.limit, self.cursor, self.target())


@router.get(
    "/deals",
    responses=answers(ForecastDeals, "The deals in the forecast.", has_position=True),
    dependencies=[READS_DEALS, waits(ForecastDealsParameters)],
)
def ask_the_deals_in_the_forecast(
    request: Request,
    store: Store,
    caller: Caller,
    parameters: Annotated[ForecastDealsParameters, Query()],
) -> Answer:
    """The deals of a forecast with its four facts, and the event behind each of them."""
    at, query = parameters.instants(store), parameters.query()
    answer, position = positioned(store, lambda: ask_forecast_deals(store, caller, at, query))
    return Answer(answer, headers={**position, **next_link(request, answer.cursor)})


class ForecastHistoryParameters(ReportedParameters):
    """Which month, how often, of which deals, and when its result is told."""

    month: str = Field(description="The month that was forecast, as in 2026-03.")
    every: Literal["week", "month"] = Field(
        "week", description="How often the forecast is looked at."
    )

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.query(store)

    def query(self, store: Workspace) -> HistoryQuery:
        """What is asked. Raises ParameterFault."""
        try:
            if require_close(self.month) in ("overdue", "undated"):
                raise PeriodError(f"{self.month!r} is no month such as 2026-03")
            store.calendar.period(self.month)
        except PeriodError as error:
            raise ParameterFault("month", str(error)) from None
        return HistoryQuery(self.month, self.every == "week", self.where(), self.target())


@router.get(
    "/history",
    responses=answers(ForecastHistory, "The forecasts, and the result.", has_position=True),
    dependencies=[READS_DEALS, waits(ForecastHistoryParameters)],
)
def ask_the_history_of_a_forecast(
    store: Store, caller: Caller, parameters: Annotated[ForecastHistoryParameters, Query()]
) -> Answer:
    """How the forecast of one month stood as it came nearer, beside what was won in it."""
    at, query = parameters.instants(store), parameters.query(store)
    answer, position = positioned(store, lambda: ask_forecast_history(store, caller, at, query))
    return Answer(answer, headers=position)
