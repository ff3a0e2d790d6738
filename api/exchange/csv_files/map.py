"""Maps: TOML files that say what the columns of a CSV file mean.

The keys of a map are the fields of `CsvMap` and the structs in it. Wherever a
map names a column, `lookup.column` means a column of a looked-up row.
"""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from api.exchange.report import ImportFailure
from domain.currencies import MINOR_DIGITS
from domain.process import SalesProcess
from domain.process_files import ProcessError, check_process_table, decode_process
from domain.refusals import UnknownProcess
from domain.toml.problems import did_you_mean, listed, shown
from domain.toml.tables import read_table
from domain.values import Identifier, Label, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from domain.process import ProcessBook
    from domain.toml.lines import KeyPath
    from domain.toml.problems import Report


class RowsAre(StrEnum):
    """What one row of the file is."""

    DEALS = "deals"
    """A deal as it stands now."""
    CHANGES = "changes"
    """A deal as it stood after one change; rows of a deal come in any order."""


class DecimalMark(StrEnum):
    """What stands before the decimals of an amount; the other mark groups thousands."""

    POINT = "."
    COMMA = ","


class Delimiter(StrEnum):
    """What stands between two cells."""

    COMMA = ","
    SEMICOLON = ";"
    PIPE = "|"
    TAB = "tab"

    @property
    def character(self) -> str:
        return "\t" if self is Delimiter.TAB else self.value


class Ending(StrEnum):
    """What a value of the outcome column says."""

    OPEN = "open"
    WON = "won"
    LOST_TO_COMPETITOR = "lost-to-competitor"
    NO_DECISION = "no-decision"
    WITHDRAWN = "withdrawn"
    DISQUALIFIED = "disqualified"
    VOIDED = "voided"
    UNKNOWN = "unknown"
    """Lost, nobody knows how."""


class Lookup(Value, frozen=True):
    """Another file in the same folder: the row whose column `key` has what column `by` says."""

    file: Label
    key: Label
    by: Label


class AccountColumns(Value, frozen=True):
    """Columns of the account. `id` is the account's id in the source; without it the name is."""

    name: Label
    id: Label | None = None
    industry: Label | None = None
    region: Label | None = None
    size: Label | None = None


class DealColumns(Value, frozen=True):
    """The column of each field of a deal."""

    reference: Label
    """Id of the deal in the source."""
    name: Label | None = None
    name_template: Label | None = None
    """Text with columns in braces, `{product} for {account}`; instead of `name`."""
    owner: Label | None = None
    manager: Label | None = None
    account: AccountColumns | None = None
    products: Label | None = None
    products_separator: Label | None = None
    region: Label | None = None
    territory: Label | None = None
    route: Label | None = None
    lead_source: Label | None = None
    currency: Label | None = None
    amount: Label | None = None
    """What the deal is expected to bring."""
    expected_close: Label | None = None
    stage: Label | None = None
    outcome: Label | None = None
    """Without it, the column `stage` says how a deal ended."""
    won_value: Label | None = None
    """Contract value of a deal that was won."""
    competitor: Label | None = None
    """Whom a deal was lost to."""
    outcome_reason: Label | None = None
    opened: Label | None = None
    closed: Label | None = None
    changed: Label | None = None
    """Time of the change, where rows are changes."""
    recorded: Label | None = None
    """When the source recorded the change."""
    changed_by: Label | None = None
    change_id: Label | None = None


class Constants(Value, frozen=True):
    """Values of fields where the row has none."""

    currency: Label | None = None
    owner: Label | None = None
    region: Label | None = None
    territory: Label | None = None
    route: Label | None = None
    lead_source: Label | None = None


