"""What surrounds every answer: the server's name, the size of requests, headers for browsers.

A page elsewhere can lead a browser to this server under a name of its own (DNS
rebinding) and would then read the answers. So the server answers only to the
names of this machine, and to those that were given to it.

The limit on bodies stands behind the door: nothing is read for somebody who is not let in.
"""

from collections import deque
from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import MEANINGS, Failure
from api.routes.failures import problem_answer

LARGEST_BODY = 1 << 20
"""Bytes of a request."""

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
    """Refuses other names, and adds the headers that an answer does not set."""

    def __init__(self, app: ASGIApp, names: Collection[str] = ()) -> None:
        self._app = app
        self._names = OWN_NAMES | {name.lower() for name in names}

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

        headers = Headers(scope=scope)
        if not is_own_name(headers.get("host", ""), self._names):
            failure = Failure("wrong-host", HTTPStatus.MISDIRECTED_REQUEST, MEANINGS["wrong-host"])
            await problem_answer(failure)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


class Limit:
    """Refuses large bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        body = None if says_too_much(headers) else await read_within_limit(receive)
        if body is None:
            # What is left of the body is thrown away as it comes; a closed connection would take
            # the answer with it.
            await problem_answer(TOO_LARGE)(scope, receive, send)
            return
        await self._app(scope, body, send)


TOO_LARGE = Failure(
    "body-too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    f"The body of a request holds at most {LARGEST_BODY:,} bytes.",
)


def says_too_much(headers: Headers) -> bool:
    """Whether the request announces more than may be sent."""
    announced = headers.get("content-length", "")
    return announced.isdecimal() and int(announced) > LARGEST_BODY


async def read_within_limit(receive: Receive) -> Receive | None:
    """The body, read up to its end and told again; None where it is larger than may be sent."""
    messages: deque[Message] = deque()
    size, more = 0, True
    while more:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            return None
        more = message.get("more_body", False)

    async def again() -> Message:
        return messages.popleft() if messages else await receive()

    return again


def is_own_name(host: str, names: Collection[str] = frozenset(OWN_NAMES)) -> bool:
    """Whether the header Host is one of the names, with or without a port."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        return host.lower() in names
    return name.lower() in names and port.isdigit()
