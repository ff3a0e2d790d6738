"""The outermost layer: every request has an id, is counted, logged and traced, and can end.

A stream of events goes on until its client leaves. When the server is about to end, the stream
is told that the client has left, and its answer is brought to its end as a whole one.
"""

import asyncio
import logging
import time
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.operation.logs import tell_request
from api.operation.operating import Operation
from api.operation.requests import CURRENT, CUT_OFF, Request
from api.operation.traces import id_of
from api.problems import MEANINGS, Failure
from api.routes.failures import problem_answer

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_log = logging.getLogger("dealstate.http")

_FAILED = Failure("internal-error", HTTPStatus.INTERNAL_SERVER_ERROR, MEANINGS["internal-error"])
_STREAM = b"text/event-stream"


class Observing:
    """Sees every request from its head to the end of its answer."""

    def __init__(self, app: ASGIApp, operation: Operation) -> None:
        self._app = app
        self._metrics = operation.metrics
        self._ending = operation.ending
        self._tracing = operation.tracing
        self._log_users = operation.log_users

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, time.perf_counter())
        seen = _Seen(self, request, receive, send)
        token = CURRENT.set(request)
        self._metrics.in_flight.inc()
        with self._span(scope) as span:
            more = {}
            if span is not None:
                request.trace_id, more["span_id"] = id_of(span)
            try:
                await self._answer(seen, scope)
            finally:
                CURRENT.reset(token)
                self._metrics.in_flight.dec()
                seconds = time.perf_counter() - request.started
                status = seen.status or CUT_OFF
                if seen.is_stream:
                    self._metrics.open_streams.dec()
                self._metrics.answered(request, status, seconds, is_stream=seen.is_stream)
                if self._tracing is not None and span is not None:
                    self._tracing.tell(span, request, status)
                tell_request(request, status, seconds, users=self._log_users, more=more)

    async def _answer(self, seen: "_Seen", scope: Scope) -> None:
        try:
            await self._app(scope, seen.receive, seen.send)
        except Exception as error:
            if isinstance(error, OSError | ClientDisconnect) and seen.has_left:
                return
            _log.error("a request failed", exc_info=error)
            if seen.status:
                # What was sent cannot be taken back: the connection is closed, so that it shows.
                raise
            await problem_answer(_FAILED)(scope, seen.receive, seen.send)
        if seen.is_stream and not seen.is_whole and self._ending.begun:
            await seen.send({"type": "http.response.body", "body": b"", "more_body": False})

    def _span(self, scope: Scope) -> "AbstractContextManager[Span | None]":
        if self._tracing is None:
            return nullcontext()
        given = dict(scope["headers"]).get(b"traceparent")
        return self._tracing.request(None if given is None else given.decode("latin-1"))

    def stream_begins(self) -> None:
        self._metrics.open_streams.inc()

    async def ended(self) -> None:
        await self._ending.wait()


class _Seen:
    """The two ends of a request, with what went through them."""

    def __init__(self, by: Observing, request: Request, receive: Receive, send: Send) -> None:
        self._by = by
        self._id = request.id.encode("ascii")
        self._receive = receive
        self._send = send
        self.status = 0
        self.is_stream = False
        self.is_whole = False
        self.has_left = False
        self._is_read = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = message.setdefault("headers", [])
            headers.append((b"x-request-id", self._id))
            self.is_stream = any(
                name == b"content-type" and value.startswith(_STREAM) for name, value in headers
            )
            if self.is_stream:
                self._by.stream_begins()
        elif not message.get("more_body", False):
            self.is_whole = True
        await self._send(message)

    async def receive(self) -> Message:
        if self._is_read:
            return await self._left_or_ended()
        message = await self._receive()
        self._is_read = not message.get("more_body", False)
        self.has_left = message["type"] == "http.disconnect"
        return message

    async def _left_or_ended(self) -> Message:
        """Behind the body nothing comes but that the client has left, or that a stream is to end.

        Whoever streams asks before the answer begins, so what it is shows later.
        """
        left = asyncio.ensure_future(self._told())
        ended = asyncio.ensure_future(self._by.ended())
        try:
            await asyncio.wait({left, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() and self.is_stream:
                return {"type": "http.disconnect"}
            message = await left
            self.has_left = message["type"] == "http.disconnect"
            return message
        finally:
            left.cancel()
            ended.cancel()

    async def _told(self) -> Message:
        return await self._receive()
