"""Sales processes over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.queries.processes import list_processes, show_process
from api.queries.views import LONGEST_NAME
from api.routes.common import Answer, Parameters, Store, answers, takes, waits
from api.wire.processes import Process, ProcessList

router = APIRouter(
    prefix="/v1/processes",
    tags=["processes"],
    default_response_class=Answer,
    dependencies=[takes(), waits(Parameters)],
)


@router.get("", responses=answers(ProcessList, "Every version of every process."))
def list_the_processes(store: Store, _: Annotated[Parameters, Query()]) -> Answer:
    """The processes that deals can run under."""
    return Answer(list_processes(store.log.processes()))


@router.get("/{process_id}/{version}", responses=answers(Process, "The process."))
def show_the_process(
    store: Store,
    process_id: Annotated[str, Path(description="Id of the process.", max_length=LONGEST_NAME)],
    version: Annotated[int, Path(ge=1, le=2**31 - 1, description="Its version.")],
    _: Annotated[Parameters, Query()],
) -> Answer:
    """The stages of one version of a process, and their gates."""
    return Answer(show_process(store.log.processes(), process_id, version))
