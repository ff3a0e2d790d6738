"""Exchange rates over HTTP."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BeforeValidator, Field

from api.queries.rates import MOST_RATES, list_rates, place_of
from api.routes.common import (
    Answer,
    ParameterFault,
    Parameters,
    Store,
    answers,
    instant,
    next_link,
    takes,
    waits,
)
from api.times import parse_day
from api.wire.rates import RateList
from api.workspace import Workspace
from domain.currencies import MINOR_DIGITS

router = APIRouter(prefix="/v1/rates", tags=["rates"], default_response_class=Answer)


class RateParameters(Parameters):
    """Which rates."""

    base: str | None = Field(None, description="Only rates of this base currency.")
    currency: str | None = Field(None, description="Only rates of this currency.")
    # Left to itself pydantic takes 0 for a day, too, and a moment at midnight.
    since: Annotated[date, BeforeValidator(parse_day)] | None = Field(
        None, description="All rates from this day on; without it, the newest of each currency."
    )
    known_at: str | None = Field(None, description="What was known then; without it, all that is.")
    limit: int = Field(500, ge=1, le=MOST_RATES, description="At most so many.")
    cursor: str | None = Field(None, description="Goes on where an earlier answer ended.")

    def check(self, store: Workspace) -> None:
        for name, code in (("base", self.base), ("currency", self.currency)):
            if code is not None and code not in MINOR_DIGITS:
                raise ParameterFault(name, f"{code!r} is not an ISO 4217 currency code")
        self.known(store)
        if self.cursor is not None:
            place_of(self.cursor, self.since)

    def known(self, store: Workspace) -> Any:
        return instant(store, "known_at", self.known_at)


@router.get(
    "",
    responses=answers(RateList, "The rates."),
    dependencies=[takes(), waits(RateParameters)],
)
def list_the_rates(
    request: Request, store: Store, parameters: Annotated[RateParameters, Query()]
) -> Answer:
    """Exchange rates as they were published. `Link` leads to those that follow."""
    parameters.check(store)
    answer = list_rates(
        store,
        base=parameters.base,
        currency=parameters.currency,
        since=parameters.since,
        known_at=parameters.known(store),
        limit=parameters.limit,
        cursor=parameters.cursor,
    )
    return Answer(answer, headers=next_link(request, answer.cursor))
