"""How good the estimates were, and another version of a process tried, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.queries.estimates import ask_estimates
from api.queries.whatif import try_process
from api.routes.common import (
    Answer,
    AtParameters,
    Caller,
    Parameters,
    Store,
    answers,
    takes,
    waits,
)
from api.routes.conditions import accepts, body_of
from api.routes.process_files import process_of
from api.wire.estimates import EstimateQuality
from api.wire.trials import ProcessToTry
from api.wire.whatif import ProcessTrial
from domain.access import Action
from store.interruption import go_on

router = APIRouter(prefix="/v1", tags=["reviews"], default_response_class=Answer)

_EXAMPLE = """\
id = "pilot"
version = 2
name = { en = "Pilot" }
…
"""


def _going_on(_done: int, _total: int) -> None:
    """Nobody is told how far it is; it ends where nobody waits for it any more."""
    go_on()


@router.get(
    "/estimates",
    responses=answers(EstimateQuality, "The figures."),
    dependencies=[takes(Action.READ), waits(Parameters)],
)
def ask_how_good_the_estimates_were(store: Store, _: Annotated[Parameters, Query()]) -> Answer:
    """How good the cohort estimate of the probability to win was, on deals decided since.

    By the models that the worker has made; `caveats` tells where one is not made yet.
    """
    return Answer(ask_estimates(store, _going_on))


@router.post(
    "/whatif",
    responses=answers(ProcessTrial, "What would have been otherwise."),
    openapi_extra=accepts(ProcessToTry, {"toml": _EXAMPLE}),
    dependencies=[takes(Action.READ), waits(AtParameters)],
)
def try_a_process(
    store: Store,
    caller: Caller,
    wanted: Annotated[ProcessToTry, body_of(ProcessToTry)],
    parameters: Annotated[AtParameters, Query()],
) -> Answer:
    """Another version of a process on every deal that runs under it. Stores nothing."""
    process = process_of(wanted.toml)
    return Answer(try_process(store, process, parameters.instants(store), caller, _going_on))
