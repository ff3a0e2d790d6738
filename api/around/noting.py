"""Recording that secrets are shown, before any byte of an answer is sent that shows them."""

from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.accesses import Asked
from api.routes.failures import known_answer
from api.workspace import Workspace
from store.errors import StoreError


class Noted:
    """Holds an answer back until what it shows is on record; where it cannot be, tells why."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "caller" not in scope.get("state", {}):
            await self._app(scope, receive, send)
            return
        store: Workspace = scope["app"].state.store
        with store.accesses.asked_by(lambda: route_of(scope)) as asked:
            await self._app(scope, receive, _recorded_first(asked, scope, receive, send))


def _recorded_first(asked: Asked, scope: Scope, receive: Receive, send: Send) -> Send:
    refused = False

    async def send_recorded(message: Message) -> None:
        nonlocal refused
        if refused:
            return
        if asked.shown:
            try:
                await run_in_threadpool(asked.record)
            except StoreError as error:
                if message["type"] != "http.response.start":
                    raise  # Part of the answer is gone; no more of it is sent.
                refused = True
                await known_answer(error)(scope, receive, send)
                return
        await send(message)

    return send_recorded


def route_of(scope: Scope) -> str:
    """The method and path of the route, with the names of its parameters in place of values."""
    path = getattr(scope.get("route"), "path", "")
    return f"{scope['method']} {path}"
