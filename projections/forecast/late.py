"""What imports that do not say when they knew leave out of the standings of a month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.pipeline import events_told, left_out, undated_sources
from projections.readable import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from projections.readable import Readable


def left_out_of_standings(
    connection: Connection, moments: Sequence[datetime], readable: Readable = ALL
) -> Iterator[str]:
    """Of each such import, how many events up to the last standing the first one does not know.

    Of deals that somebody may read.
    """
    if not moments:
        return
    first, last = min(moments), max(moments)
    for source in undated_sources(connection):
        count = left_out(connection, source, last, first, readable)
        if count:
            yield (
                f"{events_told(count)} of {source}, whose source does not say when it was known:"
                " known from the import on, and not in the standings before it"
            )
