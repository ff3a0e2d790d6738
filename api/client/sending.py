"""Sending requests: tried again where that is safe, and reading what was written.

Theory of operation. Every write bears an Idempotency-Key, so every request can be sent again: when
the connection is cut before the answer came, when the service is busy (503) or asks for patience
(429). Between two attempts it waits, longer each time, or as long as `Retry-After` says, if that is
no longer than the client is told to wait. Each write is answered with the events it led to; reads
that follow name them, so they include them.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from api.client.failures import Refused, Unreachable, Unreadable, refused
from api.client.written import Versions, Written, in_header, is_news, tokens_in

T = TypeVar("T")

KEY, WAIT_FOR = "Idempotency-Key", "Dealstate-Wait-For"
REPLAYED = "Idempotency-Replayed"

ATTEMPTS = 6
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 5.0
LONGEST_TOLD_SECONDS = 60.0
"""What the service asks to wait for beyond this, the caller is told instead."""
TIMEOUT_SECONDS = 30.0
_MOST_DOUBLINGS = 10
_SMALL = "/v1/processes"
"""Whoever may ask anything may ask it."""
_BUSY = frozenset({429, 503})


class Patience(NamedTuple):
    """How long a request is tried."""

    attempts: int = ATTEMPTS
    longest_wait: float = LONGEST_TOLD_SECONDS
    """Seconds that the service may ask to wait between two attempts."""


PATIENCE = Patience()


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
        patience: Patience = PATIENCE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = http or httpx2.Client(timeout=TIMEOUT_SECONDS)
        self._attempts, self._longest_wait = patience
        self._sleep = sleep
        self.written = Written()
        """What reads include."""

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, shape: type[T], parameters: Mapping[str, Any] | None = None) -> T:
        """The answer of a read. Raises Refused, Unreachable, Unreadable."""
        return decoded(self.fetch(path, parameters), shape)

    def fetch(self, path: str, parameters: Mapping[str, Any] | None = None) -> httpx2.Response:
        """The answer of a read as it came. Raises Refused, Unreachable, Unreadable."""
        named = self._settled()
        response = self._answered(Asked("GET", path, parameters, _naming(named)))
        if waits(path):
            self.written.forget(named)
        return response

    def post(
        self,
        path: str,
        body: bytes,
        *,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> httpx2.Response:
        """The answer to a body. Raises Refused, Unreachable, Unreadable."""
        own = _naming(self._settled()) if key is None else {KEY: key}
        told = {"Content-Type": "application/json", **own, **(headers or {})}
        return self._answered(Asked("POST", path, parameters, told, body))

    def write(
        self,
        path: str,
        body: bytes,
        shape: type[T],
        *,
        key: str,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """The answer to a body that is recorded; reads from now on include what it led to.

        Raises Refused, Unreachable, Unreadable.
        """
        before = self.written.pending()
        response = self.post(path, body, parameters=parameters, headers=headers, key=key)
        answer = decoded(response, shape, key)
        is_first = REPLAYED not in response.headers
        try:
            self.written.add(tokens_in(answer), before if is_first and is_news(answer) else None)
        except ValueError as error:
            raise Unreadable(str(error), response.status_code, key) from error
        return answer

    @contextmanager
    def stream(
        self, path: str, parameters: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Iterator[httpx2.Response]:
        """An answer that goes on. Raises Refused at its beginning, transport errors as they are."""
        named = self._settled()
        request = self._request(Asked("GET", path, parameters, {**_naming(named), **headers}))
        response = self._http.send(request, stream=True)
        try:
            if response.status_code != 200:
                response.read()
                raise _refusal(response)
            self.written.forget(named)
            yield response
        finally:
            response.close()

    def wait(self, attempt: int, refusal: Refused | None = None) -> None:
        """Wait before the next attempt: as long as the service says, else longer each time.

        Raises the refusal where the service says longer than the client is to wait.
        """
        told = None if refusal is None else refusal.retry_after
        if refusal is not None and told is not None and told > self._longest_wait:
            raise refusal
        longest = min(FIRST_WAIT_SECONDS * 2 ** min(attempt, _MOST_DOUBLINGS), LONGEST_WAIT_SECONDS)
        # A random part, so that those who were cut off together do not come back together.
        self._sleep(longest * (0.5 + random.random() / 2) if told is None else told)

    def _settled(self) -> Versions:
        """What the next read names. Where that is not all, others are read before, and dropped."""
        while True:
            named = self.written.batch()
            if len(named) >= len(self.written.pending()):
                return named
            self._answered(Asked("HEAD", _SMALL, None, _naming(named)))
            self.written.forget(named)

    def _request(self, asked: Asked) -> httpx2.Request:
        return self._http.build_request(
            asked.method,
            f"{self._url}{asked.path}",
            params={name: text(one) for name, one in (asked.parameters or {}).items()} or None,
            headers={**self._headers, **asked.headers},
            content=asked.body,
        )

    def _answered(self, asked: Asked) -> httpx2.Response:
        key = asked.headers.get(KEY)
        for attempt in range(self._attempts):
            last = attempt == self._attempts - 1
            try:
                response = self._http.send(self._request(asked))
            except httpx2.TransportError as error:
                if last:
                    raise Unreachable(type(error).__name__, key) from error
                self.wait(attempt)
                continue
            except httpx2.RequestError as error:
                raise Unreadable(type(error).__name__, None, key) from error
            if response.is_success:
                return response
            refusal = _refusal(response)
            if response.status_code not in _BUSY or last:
                raise refusal
            self.wait(attempt, refusal)
        raise AssertionError("the last attempt returns or raises")


def waits(path: str) -> bool:
    """Whether an answer to GET includes the events that the request names."""
    return path.startswith("/v1/")


def _naming(versions: Versions) -> dict[str, str]:
    return {WAIT_FOR: in_header(versions)} if versions else {}


def _refusal(response: httpx2.Response) -> Refused:
    told = _seconds(response.headers.get("Retry-After", "").strip())
    return refused(response.status_code, response.content, told)


def _seconds(told: str) -> float | None:
    """What Retry-After says: seconds, or a date (RFC 9110, 10.2.3). None: nothing of use."""
    if told.isdecimal():
        return float(told)
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return None
    # A date of which no zone is told is in UTC.
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def decoded(response: httpx2.Response, shape: type[T], key: str | None = None) -> T:
    """An answer of that shape. Raises Unreadable."""
    try:
        return msgspec.json.decode(response.content, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(str(error), response.status_code, key) from error


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
