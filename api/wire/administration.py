"""What administration is told and answers: the organisation, rates, targets, processes, imports."""

from datetime import date
from typing import Annotated, Self

import msgspec

from api.exchange.report import Effect, Kind
from api.exchange.tables import TableReport
from api.wire.organisation import ApiKey, LimitsOfRole, RegisteredUser, Unit
from api.wire.recorded import Recording, token_of
from domain.access import Action
from domain.values import Identifier, Label


class NewApiKey(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Let a program act as a user. The server makes the key and tells it in the answer alone."""

    user: Identifier
    """Whom the program acts as."""
    name: Label
    """What it is for."""
    actions: Annotated[tuple[Action, ...], msgspec.Meta(min_length=1)] | None = None
    """What it is good for, of what the user may do, at least one; null: all of it."""
    last_day: date | None = None
    """The last day, in UTC, on which it is good; null: until it is revoked."""


class NewProcess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Publish a version of a process. Published versions never change."""

    toml: str
    """The process file, as `dealstate process check` takes it."""


class IssuedKey(msgspec.Struct, frozen=True):
    """A key that was issued. Only this answer tells what the program has to send."""

    id: str
    """Names the key, to revoke it."""
    user: str
    secret: str
    """What the program sends, as `Authorization: Bearer …`. It is kept nowhere."""
    recorded: Recording


class LimitsInForce(msgspec.Struct, frozen=True):
    """The authority limits in force. Roles that are not listed are not limited."""

    version: int
    """What replacing them names in `If-Match`."""
    roles: list[LimitsOfRole]


class UserPage(msgspec.Struct, frozen=True):
    """Users, by id."""

    users: list[RegisteredUser]
    cursor: str | None
    """Leads to those that follow; null at the end."""


class UnitPage(msgspec.Struct, frozen=True):
    """Units, by id."""

    units: list[Unit]
    cursor: str | None
    """Leads to those that follow; null at the end."""


class KeyPage(msgspec.Struct, frozen=True):
    """API keys that were not revoked, by user and id."""

    keys: list[ApiKey]
    cursor: str | None
    """Leads to those that follow; null at the end."""


class ImportedRow(msgspec.Struct, frozen=True):
    """A row of a file that was left out, repaired, or is worth knowing."""

    kind: Kind
    effect: Effect
    reason: str
    line: int | None


class TableImport(msgspec.Struct, frozen=True):
    """What came of importing a table. A dry run counts what would have been."""

    dry_run: bool
    rows: int
    """Rows read, the header not counted."""
    counts: dict[str, int]
    """What became of them: new, corrected, set, unchanged."""
    entries: list[ImportedRow]
    """By line."""
    tokens: list[str]
    """For the header `Dealstate-Wait-For`: the last event of each stream that has rows which were
    news. None: nothing was recorded."""

    @classmethod
    def of(cls, report: TableReport) -> Self:
        entries = sorted(report.entries, key=lambda entry: entry.line or 0)
        return cls(
            report.dry_run,
            report.rows,
            report.counts,
            [ImportedRow(one.kind, one.effect, one.reason, one.line) for one in entries],
            [str(token_of(stream, version)) for stream, version in sorted(report.recorded.items())],
        )
