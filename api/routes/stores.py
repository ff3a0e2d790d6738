"""The store over HTTP: what it holds, and whether the server can answer."""

from http import HTTPStatus

from fastapi import APIRouter

from api.problems import Failure
from api.queries.models import read_models_status
from api.queries.stores import read_status
from api.routes.common import Answer, Store, answers, takes
from api.routes.failures import problem_answer
from api.wire.health import Alive, StoreStatus
from domain.access import Action

router = APIRouter(tags=["store"], default_response_class=Answer)


@router.get(
    "/v1/status",
    responses=answers(StoreStatus, "The status."),
    dependencies=[takes(Action.CONFIGURE, Action.AUDIT)],
)
def show_status(store: Store) -> Answer:
    """What the store holds, and how far its read models have read the log."""
    return Answer(read_status(store))


@router.get("/livez", responses=answers(Alive, "The server answers."))
def tell_alive() -> Answer:
    """Whether the server runs."""
    return Answer(Alive("alive"))


@router.get("/readyz", responses=answers(Alive, "The server answers from read models that exist."))
def tell_ready(store: Store) -> Answer:
    """Whether the store can be read and its read models are caught up."""
    lag_events = read_models_status(store).lag_events(store.log.head())
    if lag_events > READY_LAG_EVENTS:
        detail = f"the read models are {lag_events:,} events behind the log"
        return problem_answer(Failure("behind", HTTPStatus.SERVICE_UNAVAILABLE, detail))
    return Answer(Alive("ready"))


READY_LAG_EVENTS = 5_000
"""So many events are read within a moment, when the next question comes."""
