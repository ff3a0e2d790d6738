"""Targets from a file: one to a row, for at most one of a user, a territory and a unit."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from api.exchange.report import ImportFailure, Kind
from api.exchange.rows import BadRow, Row
from api.exchange.tables import Table, TableReport
from api.queries.users import UnknownUser, named_user
from domain.intent import Intent
from domain.refusals import NotAllowed, Refusal
from domain.targets import SetTarget, decide_target, target_amount
from projections.calendar import PeriodError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from api.workspace import Workspace
    from domain.access import Principal

SOURCE = "import:targets"
_COLUMNS = ("period", "owner", "territory", "unit", "amount", "currency")
_NEEDED = ("period", "amount", "currency")


class Unusable(Exception):
    """A row cannot be used."""

    def __init__(self, kind: Kind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


class Wanted(NamedTuple):
    """A target as a row asks for it."""

    line: int
    command: SetTarget


def import_targets(
    store: Workspace,
    path: Path,
    principal: Principal,
    *,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    dry_run: bool = False,
    command_id: Callable[[int], str] = lambda _: str(uuid4()),
    on_progress: Callable[[int, int], None] | None = None,
) -> TableReport:
    """Set the targets of a file that are news, and tell what came of it.

    Owners are named by id or by name. `command_id` gives the id under which the row of a line
    is recorded; under the same ids it is told again what came of it then. Raises ImportFailure
    where the file cannot be used at all, NotAllowed without the right, StoreError.
    """
    report = TableReport("targets", path.name, dry_run, counts={"set": 0, "unchanged": 0})
    with closing(Table(path, encoding, delimiter)) as table:
        missing = [name for name in _NEEDED if name not in table.columns]
        if missing:
            raise ImportFailure(
                f"the header has no column {', '.join(missing)}",
                f"Name the columns {', '.join(_COLUMNS)}.",
                table.origin(1),
            )
        unread = [name for name in table.header if name and name.casefold() not in _COLUMNS]
        if unread:
            report.add(Kind.COLUMNS_NOT_READ, f"not of a target: {', '.join(unread)}", 1)
        wanted = list(_wanted(store, table, report))
        report.rows = table.rows_read
    for number, one in enumerate(wanted, start=1):
        _take(store, one, Intended(principal, command_id(one.line)), report)
        if on_progress is not None:
            on_progress(number, len(wanted))
    return report


class Intended(NamedTuple):
    """By whom, and under which id, a row is recorded."""

    principal: Principal
    command_id: str


def _wanted(store: Workspace, table: Table, report: TableReport) -> Iterator[Wanted]:
    known: dict[tuple[object, ...], SetTarget] = {}
    for row in table:
        if isinstance(row, BadRow):
            report.add(row.kind, row.reason, row.line)
            continue
        try:
            command = _command(store, table, row)
        except Unusable as error:
            report.add(error.kind, error.reason, row.line)
            continue
        assert command.amount is not None
        whose = (command.owner, command.territory, command.unit, command.amount.currency)
        first = known.setdefault((command.first, command.last, *whose), command)
        if first is command:
            yield Wanted(row.line, command)
        elif first != command:
            report.add(Kind.DUPLICATE_ID, f"it stands further up as {first.amount}", row.line)


def _command(store: Workspace, table: Table, row: Row) -> SetTarget:
    """The target of a row. Raises Unusable."""
    cells = {name: row.cells[table.columns[name]] for name in _COLUMNS if name in table.columns}
    blank = [name for name in _NEEDED if not cells[name]]
    if blank:
        raise Unusable(Kind.MISSING_VALUE, f"{' and '.join(blank)} is blank")
    try:
        period = store.calendar.period(cells["period"])
    except PeriodError as error:
        raise Unusable(Kind.IMPOSSIBLE_DATE, str(error)) from None
    try:
        amount = target_amount(table.number(cells["amount"]), cells["currency"])
    except ValueError as error:
        raise Unusable(Kind.IMPOSSIBLE_AMOUNT, str(error)) from None
    try:
        owner = named_user(store, cells["owner"]) if cells.get("owner") else None
    except UnknownUser as error:
        raise Unusable(Kind.IMPOSSIBLE_VALUE, str(error)) from None
    territory, unit = cells.get("territory") or None, cells.get("unit") or None
    return SetTarget(period.first, period.last, amount, owner, territory, unit)


def _take(store: Workspace, wanted: Wanted, by: Intended, report: TableReport) -> None:
    now = store.now()
    intent = Intent(by.command_id, by.principal, SOURCE, now=now, occurred_at=now)
    try:
        if report.dry_run:
            directory = store.log.organisation().directory
            facts = decide_target(wanted.command, store.log.targets(), directory, intent)
            is_news = bool(facts)
        else:
            handled = store.log.set_target(wanted.command, intent)
            is_news = bool(handled.events)
            if is_news:
                report.tell_recorded(handled.stream, handled.version)
    except NotAllowed:
        raise
    except Refusal as refusal:
        report.add(Kind.IMPOSSIBLE_VALUE, refusal.message, wanted.line)
    else:
        report.counts["set" if is_news else "unchanged"] += 1
