"""The pipeline over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.queries.pipeline import ask_pipeline
from api.routes.common import (
    Answer,
    ParameterFault,
    Store,
    answers,
    positioned,
    waits,
)
from api.routes.filters import FilteredParameters
from api.wire.pipelines import Pipeline
from api.workspace import Workspace
from projections.pipeline import DIMENSIONS

router = APIRouter(prefix="/v1/pipeline", tags=["pipeline"], default_response_class=Answer)


class PipelineParameters(FilteredParameters):
    """Both axes of time, how to group, and which deals. An empty value finds deals without one."""

    group_by: str = Field(
        "stage", description=f"Dimensions with commas between: {', '.join(DIMENSIONS)}."
    )

    def check(self, store: Workspace) -> None:
        super().check(store)
        self.dimensions()

    def dimensions(self) -> list[str]:
        names = [name.strip() for name in self.group_by.split(",") if name.strip()]
        for name in names:
            if name not in DIMENSIONS:
                raise ParameterFault(
                    "group_by", f"there is no dimension {name!r}; use {', '.join(DIMENSIONS)}"
                )
        return list(dict.fromkeys(names))


@router.get(
    "",
    responses=answers(Pipeline, "The snapshot.", has_position=True),
    dependencies=[waits(PipelineParameters)],
)
def ask_the_pipeline(store: Store, parameters: Annotated[PipelineParameters, Query()]) -> Answer:
    """What was open, won and lost at any moment, grouped."""
    instants, by, where = parameters.instants(store), parameters.dimensions(), parameters.where()
    answer, position = positioned(store, lambda: ask_pipeline(store, instants, by, where))
    return Answer(answer, headers=position)
