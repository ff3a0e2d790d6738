"""What imports that do not say when they knew leave out of the standings of a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.pipeline import MOST_EVENTS_COUNTED, count_left_out, first_undated_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection


def left_out_of_standings(connection: Connection, moments: Sequence[datetime]) -> Iterator[str]:
    """Of each such import, how many events up to the last standing the first one does not know."""
    if not moments:
        return
    first, last = min(moments), max(moments)
    source = ""
    while found := connection.execute(first_undated_source(source)).scalar():
        source = found
        count: int = connection.execute(count_left_out(source, last, first)).scalar_one()
        if count:
            yield (
                f"{_events(count)} of {source}, whose source does not say when it was known:"
                " known from the import on, and not in the standings before it"
            )


def _events(count: int) -> str:
    if count > MOST_EVENTS_COUNTED:
        return f"more than {MOST_EVENTS_COUNTED:,} events"
    return f"{count:,} {'event' if count == 1 else 'events'}"
