"""Variations of a deal over HTTP. Nothing is stored."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.queries.views import View
from api.queries.whatif import insertion, what_if
from api.routes.common import (
    LARGEST,
    Answer,
    AtParameters,
    Caller,
    ParameterFault,
    ReadableDeal,
    answers,
    waits,
)
from api.routes.conditions import ONLY_JSON
from api.wire.whatif import WhatIf
from projections.whatif import MOST_EDITS, EditFault, Edits
from store.interruption import go_on

router = APIRouter(prefix="/v1/deals", tags=["deals"], default_response_class=Answer)

Version = Annotated[int, Field(ge=1, le=LARGEST, strict=True)]
VersionAsKey = Annotated[int, Field(ge=1, le=LARGEST)]


class Variation(BaseModel):
    """What is to be different, from the event of one version on. Without edits it just replays."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "at": 4,
                    "drop": [9],
                    "set": {"5": {"probability": 60}},
                    "insert": [
                        {"type": "win-plan-set", "plan": "…", "occurred_at": "2026-03-02"},
                    ],
                    "strict": True,
                }
            ]
        },
    )

    at: Version = Field(
        description="Version of the event to fork at: nothing before it is changed, in the order"
        " in which things happened."
    )
    drop: list[Version] = Field(
        [],
        max_length=MOST_EDITS,
        description="Versions. With each, all events of its command are dropped.",
    )
    set: dict[VersionAsKey, dict[str, Any]] = Field(
        {},
        max_length=MOST_EDITS,
        description="By version: fields of its fact, which take the place of those it has.",
    )
    insert: list[dict[str, Any]] = Field(
        [],
        max_length=MOST_EDITS,
        description="Facts by their stored names under `type`, with `occurred_at`: when they"
        " would have happened.",
    )
    strict: bool = Field(
        False,
        strict=True,
        description="Drop the commands that the rules would refuse then, one by one.",
    )

    def edits(self, deal: View) -> Edits:
        """Raises EditFault, and the refusal of a text that cannot be read."""
        store = deal.store
        now = store.now()
        return Edits(
            at=self.at,
            drop=tuple(self.drop),
            change=self.set,
            insert=tuple(insertion(one, store.zone, now) for one in self.insert),
            strict=self.strict,
        )


@router.post(
    "/{deal_id}/whatif",
    responses=answers(WhatIf, "The deal as it was, and as it would have been."),
    dependencies=[ONLY_JSON, waits(AtParameters)],
)
def vary_the_deal(
    deal: ReadableDeal,
    caller: Caller,
    variation: Variation,
    parameters: Annotated[AtParameters, Query()],
) -> Answer:
    """What if: events dropped, changed or inserted, the same rules run on. Stores nothing."""
    at = parameters.instants(deal.store)
    try:
        edits = variation.edits(deal)
        return Answer(what_if(deal, edits, at, caller, lambda *_: go_on()))
    except EditFault as fault:
        raise ParameterFault(fault.edit, fault.detail) from None
