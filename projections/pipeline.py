"""Pipeline snapshot: what was open, won and lost at (as of, known at), grouped."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, select

from domain.history import StreamKind, stream_of
from domain.lifecycle import Status
from domain.rates import Rate
from projections.conversion import Conversion
from projections.figures import (
    DIMENSIONS,
    Part,
    PipelineRow,
    Point,
    Question,
    Sums,
    grouped_by,
    require_dimensions,
    rows_of,
    totals_of,
)
from projections.instants import micros
from projections.readable import ALL, Readable, ids_by_team, of_readable
from projections.sums import halves, whole
from projections.tables import FROM_UNDATED_IMPORTS, deal_periods, entries

__all__ = [
    "DIMENSIONS",
    "Pipeline",
    "PipelineRow",
    "caveats_of",
    "deals_in",
    "holds_at",
    "snapshot",
    "snapshot_and_totals",
]

MOST_EVENTS_COUNTED = 10_000
"""Of an import that does not say when it knew: beyond it the answer is `more than`."""


class Pipeline(msgspec.Struct, frozen=True):
    """A snapshot: its two instants, the rows, and what limits the answer."""

    as_of: datetime
    known_at: datetime
    by: tuple[str, ...]
    rows: list[PipelineRow]
    caveats: list[str]
    rates: Mapping[str, Rate] = {}
    """Of the currencies whose amounts were converted, by code."""
    lacking: Sequence[str] = ()
    """The currencies that should have been converted, and have no rate."""


class Copy(Protocol):
    """A copy of the deal periods that answers faster; see `projections.columns`."""

    def snapshot(
        self, connection: Connection, question: Question, readable: Readable = ALL
    ) -> list[Part] | None:
        """What the rows of deals that somebody may read come to, of those that `connection` sees.

        None where the copy cannot tell.
        """


def snapshot(
    connection: Connection,
    as_of: datetime,
    known_at: datetime,
    by: Sequence[str] = ("stage",),
    where: Mapping[str, str] | None = None,
    *,
    copy: Copy | None = None,
    conversion: Conversion | None = None,
    readable: Readable = ALL,
) -> Pipeline:
    """The pipeline at (as of, known at), grouped by dimensions of `DIMENSIONS`.

    A deal that was merged into another one counts nowhere, nor does one that is not `readable`.

    `where` keeps rows with these values of dimensions (`""`: without one). With a
    `conversion` all amounts are in one currency, but for those that lack a rate. The
    answer is that of `connection`, whether there is a copy or not.
    Raises ValueError for an unknown dimension.
    """
    rows, _ = snapshot_and_totals(
        *(connection, as_of, known_at, by, where),
        copy=copy,
        conversion=conversion,
        readable=readable,
    )
    return rows


def snapshot_and_totals(
    connection: Connection,
    as_of: datetime,
    known_at: datetime,
    by: Sequence[str] = ("stage",),
    where: Mapping[str, str] | None = None,
    *,
    copy: Copy | None = None,
    conversion: Conversion | None = None,
    readable: Readable = ALL,
) -> tuple[Pipeline, Pipeline]:
    """The snapshot, and beside it the one of all groups together, from the same sums."""
    parts = _parts(connection, Question(as_of, known_at, by, where or {}), copy, readable)
    caveats = caveats_of(connection, as_of, known_at, readable)
    used: Mapping[str, Rate] = {}
    lacking: Sequence[str] = ()
    if conversion is not None:
        at = grouped_by(by).index("currency")
        currencies = {own for part in parts if (own := part.values[at]) is not None}
        used, lacking = conversion.used(currencies), conversion.lacking(currencies)
    rows, totals = rows_of(parts, by, as_of, conversion), totals_of(parts, by, as_of, conversion)
    return (
        Pipeline(as_of, known_at, tuple(by), rows, caveats, used, lacking),
        Pipeline(as_of, known_at, (), totals, caveats, used, lacking),
    )


def _parts(
    connection: Connection, question: Question, copy: Copy | None, readable: Readable
) -> list[Part]:
    require_dimensions((*question.by, *question.where))
    parts = None if copy is None else copy.snapshot(connection, question, readable)
    return parts_of_rows(connection, question, readable) if parts is None else parts


def parts_of_rows(
    connection: Connection, question: Question, readable: Readable = ALL
) -> list[Part]:
    """The sums over the rows of the store, of deals that somebody may read."""
    period = deal_periods.c
    names = question.grouped_by
    place = [period.process, period.stage_order] if "stage" in names else []
    keys = [*(period[name] for name in names), period.status, *place]
    statement = (
        select(*keys, *_sums())
        .where(holds_at(question.as_of, question.known_at), period.status != Status.MERGED.value)
        .where(*(_equals(period[name], value) for name, value in question.where.items()))
        .where(of_readable(connection, readable, period.deal_id))
        .group_by(*keys)
    )
    return [_part(tuple(row), len(names), bool(place)) for row in connection.execute(statement)]


def deals_in(
    connection: Connection,
    as_of: datetime,
    known_at: datetime,
    statuses: Collection[Status],
    where: Mapping[str, str] | None = None,
    *,
    readable: Readable = ALL,
) -> list[str]:
    """The ids of the deals that had one of these statuses at (as of, known at), ascending.

    `where` and `readable` are those of `snapshot`. Raises ValueError for an unknown dimension.
    """
    require_dimensions(where or ())
    period = deal_periods.c
    statement = (
        select(period.deal_id)
        .where(holds_at(as_of, known_at), period.status.in_([one.value for one in statuses]))
        .where(*(_equals(period[name], value) for name, value in (where or {}).items()))
        .where(of_readable(connection, readable, period.deal_id))
    )
    # Sorted here: asked to, SQLite would walk the periods of all deals by the index of their ids.
    return sorted(connection.scalars(statement))


def holds_at(as_of: datetime, known_at: datetime) -> ColumnElement[bool]:
    """The deal periods that hold the point (as of, known at): one at most per deal."""
    period, point = deal_periods.c, Point.of(as_of, known_at)
    return and_(
        period.occurred_from <= point.occurred,
        period.occurred_until > point.occurred,
        period.known_from <= point.known,
        period.known_until > point.known,
    )


def _equals(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    return column == value if value else column.is_(None)


def _sums() -> list[ColumnElement[int]]:
    """The columns of `Sums`, those after the first two in halves."""
    period = deal_periods.c
    percent = func.coalesce(period.probability, 0)
    return [
        func.count(),
        func.count(period.amount_minor),
        *halves(period.amount_minor),
        *halves(period.amount_minor, percent),
        *halves(period.opened_at),
    ]


def _part(row: tuple[Any, ...], dimensions: int, has_place: bool) -> Part:
    process, stage_order = row[dimensions + 1 : dimensions + 3] if has_place else ("", 0)
    sums = Sums(int(row[-8]), int(row[-7]), whole(row[-6:-4]), whole(row[-4:-2]), whole(row[-2:]))
    return Part(row[:dimensions], row[dimensions], process, stage_order, sums)


def caveats_of(
    connection: Connection, as_of: datetime, known_at: datetime, readable: Readable = ALL
) -> list[str]:
    """Imports that did not say when they knew: asked earlier, the answer leaves them out.

    Of deals that somebody may read.
    """
    return [
        f"{events_told(count)} of {source}, whose source "
        f"does not say when it was known: known from the import on, and not in this answer"
        for source in undated_sources(connection)
        if (count := left_out(connection, source, as_of, known_at, readable))
    ]


def events_told(count: int) -> str:
    """How many events an answer leaves out."""
    if count > MOST_EVENTS_COUNTED:
        return f"more than {MOST_EVENTS_COUNTED:,} events"
    return f"{count:,} {'event' if count == 1 else 'events'}"


def undated_sources(connection: Connection) -> Iterator[str]:
    """The sources that do not say when they knew, in order.

    Each is one step in the index, however many events it has.
    """
    source = ""
    while found := connection.execute(first_undated_source(source)).scalar():
        source = found
        yield source


def first_undated_source(after: str) -> Select[Any]:
    """The first source behind another one that does not say when it knew."""
    return select(func.min(entries.c.source)).where(FROM_UNDATED_IMPORTS, entries.c.source > after)


def left_out(
    connection: Connection,
    source: str,
    as_of: datetime,
    known_at: datetime,
    readable: Readable = ALL,
) -> int:
    """How many events of a source an answer leaves out, counted up to one more than is told.

    Of deals that somebody may read; nothing looks for these where there are no events at all.
    """
    count: int = connection.execute(count_left_out(source, as_of, known_at)).scalar_one()
    if readable.all or not count:
        return count
    ids = ids_by_team(connection, readable).subquery()
    theirs = entries.c.stream.in_(select(literal(_DEAL) + ids.c.deal_id))
    some: int = connection.execute(count_left_out(source, as_of, known_at, theirs)).scalar_one()
    return some


_DEAL = stream_of(StreamKind.DEAL, "")


def count_left_out(
    source: str, as_of: datetime, known_at: datetime, *also: ColumnElement[bool]
) -> Select[Any]:
    """The events of a source that `left_out` counts, as far as they meet other conditions."""
    entry = entries.c
    some = (
        select(literal(1))
        .where(
            FROM_UNDATED_IMPORTS,
            entry.source == source,
            entry.recorded_at > micros(known_at),
            entry.occurred_at <= micros(as_of),
            *also,
        )
        .limit(MOST_EVENTS_COUNTED + 1)
    )
    return select(func.count()).select_from(some.subquery())