class CsvMap(Value, frozen=True):
    """What the columns of a CSV file mean."""

    rows: RowsAre
    deal: DealColumns
    file: Label | None = None
    """The file to read where a folder is given."""
    encoding: Label = "utf-8"
    delimiter: Delimiter = Delimiter.COMMA
    decimal_mark: DecimalMark = DecimalMark.POINT
    date_formats: tuple[Label, ...] = ()
    """Forms of dates as of Python's `strptime`; ISO 8601 is read without."""
    timezone: Label | None = None
    """Zone of the dates, and of times without an offset."""
    blank: tuple[Label, ...] = ()
    """Values that mean nothing, such as `n/a`."""
    constant: Constants = Constants()
    lookup: dict[str, Lookup] = msgspec.field(default_factory=dict)
    translate: dict[str, dict[str, Label]] = msgspec.field(default_factory=dict)
    """By column: values and what to read instead."""
    known: dict[str, tuple[Label, ...]] = msgspec.field(default_factory=dict)
    """By column: the values to expect. Others are kept and reported."""
    process: SalesProcess | None = None
    process_id: Identifier | None = None
    """A process that is there already, instead of `process`."""
    stages: dict[str, Identifier] = msgspec.field(default_factory=dict)
    """Values of the stage column and the stages they mean."""
    opened_stage: Identifier | None = None
    """The stage that a deal enters on its opened date, where rows are deals."""
    outcomes: dict[str, Ending] = msgspec.field(default_factory=dict)
    """Values of the outcome column and what they mean."""

    def columns(self) -> Iterator[tuple[KeyPath, str]]:
        """Every place that names a column, and the column it names."""
        for name in self.deal.__struct_fields__:
            value = getattr(self.deal, name)
            if name == "name_template" and value is not None:
                yield from ((("deal", name), column) for column in template_columns(value))
            elif isinstance(value, str) and name != "products_separator":
                yield ("deal", name), value
        if self.deal.account is not None:
            for name in self.deal.account.__struct_fields__:
                if (value := getattr(self.deal.account, name)) is not None:
                    yield ("deal", "account", name), value
        for name, lookup in self.lookup.items():
            yield ("lookup", name, "by"), lookup.by


class LoadedMap(msgspec.Struct, frozen=True):
    """A map without a fault, its process and its zone."""

    map: CsvMap
    process: SalesProcess
    zone: ZoneInfo | None


