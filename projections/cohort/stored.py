"""The portfolio of a store: decided deals from its read models, histories from its log."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, func, literal, select

from domain.deal import DealEvent
from domain.history import StreamKind, stream_of
from domain.lifecycle import Status
from domain.process import ProcessBook
from projections.cohort.portfolio import Decided
from projections.instants import instant_of, micros
from projections.tables import (
    FROM_UNDATED_IMPORTS,
    checkpoints,
    deal_marks,
    deal_periods,
    deals,
    entries,
)
from store.tail import Tail

_BATCH_DEALS = 200
_BATCH_MARKS = 500


class StoredPortfolio:
    """The deals of one store, as far as they are public, as `connection` sees its read models.

    Deals that a read model could not take in are left out, and events that cannot be read.
    """

    def __init__(self, connection: Connection, tail: Tail) -> None:
        self._connection = connection
        self._tail = tail
        read = checkpoints.c.position
        [[least, most]] = connection.execute(select(func.min(read), func.max(read)))
        # A read model may be behind others. Who was decided is known up to the least, and histories
        # hold at least what their marks tell.
        self._head: int = least or 0
        self._until: int = most or 0
        self._processes = tail.processes()

    @property
    def processes(self) -> ProcessBook:
        return self._processes

    def decided(self, limit: datetime) -> list[Decided]:
        period, at = deal_periods.c, micros(limit)
        statement = select(period.deal_id, period.status, period.closed_at).where(
            period.occurred_from <= at,
            period.occurred_until > at,
            period.known_from <= at,
            period.known_until > at,
            period.status.in_((Status.WON.value, Status.LOST.value)),
        )
        found = self._connection.execute(statement)
        return [Decided(deal_id, status == Status.WON, at) for deal_id, status, at in found]

    def positions(self, deal_ids: Sequence[str]) -> dict[str, int]:
        mark, found = deal_marks.c, dict[str, int]()
        for start in range(0, len(deal_ids), _BATCH_MARKS):
            some = deal_ids[start : start + _BATCH_MARKS]
            statement = select(mark.deal_id, mark.position).where(mark.deal_id.in_(some))
            for deal_id, position in self._connection.execute(statement):
                found[deal_id] = position
        return found

    def histories(self, deal_ids: Iterable[str]) -> Iterator[tuple[str, Sequence[DealEvent]]]:
        ids = list(deal_ids)
        for start in range(0, len(ids), _BATCH_DEALS):
            some = ids[start : start + _BATCH_DEALS]
            # Much is computed of each batch: a server gives up on who asks nothing meanwhile.
            self._connection.execute(select(literal(1)))
            names = [stream_of(StreamKind.DEAL, deal_id) for deal_id in some]
            read = {one.name: one.events for one in self._tail.streams(names, self._until)}
            for deal_id, name in zip(some, names, strict=True):
                yield deal_id, cast("Sequence[DealEvent]", read.get(name, ()))

    def head(self) -> int:
        return self._head

    def named(self, position: int) -> str | None:
        # Also of what the read models do not hold yet: others may be ahead of this snapshot.
        return self._tail.name_at(position) if position > 0 else None

    def learned_from(self, position: int) -> int | None:
        entry = entries.c
        statement = select(func.min(entry.known_at)).where(entry.position > position)
        return self._connection.execute(statement).scalar()

    def begins(self) -> datetime | None:
        first = self._connection.execute(select(func.min(deals.c.opened_at))).scalar()
        return None if first is None else instant_of(first)


def all_deals(connection: Connection) -> list[str]:
    """The id of every deal, in order."""
    return list(connection.execute(select(deals.c.deal_id).order_by(deals.c.deal_id)).scalars())


def undated_events(connection: Connection) -> int:
    """How many events of imports do not say when they were known."""
    statement = select(func.count()).select_from(entries).where(FROM_UNDATED_IMPORTS)
    return connection.execute(statement).scalar_one()
