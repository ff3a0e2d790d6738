"""What is told of a request, in the log, in metrics and in traces: nothing that a person wrote.

That is: which route it was, by its template; how it ended; how long it took; and two ids by
which it can be found again. Not the address as it was asked for, since it holds names of deals;
no query string, no header, no body, nor who asked, unless the settings want that.
"""

import re
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from starlette.types import Scope

REQUEST_ID = "X-Request-Id"

_REQUEST_ID = re.compile(rb"[0-9A-Fa-f-]{8,64}")
_TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

NO_ROUTE = "(none)"
"""Of a request that led to no route: nothing is there, or it was refused before that was asked."""

CUT_OFF = 499
"""Told as the status where the client went away before there was one, as nginx does."""


class Request:
    """One request, as far as it is told of."""

    __slots__ = ("_scope", "id", "method", "started", "state", "trace_id")

    def __init__(self, scope: Scope, started: float) -> None:
        """`started` is a reading of `time.perf_counter`, in seconds."""
        self._scope = scope
        self.started = started
        method = scope["method"]
        self.method: str = method if method in _METHODS else "other"
        self.state: dict[str, Any] = scope.setdefault("state", {})
        self.id = ""
        self.trace_id: str | None = None
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                self.id = _usable(value)
            elif name == b"traceparent":
                self.trace_id = trace_id_of(value)
        self.id = self.id or str(uuid4())

    @property
    def route(self) -> str:
        """The template of its address, such as /v1/deals/{deal_id}."""
        route = self._scope.get("route")
        return NO_ROUTE if route is None else route.path

    @property
    def code(self) -> str | None:
        """Of the problem that it was answered with."""
        return self.state.get("problem")

    @property
    def user(self) -> str | None:
        """The id of who asked; None before that is known."""
        caller = self.state.get("caller")
        return None if caller is None else caller.id


CURRENT: ContextVar[Request | None] = ContextVar("request", default=None)
"""The request that this task, or this thread, works for."""


def _usable(given: bytes) -> str:
    """The id that a client gave, where it can be one: any other text could be a name."""
    return given.decode("ascii") if _REQUEST_ID.fullmatch(given) else ""


def trace_id_of(traceparent: bytes) -> str | None:
    """The id of the trace, by W3C Trace Context, section 3.2; None where it cannot be read."""
    found = _TRACE.fullmatch(traceparent)
    if found is None or traceparent[:2] == b"ff" or not found[1].strip(b"0"):
        return None
    return found[1].decode("ascii") if found[2].strip(b"0") else None
