"""Commands beside the deals over HTTP: the organisation, rates, targets, processes.

A route for each command of `api.administration.ROOMS`, made from its type. Keys are made here,
since only their hash is recorded; process files are checked here, as on the command line.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from api.administration import ROOMS, Room, example
from api.auth.keys import derived_key, make_key
from api.meanings import meaning
from api.routes.common import Answer, Caller, Store, takes
from api.routes.conditions import (
    KEY,
    CommandId,
    IfMatch,
    accepts,
    body_of,
    recorded,
    records,
    version_for,
)
from api.routes.process_files import process_of
from api.wire.administration import IssuedKey, NewApiKey, NewProcess
from api.wire.recorded import Recording
from domain.access import NO_DEAL, Action, may, require
from domain.deciding import require_legible
from domain.history import StreamKind, stream_of
from domain.intent import Command, Intent, command_name
from domain.organisation import EndMembership, IssueApiKey
from store.handled import Handled

SOURCE = "http"
MAKE_KEYS = frozenset({IssueApiKey})
"""What takes more than its body says, and has a route of its own."""

router = APIRouter(prefix="/v1", default_response_class=Answer)


async def _intent(store: Store, caller: Caller, command_id: CommandId) -> Intent:
    now = store.now()
    return Intent(command_id, caller, SOURCE, now=now, occurred_at=now)


Meant = Annotated[Intent, Depends(_intent)]
"""The circumstances of a command that is carried out now, under the key of the request."""


def _may_end_roles(request: Request, store: Store, caller: Caller) -> None:
    """Who ended the role of their own that let them may ask again under the same key."""
    if may(caller, EndMembership.right, NO_DEAL).allowed:
        return
    row = store.log.records.command(caller.id, request.headers.get(KEY, ""))
    if row is None or row.stream != stream_of(StreamKind.USER, caller.id):
        require(caller, EndMembership.right, NO_DEAL)


_ENDS_A_ROLE = Depends(_may_end_roles)


def _route(room: Room, kind: type[Command]) -> None:
    """Offer one command."""
    name = command_name(kind)
    router.add_api_route(
        f"/{room.name}/{name}",
        _carrying_out(room, kind),
        methods=["POST"],
        name=name.replace("-", "_"),
        summary=name.replace("-", " ").capitalize(),
        description=meaning(kind),
        tags=[room.name],
        responses=records(Recording, "What was recorded; no events: it was so already."),
        openapi_extra=accepts(kind, example(kind)),
        dependencies=[_ENDS_A_ROLE if kind is EndMembership else takes(kind.right)],
    )


def _carrying_out(room: Room, kind: type[Command]) -> Callable[..., Answer]:
    def carry_out(
        store: Store,
        command: Annotated[Any, body_of(kind)],
        intent: Meant,
        seen: Annotated[int | None, version_for(kind)],
    ) -> Answer:
        # Else the store would be asked for a stream of that name.
        require_legible(command)
        return _told(room.carry_out(store, command, intent, seen))

    return carry_out


def _told(handled: Handled) -> Answer:
    return recorded(Recording.of(handled.stream, handled.version, handled.events), handled)


for _room in ROOMS:
    for _kind in _room.commands:
        if _kind not in MAKE_KEYS:
            _route(_room, _kind)


@router.post(
    "/organisation/issue-api-key",
    tags=["organisation"],
    responses=records(IssuedKey, "The key, which no other answer tells."),
    openapi_extra=accepts(NewApiKey, example(IssueApiKey)),
    dependencies=[takes(IssueApiKey.right)],
)
def issue_api_key(
    request: Request,
    store: Store,
    wanted: Annotated[NewApiKey, body_of(NewApiKey)],
    intent: Meant,
    seen: IfMatch,
) -> Answer:
    """Let a program act as a user, by a key that is told in this answer alone.

    It can do no more than the user may do at that moment, whatever their roles are then. Who
    repeats the request under its Idempotency-Key is told the same key again.
    """
    require_legible(wanted)
    keyed, mac = KEY in request.headers, store.log.keys.fingerprint
    made = derived_key(mac, intent.principal.id, intent.command_id) if keyed else make_key()
    command = IssueApiKey(
        wanted.user, made.id, made.digest, wanted.name, wanted.actions or (), wanted.last_day
    )
    handled = store.log.configure(command, intent, seen)
    told = Recording.of(handled.stream, handled.version, handled.events)
    return recorded(IssuedKey(made.id, wanted.user, made.token, told), handled)


@router.post(
    "/processes",
    tags=["processes"],
    responses=records(Recording, "What was recorded; no events: it was published already."),
    openapi_extra=accepts(NewProcess, {"toml": 'id = "pilot"\nversion = 1\n…'}),
    dependencies=[takes(Action.CONFIGURE)],
)
def publish_a_process(
    store: Store,
    wanted: Annotated[NewProcess, body_of(NewProcess)],
    intent: Meant,
    seen: IfMatch,
) -> Answer:
    """Publish a version of a process, given as its file. Published versions never change."""
    process = process_of(wanted.toml)
    handled = store.log.publish(process, intent, seen)
    return _told(handled)
