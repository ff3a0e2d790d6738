"""What the methods of the client have in common: how each asks its route."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from uuid import uuid4

import msgspec

from api.client.sending import Sender, decoded

T = TypeVar("T")
NAMED: Mapping[str, str] = {}
"""Parameters whose name is none of Python's, by the name that they have there."""

CSV, JSON = "text/csv", "application/json"


class Routes:
    """Methods for routes. Each raises Refused, Unreachable and Unreadable."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def _read(
        self, path: str, shape: type[T], given: Mapping[str, Any], named: Mapping[str, str] = NAMED
    ) -> T:
        return self._sender.get(path, shape, _parameters(given, named))

    def _each(
        self, path: str, shape: type[Any], field: str, given: Mapping[str, Any]
    ) -> Iterator[Any]:
        """What is in a listing, page by page, as the links lead."""
        response = self._sender.fetch(path, _parameters(given, NAMED))
        while True:
            yield from getattr(decoded(response, shape), field)
            following = response.links.get("next")
            if following is None:
                return
            response = self._sender.fetch(following["url"])

    def _ask(
        self,
        path: str,
        shape: type[T],
        body: msgspec.Struct | Mapping[str, Any],
        given: Mapping[str, Any],
        *,
        named: Mapping[str, str] = NAMED,
    ) -> T:
        """The answer to a body of which nothing is recorded."""
        content = msgspec.json.encode(body)
        parameters = _parameters(given, named)
        return decoded(self._sender.post(path, content, parameters=parameters), shape)

    def _write(
        self,
        path: str,
        shape: type[T],
        body: msgspec.Struct | Mapping[str, Any] | bytes,
        given: Mapping[str, Any],
        *,
        key: str | None,
        if_version: int | None = None,
    ) -> T:
        """Record something, once, under its key: bytes go as a table, others as JSON."""
        is_table = isinstance(body, bytes)
        headers = {"Content-Type": CSV if is_table else JSON}
        if if_version is not None:
            headers["If-Match"] = f'"{if_version}"'
        return self._sender.write(
            path,
            body if isinstance(body, bytes) else msgspec.json.encode(body),
            shape,
            key=str(uuid4()) if key is None else key,
            parameters=_parameters(given, NAMED),
            headers=headers,
        )


def _parameters(given: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, Any]:
    """What is given, under the names of the route."""
    return {named.get(name, name): value for name, value in given.items() if value is not None}
