"""Runs an import: the one entry for the command line and for programs."""

from __future__ import annotations

from contextlib import closing
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, assert_never
from zoneinfo import ZoneInfo

import msgspec

from api.exchange.csv_files.deals import CsvDeals
from api.exchange.csv_files.map import is_zone, load_map, shipped_maps
from api.exchange.identity import Identity
from api.exchange.intake.engine import Intake
from api.exchange.moments import Calendar
from api.exchange.report import GapReport, ImportFailure, Kind, Origin
from api.exchange.rows import csv_files_in
from api.exchange.salesforce.deals import DATE_FORMATS, SalesforceDeals
from api.exchange.salesforce.files import find_files
from domain.currencies import MINOR_DIGITS
from store.times import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from api.exchange.csv_files.map import CsvMap
    from api.exchange.intake.engine import Progress
    from domain.process import SalesProcess
    from store.log import DealLog
    from store.times import Clock


class System(StrEnum):
    """What can be imported from."""

    CSV = "csv"
    SALESFORCE = "salesforce"


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to read a source. What is None comes from the map, or from the system's defaults."""

    map: str | None = None
    """CSV: the name of a shipped map, or the path of one."""
    process: SalesProcess | None = None
    """Instead of the process that the map gives or the rows show."""
    timezone: str | None = None
    """Zone of dates, and of times without an offset."""
    currency: str | None = None
    encoding: str | None = None
    actor: str = "local"
    """Opaque id of the user who imports; stands where the source names nobody."""
    dry_run: bool = False
    """Tell what would be imported; record nothing."""


def run_import(
    log: DealLog,
    paths: Sequence[Path],
    system: System,
    source: str,
    options: ImportOptions | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    clock: Clock = utc_now,
) -> GapReport:
    """Import the files at `paths` as `import:<source>` and tell what came of it.

    Repeating it adds only what is new or changed; broken off, it is completed by
    repeating it. Raises ImportFailure where the input, or an option, cannot be
    used at all, and StoreError. What can be used in part is, and the report says
    what was left out.
    """
    options = options or ImportOptions()
    _check(options)
    identity = Identity(source)
    report = GapReport(source, system.value, options.dry_run)
    intake = Intake(log, identity, report, clock, actor=options.actor, on_progress=on_progress)
    run = _Run(log, identity, report, intake)
    match system:
        case System.CSV:
            _import_csv(paths, options, run)
        case System.SALESFORCE:
            _import_salesforce(paths, options, run)
        case _:
            assert_never(system)
    return report


class _Run(NamedTuple):
    log: DealLog
    identity: Identity
    report: GapReport
    intake: Intake


def _check(options: ImportOptions) -> None:
    if options.currency is not None and options.currency not in MINOR_DIGITS:
        raise ImportFailure(
            f"{options.currency!r} is no currency code", "Give one of ISO 4217, such as EUR."
        )
    if options.timezone is not None and not is_zone(options.timezone):
        raise ImportFailure(
            f"{options.timezone!r} is no time zone", "Give a name such as Europe/Berlin or UTC."
        )


def _import_csv(paths: Sequence[Path], options: ImportOptions, run: _Run) -> None:
    if options.map is None:
        raise ImportFailure(
            "a CSV import needs a map",
            f"Give --map: a file of your own, or one of: {', '.join(shipped_maps())}.",
        )
    loaded = load_map(options.map, run.log.processes(), options.process)
    main = _main_file(paths, loaded.map, run.report)
    zone = loaded.zone if options.timezone is None else ZoneInfo(options.timezone)
    deals = CsvDeals(
        loaded,
        main,
        run.identity,
        run.report,
        Calendar(loaded.map.date_formats, zone),
        now=run.intake.now,
        actor=options.actor,
        encoding=options.encoding,
        currency=options.currency,
    )
    with closing(deals):
        run.intake.publish(loaded.process)
        run.intake.take(deals.deals(), deals.rows_read)


def _main_file(paths: Sequence[Path], csv_map: CsvMap, report: GapReport) -> Path:
    """The file to read; tells of files beside it that the map does not name."""
    if len(paths) != 1:
        raise ImportFailure("a CSV import reads one file or folder", "Import each by itself.")
    (path,) = paths
    if not path.is_dir():
        return path
    if csv_map.file is None:
        raise ImportFailure(
            f"{path.name} is a folder, and the map names no file in it",
            'Give the path of the file, or write its name into the map: file = "…".',
        )
    named = {csv_map.file, *(lookup.file for lookup in csv_map.lookup.values())}
    for file in csv_files_in(path):
        if file.name not in named:
            report.add(Kind.FILE_NOT_READ, "the map does not name it", Origin(file.name))
    return path / csv_map.file


def _import_salesforce(paths: Sequence[Path], options: ImportOptions, run: _Run) -> None:
    zone = None if options.timezone is None else ZoneInfo(options.timezone)
    deals = SalesforceDeals(
        find_files(paths, run.report),
        run.identity,
        run.report,
        Calendar(DATE_FORMATS, zone),
        run.log.processes(),
        actor=options.actor,
        encoding=options.encoding or "utf-8",
        currency=options.currency,
        process=options.process,
    )
    run.intake.publish(deals.process)
    run.intake.take(deals.deals(), deals.rows_read)
