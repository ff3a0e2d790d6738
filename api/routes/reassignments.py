"""Handing many deals over at once, over HTTP."""

import time
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter

from api.queries.views import require_reader
from api.reassigning import reassign
from api.routes.administration import Meant
from api.routes.common import Answer, Store, answers
from api.routes.conditions import REPLAYED, REPLAYED_HEADER, accepts, body_of
from api.wire.reassignments import Reassigned, WantedReassignment
from domain.access import Action, may_somewhere
from domain.refusals import NotAllowed

router = APIRouter(prefix="/v1", tags=["reassignments"], default_response_class=Answer)

WORK_SECONDS = 10.0
"""How long one request goes on handing deals over."""

_reassigned = answers(Reassigned, "What was done, and what was refused.")
_reassigned[200]["headers"] = {REPLAYED: REPLAYED_HEADER}


@router.post(
    "/reassignments",
    status_code=HTTPStatus.OK,
    responses=_reassigned,
    openapi_extra=accepts(
        WantedReassignment,
        {
            "from_owner": "anna",
            "to_owner": "ben",
            "where": {"territory": "US Midwest"},
            "reason": "Anna is on leave.",
            "dry_run": True,
        },
    ),
)
def reassign_deals(
    store: Store, wanted: Annotated[WantedReassignment, body_of(WantedReassignment)], intent: Meant
) -> Answer:
    """Hand the deals of a user to another, each by a change of its owner.

    Of the deals that one may read; what one may not record is among the refused ones. An answer
    with `remaining` deals has stopped for now: the same request under the same key goes on.
    """
    require_reader(intent.principal)
    if not may_somewhere(intent.principal, Action.RECORD):
        raise NotAllowed(f"{intent.principal.id} may not record", "Have somebody do it who may.")
    until = time.monotonic() + WORK_SECONDS
    report, repeated = reassign(store, wanted, intent, lambda *_: time.monotonic() < until)
    return Answer(report, headers={REPLAYED: "true"} if repeated else None)
