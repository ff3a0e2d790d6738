"""Loss analysis over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.queries.losses import LossQuery, ask_losses
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
from api.wire.losses import LossAnalysis
from api.workspace import Workspace
from projections.losses import Dimension

router = APIRouter(prefix="/v1/losses", tags=["findings"], default_response_class=Answer)


class LossParameters(FilteredParameters):
    """Both axes of time, which deals, and by what to break their losses down."""

    group_by: str = Field(
        "reason,stage", description=f"Dimensions with commas between: {', '.join(Dimension)}."
    )

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.query()

    def query(self) -> LossQuery:
        names = [name.strip() for name in self.group_by.split(",") if name.strip()]
        for name in names:
            if name not in set(Dimension):
                raise ParameterFault(
                    "group_by", f"there is no dimension {name!r}; use {', '.join(Dimension)}"
                )
        return LossQuery(self.where(), [Dimension(name) for name in dict.fromkeys(names)])


@router.get(
    "",
    responses=answers(LossAnalysis, "The analysis at (as of, known at).", has_position=True),
    dependencies=[READS_DEALS, waits(LossParameters)],
)
def analyse_the_losses(
    store: Store, caller: Caller, parameters: Annotated[LossParameters, Query()]
) -> Answer:
    """Why, where, when and to whom deals were lost, and which findings go with losing."""
    at, query = parameters.instants(store), parameters.query()
    answer, position = positioned(store, lambda: ask_losses(store, caller, at, query))
    return Answer(answer, headers=position)
