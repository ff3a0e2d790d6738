"""The gap report: what an import read, what it made of it, and every row it could not take as is.

Nothing is silent. Each entry has a stable code, what was done about it, and a
reason in plain words; most have the file, the line and the deal.
"""

from __future__ import annotations

import json
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import msgspec

from domain.toml.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Effect(StrEnum):
    """What became of what an entry is about."""

    LEFT_OUT = "left-out"
    """Not imported."""
    REPAIRED = "repaired"
    """Imported other than it stands, or completed by something deduced."""
    NOTED = "noted"
    """Imported as it stands, or not needed; worth knowing."""


class Kind(StrEnum):
    """What an entry is about. The codes are part of the public interface and never change."""

    effect: Effect

    def __new__(cls, code: str, effect: Effect) -> Self:
        kind = str.__new__(cls, code)
        kind._value_ = code
        kind.effect = effect
        return kind

    WRONG_ENCODING = "wrong-encoding", Effect.LEFT_OUT
    NUL_BYTE = "nul-byte", Effect.LEFT_OUT
    CUT_ROW = "cut-row", Effect.LEFT_OUT
    WRONG_CELL_COUNT = "wrong-cell-count", Effect.LEFT_OUT
    BROKEN_QUOTING = "broken-quoting", Effect.LEFT_OUT
    MISSING_ID = "missing-id", Effect.LEFT_OUT
    MISSING_VALUE = "missing-value", Effect.LEFT_OUT
    DUPLICATE_ID = "duplicate-id", Effect.LEFT_OUT
    IMPOSSIBLE_DATE = "impossible-date", Effect.LEFT_OUT
    IMPOSSIBLE_AMOUNT = "impossible-amount", Effect.LEFT_OUT
    IMPOSSIBLE_VALUE = "impossible-value", Effect.LEFT_OUT
    IN_THE_FUTURE = "in-the-future", Effect.LEFT_OUT
    CLOSED_BEFORE_OPENED = "closed-before-opened", Effect.LEFT_OUT
    UNKNOWN_STAGE = "unknown-stage", Effect.LEFT_OUT
    DELETED_ROW = "deleted-row", Effect.LEFT_OUT
    HISTORY_WITHOUT_DEAL = "history-without-deal", Effect.LEFT_OUT
    CONTACT_ROLE_WITHOUT_DEAL = "contact-role-without-deal", Effect.LEFT_OUT
    CONTACT_ROLE_WITHOUT_CONTACT = "contact-role-without-contact", Effect.LEFT_OUT
    DUPLICATE_CONTACT_ROLE = "duplicate-contact-role", Effect.LEFT_OUT
    SKIPPED_ERASED = "skipped-erased", Effect.LEFT_OUT
    UNSOUND = "unsound", Effect.LEFT_OUT
    CONFLICT = "conflict", Effect.LEFT_OUT

    TRANSLATED_VALUE = "translated-value", Effect.REPAIRED
    MISSING_OPENED_DATE = "missing-opened-date", Effect.REPAIRED
    MISSING_CLOSED_DATE = "missing-closed-date", Effect.REPAIRED
    STAGE_ASSUMED = "stage-assumed", Effect.REPAIRED
    FIRST_ROW_CLOSED = "first-row-closed", Effect.REPAIRED
    NO_HISTORY = "no-history", Effect.REPAIRED
    CONTRADICTS_HISTORY = "contradicts-history", Effect.REPAIRED
    REOPENED = "reopened", Effect.REPAIRED
    CHANGED_AFTER_OUTCOME = "changed-after-outcome", Effect.REPAIRED
    BEFORE_RECORDED_OPENING = "before-recorded-opening", Effect.REPAIRED
    PROCESS_INFERRED = "process-inferred", Effect.REPAIRED
    CURRENCY_ASSUMED = "currency-assumed", Effect.REPAIRED
    OWNER_ASSUMED = "owner-assumed", Effect.REPAIRED
    NAME_ASSUMED = "name-assumed", Effect.REPAIRED

    UNKNOWN_VALUE = "unknown-value", Effect.NOTED
    UNKNOWN_CONTACT_ROLE = "unknown-contact-role", Effect.NOTED
    LOOKUP_MISSED = "lookup-missed", Effect.NOTED
    UNTERMINATED_LAST_ROW = "unterminated-last-row", Effect.NOTED
    OPEN_WITH_CLOSED_DATE = "open-with-closed-date", Effect.NOTED
    BLANK_AMOUNT = "blank-amount", Effect.NOTED
    CLOSE_DATE_BEFORE_CREATION = "close-date-before-creation", Effect.NOTED
    ROWS_OUT_OF_ORDER = "rows-out-of-order", Effect.NOTED
    SAME_TIME_ROWS = "same-time-rows", Effect.NOTED
    USER_WITHOUT_NAME = "user-without-name", Effect.NOTED
    ROW_CHANGED = "row-changed", Effect.NOTED
    LATE_ROW = "late-row", Effect.NOTED
    OPENING_STANDS = "opening-stands", Effect.NOTED
    STAKEHOLDER_STANDS = "stakeholder-stands", Effect.NOTED
    COLUMNS_NOT_READ = "columns-not-read", Effect.NOTED
    FILE_NOT_READ = "file-not-read", Effect.NOTED


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where something stands: a file, as the user knows it, and a line in it, from 1."""

    file: str
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


def with_hint(reason: str, word: str, known: Iterable[str]) -> str:
    """The reason, and the known word that was probably meant."""
    hint = did_you_mean(word, known)
    return f"{reason}.{hint}" if hint else reason


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One row left out, repaired or worth knowing, or one such remark on a whole file."""

    kind: Kind
    effect: Effect
    reason: str
    file: str | None = None
    line: int | None = None
    deal: str | None = None
    """The deal's id in the source."""

    def __str__(self) -> str:
        place = "" if self.file is None else f"{Origin(self.file, self.line)}: "
        deal = "" if self.deal is None else f"{self.deal}: "
        return f"{place}{deal}{self.reason}"


