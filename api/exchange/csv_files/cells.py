"""The cells of a CSV row as its map reads them: joined to other files, translated, checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.exchange.report import Kind, with_hint
from api.exchange.rows import BadRow, CsvFile, Row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from api.exchange.csv_files.map import CsvMap, Lookup
    from api.exchange.report import GapReport, Origin

Values = dict[str, str]
"""The value of each column that a map names, blank where there is none."""


class Cells:
    """Reads the columns that a map names. Looked-up files are kept in memory.

    Raises ImportFailure when a file cannot be read or has not the columns named.
    """

    def __init__(self, csv_map: CsvMap, main: CsvFile, folder: Path, report: GapReport) -> None:
        self._map = csv_map
        self._report = report
        self._blank = frozenset(csv_map.blank)
        named = [column for _, column in csv_map.columns()]
        named += [*csv_map.translate, *csv_map.known]
        lookups = {column: self._lookup_of(column) for column in dict.fromkeys(named)}
        self._own = [column for column, lookup in lookups.items() if lookup is None]
        main.require(self._own)
        self._tell_unread(main, self._own)
        self._tables: list[tuple[str, Lookup, list[str], dict[str, Values]]] = []
        for name, lookup in csv_map.lookup.items():
            columns = [column for column, owner in lookups.items() if owner == name]
            table = self._load(name, folder, columns, main)
            self._tables.append((name, lookup, columns, table))

    def values(self, row: Row, origin: Origin) -> Values:
        """The values of one row of the main file. Tells what is translated, unknown or missed."""
        deal = row.cells[self._map.deal.reference] or None
        values = {
            column: self._read(column, row.cells[column], origin, deal) for column in self._own
        }
        for _, lookup, columns, table in self._tables:
            key = values[lookup.by]
            found = table.get(key)
            if found is None and key:
                reason = with_hint(f"{lookup.by} {key!r} is not in {lookup.file}", key, table)
                self._report.add(Kind.LOOKUP_MISSED, reason, origin, deal)
            values.update(found or dict.fromkeys(columns, ""))
        return values

    def _lookup_of(self, column: str) -> str | None:
        """The lookup that a column belongs to, None for the main file's own."""
        name, _, inner = column.partition(".")
        return name if inner and name in self._map.lookup else None

    def _load(
        self, name: str, folder: Path, columns: Iterable[str], main: CsvFile
    ) -> dict[str, Values]:
        lookup = self._map.lookup[name]
        table: dict[str, Values] = {}
        with CsvFile(
            folder / lookup.file,
            lookup.file,
            encoding=main.encoding,
            delimiter=self._map.delimiter.character,
        ) as file:
            inner = {column: column.removeprefix(f"{name}.") for column in columns}
            file.require([lookup.key, *inner.values()])
            self._tell_unread(file, [lookup.key, *inner.values()])
            for row in file:
                self._file_row(row, lookup, inner, table, file.origin(row.line))
            self._report.counts.rows[file.name] = file.rows_read
        return table

    def _file_row(
        self,
        row: Row | BadRow,
        lookup: Lookup,
        inner: dict[str, str],
        table: dict[str, Values],
        origin: Origin,
    ) -> None:
        if isinstance(row, BadRow):
            self._report.add(row.kind, row.reason, origin)
            return
        key = row.cells[lookup.key]
        if not key:
            self._report.add(Kind.MISSING_ID, f"{lookup.key} is blank", origin)
        elif key in table:
            reason = f"{lookup.key} {key!r} stands further up already"
            self._report.add(Kind.DUPLICATE_ID, reason, origin)
        else:
            table[key] = {
                column: self._read(column, row.cells[name], origin, None)
                for column, name in inner.items()
            }

    def _read(self, column: str, cell: str, origin: Origin, deal: str | None) -> str:
        if not cell or cell in self._blank:
            return ""
        text = self._map.translate.get(column, {}).get(cell, cell)
        if text != cell:
            reason = f"{column} {cell!r} is read as {text!r}"
            self._report.add(Kind.TRANSLATED_VALUE, reason, origin, deal)
        known = self._map.known.get(column)
        if known is not None and text not in known:
            reason = with_hint(f"{column} {text!r} is no known value: kept", text, known)
            self._report.add(Kind.UNKNOWN_VALUE, reason, origin, deal)
        return text

    def _tell_unread(self, file: CsvFile, columns: Iterable[str]) -> None:
        unread = [column for column in file.header if column and column not in columns]
        if unread:
            reason = f"not read, for the map does not name them: {', '.join(unread)}"
            self._report.add(Kind.COLUMNS_NOT_READ, reason, file.origin(1))
