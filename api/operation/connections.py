"""Connections of clients that are slow, broken or too many: bounded in time and number.

uvicorn waits without end for the head and the body of a request. Here a request has to be there
as a whole within `request_seconds` of its first byte, and a new connection has to begin with one
in that time. What is not HTTP is told as a problem, like everything else.
"""

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.problems import MEANINGS
from api.wire.problems import Problem


class Connection(H11Protocol):
    """One connection of a client. Made to measure by `connection_class`."""

    request_seconds: ClassVar[float]
    most_connections: ClassVar[int]

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too-many-connections")
            return
        self._arm()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, "not-http")

    def _look(self) -> None:
        if not self._lacks_something():
            self._disarm()
        elif self._deadline is None and not self.transport.is_closing():
            self._arm()

    def _lacks_something(self) -> bool:
        """Whether a request has begun and is not there as a whole."""
        state = self.conn.their_state
        return state is h11.SEND_BODY or (state is h11.IDLE and bool(self.conn.trailing_data[0]))

    def _arm(self) -> None:
        self._deadline = self.loop.call_later(self.request_seconds, self._give_up)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self._lacks_something():
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "request-too-slow")
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus, code: str) -> None:
        """Answer, where nothing was answered yet, and close the connection."""
        if self.transport.is_closing():
            return
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            for event in _answer(status, code):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None:
            # Who waits for the rest of the body is told that nothing comes any more.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def connection_class(request_seconds: float, most_connections: int) -> type[Connection]:
    """Connections with these limits."""
    limits: dict[str, Any] = {
        "request_seconds": request_seconds,
        "most_connections": most_connections,
    }
    return type("LimitedConnection", (Connection,), limits)


def _answer(status: HTTPStatus, code: str) -> list[Any]:
    problem = Problem(
        type=f"/docs/problems/{code}",
        title=status.phrase,
        status=status.value,
        detail=MEANINGS[code],
        code=code,
    )
    body = msgspec.json.encode(problem)
    headers = [
        ("content-type", "application/problem+json"),
        ("content-length", str(len(body))),
        ("cache-control", "no-store"),
        ("connection", "close"),
    ]
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("retry-after", "5"))
    return [
        h11.Response(status_code=status.value, headers=headers, reason=status.phrase.encode()),
        h11.Data(data=body),
        h11.EndOfMessage(),
    ]
