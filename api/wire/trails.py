"""The audit trail: every event, withdrawn ones too."""

from collections.abc import Mapping
from typing import Any

import msgspec

from api.wire.values import Instant, Names, User, same
from api.wire.words import Change, spoken
from domain.accesses import AnyAccessFact
from domain.accesses import describe as describe_access
from domain.deal import DealFact
from domain.history import Fact, Recorded
from domain.organisation import AnyOrganisationFact, describe
from domain.process import ProcessPublished
from domain.rates import ExchangeRatesPublished
from domain.rates import describe as describe_rates
from domain.restoring import StoreRestored
from domain.restoring import describe as describe_restore
from domain.sessions import AnySessionFact
from domain.sessions import describe as describe_session
from domain.targets import TargetSet
from domain.targets import describe as describe_target
from domain.webhooks import AnyWebhookFact
from domain.webhooks import describe as describe_webhook
from projections.audit import AuditEntry as Projected
from projections.instants import instant_of
from store.times import written

OtherFact = (
    ProcessPublished
    | AnyOrganisationFact
    | AnyAccessFact
    | AnySessionFact
    | StoreRestored
    | ExchangeRatesPublished
    | TargetSet
    | AnyWebhookFact
)
AnyFact = DealFact | OtherFact


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event: who, when, what, and what became of it."""

    position: int
    """In the log, from 1."""
    stream: str
    """Kind and id of what it is about, `deal:4f1c`."""
    version: int
    type: str
    occurred_at: Instant
    known_at: Instant
    recorded_at: Instant
    actor: User
    source: str
    command_id: str
    correlation_id: str | None
    """Null where the event cannot be read."""
    inferred: bool
    """Deduced by an importer instead of read."""
    late: bool
    """Recorded after events of the same stream that occurred later."""
    what: str
    changes: list[Change]
    withdrawn_by: int | None
    """Version of the withdrawal that took the event out."""
    withdraws: list[int]
    """Versions that this event took out."""
    fact: AnyFact | None
    """As it is stored: fields at their default are left out. Null where it cannot be read."""
    leaf: str | None = None
    """Hash of its stored bytes as they were sealed, in base64. Told to those who may audit."""

    @classmethod
    def of(cls, stream: str, entry: Projected, names: Names) -> "AuditEntry":
        """From the trail of a deal."""
        return cls(
            stream=stream,
            occurred_at=written(entry.occurred_at),
            known_at=written(entry.known_at),
            recorded_at=written(entry.recorded_at),
            actor=names.user(entry.actor),
            what=spoken(entry.type, entry.what, names),
            changes=[Change.of(change) for change in entry.changes],
            **same(entry, _AS_IN_THE_ENTRY),
        )

    @classmethod
    def of_event(cls, event: Recorded[Fact], position: int, names: Names) -> "AuditEntry":
        """From an event of another kind of stream, where nothing is late or withdrawn."""
        assert isinstance(event.fact, OtherFact)
        return cls(
            position=position,
            stream=event.stream,
            version=event.version,
            type=event.type,
            occurred_at=written(event.occurred_at),
            known_at=written(event.known_at),
            recorded_at=written(event.recorded_at),
            actor=names.user(event.actor),
            source=event.source,
            command_id=event.command_id,
            correlation_id=event.correlation_id,
            inferred=event.inferred,
            late=False,
            what=_told(event.fact),
            changes=[],
            withdrawn_by=None,
            withdraws=[],
            fact=event.fact,
        )

    @classmethod
    def of_row(cls, row: Mapping[str, Any], names: Names) -> "AuditEntry":
        """From a row of the read model, of an event that cannot be read any more."""
        return cls(
            **same(row, ("position", "stream", "version", "type", "source", "command_id")),
            occurred_at=written(instant_of(row["occurred_at"])),
            known_at=written(instant_of(row["known_at"])),
            recorded_at=written(instant_of(row["recorded_at"])),
            actor=names.user(row["actor"]),
            correlation_id=None,
            inferred=bool(row["inferred"]),
            late=False,
            what=f"{row['type']}; the event cannot be read",
            changes=[],
            withdrawn_by=None,
            withdraws=[],
            fact=None,
        )


_AS_IN_THE_ENTRY = (
    "position",
    "version",
    "type",
    "source",
    "command_id",
    "correlation_id",
    "inferred",
    "late",
    "withdrawn_by",
    "withdraws",
    "fact",
)


def _told(fact: OtherFact) -> str:
    if isinstance(fact, ProcessPublished):
        return f"published the process {fact.process.ref}"
    if isinstance(fact, AnyAccessFact):
        return describe_access(fact)
    if isinstance(fact, AnySessionFact):
        return describe_session(fact)
    if isinstance(fact, StoreRestored):
        return describe_restore(fact)
    if isinstance(fact, ExchangeRatesPublished):
        return describe_rates(fact)
    if isinstance(fact, TargetSet):
        return describe_target(fact)
    if isinstance(fact, AnyWebhookFact):
        return describe_webhook(fact)
    return describe(fact)


class AuditTrail(msgspec.Struct, frozen=True):
    """Entries in the order of the log."""

    entries: list[AuditEntry]
    cursor: str | None
    """Asks for the entries that follow; null at the end."""
    without_key: int
    """Entries that show `[hidden]` since a key is missing, though nobody erased it."""
    caveats: list[str]
    """What limits the answer."""


class CommandResult(msgspec.Struct, frozen=True):
    """What a command led to. No events: it changed nothing."""

    deal_id: str
    version: int
    """Of the deal once the command was carried out."""
    repeated: bool
    """The command id was known: this is what its first use led to."""
    events: list[AuditEntry]


class ScriptResult(msgspec.Struct, frozen=True):
    """What the commands of a script led to, one after the other."""

    commands: list[CommandResult]
