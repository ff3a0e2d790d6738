"""Whether the server runs, whether it can answer, and what it counts."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.operation.metrics import CONTENT_TYPE
from api.operation.operating import METRICS, Operation
from api.problems import MEANINGS, Failure
from api.routes.common import Answer, answers
from api.routes.failures import problem_answer
from api.wire.health import Alive, Ready
from domain.access import NO_DEAL, Action, Principal, may, require

router = APIRouter(tags=["operation"], default_response_class=Answer)

_WAIT_SECONDS = 5


@router.get("/livez", responses=answers(Alive, "The server runs."))
async def tell_alive() -> Answer:
    """Whether the server runs. A supervisor starts it anew where it does not answer.

    It looks at nothing: a store that is away is no reason to start the server anew.
    """
    return Answer(Alive("alive"))


@router.get("/readyz", responses=answers(Ready, "The server can answer: each check is passed."))
def tell_ready(request: Request) -> Answer:
    """Whether requests can be answered. A balancer sends none where they cannot.

    The log can be read and written to, the keys can be read, the read models are there and at most
    a few thousand events behind, and the server is not about to end. What was found is good for a
    second.
    """
    found = _operation(request).checks.look()
    if found.failed:
        detail = f"{MEANINGS['not-ready']} Not passed: {', '.join(found.failed)}."
        failure = Failure("not-ready", HTTPStatus.SERVICE_UNAVAILABLE, detail)
        return problem_answer(failure, headers={"Retry-After": str(_WAIT_SECONDS)})
    return Answer(Ready("ready", list(found.checks)))


async def _may_see_metrics(request: Request) -> None:
    if _operation(request).metrics_are_open:
        return
    caller: Principal = request.state.caller
    if not may(caller, Action.CONFIGURE, NO_DEAL).allowed:
        require(caller, Action.AUDIT, NO_DEAL)


_METRICS: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK.value: {
        "description": "The metrics, in the text format of Prometheus.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    },
    "default": answers(Alive, "The server runs.")["default"],
}


@router.get(
    METRICS,
    responses=_METRICS,
    response_class=Response,
    dependencies=[Depends(_may_see_metrics)],
)
def show_metrics(request: Request) -> Response:
    """Counts and times of requests and commands, and how far the read models are.

    Takes a right of admins or auditors, unless the server was set to show them to everybody who
    reaches it. Labels are names of routes, commands and codes: no id of anybody or anything.
    """
    operation = _operation(request)
    return Response(operation.metrics.told(operation.figures), media_type=CONTENT_TYPE)


def _operation(request: Request) -> Operation:
    operation: Operation = request.app.state.operation
    return operation
