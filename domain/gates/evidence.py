"""What a predicate is, and how it answers: with the events that make it true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.deal import Deal
    from domain.history import Fact, Recorded

Versions = tuple[int, ...]
Judge = Callable[["Deal", datetime], Versions | None]
"""All versions that make a predicate true at that time, ascending; None where it is not.

Empty where it holds because there is nothing to do, which no event shows.
"""

RECENT = timedelta(days=30)


class Predicate(msgspec.Struct, frozen=True):
    """A question to the deal's state, and which commands make its answer yes."""

    judge: Judge
    satisfied_by: str


def shown_by(versions: Iterable[int | None]) -> Versions | None:
    """These versions, ascending and each once; None where there are none."""
    return tuple(sorted({one for one in versions if one is not None})) or None


def shown_by_events(events: Iterable[Recorded[Fact] | None]) -> Versions | None:
    """The versions of these events; None where there are none."""
    return shown_by(event.version for event in events if event is not None)


def recent(event: Recorded[Fact], at: datetime) -> bool:
    """Occurred within the 30 days before `at`."""
    # The difference, because a moment 30 days before the first there is cannot be told.
    return at - event.occurred_at <= RECENT
