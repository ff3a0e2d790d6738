"""The store over HTTP: what it holds."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.queries.stores import read_status
from api.routes.common import Answer, Parameters, Store, answers, takes, waits
from api.wire.health import StoreStatus
from domain.access import Action

router = APIRouter(tags=["store"], default_response_class=Answer)


@router.get(
    "/v1/status",
    responses=answers(StoreStatus, "The status."),
    dependencies=[takes(Action.CONFIGURE, Action.AUDIT), waits(Parameters)],
)
def show_status(store: Store, _: Annotated[Parameters, Query()]) -> Answer:
    """What the store holds, and how far its read models have read the log."""
    return Answer(read_status(store))
