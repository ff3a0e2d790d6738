"""A way to the service on which answers get lost, and the service that is busy."""

from collections.abc import Callable
from typing import Any

import httpx2
from fastapi.testclient import TestClient

from api.client import Client
from domain.lifecycle.commands import OpenOpportunity

URL = "http://127.0.0.1:8000"
OPENING = OpenOpportunity(name="Press line", owner="anna", currency="USD")

Fault = Callable[[httpx2.Request, int], httpx2.Response | Exception | None]
"""What becomes of a request, by how many came before: another answer, an error, or nothing."""


class Flaky(httpx2.BaseTransport):
    """Sends requests to a service inside the test, and loses what it is told to.

    `before` is asked before the service gets the request, `after` once it has answered.
    """

    def __init__(
        self, service: TestClient, before: Fault | None = None, after: Fault | None = None
    ) -> None:
        self._service = service
        self._before = before
        self._after = after
        self.seen: list[httpx2.Request] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        number = len(self.seen)
        self.seen.append(request)
        if (found := _met(self._before, request, number)) is not None:
            return found
        answer = self._service.request(
            request.method, str(request.url), headers=request.headers, content=request.read()
        )
        if (found := _met(self._after, request, number)) is not None:
            return found
        return httpx2.Response(answer.status_code, headers=_kept(answer), content=answer.content)


def flaky(
    service: TestClient, before: Fault | None = None, after: Fault | None = None
) -> tuple[Client, Flaky, list[float]]:
    """A client over such a way, the way, and how long the client has waited each time."""
    way = Flaky(service, before, after)
    client = Client(URL, http=httpx2.Client(transport=way))
    waits: list[float] = []
    client._sender._sleep = waits.append
    return client, way, waits


def _met(fault: Fault | None, request: httpx2.Request, number: int) -> httpx2.Response | None:
    found = fault(request, number) if fault is not None else None
    if isinstance(found, Exception):
        raise found
    return found


def _kept(answer: Any) -> dict[str, str]:
    """The headers of an answer whose body is unpacked."""
    left = {"content-encoding", "content-length", "transfer-encoding"}
    return {name: value for name, value in answer.headers.items() if name not in left}
