"""The same deals with the stock eventsourcing library, used as its documentation shows.

An aggregate of mutable attributes with one event class per kind of fact, its
JSON transcoder, its SQLite recorders with their own settings (WAL mode,
`synchronous=FULL`). Event classes with an `apply` method are taken instead of
decorated methods, since they replay faster. Nested values are kept as plain
lists and dicts, which spares the library the work of making objects of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import JSONTranscoder, Transcoding
from eventsourcing.utils import get_topic

from domain.deal import DealEvent, DealFact
from domain.lifecycle.facts import (
    LeadQualified,
    NextStepCompleted,
    NextStepPlanned,
    NoteAdded,
    OpportunityAssessed,
    OpportunityLost,
    OpportunityOpened,
    OpportunityWon,
    OutcomeReasonRecorded,
    TeamMemberAssigned,
)
from domain.stages.facts import (
    ForecastRevised,
    GateCriterionAttested,
    StageAdvanced,
    StageRegressed,
)
from domain.values import Money, ProcessRef
from tests.benchmarks.portfolio import MadeDeal

Plain = dict[str, Any]


class StockDeal(Aggregate):
    """A deal as an aggregate of the library; `timestamp` is when an event occurred."""

    class Event(Aggregate.Event):
        known_at: datetime
        recorded_at: datetime
        actor: str
        source: str
        command_id: str
        correlation_id: str
        inferred: bool

    class Opened(Event, Aggregate.Created):
        name: str
        process: str
        stage: str
        currency: str
        owner: str
        account: Plain
        business_type: str | None
        products: list[str]
        territory: str | None
        region: str | None
        lead_source: str | None
        reference: str | None

    class MemberAssigned(Event):
        member: str
        role: str
        level: str | None

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.team.append((self.member, self.role))

    class Qualified(Event):
        level: str
        budget: str
        authority: str
        need: str
        timeline: str

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.qualification = self

    class Assessed(Event):
        worth_winning: int
        can_win: int
        grade: str | None
        decision: str | None

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.assessment = self

    class StepPlanned(Event):
        id: str
        what: str
        owner: str
        objective: str | None
        due: date | None

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.next_steps[self.id] = (self, None)

    class StepCompleted(Event):
        id: str
        result: str | None

        def apply(self, aggregate: StockDeal) -> None:
            planned, _ = aggregate.next_steps[self.id]
            aggregate.next_steps[self.id] = (planned, self)

    class Noted(Event):
        text: str

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.notes.append(self)

    class Attested(Event):
        criterion: str
        note: str
        applies: bool

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.attestations[self.criterion] = self

    class Advanced(Event):
        origin: str
        to: str
        skipped: list[str]
        gate: Plain | None
        override: Plain | None

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.visits.append((self.to, self.timestamp, self.originator_version))

    class Regressed(Event):
        origin: str
        to: str
        reason: str | None
        driven_by: str | None

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.visits.append((self.to, self.timestamp, self.originator_version))

    class Revised(Event):
        amount: Decimal | None
        expected_close: date | None
        told_by: str | None
        cause: str | None
        reason: str | None

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.amount = self.amount
            aggregate.expected_close = self.expected_close

    class Won(Event):
        value: Decimal | None
        reasons: list[str]

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.status = aggregate.outcome = "won"
            aggregate.contract_value = self.value
            aggregate.closed_at = self.timestamp

    class Lost(Event):
        outcome: str
        competitor: str | None
        reasons: list[str]

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.status, aggregate.outcome = "lost", self.outcome
            aggregate.closed_at = self.timestamp

    class ReasonRecorded(Event):
        told_by: str
        driver: str
        text: str

        def apply(self, aggregate: StockDeal) -> None:
            aggregate.outcome_reasons.append(self)

    def __init__(
        self,
        *,
        name: str,
        process: str,
        stage: str,
        currency: str,
        owner: str,
        account: Plain,
        business_type: str | None,
        products: list[str],
        territory: str | None,
        region: str | None,
        lead_source: str | None,
        reference: str | None,
    ) -> None:
        self.name = name
        self.process = process
        self.currency = currency
        self.owner = owner
        self.account = account
        self.business_type = business_type
        self.products = products
        self.territory = territory
        self.region = region
        self.lead_source = lead_source
        self.reference = reference
        self.status = "open"
        self.outcome: str | None = None
        self.closed_at: datetime | None = None
        self.contract_value: Decimal | None = None
        self.amount: Decimal | None = None
        self.expected_close: date | None = None
        self.visits = [(stage, self.created_on, 1)]
        self.attestations: dict[str, StockDeal.Attested] = {}
        self.team: list[tuple[str, str]] = []
        self.qualification: StockDeal.Qualified | None = None
        self.assessment: StockDeal.Assessed | None = None
        self.next_steps: dict[
            str, tuple[StockDeal.StepPlanned, StockDeal.StepCompleted | None]
        ] = {}
        self.notes: list[StockDeal.Noted] = []
        self.outcome_reasons: list[StockDeal.ReasonRecorded] = []

    def revise_forecast(self, revised: Plain) -> None:
        """Revise the forecast of an open deal; the same again changes nothing."""
        if self.status != "open":
            raise ValueError("the deal has ended")
        if (revised["amount"], revised["expected_close"]) != (self.amount, self.expected_close):
            self.trigger_event(StockDeal.Revised, **revised)


class DateAsISO(Transcoding):
    """Dates, which the library leaves to its users."""

    type = date
    name = "date_iso"

    def encode(self, obj: date) -> str:
        return obj.isoformat()

    def decode(self, data: str) -> date:
        return date.fromisoformat(data)


class StockDeals(Application[UUID]):
    """The library's application over the aggregate."""

    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        transcoder.register(DateAsISO())

    def revise_forecast(self, deal_id: UUID, revised: Plain) -> None:
        """Load, command, save. `revised` are the values of the event, with its envelope."""
        deal: StockDeal = self.repository.get(deal_id)
        deal.revise_forecast(revised)
        self.save(deal)


