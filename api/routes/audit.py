"""The audit over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.accesses import AUDIT
from api.queries.trails import TrailQuery, trail_of_all, with_leaves
from api.queries.views import visible_in_all
from api.routes.common import (
    LARGEST,
    Answer,
    Caller,
    Parameters,
    Store,
    answers,
    instant,
    next_link,
    positioned,
    waits,
)
from api.times import DayMeans
from api.wire.trails import AuditTrail
from api.workspace import Workspace
from domain.access import Action

router = APIRouter(prefix="/v1/audit", tags=["audit"], default_response_class=Answer)


class TrailParameters(Parameters):
    """Which entries: by whom, recorded when."""

    actor: str | None = Field(None, description="What this user did, by id or name.")
    since: str | None = Field(
        None, description="Recorded from then on; a bare date is the start of that day."
    )
    until: str | None = Field(
        None, description="Recorded until then; a bare date is the end of that day."
    )
    limit: int = Field(100, ge=1, le=500, description="At most so many.")
    cursor: int = Field(0, ge=0, le=LARGEST, description="Goes on where an earlier answer ended.")

    def check(self, store: Workspace) -> None:
        self.query(store)

    def query(self, store: Workspace) -> TrailQuery:
        return TrailQuery(
            self.actor,
            instant(store, "since", self.since, DayMeans.START),
            instant(store, "until", self.until),
            self.limit,
            self.cursor,
        )


@router.get(
    "",
    responses=answers(AuditTrail, "Entries in the order of the log.", has_position=True),
    dependencies=[waits(TrailParameters)],
)
def audit_everything(
    request: Request,
    store: Store,
    caller: Caller,
    parameters: Annotated[TrailParameters, Query()],
) -> Answer:
    """Every event of an actor or a period, of all streams."""
    visible = visible_in_all(caller, Action.AUDIT)
    store.accesses.exported(caller, AUDIT, visible)
    query = parameters.query(store)
    trail, position = positioned(store, lambda: trail_of_all(store, visible, query))
    trail = with_leaves(store, caller, trail)
    return Answer(trail, headers={**position, **next_link(request, trail.cursor)})
