"""How answers go out: compressed where that tells nobody anything, and without a body for HEAD.

Compressing makes an answer shorter the more of it repeats. Who can have a text of their own put
into an answer beside what they may not know, and can see how long the answer is on its way, learns
the rest by guessing (BREACH, CVE-2013-3587); encryption does not hide lengths. One deal holds what
customers and colleagues wrote beside what is secret of it, and so may the trail and the feed. So
only such answers are compressed as hold what is public alone: lists and figures, and what the
service tells of itself. What is new here is not compressed until it is named.
"""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST_BYTES = 1_024
"""Shorter answers gain nothing: they fit one packet or nearly so."""

_LEVEL = 5
"""Beyond it, an answer takes twice as long for a few per cent."""

COMPRESSED = ("/v1/deals", "/openapi.json")
COMPRESSED_BELOW = (
    "/docs",
    "/v1/calibration",
    "/v1/coverage",
    "/v1/estimates",
    "/v1/figures",
    "/v1/flow",
    "/v1/forecast",
    "/v1/losses",
    "/v1/pipeline",
    "/v1/processes",
    "/v1/rates",
    "/v1/targets",
    "/v1/warnings",
    "/v1/waterfall",
)


class Compression:
    """Compresses what is public."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressing = GZipMiddleware(app, minimum_size=LEAST_BYTES, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_public = scope["type"] == "http" and holds_public_alone(scope["method"], scope["path"])
        await (self._compressing if is_public else self._plain)(scope, receive, send)


def holds_public_alone(method: str, path: str) -> bool:
    """Whether the answer to a request holds nothing that is personal or secret."""
    if method not in {"GET", "HEAD"}:
        return False
    return path in COMPRESSED or any(
        path == above or path.startswith(f"{above}/") for above in COMPRESSED_BELOW
    )


class _Ended(OSError):
    """There is nothing more to send."""


class Heads:
    """Answers HEAD as GET, without the body (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = False

        async def headers_alone(message: Message) -> None:
            nonlocal ended
            if ended:
                # A stream would go on for as long as somebody listens.
                raise _Ended
            if message["type"] == "http.response.body":
                ended = True
                message = {**message, "body": b"", "more_body": False}
            await send(message)

        async def heard() -> Message:
            return {"type": "http.disconnect"} if ended else await receive()

        try:
            await self._app({**scope, "method": "GET"}, heard, headers_alone)
        except Exception:
            if not ended:
                raise
