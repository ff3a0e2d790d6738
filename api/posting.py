"""Posting a text over HTTP: a checkpoint to whoever keeps or cosigns it."""

import ssl
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import SplitResult, urlsplit

import msgspec

TIMEOUT_SECONDS = 20.0
MAX_ANSWER_BYTES = 300_000

_HEADERS = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "dealstate"}


class NotPosted(Exception):
    """There was no answer, or none that can be used. The message says why."""


class Reply(msgspec.Struct, frozen=True):
    """What the other side answered. Redirections are not followed."""

    status: int
    media_type: str
    text: str


def post(url: str, text: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Reply:
    """Post the text to an http or https address. Raises NotPosted."""
    parts = parse_address(url)
    connection = connection_to(parts, timeout_seconds)
    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    try:
        connection.request("POST", path, text.encode(), _HEADERS)
        answer = connection.getresponse()
        content = answer.read(MAX_ANSWER_BYTES + 1)
        media_type = answer.getheader("Content-Type", "")
    except TimeoutError:
        raise NotPosted(f"{url} has not answered for {timeout_seconds:.0f} seconds") from None
    except (OSError, HTTPException, ValueError) as error:
        raise NotPosted(f"{url} cannot be reached: {error}") from error
    finally:
        connection.close()
    if len(content) > MAX_ANSWER_BYTES:
        raise NotPosted(f"{url} answers with more than {MAX_ANSWER_BYTES} bytes")
    return Reply(
        answer.status, media_type.partition(";")[0].strip(), content.decode("utf-8", "replace")
    )


def parse_address(url: str) -> SplitResult:
    """The parts of an address that one can post to. Raises NotPosted."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise NotPosted(f"{url!r} is not an address that begins with http:// or https://")
    if parts.username is not None:
        raise NotPosted("an address with a user or a password in it is not used")
    return parts


def connection_to(parts: SplitResult, timeout_seconds: float) -> HTTPConnection:
    """A connection to where an address is, not opened yet. Certificates are checked."""
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(host, parts.port, timeout=timeout_seconds, context=context)
    return HTTPConnection(host, parts.port, timeout=timeout_seconds)
