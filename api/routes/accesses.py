"""Who was shown what is secret, over HTTP."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field

from api.queries.accesses import accesses_to_all, accesses_to_deal
from api.queries.trails import with_leaves
from api.queries.views import LONGEST_NAME, visible_in_all
from api.routes.audit import TrailParameters
from api.routes.common import Answer, Caller, Store, answers, next_link, positioned, waits
from api.wire.trails import AuditTrail
from api.workspace import Workspace
from domain.access import Action

router = APIRouter(prefix="/v1/accesses", tags=["audit"], default_response_class=Answer)


class AccessParameters(TrailParameters):
    """Which accesses: to what, by whom, when."""

    deal: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_NAME,
        pattern=r"^[^\x00]*$",
        description="Only those to the deal of this id.",
    )


@router.get(
    "",
    responses=answers(AuditTrail, "Accesses in the order of their record.", has_position=True),
    dependencies=[waits(AccessParameters)],
)
def list_accesses(
    request: Request,
    store: Store,
    caller: Caller,
    parameters: Annotated[AccessParameters, Query()],
) -> Answer:
    """Who was shown the secrets of deals, or took them out, once a day for each user and deal."""
    visible_in_all(caller, Action.AUDIT)
    trail, position = positioned(store, lambda: _found(store, parameters))
    trail = with_leaves(store, caller, trail)
    return Answer(trail, headers={**position, **next_link(request, trail.cursor)})


def _found(store: Workspace, parameters: AccessParameters) -> AuditTrail:
    query = msgspec.structs.replace(parameters.query(store), accesses=True)
    if parameters.deal is None:
        return accesses_to_all(store, query)
    return accesses_to_deal(store, parameters.deal, query)
