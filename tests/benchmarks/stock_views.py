"""The deals model with the stock library: a projection that upserts event by event.

Its `ProjectionRunner` needs a recorder that supports subscriptions, which the
SQLite one does not. What the runner does is done here without its threads: read
the notifications in order, let the mapper make events of them, and hand each to
the projection, whose view commits what it changed together with its tracking
record, in one transaction for each event. That is the library's own way; as a
second way, which it does not have, many events share a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.persistence import Tracking
from eventsourcing.projection import Projection
from eventsourcing.sqlite import (
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteTrackingRecorder,
)

from projections.instants import micros
from tests.benchmarks.portfolio import PROCESS
from tests.benchmarks.stock import StockDeal, StockDeals

READ_AT_ONCE = 500
"""Notifications in one select."""


class DealsView(SQLiteTrackingRecorder):
    """The table of the deals model, with the same columns and indexes as ours."""

    def __init__(self, path: Path, statements: Sequence[str]) -> None:
        self._statements = statements
        super().__init__(SQLiteDatastore(str(path)))
        self.create_table()

    def construct_create_table_statements(self) -> list[str]:
        return [*super().construct_create_table_statements(), *self._statements]

    def close(self) -> None:
        self.datastore.close()

    def insert(self, values: dict[str, Any], tracking: Tracking) -> None:
        """Add a row and track the event, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert(cursor, values)
            self._insert_tracking(cursor, tracking)

    def update(self, deal_id: UUID, values: dict[str, Any], tracking: Tracking) -> None:
        """Change a row and track the event, in one transaction."""
        with self.datastore.transaction(commit=True) as cursor:
            self._update(cursor, deal_id, values)
            self._insert_tracking(cursor, tracking)

    def _insert(self, cursor: SQLiteCursor, values: dict[str, Any]) -> None:
        marks = ",".join("?" * len(values))
        statement = f"INSERT INTO deals ({', '.join(values)}) VALUES ({marks})"
        cursor.execute(statement, tuple(values.values()))

    def _update(self, cursor: SQLiteCursor, deal_id: UUID, values: dict[str, Any]) -> None:
        changes = ", ".join(f"{name} = ?" for name in values)
        statement = f"UPDATE deals SET {changes} WHERE deal_id = ?"
        cursor.execute(statement, (*values.values(), str(deal_id)))


class BatchedDealsView(DealsView):
    """The same with one transaction for many events, which the library has no way to ask for."""

    def begin(self) -> None:
        self._transaction = self.datastore.transaction(commit=True)
        self._cursor = self._transaction.__enter__()

    def commit(self) -> None:
        self._transaction.__exit__(None, None, None)

    def insert(self, values: dict[str, Any], tracking: Tracking) -> None:
        self._insert(self._cursor, values)
        self._insert_tracking(self._cursor, tracking)

    def update(self, deal_id: UUID, values: dict[str, Any], tracking: Tracking) -> None:
        self._update(self._cursor, deal_id, values)
        self._insert_tracking(self._cursor, tracking)


