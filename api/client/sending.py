"""Sending requests: tried again where that is safe, and reading what was written.

Theory of operation. Every write bears an Idempotency-Key, so every request can be sent again: when
the connection is cut before the answer came, when the service is busy (503) or asks for patience
(429). Between two attempts it waits, longer each time, or as long as `Retry-After` says. Each write
is answered with a token; reads that follow bear the last one, so they include it.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from enum import Enum
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from api.client.failures import Unreachable, refused
from api.wire.administration import IssuedKey
from api.wire.forgetting import Erased, ErasedEvent
from api.wire.reassignments import Reassigned, ReassignedDeal
from api.wire.recorded import DealRecording, Recording

T = TypeVar("T")

KEY, WAIT_FOR = "Idempotency-Key", "Dealstate-Wait-For"

ATTEMPTS = 6
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 5.0
TIMEOUT_SECONDS = 30.0
_BUSY = frozenset({429, 503})


class Asked(NamedTuple):
    """One request, however often it is sent."""

    method: str
    path: str
    parameters: Mapping[str, Any] | None
    headers: Mapping[str, str]
    body: bytes | None = None


class Sender:
    """Sends requests for one key. Safe to use from many threads."""

    def __init__(
        self,
        url: str,
        key: str | None,
        http: httpx2.Client | None = None,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = http or httpx2.Client(timeout=TIMEOUT_SECONDS)
        self._attempts = attempts
        self._sleep = sleep
        self.token: str | None = None
        """Of the last write; reads include it."""

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, shape: type[T], parameters: Mapping[str, Any] | None = None) -> T:
        """The answer of a read. Raises Refused, Unreachable."""
        return decoded(self.fetch(path, parameters), shape)

    def fetch(self, path: str, parameters: Mapping[str, Any] | None = None) -> httpx2.Response:
        """The answer of a read as it came. Raises Refused, Unreachable."""
        return self._answered(Asked("GET", path, parameters, self._reading()))

    def post(
        self,
        path: str,
        body: bytes,
        *,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> httpx2.Response:
        """The answer to a body. Raises Refused, Unreachable."""
        told = {"Content-Type": "application/json", **self._reading(), **(headers or {})}
        if key is not None:
            told[KEY] = key
        return self._answered(Asked("POST", path, parameters, told, body))

    @contextmanager
    def stream(
        self, path: str, parameters: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Iterator[httpx2.Response]:
        """An answer that goes on. Raises Refused at its beginning, transport errors as they are."""
        request = self._request(Asked("GET", path, parameters, {**self._reading(), **headers}))
        response = self._http.send(request, stream=True)
        try:
            if response.status_code != 200:
                raise refused(response.status_code, response.read())
            yield response
        finally:
            response.close()

    def wait(self, attempt: int, response: httpx2.Response | None = None) -> None:
        """Wait before the next attempt: as long as the service says, else longer each time."""
        told = response.headers.get("Retry-After", "") if response is not None else ""
        longest = min(FIRST_WAIT_SECONDS * 2**attempt, LONGEST_WAIT_SECONDS)
        # A random part, so that those who were cut off together do not come back together.
        own = longest * (0.5 + random.random() / 2)
        self._sleep(float(told) if told.isdecimal() else own)

    def _reading(self) -> dict[str, str]:
        return {} if self.token is None else {WAIT_FOR: self.token}

    def _request(self, asked: Asked) -> httpx2.Request:
        return self._http.build_request(
            asked.method,
            f"{self._url}{asked.path}",
            params={name: text(one) for name, one in (asked.parameters or {}).items()} or None,
            headers={**self._headers, **asked.headers},
            content=asked.body,
        )

    def _answered(self, asked: Asked) -> httpx2.Response:
        for attempt in range(self._attempts):
            last = attempt == self._attempts - 1
            try:
                response = self._http.send(self._request(asked))
            except httpx2.TransportError as error:
                if last:
                    raise Unreachable(type(error).__name__, asked.headers.get(KEY)) from error
                self.wait(attempt)
                continue
            if response.is_success:
                return response
            if response.status_code not in _BUSY or last:
                raise refused(response.status_code, response.content)
            self.wait(attempt, response)
        raise AssertionError("the last attempt returns or raises")

    def keep_token(self, answer: object) -> None:
        """Let reads from now on include what an answer tells to have been recorded."""
        self.token = token_in(answer) or self.token


def token_in(answer: object) -> str | None:
    """The token of what was recorded last, where an answer to a write has one."""
    match answer:
        case Recording(token=token) | DealRecording(token=token):
            return token
        case IssuedKey(recorded=recording):
            return recording.token
        case Reassigned(done=[*_, ReassignedDeal(token=token)]):
            return token
        case Erased(events=[*_, ErasedEvent(token=token)]):
            return token
        case _:
            return None


def decoded(response: httpx2.Response, shape: type[T]) -> T:
    """An answer of that shape."""
    return msgspec.json.decode(response.content, type=shape)


def segment(value: object) -> str:
    """A value as a part of a path."""
    return quote(text(value), safe="")


def text(value: object) -> str:
    """A value as it stands in an address."""
    match value:
        case bool():
            return "true" if value else "false"
        case Enum():
            return str(value.value)
        case date():
            return value.isoformat()
        case _:
            return str(value)
