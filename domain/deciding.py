"""What the families share when they decide: mirroring a command, and noticing repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from domain.history import Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import msgspec

    from domain.history import Recorded

F = TypeVar("F", bound=Fact)


def mirrored(command: msgspec.Struct, fact_type: Callable[..., F]) -> F:
    """The fact whose fields are those of the command."""
    return fact_type(**{name: getattr(command, name) for name in command.__struct_fields__})


def unless_current(fact: F, current: Recorded[Fact] | None) -> tuple[F, ...]:
    """The fact, or nothing where it is what was said last."""
    return () if current is not None and current.fact == fact else (fact,)


def unless_among(fact: F, earlier: Iterable[Recorded[Fact]]) -> tuple[F, ...]:
    """The fact, or nothing where it was said before."""
    return () if any(event.fact == fact for event in earlier) else (fact,)
