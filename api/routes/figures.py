"""Operating figures over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.queries.figures import (
    MOST_DEALS,
    FigureQuery,
    UnknownUnit,
    ask_counted_deals,
    ask_figures,
    deal_before,
    periods_of,
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
from api.wire.figures import CountedDeals, FigureReport
from api.workspace import Workspace
from domain.currencies import MINOR_DIGITS
from projections.calendar import Grain, Period, PeriodError
from projections.operating.asking import MOST_PERIODS, TEAM
from projections.operating.listing import Count
from projections.pipeline import DIMENSIONS

router = APIRouter(prefix="/v1/figures", tags=["pipeline"], default_response_class=Answer)


class FigureParameters(FilteredParameters):
    """Both axes of time, which periods and deals, and how to group."""

    period: str | None = Field(
        None,
        description="A fiscal year (2017), a quarter (2017-Q2), a month (2017-04) or days"
        " (2017-04-01..2017-05-15); without one, the quarter of the as-of instant.",
    )
    per: Grain | None = Field(
        None, description=f"A row for each of these in the period, at most {MOST_PERIODS}."
    )
    group_by: str = Field(
        "", description=f"Dimensions with commas between: {', '.join((TEAM, *DIMENSIONS))}."
    )
    team: str | None = Field(
        None, description="Only owners who sell in this unit, by id or name, or below it."
    )
    reporting_currency: str | None = Field(
        None, description="Convert amounts into this currency, by its ISO 4217 code."
    )

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.dimensions()
        self.periods(store)
        self.converted_into()

    def dimensions(self) -> list[str]:
        names = [name.strip() for name in self.group_by.split(",") if name.strip()]
        for name in names:
            if name != TEAM and name not in DIMENSIONS:
                raise ParameterFault(
                    "group_by",
                    f"there is no dimension {name!r}; use {', '.join((TEAM, *DIMENSIONS))}",
                )
        return list(dict.fromkeys(names))

    def periods(self, store: Workspace) -> list[Period]:
        as_of = self.instants(store).as_of or store.now()
        try:
            return periods_of(store.calendar, as_of, self.period, self.per)
        except PeriodError as error:
            raise ParameterFault("period", str(error)) from None

    def converted_into(self) -> str | None:
        if self.reporting_currency is not None and self.reporting_currency not in MINOR_DIGITS:
            raise ParameterFault(
                "reporting_currency", f"{self.reporting_currency!r} is no ISO 4217 code"
            )
        return self.reporting_currency


@router.get(
    "",
    responses=answers(FigureReport, "The figures.", has_position=True),
    dependencies=[READS_DEALS, waits(FigureParameters)],
)
def ask_for_operating_figures(
    store: Store, caller: Caller, parameters: Annotated[FigureParameters, Query()]
) -> Answer:
    """What was opened, won, lost and put off in periods, and the rates of it, grouped."""
    at = parameters.instants(store)
    query = FigureQuery(
        parameters.periods(store),
        parameters.dimensions(),
        parameters.where(),
        parameters.team,
        parameters.converted_into(),
    )
    try:
        answer, position = positioned(store, lambda: ask_figures(store, caller, at, query))
    except UnknownUnit as error:
        raise ParameterFault("team", str(error)) from None
    return Answer(answer, headers=position)


class CountedParameters(FilteredParameters):
    """Both axes of time, and which deals of a period."""

    count: Count = Field(description="What is counted.")
    period: str | None = Field(
        None, description="As for the figures; without one, the quarter of the as-of instant."
    )
    team: str | None = Field(
        None, description="Only owners who sell in this unit, by id or name, or below it."
    )
    limit: int = Field(50, ge=1, le=MOST_DEALS, description="At most so many deals.")
    cursor: str | None = Field(None, description="Goes on where an earlier answer ended.")

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.periods_asked(store)
        if self.cursor is not None:
            deal_before(self.cursor, self.count)

    def periods_asked(self, store: Workspace) -> list[Period]:
        as_of = self.instants(store).as_of or store.now()
        try:
            return periods_of(store.calendar, as_of, self.period, None)
        except PeriodError as error:
            raise ParameterFault("period", str(error)) from None


@router.get(
    "/deals",
    responses=answers(CountedDeals, "A page of the deals.", has_position=True),
    dependencies=[READS_DEALS, waits(CountedParameters)],
)
def list_the_deals_behind_a_figure(
    request: Request,
    store: Store,
    caller: Caller,
    parameters: Annotated[CountedParameters, Query()],
) -> Answer:
    """The deals behind a count of one period, and the events that make them count."""
    at = parameters.instants(store)
    query = FigureQuery(
        parameters.periods_asked(store), where=parameters.where(), team=parameters.team
    )
    try:
        answer, position = positioned(
            store,
            lambda: ask_counted_deals(
                *(store, caller, at, query, parameters.count),
                limit=parameters.limit,
                after=parameters.cursor,
            ),
        )
    except UnknownUnit as error:
        raise ParameterFault("team", str(error)) from None
    return Answer(answer, headers={**position, **next_link(request, answer.cursor)})
