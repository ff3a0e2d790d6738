"""What a client has written and not read since: what its reads have to include.

Theory of operation. The answer to a write names events as stream@version. Of each stream the
highest version counts, whichever answer came last. A read bears up to `MOST` of them; once it is
answered they are in the log, and later reads need not bear them. An event of a write that was
sent after other answers had come stands behind their events in the log, so a read that includes
it includes those. So of a client that writes on and on and reads nothing, one event is kept.
"""

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import TypeAlias
from urllib.parse import quote, unquote

import msgspec

MOST, LONGEST = 20, 6_000
"""Events that one request may name, and characters that they may have together."""

Versions: TypeAlias = Mapping[str, int]
"""By stream, percent-encoded."""


class Written:
    """The events that reads have to include. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pending: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def __str__(self) -> str:
        """The events that are not known to have been read, else those of the last write."""
        with self._lock:
            return in_header(self._pending or self._last)

    def pending(self) -> Versions:
        """The events that are not known to have been read."""
        with self._lock:
            return dict(self._pending)

    def add(self, tokens: Iterable[str], instead_of: Versions | None = None) -> None:
        """Let reads include these events, and, where they stand behind others, not those.

        Raises ValueError for what names no event.
        """
        found = [parsed(token) for token in tokens]
        if not found:
            return
        with self._lock:
            self._forget(instead_of or {})
            for stream, version in found:
                self._pending[stream] = max(version, self._pending.get(stream, 0))
            self._last = dict(found)

    def forget(self, included: Versions) -> None:
        """Take out what an answer has included."""
        with self._lock:
            self._forget(included)

    def _forget(self, included: Versions) -> None:
        for stream, version in included.items():
            if self._pending.get(stream, version + 1) <= version:
                del self._pending[stream]

    def batch(self) -> Versions:
        """As many of the events as one request may name."""
        chosen: dict[str, int] = {}
        left = LONGEST
        for stream, version in self.pending().items():
            left -= len(f"{stream}@{version},")
            if chosen and (left < 0 or len(chosen) == MOST):
                break
            chosen[stream] = version
        return chosen


def in_header(versions: Versions) -> str:
    """As `Dealstate-Wait-For` names events."""
    return ",".join(f"{stream}@{version}" for stream, version in versions.items())


def parsed(token: str) -> tuple[str, int]:
    """The stream and the version of an event. Raises ValueError."""
    stream, _, version = token.strip().rpartition("@")
    kind, _, identifier = stream.partition(":")
    if not (kind and identifier and version.isascii() and version.isdecimal()):
        raise ValueError(f"{token!r} is not of the form stream@version, as in deal:d-1@7")
    return quote(unquote(stream), safe=":"), int(version)


def is_news(answer: object) -> bool:
    """Whether an answer to a write that is no repetition shows an event of that write."""
    told = getattr(answer, "recorded", answer)
    return hasattr(told, "token") and bool(getattr(told, "events", ()))


def tokens_in(answer: object) -> list[str]:
    """The events that an answer names as recorded, wherever it has them.

    They are in the attributes `token` and `tokens` of a struct, or of those that it holds.
    """
    if isinstance(answer, list):
        return [token for one in answer for token in tokens_in(one)]
    if not isinstance(answer, msgspec.Struct) or getattr(answer, "dry_run", False):
        return []
    found: list[str] = []
    for name in answer.__struct_fields__:
        value = getattr(answer, name)
        if name == "token" and isinstance(value, str):
            found.append(value)
        elif name == "tokens":
            found += value
        else:
            found += tokens_in(value)
    return found
