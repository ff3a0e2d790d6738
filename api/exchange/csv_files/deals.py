"""Deals from CSV files, by a map: one row per deal, or one row per change."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from api.exchange.csv_files.cells import Cells
from api.exchange.csv_files.fields import Fields
from api.exchange.csv_files.map import RowsAre
from api.exchange.csv_files.readings import Readings, SourceRow
from api.exchange.grouping import Filed, grouped
from api.exchange.report import ImportFailure, Kind
from api.exchange.rows import BadRow, CsvFile, Row, RowFault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from api.exchange.csv_files.map import LoadedMap
    from api.exchange.identity import Identity
    from api.exchange.intake.snapshot import SourceDeal
    from api.exchange.moments import Calendar
    from api.exchange.report import GapReport, Origin


class CsvDeals:
    """The deals of one CSV file. Iterate `deals` once, then close.

    Raises ImportFailure, here and while iterating, when a file cannot be read as
    a whole. Every other fault leaves out the deal and is reported.
    """

    def __init__(
        self,
        loaded: LoadedMap,
        main: Path,
        identity: Identity,
        report: GapReport,
        calendar: Calendar,
        *,
        now: datetime,
        actor: str,
        encoding: str | None = None,
        currency: str | None = None,
    ) -> None:
        self._map = loaded.map
        self._report = report
        fields = Fields(loaded, identity, calendar, currency)
        self._readings = Readings(loaded, fields, identity, report, now=now, actor=actor)
        with ExitStack() as opening:
            self._file = opening.enter_context(
                CsvFile(
                    main,
                    main.name,
                    encoding=encoding or self._map.encoding,
                    delimiter=self._map.delimiter.character,
                )
            )
            self._cells = Cells(self._map, self._file, main.parent, report)
            self._open = opening.pop_all()

    def close(self) -> None:
        self._open.close()

    def rows_read(self) -> tuple[int, float]:
        """Rows read so far, and the share of the file that they are."""
        return self._file.rows_read, self._file.share_read

    def deals(self) -> Iterator[SourceDeal]:
        """All deals that can be used; the others are reported."""
        if self._map.rows is RowsAre.DEALS:
            yield from self._one_row_each()
        else:
            yield from self._one_row_per_change()
        self._report.counts.rows[self._file.name] = self._file.rows_read
        line = self._file.unterminated_line
        if line is not None:
            reason = "nothing ends the last line: if the file is cut, its last value may be too"
            self._report.add(Kind.UNTERMINATED_LAST_ROW, reason, self._file.origin(line))

    def _one_row_each(self) -> Iterator[SourceDeal]:
        lines: dict[str, int] = {}
        for row in self._file:
            origin = self._file.origin(row.line)
            if isinstance(row, BadRow):
                self._leave_out(RowFault(row.kind, row.reason), origin)
                continue
            reference = row.cells[self._map.deal.reference]
            if not reference:
                reason = f"{self._map.deal.reference}, the id, is blank"
                self._leave_out(RowFault(Kind.MISSING_ID, reason), origin)
            elif reference in lines:
                reason = f"the same id stands on line {lines[reference]} already"
                self._leave_out(RowFault(Kind.DUPLICATE_ID, reason), origin, reference)
            else:
                lines[reference] = row.line
                deal = self._told(reference, [row])
                if deal is not None:
                    yield deal

    def _one_row_per_change(self) -> Iterator[SourceDeal]:
        for reference, members in grouped(self._filed()):
            deal = self._told(reference, [Row(row.line, row.cells) for row in members])
            if deal is not None:
                yield deal

    def _filed(self) -> Iterator[Filed]:
        for row in self._file.sound_rows():
            reference = row.cells[self._map.deal.reference]
            if reference:
                yield Filed(reference, 0, row.line, row.cells)
            else:
                reason = f"{self._map.deal.reference}, the id, is blank"
                self._report.add(Kind.MISSING_ID, reason, self._file.origin(row.line))

    def _told(self, reference: str, rows: Sequence[Row]) -> SourceDeal | None:
        """The deal that its rows tell; None, and reported, where one cannot be used."""
        origin = self._file.origin(rows[0].line)
        try:
            told = [self._source_row(reference, row) for row in rows]
            if self._map.rows is RowsAre.DEALS:
                return self._readings.deal_of_row(told[0])
            return self._readings.deal_of_changes(told)
        except RowFault as fault:
            self._leave_out(fault, fault.origin or origin, reference)
            return None
        except ImportFailure as failure:
            raise ImportFailure(failure.message, failure.advice, origin) from None

    def _source_row(self, reference: str, row: Row) -> SourceRow:
        origin = self._file.origin(row.line)
        return SourceRow(reference, self._cells.values(row, origin), origin)

    def _leave_out(self, fault: RowFault, origin: Origin, reference: str | None = None) -> None:
        self._report.add(fault.kind, fault.reason, origin, reference)
        self._report.counts.deals_left_out += 1
