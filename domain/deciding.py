"""What the families share when they decide: mirroring a command, and noticing repetition."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import msgspec

from domain.history import Fact
from domain.refusals import TextNotLegible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from domain.history import Recorded

F = TypeVar("F", bound=Fact)

JUST_NOW = timedelta(days=1)
"""How long an observation that is made again says nothing new."""


def mirrored(command: msgspec.Struct, fact_type: Callable[..., F]) -> F:
    """The fact whose fields are those of the command."""
    return fact_type(**{name: getattr(command, name) for name in command.__struct_fields__})


def unless_current(fact: F, current: Recorded[Fact] | None) -> tuple[F, ...]:
    """The fact, or nothing where it is what was said last."""
    return () if current is not None and current.fact == fact else (fact,)


def unless_among(fact: F, earlier: Iterable[Recorded[Fact]]) -> tuple[F, ...]:
    """The fact, or nothing where it was said before."""
    return () if any(event.fact == fact for event in earlier) else (fact,)


def unless_just_said(fact: F, current: Recorded[Fact] | None, at: datetime) -> tuple[F, ...]:
    """The fact, or nothing where it is what was said last, and that just now.

    For observations, which go stale: made again after a while, they are news.
    """
    fresh = current is not None and at - current.occurred_at <= JUST_NOW
    return unless_current(fact, current if fresh else None)


def require_legible(command: msgspec.Struct) -> None:
    """No text is without a visible character, and none holds a NUL, which some databases lack."""
    for text in _texts(msgspec.to_builtins(command)):
        if "\0" in text or not any(one.isprintable() and not one.isspace() for one in text):
            raise TextNotLegible(
                "a text is blank or holds a NUL character", "Say it in words, or leave it out."
            )


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from _texts(part)
        case list() | tuple():
            for part in value:
                yield from _texts(part)
