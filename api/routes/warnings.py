"""Early warnings over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.queries.warnings import WarningsQuery, require_rules, warnings_at
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
from api.routes.filters import FilteredParameters
from api.wire.warnings import Warnings
from api.workspace import Workspace
from projections.findings import Weight

router = APIRouter(prefix="/v1/warnings", tags=["findings"], default_response_class=Answer)


class WarningsParameters(FilteredParameters):
    """Both axes of time, which deals, and which warnings."""

    rule: str | None = Field(None, description="Only these rules, with commas between.")
    least: Weight = Field(Weight.NOTE, description="Nothing lighter.")
    limit: int = Field(50, ge=1, le=500, description="At most so many deals.")

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.query()

    def query(self) -> WarningsQuery:
        rules = [name.strip() for name in (self.rule or "").split(",") if name.strip()]
        try:
            require_rules(rules)
        except ValueError as error:
            raise ParameterFault("rule", str(error)) from None
        return WarningsQuery(self.where(), rules, self.least, self.limit)


@router.get(
    "",
    responses=answers(Warnings, "The warnings at (as of, known at).", has_position=True),
    dependencies=[READS_DEALS, waits(WarningsParameters)],
)
def list_the_warnings(
    store: Store, caller: Caller, parameters: Annotated[WarningsParameters, Query()]
) -> Answer:
    """What the rules of good practice warn of on running deals, at any moment."""
    at, query = parameters.instants(store), parameters.query()
    answer, position = positioned(store, lambda: warnings_at(store, caller, at, query))
    return Answer(answer, headers=position)
