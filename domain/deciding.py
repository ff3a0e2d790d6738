"""What the families share when they decide: mirroring a command, and noticing repetition."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, TypeVar
from unicodedata import category

import msgspec
from msgspec import inspect

from domain.history import Fact
from domain.refusals import TextNotLegible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from domain.history import Recorded

F = TypeVar("F", bound=Fact)

JUST_NOW = timedelta(days=1)
"""How long an observation that is made again says nothing new."""


def mirrored(command: msgspec.Struct, fact_type: Callable[..., F], **worked_out: object) -> F:
    """The fact whose fields are those of the command, and what was worked out besides."""
    told = {name: getattr(command, name) for name in command.__struct_fields__}
    return fact_type(**(told | worked_out))


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


LONGEST_SHORT_TEXT = 500
LONGEST_ID = 200


def require_legible(command: msgspec.Struct) -> None:
    """Texts can be read and kept: ids and short texts on one line, none without a character.

    A NUL is refused too, which some databases cannot keep. Raises TextNotLegible.
    """
    for text, longest in _texts(command, _shape(type(command))):
        if "\0" in text or not any(one.isprintable() and not one.isspace() for one in text):
            raise TextNotLegible(
                "a text is blank or holds a NUL character", "Say it in words, or leave it out."
            )
        if longest <= LONGEST_SHORT_TEXT and any(category(one) in _UNSEEN for one in text):
            raise TextNotLegible(
                f"{text!r} is not one line of visible characters",
                "Leave out line breaks and control characters.",
            )
        if longest <= LONGEST_ID and text != text.strip():
            raise TextNotLegible(
                f"the id {text!r} begins or ends with a blank", "Leave the blanks out."
            )


_UNSEEN = ("Cc", "Zl", "Zp")
"""Unicode's categories of control characters and of separators of lines and paragraphs."""


@cache
def _shape(cls: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(cls)


def _texts(value: object, shape: inspect.Type) -> Iterator[tuple[str, int]]:
    """Each text of a value, with how long its type lets it be."""
    match shape:
        case inspect.StrType(max_length=longest) if type(value) is str:
            yield value, longest or LONGEST_ID
        case inspect.UnionType(types=types) if value is not None:
            for kind in types:
                yield from _texts(value, kind)
        case inspect.VarTupleType(item_type=item) if isinstance(value, tuple):
            for one in value:
                yield from _texts(one, item)
        case inspect.StructType(cls=cls, fields=fields) if type(value) is cls:
            for field in fields:
                yield from _texts(getattr(value, field.name), field.type)
        case _:
            pass