def open_stock(path: Path, cached_aggregates: int = 0) -> StockDeals:
    """The application on a SQLite file; without a cache of aggregates, as is its default."""
    env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}
    if cached_aggregates:
        env["AGGREGATE_CACHE_MAXSIZE"] = str(cached_aggregates)
    return StockDeals(env)


def stock_events(deal: MadeDeal) -> list[StockDeal.Event]:
    """The events of a deal as events of the stock aggregate."""
    return [_stock_event(event) for event in deal.events]


def stock_values(event: DealEvent) -> Plain:
    """What an event holds, by the names of the stock event class, as plain values."""
    _, names = _FORMS[type(event.fact)]
    envelope = {
        "timestamp": event.occurred_at,
        "known_at": event.known_at,
        "recorded_at": event.recorded_at,
        "actor": event.actor,
        "source": event.source,
        "command_id": event.command_id,
        "correlation_id": event.correlation_id,
        "inferred": event.inferred,
    }
    return envelope | {
        "origin" if name == "from_" else name: _plain(getattr(event.fact, name)) for name in names
    }


def _stock_event(event: DealEvent) -> StockDeal.Event:
    event_class, _ = _FORMS[type(event.fact)]
    values = stock_values(event)
    if event_class is StockDeal.Opened:
        values["originator_topic"] = get_topic(StockDeal)
    made: StockDeal.Event = event_class(
        originator_id=UUID(event.identifier), originator_version=event.version, **values
    )
    return made


def _plain(value: object) -> object:
    match value:
        case Money(amount=amount):
            return amount
        case date():
            return value
        case ProcessRef():
            return str(value)
        case _:
            return msgspec.to_builtins(value)


_FORMS: dict[type[DealFact], tuple[type[Any], Iterable[str]]] = {
    OpportunityOpened: (
        StockDeal.Opened,
        (
            *("name", "process", "stage", "currency", "owner", "account", "business_type"),
            *("products", "territory", "region", "lead_source", "reference"),
        ),
    ),
    TeamMemberAssigned: (StockDeal.MemberAssigned, ("member", "role", "level")),
    LeadQualified: (StockDeal.Qualified, ("level", "budget", "authority", "need", "timeline")),
    OpportunityAssessed: (StockDeal.Assessed, ("worth_winning", "can_win", "grade", "decision")),
    NextStepPlanned: (StockDeal.StepPlanned, ("id", "what", "owner", "objective", "due")),
    NextStepCompleted: (StockDeal.StepCompleted, ("id", "result")),
    NoteAdded: (StockDeal.Noted, ("text",)),
    GateCriterionAttested: (StockDeal.Attested, ("criterion", "note", "applies")),
    StageAdvanced: (StockDeal.Advanced, ("from_", "to", "skipped", "gate", "override")),
    StageRegressed: (StockDeal.Regressed, ("from_", "to", "reason", "driven_by")),
    ForecastRevised: (
        StockDeal.Revised,
        ("amount", "expected_close", "told_by", "cause", "reason"),
    ),
    OpportunityWon: (StockDeal.Won, ("value", "reasons")),
    OpportunityLost: (StockDeal.Lost, ("outcome", "competitor", "reasons")),
    OutcomeReasonRecorded: (StockDeal.ReasonRecorded, ("told_by", "driver", "text")),
}
"""Stored facts to stock event classes, and the fields they share."""

MIRRORED = frozenset(_FORMS)
"""The facts that have a stock event class."""
