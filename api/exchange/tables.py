"""Plain tables as CSV, of which every row stands for itself, and what came of importing one."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec

from api.exchange.report import Effect, Entry, ImportFailure, Kind, Origin
from api.exchange.rows import CsvFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST_BYTES = 100_000_000
_EXAMPLES = 3
_FIRST_BYTES = 65_536
_THOUSANDS = re.compile(r"(?P<head>[+-]?[1-9][0-9]{0,2})(?P<groups>(\.[0-9]{3})+)", re.ASCII)
_DELIMITERS = (",", ";", "\t", "|")


class AmbiguousNumber(ValueError):
    """Nobody can tell whether the points of a number stand between thousands."""


class TableReport(msgspec.Struct):
    """What came of importing a table. A dry run counts what would have been."""

    what: str
    file: str
    dry_run: bool = False
    rows: int = 0
    """Rows read, the header not counted."""
    counts: dict[str, int] = {}
    entries: list[Entry] = []
    """What was left out or is worth knowing, in the order in which it was found."""
    recorded: dict[str, int] = {}
    """The last version, by stream, that has something of the table that was news."""

    @property
    def _in_order(self) -> list[Entry]:
        """By their lines, as they are told."""
        return sorted(self.entries, key=lambda entry: entry.line or 0)

    def add(self, kind: Kind, reason: str, line: int | None = None) -> None:
        self.entries.append(Entry(kind, kind.effect, reason, self.file, line))

    def tell_recorded(self, stream: str, version: int) -> None:
        self.recorded[stream] = max(version, self.recorded.get(stream, 0))

    def as_json(self) -> str:
        """The whole report as one JSON object with stable keys."""
        return json.dumps(self._as_dict(), ensure_ascii=False, indent=2) + "\n"

    def _as_dict(self) -> dict[str, Any]:
        kinds = {str(kind): count for kind, count in self._kinds().items()}
        entries = [msgspec.to_builtins(one) for one in self._in_order]
        for entry in entries:
            del entry["deal"]
        return {
            **{name: getattr(self, name) for name in ("what", "file", "dry_run", "rows", "counts")},
            "kinds": kinds,
            "entries": entries,
        }

    def as_text(self) -> str:
        """A summary for people: the counts, then each kind with its first examples."""
        would = " (dry run: nothing was recorded)" if self.dry_run else ""
        counts = ", ".join(f"{count:,} {name}" for name, count in self.counts.items())
        head = [
            f"Import of {self.what} from {self.file}{would}",
            f"  {self.rows:,} {'row' if self.rows == 1 else 'rows'} read",
            f"  {self.what}: {counts}",
        ]
        return "\n".join([*head, *self._kind_lines()]) + "\n"

    def _kinds(self) -> Counter[Kind]:
        found = Counter(entry.kind for entry in self.entries)
        return Counter({kind: found[kind] for kind in Kind if found[kind]})

    def _kind_lines(self) -> Iterator[str]:
        for effect in Effect:
            kinds = {kind: n for kind, n in self._kinds().items() if kind.effect is effect}
            if kinds:
                yield f"{effect.replace('-', ' ').capitalize()}:"
            for kind, count in kinds.items():
                yield f"  {kind} ({count:,})"
                entries = [entry for entry in self._in_order if entry.kind is kind]
                yield from (f"    {entry}" for entry in entries[:_EXAMPLES])
                if count > _EXAMPLES:
                    yield f"    … and {count - _EXAMPLES:,} more"


class Table(CsvFile):
    """An open table; columns are found whatever their capitals.

    `delimiter` None: the one of which the first line has most. Raises ImportFailure where
    there is no such file, it is too large, or is not a table at all.
    """

    def __init__(self, path: Path, encoding: str = "utf-8", delimiter: str | None = None) -> None:
        start = _start(path)
        self.delimiter = delimiter or _most_in(start)
        super().__init__(path, path.name, encoding=encoding, delimiter=self.delimiter)
        self.columns = {name.casefold(): name for name in self.header if name}

    def number(self, cell: str) -> str:
        """A cell with a point for a decimal comma, which only other delimiters leave room for.

        Raises AmbiguousNumber there for points that may stand between thousands: whoever writes
        commas before decimals writes points so.
        """
        if self.delimiter != "," and (found := _THOUSANDS.fullmatch(cell)):
            raise AmbiguousNumber(f"{cell!r} {_readings(found['head'], found['groups'])}")
        has_comma = self.delimiter != "," and "." not in cell and cell.count(",") == 1
        return cell.replace(",", ".") if has_comma else cell


def _readings(head: str, groups: str) -> str:
    """What a number may mean, written as none can mistake it."""
    whole = head + groups.replace(".", "")
    if groups.count(".") > 1:
        return f"has points between thousands; write {whole}"
    decimals = groups[1:].rstrip("0")
    # Three decimals cannot do with a point: those that are not nought need the comma.
    mark = "," if len(decimals) == 3 else "."
    decimal = f"{head}{mark}{decimals}" if decimals else head
    return f"may mean {decimal} or {whole}; write which"


def _start(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise ImportFailure("it is a folder", "Give the path of the file.", Origin(path.name))
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(_FIRST_BYTES)
    except OSError as error:
        raise ImportFailure(
            f"the file cannot be opened: {error.strerror}", "Check the path.", Origin(path.name)
        ) from None
    if size > LARGEST_BYTES:
        raise ImportFailure(
            f"the file has {size:,} bytes, more than {LARGEST_BYTES:,}",
            "Divide it into several.",
            Origin(path.name),
        )
    if start.startswith(b"PK\x03\x04"):
        raise ImportFailure(
            "the file is a ZIP archive or a workbook, not CSV",
            "Unpack it, or export it as CSV.",
            Origin(path.name),
        )
    return start


def _most_in(start: bytes) -> str:
    """The delimiter of which the first line has most, in any encoding that extends ASCII."""
    first = start.replace(b"\0", b"").partition(b"\n")[0].decode("latin-1")
    return max(_DELIMITERS, key=first.count)
