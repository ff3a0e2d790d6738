"""What surrounds every answer: the name the server is called by, and headers for browsers.

A page elsewhere can lead a browser to this server under a name of its own (DNS
rebinding) and would then read the answers. So the server answers only to the
names of this machine.
"""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MEANINGS, Failure
from api.routes.failures import problem_answer

OWN_NAMES = {"localhost", "127.0.0.1", "[::1]"}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
}


SELF_CONTAINED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline';"
    " frame-ancestors 'none'"
}
"""For a page with its styles inside. It loads nothing, and runs no script."""


class Guard:
    """Refuses other names, and adds the headers that an answer does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if is_own_name(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send_with_headers)
        else:
            failure = Failure("wrong-host", HTTPStatus.MISDIRECTED_REQUEST, MEANINGS["wrong-host"])
            await problem_answer(failure)(scope, receive, send_with_headers)


def is_own_name(host: str) -> bool:
    """Whether the header Host names this machine, with or without a port."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        return host.lower() in OWN_NAMES
    return name.lower() in OWN_NAMES and port.isdigit()