class MapError(ImportFailure):
    """A map cannot be used. The message holds all that is wrong, in the map's order."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems), "Correct the map")

    def __str__(self) -> str:
        return self.message


def shipped_maps() -> list[str]:
    """The names of the maps that come with the program."""
    folder = resources.files("api.exchange").joinpath("maps")
    names = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_map(
    name_or_path: str, book: ProcessBook, process: SalesProcess | None = None
) -> LoadedMap:
    """A shipped map by name, or any map by the path of its file.

    `book` are the processes there are; `process` takes the place of the one that
    the map gives. Raises ImportFailure: no such map; MapError with all faults.
    """
    shipped = resources.files("api.exchange").joinpath("maps", f"{name_or_path}.toml")
    path = Path(name_or_path)
    try:
        content = shipped.read_bytes() if _is_name(name_or_path) else path.read_bytes()
    except OSError as error:
        raise ImportFailure(
            f"there is no map {name_or_path!r}: {error.strerror}",
            f"Give the path of a map, or one of: {', '.join(shipped_maps())}.",
        ) from None
    where = f"{name_or_path}.toml" if _is_name(name_or_path) else path.name
    try:
        text = decode_process(content, where)
    except ProcessError as error:
        raise MapError([str(problem) for problem in error.problems]) from None
    return parse_map(text, where, book, process)


def _is_name(name_or_path: str) -> bool:
    return re.fullmatch(r"[a-z0-9-]+", name_or_path) is not None


def parse_map(
    text: str, where: str, book: ProcessBook, process: SalesProcess | None = None
) -> LoadedMap:
    """Read a map. `where` names it in messages. Raises MapError with all faults."""
    table, report = read_table(text, where, CsvMap)
    if isinstance(table.get("process"), dict):
        check_process_table(table["process"], report, ("process",))
    if report.has_errors:
        raise MapError([str(problem) for problem in report.problems])
    read = msgspec.convert(table, CsvMap)
    check = _Check(read, report)
    check.run()
    process = process or check.process(book)
    if process is not None:
        check.stages(process)
    if process is None or report.has_errors:
        raise MapError([str(problem) for problem in report.problems])
    zone = None if read.timezone is None else ZoneInfo(read.timezone)
    return LoadedMap(read, process, zone)


class _Check:
    """What the types of `CsvMap` do not say."""

    def __init__(self, read: CsvMap, report: Report) -> None:
        self._map = read
        self._report = report

    def run(self) -> None:
        if self._template_is_sound():
            self._lookups()
        self._needed()
        self._settings()
        for value in sorted(self._map.stages.keys() & self._map.outcomes.keys()):
            if self._map.deal.outcome is None:
                message = "is both a stage and an outcome; keep one of them."
                self._report.error(("outcomes", value), message)

    def process(self, book: ProcessBook) -> SalesProcess | None:
        given, name = self._map.process, self._map.process_id
        if given is not None and name is not None:
            self._report.error(("process_id",), "stands beside [process]; keep one of them.")
        if given is not None:
            return given
        if name is None:
            message = "The map has no process: write process_id, or a table [process] with stages."
            self._report.error((), message)
            return None
        try:
            return book.latest(name)
        except UnknownProcess:
            ids = sorted({process.id for process in book})
            hint = did_you_mean(name, ids)
            message = f"is {shown(name)}; allowed is one of {listed(ids)}.{hint}"
            self._report.error(("process_id",), message)
            return None

    def stages(self, process: SalesProcess) -> None:
        """The stages that the map names are stages of its process."""
        selling = [stage.id for stage in process.stages if not stage.after_win]
        named: list[tuple[KeyPath, str]] = [
            (("stages", value), stage) for value, stage in self._map.stages.items()
        ]
        if self._map.opened_stage is not None:
            named.append((("opened_stage",), self._map.opened_stage))
        for path, stage in named:
            if stage not in selling:
                hint = did_you_mean(stage, selling)
                message = (
                    f"is {shown(stage)}; allowed is a selling stage of {process.ref}:"
                    f" {listed(selling)}.{hint}"
                )
                self._report.error(path, message)

    def _lookups(self) -> None:
        lookups = self._map.lookup
        for path, column in self._map.columns():
            lookup, _, inner = column.partition(".")
            if path[0] == "lookup" and lookup in lookups and inner:
                self._report.error(path, "is a column of a lookup; allowed is one of the file.")
        for name, element in lookups.items():
            if Path(element.file).name != element.file:
                message = "is a path; allowed is the name of a file in the same folder."
                self._report.error(("lookup", name, "file"), message)

    def _needed(self) -> None:
        deal, constant = self._map.deal, self._map.constant
        for field in ("owner", "currency"):
            if getattr(deal, field) is None and getattr(constant, field) is None:
                message = f"is missing; write a column, or constant.{field}."
                self._report.error(("deal", field), message)
        if deal.name is not None and deal.name_template is not None:
            self._report.error(("deal", "name_template"), "stands beside name; keep one of them.")
        if deal.stage is None and deal.outcome is None:
            self._report.error(("deal", "stage"), "is missing; write the column of the stage.")
        if self._map.rows is RowsAre.CHANGES:
            self._of_changes(deal)
        else:
            self._of_deals(deal)

    def _of_changes(self, deal: DealColumns) -> None:
        if deal.changed is None:
            message = 'is missing; rows = "changes" needs the column of the time of change.'
            self._report.error(("deal", "changed"), message)
        self._not_with(deal, ("opened", "closed"), "deals")

    def _of_deals(self, deal: DealColumns) -> None:
        self._not_with(deal, ("changed", "recorded", "changed_by", "change_id"), "changes")

    def _not_with(self, deal: DealColumns, fields: tuple[str, ...], rows: str) -> None:
        for field in fields:
            if getattr(deal, field) is not None:
                self._report.error(("deal", field), f'belongs to rows = "{rows}". Remove it.')

    def _settings(self) -> None:
        constant = self._map.constant.currency
        if constant is not None and constant not in MINOR_DIGITS:
            message = f"is {shown(constant)}; allowed is a currency code of ISO 4217, such as EUR."
            self._report.error(("constant", "currency"), message)
        for index, form in enumerate(self._map.date_formats):
            if not _is_date_format(form):
                message = f"is {shown(form)}; allowed is a form with a date, such as %d.%m.%Y."
                self._report.error(("date_formats", index), message)
        zone = self._map.timezone
        if zone is not None and not is_zone(zone):
            message = f"is {shown(zone)}; allowed is the name of a zone, such as Europe/Berlin."
            self._report.error(("timezone",), message)

    def _template_is_sound(self) -> bool:
        try:
            columns = list(template_columns(self._map.deal.name_template or ""))
        except ValueError as error:
            self._report.error(("deal", "name_template"), f"cannot be read: {error}.")
            return False
        if not all(columns):
            self._report.error(("deal", "name_template"), "has empty braces; name a column.")
        return all(columns)


def template_columns(template: str) -> Iterator[str]:
    """The columns in the braces of a template. Raises ValueError for unpaired braces."""
    for _, column, _, _ in string.Formatter().parse(template):
        if column is not None:
            yield column


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with the values of its columns; separators left over at the ends are cut."""
    parts = [
        literal + (values[column] if column is not None else "")
        for literal, column, _, _ in string.Formatter().parse(template)
    ]
    return "".join(parts).strip(" \t·:;,/|–-")


def is_zone(name: str) -> bool:
    """Whether `name` names a time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _is_date_format(form: str) -> bool:
    """Whether a date written in this form can be read back."""
    moment = datetime(2031, 11, 27, 13, 45, tzinfo=UTC)
    try:
        read = datetime.strptime(moment.strftime(form), form)  # noqa: DTZ007 (a test of the form)
    except ValueError:
        return False
    return read.date() == moment.date()
