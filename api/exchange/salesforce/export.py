"""A Salesforce CSV export, read whole: its rows by deal, and what they refer to."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

from api.exchange.grouping import Filed, grouped
from api.exchange.report import ImportFailure, Kind, Origin
from api.exchange.rows import RowFault
from api.exchange.salesforce.files import (
    ACCOUNT,
    CONTACT,
    HISTORY,
    OPPORTUNITY,
    ROLE,
    STAGE,
    USER,
    opened,
)
from api.exchange.salesforce.rows import Cells, Times, category, ends, flag, percent
from api.exchange.salesforce.stages import SeenStages, StageWords

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from api.exchange.report import GapReport

RANKS = (OPPORTUNITY, HISTORY, ROLE)
"""What `Filed.file` counts."""

_DEAL_IDS = {OPPORTUNITY: "Id", HISTORY: "OpportunityId", ROLE: "OpportunityId"}

_LONG_ID = re.compile(r"[0-9A-Za-z]{18}")
_SHORT_ID_CHARACTERS = 15


def short_id(written: str) -> str:
    """One id for both ways in which Salesforce writes it: 15 characters, or these and three more.

    Nobody who was erased comes back because another tool exported their id.
    """
    return written[:_SHORT_ID_CHARACTERS] if _LONG_ID.fullmatch(written) else written


class Export:
    """The files of one export. Making it reads them all.

    Raises ImportFailure when a file is damaged or a time has no zone: the history
    of a deal is spread over a file, so a damaged one is not imported in part.
    """

    def __init__(
        self, files: Mapping[str, Path], report: GapReport, times: Times, encoding: str
    ) -> None:
        self._files = files
        self._report = report
        self._times = times
        self._encoding = encoding
        self.rows = 0
        self.opportunities = 0
        self.stages = SeenStages()
        self.tells_stages = STAGE in files
        self.accounts = self._by_id(ACCOUNT)
        self.users = self._by_id(USER)
        self.contacts = self._by_contact()
        """By their short ids."""
        self._see_stages()
        self.by_deal = _begun(grouped(self._filed()))

    def origin(self, row: Filed) -> Origin:
        """Where a row stands."""
        return Origin(self.file_name(RANKS[row.file]), row.line)

    def file_name(self, name: str) -> str:
        """The file of an object, as the user knows it."""
        return self._files[name].name

    def _read(self, name: str) -> Iterator[tuple[int, Cells]]:
        """The lines and cells of one file, deleted rows left out."""
        if name not in self._files:
            return
        with opened(self._files[name], name, self._report, self._encoding) as file:
            for row in file.sound_rows():
                self.rows += 1
                if flag(row.cells, "IsDeleted"):
                    deal = row.cells.get(_DEAL_IDS.get(name, ""))
                    origin = file.origin(row.line)
                    self._report.add(Kind.DELETED_ROW, "deleted in the source", origin, deal)
                else:
                    yield row.line, row.cells
            self._report.counts.rows[file.name] = file.rows_read

    def _by_id(self, name: str) -> dict[str, Cells]:
        return {cells["Id"]: cells for _, cells in self._read(name)}

    def _by_contact(self) -> dict[str, Cells]:
        lines: dict[str, int] = {}
        contacts: dict[str, Cells] = {}
        for line, cells in self._read(CONTACT):
            contact, origin = short_id(cells["Id"]), Origin(self.file_name(CONTACT), line)
            if not contact:
                self._report.add(Kind.MISSING_ID, "Id is blank", origin)
            elif contact in contacts:
                reason = f"the same id stands on line {lines[contact]} already"
                self._report.add(Kind.DUPLICATE_ID, reason, origin)
            else:
                lines[contact], contacts[contact] = line, cells
        return contacts

    def _see_stages(self) -> None:
        for position, (_, cells) in enumerate(self._read(STAGE)):
            order = cells.get("SortOrder", "")
            words = StageWords()
            words.take(
                percent(cells, "DefaultProbability"),
                category(cells, "ForecastCategoryName"),
                ends(cells),
            )
            place = int(order) if order.isdecimal() else position
            self.stages.tell(cells["MasterLabel"], place, words)

    def _filed(self) -> Iterator[Filed]:
        """The rows that belong to deals. Sees the stages, checks that times have a zone."""
        for rank, name in enumerate(RANKS):
            key = _DEAL_IDS[name]
            for line, cells in self._read(name):
                origin = Origin(self.file_name(name), line)
                self._check_zone(cells, origin)
                self._see_stage(cells)
                self.opportunities += rank == 0
                if cells[key]:
                    yield Filed(cells[key], rank, line, cells)
                else:
                    self._report.add(Kind.MISSING_ID, f"{key} is blank", origin)

    def _see_stage(self, cells: Cells) -> None:
        if cells.get("StageName"):
            self.stages.see(
                cells["StageName"],
                percent(cells, "Probability"),
                category(cells, "ForecastCategory"),
                ends(cells),
            )

    def _check_zone(self, cells: Cells, origin: Origin) -> None:
        for column in ("CreatedDate", "LastModifiedDate"):
            try:
                # A date that is none is told when the deal is made, and its deal left out.
                with suppress(RowFault):
                    self._times.moment(cells, column)
            except ImportFailure as failure:
                raise ImportFailure(failure.message, failure.advice, origin) from None


def _begun(
    groups: Iterator[tuple[str, list[Filed]]],
) -> Iterator[tuple[str, list[Filed]]]:
    """The same groups, of which the first, and so every row behind them, has been read."""
    first = next(groups, None)
    return iter(()) if first is None else chain([first], groups)
