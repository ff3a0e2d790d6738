"""Fetching a JSON document of an identity provider, over a channel that tells who answers."""

from http.client import HTTPException
from ipaddress import ip_address
from typing import Any

import msgspec

from api.posting import NotPosted, connection_to, parse_address

TIMEOUT_SECONDS = 5.0
MAX_BYTES = 1_000_000


class NotFetched(Exception):
    """There was no answer, or none that can be used. The message says why."""


def get_json(url: str) -> dict[str, Any]:
    """The JSON object at an address. Redirections are not followed. Raises NotFetched."""
    if not is_trusted(url):
        raise NotFetched(f"{url!r} is not an address that begins with https://")
    parts = parse_address(url)
    connection = connection_to(parts, TIMEOUT_SECONDS)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    try:
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        status, content = answer.status, answer.read(MAX_BYTES + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise NotFetched(f"{url} cannot be reached: {error}") from error
    finally:
        connection.close()
    if status != 200 or len(content) > MAX_BYTES:
        raise NotFetched(f"{url} answers with {status} and {len(content):,} bytes")
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotFetched(f"{url} does not answer with a JSON object") from error


def is_trusted(url: str) -> bool:
    """Whether nobody on the way can change what the address answers: https, or this machine."""
    try:
        parts = parse_address(url)
    except NotPosted:
        return False
    if parts.scheme == "https":
        return True
    try:
        return parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
