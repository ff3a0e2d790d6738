"""The waterfall over HTTP."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.queries.waterfalls import (
    MOST_DEALS,
    WaterfallQuery,
    ask_waterfall,
    ask_waterfall_deals,
    place_of,
)
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
from api.routes.filters import DealFilters, currency_in, dimensions_in
from api.wire.waterfalls import Waterfall, WaterfallDeals
from api.workspace import Workspace
from projections.calendar import Period, PeriodError
from projections.pipeline import DIMENSIONS
from projections.waterfall.steps import CORRECTED, NAMES, REVALUED, NoSuchLine, lines_named

router = APIRouter(prefix="/v1/waterfall", tags=["pipeline"], default_response_class=Answer)


class WaterfallParameters(DealFilters):
    """Between which moments, which deals, and how it is told. An empty value finds deals without
    one."""

    since: str | None = Field(
        None, description="The first moment: a day (its end), a date and time, or now."
    )
    until: str | None = Field(
        None, description="The last moment: a day (its end), a date and time, or now."
    )
    period: str | None = Field(
        None,
        description="In place of `since` and `until`, the period between them: 2026, 2026-Q1,"
        " 2026-03 or 2026-01-01..2026-03-31.",
    )
    known_at: str | None = Field(None, description="What was known then; without it, all that is.")
    as_believed: bool = Field(
        False,
        description="See each moment with the knowledge of its own, in place of that of"
        " `known_at`; what became known later, or was withdrawn, is then `corrected`.",
    )
    closing: str | None = Field(
        None,
        description="Only deals that are expected to close in this period; without it whenever,"
        " and those without a date.",
    )
    group_by: str = Field(
        "", description=f"Dimensions with commas between: {', '.join(DIMENSIONS)}."
    )
    reporting_currency: str | None = Field(
        None,
        max_length=3,
        description="Tell all amounts in this currency (ISO 4217): the start at the exchange rates"
        " of the day of `since`, all else at those of the day of `until`.",
    )

    def check(self, store: Workspace) -> None:
        self.query(store)

    def query(self, store: Workspace) -> WaterfallQuery:
        """What is asked for. Raises ParameterFault."""
        since, until = self._moments(store)
        if until < since:
            raise ParameterFault("until", "it is before `since`")
        if self.as_believed and self.known_at is not None:
            raise ParameterFault("as_believed", "leave out `known_at`")
        return WaterfallQuery(
            since=since,
            until=until,
            known_at=instant(store, "known_at", self.known_at),
            by=dimensions_in(self.group_by),
            where=self.where(),
            closing=self._closing(store),
            as_believed=self.as_believed,
            reporting_currency=currency_in(self.reporting_currency),
        )

    def _moments(self, store: Workspace) -> tuple[datetime, datetime]:
        if self.period is not None:
            if self.since is not None or self.until is not None:
                raise ParameterFault("period", "it stands in place of `since` and `until`")
            period = _period(store, "period", self.period)
            return period.start, period.end
        for name, text in (("since", self.since), ("until", self.until)):
            if text is None:
                raise ParameterFault(name, "give it, or a period")
        return instant(store, "since", self.since), instant(store, "until", self.until)

    def _closing(self, store: Workspace) -> tuple[date, date] | None:
        if self.closing is None:
            return None
        period = _period(store, "closing", self.closing)
        return period.first, period.last


def _period(store: Workspace, parameter: str, text: str) -> Period:
    try:
        return store.calendar.period(text)
    except PeriodError as error:
        raise ParameterFault(parameter, str(error)) from None


@router.get(
    "",
    responses=answers(Waterfall, "The waterfall.", has_position=True),
    dependencies=[READS_DEALS, waits(WaterfallParameters)],
)
def ask_the_waterfall(
    store: Store, caller: Caller, parameters: Annotated[WaterfallParameters, Query()]
) -> Answer:
    """What took the pipeline from one moment to another, grouped."""
    query = parameters.query(store)
    answer, position = positioned(store, lambda: ask_waterfall(store, caller, query))
    return Answer(answer, headers=position)


class WaterfallDealsParameters(WaterfallParameters):
    """Of which waterfall, which line, and from where on."""

    line: str = Field(
        description=f"One of {', '.join(NAMES)}; or one with its kind, as in lost:no-decision."
    )
    limit: int = Field(50, ge=1, le=MOST_DEALS, description="At most so many deals.")
    cursor: str | None = Field(None, description="Goes on where an earlier answer ended.")

    def check(self, store: Workspace) -> None:
        super().check(store)
        try:
            lines = lines_named(self.line)
        except NoSuchLine as error:
            raise ParameterFault("line", str(error)) from None
        if CORRECTED in lines and not self.as_believed:
            raise ParameterFault("line", "nothing is corrected without `as_believed`")
        if REVALUED in lines and self.reporting_currency is None:
            raise ParameterFault("line", "nothing is revalued without `reporting_currency`")
        if self.cursor is not None:
            place_of(self.cursor, self.line)


@router.get(
    "/deals",
    responses=answers(WaterfallDeals, "A page of the deals.", has_position=True),
    dependencies=[READS_DEALS, waits(WaterfallDealsParameters)],
)
def list_the_deals_of_a_waterfall(
    request: Request,
    store: Store,
    caller: Caller,
    parameters: Annotated[WaterfallDealsParameters, Query()],
) -> Answer:
    """The deals behind a line of the waterfall, by time, and the events that did it."""
    parameters.check(store)
    query, line = parameters.query(store), parameters.line
    limit, cursor = parameters.limit, parameters.cursor
    answer, position = positioned(
        store,
        lambda: ask_waterfall_deals(store, caller, query, line, limit=limit, cursor=cursor),
    )
    return Answer(answer, headers={**position, **next_link(request, answer.cursor)})