class DealsProjection(Projection[DealsView]):
    """Each kind of event to the columns that it changes."""

    @singledispatchmethod
    def process_event(self, domain_event: StockDeal.Event, tracking: Tracking) -> None:
        """Events that change nothing in the model but its version."""
        self._change(domain_event, tracking)

    @process_event.register
    def opened(self, domain_event: StockDeal.Opened, tracking: Tracking) -> None:
        account = domain_event.account
        values = {
            "deal_id": str(domain_event.originator_id),
            "name": domain_event.name,
            "reference": domain_event.reference,
            "account_id": account["id"],
            "account": account["name"],
            "lead_source": domain_event.lead_source,
            "status": "open",
            "process": domain_event.process,
            "currency": domain_event.currency,
            "owner": domain_event.owner,
            "region": domain_event.region or account["region"],
            "industry": account["industry"],
            "territory": domain_event.territory,
            "product": ", ".join(domain_event.products) or None,
            "business_type": domain_event.business_type,
            "opened_at": micros(domain_event.timestamp),
            **_entered(domain_event.stage, domain_event.timestamp),
            **_seen(domain_event),
        }
        self.view.insert(values, tracking)

    @process_event.register
    def assigned(self, domain_event: StockDeal.MemberAssigned, tracking: Tracking) -> None:
        manager = {"manager": domain_event.member} if domain_event.role == "manager" else {}
        self._change(domain_event, tracking, **manager)

    @process_event.register
    def assessed(self, domain_event: StockDeal.Assessed, tracking: Tracking) -> None:
        self._change(domain_event, tracking, grade=domain_event.grade)

    @process_event.register
    def advanced(self, domain_event: StockDeal.Advanced, tracking: Tracking) -> None:
        self._change(domain_event, tracking, **_entered(domain_event.to, domain_event.timestamp))

    @process_event.register
    def regressed(self, domain_event: StockDeal.Regressed, tracking: Tracking) -> None:
        self._change(domain_event, tracking, **_entered(domain_event.to, domain_event.timestamp))

    @process_event.register
    def revised(self, domain_event: StockDeal.Revised, tracking: Tracking) -> None:
        close = domain_event.expected_close
        self._change(
            domain_event,
            tracking,
            amount_minor=_cents(domain_event.amount),
            expected_close=close and close.isoformat(),
        )

    @process_event.register
    def won(self, domain_event: StockDeal.Won, tracking: Tracking) -> None:
        self._change(
            domain_event,
            tracking,
            amount_minor=_cents(domain_event.value),
            **_ended(domain_event, "won", "won", 100, "closed"),
        )

    @process_event.register
    def lost(self, domain_event: StockDeal.Lost, tracking: Tracking) -> None:
        ended = _ended(domain_event, "lost", domain_event.outcome, 0, "omitted")
        self._change(domain_event, tracking, **ended)

    def _change(self, domain_event: StockDeal.Event, tracking: Tracking, **values: Any) -> None:
        self.view.update(domain_event.originator_id, values | _seen(domain_event), tracking)


def _seen(event: StockDeal.Event) -> dict[str, Any]:
    return {"version": event.originator_version, "last_occurred_at": micros(event.timestamp)}


def _entered(stage_id: str, at: datetime) -> dict[str, Any]:
    stage = PROCESS.stage(stage_id)
    assert stage is not None
    return {
        "stage": stage_id,
        "stage_entered_at": micros(at),
        "stage_order": PROCESS.position(stage_id),
        "probability": stage.probability,
        "forecast_category": stage.forecast.value,
    }


def _ended(
    event: StockDeal.Event, status: str, outcome: str, probability: int, category: str
) -> dict[str, Any]:
    return {
        "status": status,
        "outcome": outcome,
        "probability": probability,
        "forecast_category": category,
        "closed_at": micros(event.timestamp),
    }


def _cents(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount.scaleb(2))


def run(app: StockDeals, view: DealsView) -> None:
    """Project all events of the application, each in a transaction of its own."""
    projection = DealsProjection(view)
    for event, tracking in _events(app):
        projection.process_event(event, tracking)


def run_batched(app: StockDeals, view: BatchedDealsView, events: int) -> None:
    """The same with `events` events in a transaction."""
    projection = DealsProjection(view)
    view.begin()
    for number, (event, tracking) in enumerate(_events(app), start=1):
        projection.process_event(event, tracking)
        if number % events == 0:
            view.commit()
            view.begin()
    view.commit()


def _events(app: StockDeals) -> Iterator[tuple[Any, Tracking]]:
    """What the library's subscription would give: all events in order, with their tracking."""
    after = 0
    while True:
        notifications = app.recorder.select_notifications(
            after, READ_AT_ONCE, inclusive_of_start=False
        )
        for notification in notifications:
            yield app.mapper.to_domain_event(notification), Tracking(app.name, notification.id)
        if not notifications:
            return
        after = notifications[-1].id
