"""The pipeline over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.queries.pipeline import ask_pipeline
from api.routes.common import (
    Answer,
    AtParameters,
    ParameterFault,
    Store,
    answers,
    positioned,
    waits,
)
from api.wire.pipelines import Pipeline
from api.workspace import Workspace
from projections.pipeline import DIMENSIONS

router = APIRouter(prefix="/v1/pipeline", tags=["pipeline"], default_response_class=Answer)


class PipelineParameters(AtParameters):
    """Both axes of time, how to group, and which deals. An empty value finds deals without one."""

    group_by: str = Field(
        "stage", description=f"Dimensions with commas between: {', '.join(DIMENSIONS)}."
    )
    stage: str | None = Field(None, description="Only deals in this stage.")
    owner: str | None = Field(None, description="Only deals of this user, by id or name.")
    region: str | None = Field(None, description="Only deals of this sales region.")
    industry: str | None = Field(None, description="Only deals with this industry.")
    territory: str | None = Field(None, description="Only deals of this territory.")
    product: str | None = Field(None, description="Only deals for this product.")
    business_type: str | None = Field(None, description="Only deals of this business type.")
    forecast_category: str | None = Field(None, description="Only deals of this category.")
    grade: str | None = Field(None, description="Only deals of this grade.")
    currency: str | None = Field(None, description="Only deals in this currency.")
    process: str | None = Field(None, description="Only deals under this process and version.")

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

    def where(self) -> dict[str, str]:
        values = {name: getattr(self, name) for name in DIMENSIONS}
        return {name: value for name, value in values.items() if value is not None}


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