class Counts(msgspec.Struct):
    """How much was read and recorded. A dry run counts what would have been."""

    rows: dict[str, int] = msgspec.field(default_factory=dict)
    """Rows read, by file, the header not counted."""
    deals: int = 0
    """New deals."""
    deals_revised: int = 0
    """Known deals that got new events."""
    deals_unchanged: int = 0
    deals_left_out: int = 0
    events: int = 0
    """New events of deals."""
    inferred_events: int = 0
    """Those of them that were deduced instead of read."""
    users: int = 0
    """Users registered, or registered under a new name."""


class GapReport:
    """Filled while an import runs; see `Counts` and `Entry`."""

    def __init__(self, source: str, system: str, dry_run: bool = False) -> None:
        self.source = source
        self.system = system
        self.dry_run = dry_run
        self.counts = Counts()
        self.entries: list[Entry] = []

    def add(
        self, kind: Kind, reason: str, origin: Origin | None = None, deal: str | None = None
    ) -> None:
        """Add an entry; its effect is that of its kind."""
        file, line = (None, None) if origin is None else (origin.file, origin.line)
        self.entries.append(Entry(kind, kind.effect, reason, file, line, deal))

    def of(self, kind: Kind) -> list[Entry]:
        """The entries of one kind, in the order in which they were found."""
        return [entry for entry in self.entries if entry.kind is kind]

    def kinds(self) -> Counter[Kind]:
        """How many entries there are of each kind, the kinds in their fixed order."""
        found = Counter(entry.kind for entry in self.entries)
        return Counter({kind: found[kind] for kind in Kind if found[kind]})

    def as_json(self) -> str:
        """The whole report as one JSON object with stable keys."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2) + "\n"

    def as_dict(self) -> dict[str, Any]:
        """The report in plain dicts, lists, strings and numbers."""
        return {
            "source": self.source,
            "system": self.system,
            "dry_run": self.dry_run,
            "counts": msgspec.to_builtins(self.counts),
            "kinds": {str(kind): count for kind, count in self.kinds().items()},
            "entries": [msgspec.to_builtins(entry) for entry in self.entries],
        }

    def as_text(self, examples: int = 3) -> str:
        """A summary for people: the counts, then each kind with its first examples."""
        return "\n".join([*self._count_lines(), *self._kind_lines(examples)]) + "\n"

    def _count_lines(self) -> Iterator[str]:
        counts = self.counts
        would = " (dry run: nothing was recorded)" if self.dry_run else ""
        yield f"Import of {self.source} from {self.system}{would}"
        for file, rows in counts.rows.items():
            yield f"  {file}: {rows:,} rows read"
        yield (
            f"  deals: {counts.deals:,} new, {counts.deals_revised:,} revised,"
            f" {counts.deals_unchanged:,} unchanged, {counts.deals_left_out:,} left out"
        )
        yield f"  events: {counts.events:,} new, {counts.inferred_events:,} of them inferred"

    def _kind_lines(self, examples: int) -> Iterator[str]:
        for effect in Effect:
            kinds = {kind: count for kind, count in self.kinds().items() if kind.effect is effect}
            if kinds:
                yield f"{effect.replace('-', ' ').capitalize()}:"
            for kind, count in kinds.items():
                yield f"  {kind} ({count:,})"
                entries = self.of(kind)
                yield from (f"    {entry}" for entry in entries[:examples])
                if count > examples:
                    yield f"    … and {count - examples:,} more"


class ImportFailure(Exception):
    """The input cannot be imported at all. Says where, what is wrong, and what to do."""

    def __init__(self, message: str, advice: str, origin: Origin | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.origin = origin

    def __str__(self) -> str:
        place = "" if self.origin is None else f"{self.origin}: "
        return f"{place}{self.message}. {self.advice}"
