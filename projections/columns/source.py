"""What the columnar copy reads from the rows of the store, on either database."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, literal, or_, select

from projections.instants import FOREVER, micros
from projections.readable import ALL, Readable, of_readable
from projections.tables import checkpoints, deal_marks, deal_periods, identity, parked

MODEL = "deal-periods"
"""The read model that is copied, as `projections.periods` names it."""

Row = Sequence[Any]
"""Values of `COLUMNS`."""

CODED = (
    "status",
    "outcome",
    "owner",
    "region",
    "industry",
    "territory",
    "product",
    "business_type",
    "forecast_category",
    "grade",
    "lead_source",
    "currency",
)
"""Texts that are numbers in the copy. A stage is one together with its process and position."""

INSTANTS = ("occurred_from", "occurred_until", "known_from", "known_until", "opened_at")

COLUMNS = (
    "deal_id",
    *INSTANTS,
    "closed_at",
    "expected_close",
    "amount_minor",
    "listed_minor",
    "quoted_minor",
    "probability",
    *("process", "stage", "stage_order"),
    *CODED,
)
"""The columns of deal periods that are copied, in the order in which they are read."""

_BATCH_ROWS = 20_000
_BATCH_DEALS = 1_000

_PERIODS = select(*(deal_periods.c[name] for name in COLUMNS))


class Reach(msgspec.Struct, frozen=True):
    """Which periods a question can need: those known at some moments, that reach into a time."""

    known_at: tuple[datetime, ...] = ()
    """None: whenever they were known."""
    since: datetime | None = None
    until: datetime | None = None

    def condition(self) -> ColumnElement[bool]:
        """What the rows of these periods are."""
        period = deal_periods.c
        conditions: list[ColumnElement[bool]] = [literal(1) == 1]
        if self.known_at:
            known = [min(micros(one), FOREVER - 1) for one in self.known_at]
            conditions.append(
                or_(*(and_(period.known_from <= at, period.known_until > at) for at in known))
            )
        if self.since is not None:
            # Before the end of time, where periods that still hold end.
            conditions.append(period.occurred_until > min(micros(self.since), FOREVER - 1))
        if self.until is not None:
            conditions.append(period.occurred_from <= micros(self.until))
        return and_(*conditions)


class Stand(msgspec.Struct, frozen=True):
    """Which rows a connection sees."""

    set_id: str
    """The name of the set of tables."""
    position: int
    """Of the last event of the log that is in them."""
    parked: frozenset[str]
    """The deals that have no rows since the model could not take them in."""


def stand_of(connection: Connection) -> Stand | None:
    """Where the rows stand; None where the deal periods have not been made yet."""
    position = select(checkpoints.c.position).where(checkpoints.c.model == MODEL)
    found = connection.execute(select(identity.c.set_id, position.scalar_subquery())).first()
    if found is None or found[1] is None:
        return None
    streams = connection.execute(select(parked.c.stream).where(parked.c.model == MODEL)).scalars()
    return Stand(found[0], found[1], frozenset(_deal_of(stream) for stream in streams))


def _deal_of(stream: str) -> str:
    return stream.partition(":")[2]


def changed_when_due(deals: int, least: int) -> int:
    """How many of the deals have changed when a new base is due."""
    return max(least, deals // 20)


def changed_since(connection: Connection, position: int, limit: int) -> dict[str, int]:
    """Deals with events behind a position, up to a limit; the position of the last one of each."""
    mark = deal_marks.c
    statement = select(mark.deal_id, mark.position).where(mark.position > position).limit(limit)
    return {row[0]: row[1] for row in connection.execute(statement)}


def count_changed(connection: Connection, position: int, limit: int) -> int:
    """How many deals have events behind a position, counted up to a limit."""
    some = select(literal(1)).where(deal_marks.c.position > position).limit(limit).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def count_deals(connection: Connection) -> int:
    """How many deals there are."""
    return connection.execute(select(func.count()).select_from(deal_marks)).scalar_one()


def has_periods(connection: Connection, count: int) -> bool:
    """Whether there are at least so many deal periods."""
    some = select(literal(1)).select_from(deal_periods).offset(count - 1).limit(1)
    return connection.execute(some).first() is not None


def periods_of(connection: Connection, deal_ids: Collection[str]) -> Iterator[Sequence[Row]]:
    """The periods of some deals, those of some hundred deals at a time."""
    ids = iter(sorted(deal_ids))
    while some := list(islice(ids, _BATCH_DEALS)):
        rows = connection.execute(_PERIODS.where(deal_periods.c.deal_id.in_(some))).all()
        if rows:
            yield rows


def all_periods(
    connection: Connection, reach: Reach | None = None, readable: Readable = ALL
) -> Iterator[Sequence[Row]]:
    """All periods, or those within reach and of deals that somebody may read.

    Some thousands at a time, in no order.
    """
    statement = _PERIODS if reach is None else _PERIODS.where(reach.condition())
    if not readable.all:
        statement = statement.where(of_readable(connection, readable, deal_periods.c.deal_id))
    result = connection.execute(statement.execution_options(yield_per=_BATCH_ROWS))
    yield from result.partitions()
