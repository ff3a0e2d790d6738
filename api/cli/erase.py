"""Forgetting a person."""

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from api.cli.failures import fail
from api.cli.files import write_whole
from api.cli.groups import commands
from api.cli.output import Column, Shape, ShapeOption, note, print_json, print_table, say
from api.cli.progress import Progress
from api.cli.terminal import Terminal, terminal
from api.commands import CommandError, decode_command
from api.erasing import PersonNotFound, find_person, look_up
from api.plain import clean
from api.queries.listing import references_of
from api.wire.keeping import ErasureReport
from api.workspace import Workspace
from domain.access import NO_DEAL, Action, require
from domain.intent import Intent
from store.forgetting.appearances import Person
from store.forgetting.erasure import erase as erase_person
from store.forgetting.erasure import survey
from store.forgetting.known import erasures_of, write_erasures

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate erase p-17 --dry-run
  dealstate erase D-0042/cfo --reason "asked by letter of 3 March"
  dealstate erase "Li Na" --yes
  dealstate erase --find Jankowski
  dealstate erase --export erasures.txt

PERSON is the id of a person, DEAL/STAKEHOLDER, or a full name that only one person ever had. Their
keys are destroyed, and with them every field that speaks of them, on every deal. It cannot be
undone. Backups of the keys made earlier still open these fields: delete them when their time is
over. docs/forgetting.md tells what erasing cannot do."""
)
def erase(
    context: typer.Context,
    person: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PERSON...",
            help="Who is forgotten; several ids where they were taken for several persons.",
            show_default=False,
        ),
    ] = None,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be gone, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why; recorded, so it may name nobody.")
    ] = None,
    find: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT", help="List who has this in a name, with how to name each of them."
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write all erasures of this store, as hashes, to apply them to a restored one.",
        ),
    ] = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Forget a person: make what was recorded of them unreadable, on every deal and for good."""
    at = terminal(context)
    if not person and export is None and find is None:
        raise typer.BadParameter("name a person, or look one up: --find", param_hint="'PERSON'")
    if reason is not None:
        _check_reason(reason)
    with at.opened() as store:
        principal = at.principal(store)
        require(principal, Action.ERASE, NO_DEAL)
        if find is not None:
            _look_up(store, find)
        if person:
            _erase(store, at, _found(store, person), reason, shape, dry_run=dry_run, yes=yes)
        if export is not None:
            _export(store, export)


def _check_reason(reason: str) -> None:
    import msgspec

    content = msgspec.json.encode({"stakeholder": "x", "reason": reason})
    try:
        decode_command("erase-subject", content)
    except CommandError as error:
        raise typer.BadParameter(str(error), param_hint="'--reason'") from None


def _found(store: Workspace, wanted: list[str]) -> Person:
    unread: set[tuple[str, int]] = set()
    try:
        with Progress("Looking for them", "events") as progress:
            return find_person(
                store,
                wanted,
                progress.reached,
                lambda stream, version: unread.add((stream, version)),
            )
    except PersonNotFound as error:
        for way in error.ways:
            note(f"  {way}")
        advice = "Look them up by a part of the name: dealstate erase --find TEXT"
        if error.ways:
            advice = "Name whom you mean by one of these, all of them where it is one human being."
        fail("person-not-found", f"{error}.", advice)
    finally:
        if unread:
            note(
                f"{_counted(len(unread), 'name')} cannot be read, and may be theirs:"
                " `dealstate audit fsck --fields` tells why."
            )


def _look_up(store: Workspace, text: str) -> None:
    with Progress("Looking for them", "events") as progress:
        found = look_up(store, text, progress.reached)
    print_table(
        [Column("name"), Column("person"), Column("appears as")], [list(row) for row in found]
    )
    if not found:
        note("Nobody has that in a name that can still be read.")


def _erase(
    store: Workspace,
    at: Terminal,
    person: Person,
    reason: str | None,
    shape: Shape,
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    if dry_run or not yes:
        planned = ErasureReport.of(survey(store.log, person), carried_out=False)
        if dry_run:
            _print(store, planned, shape)
            return
        for line in _lines(store, planned):
            note(line)
        typer.confirm("Erase for good?", abort=True, err=True)
    now = store.now()
    intent = Intent(
        command_id=str(uuid4()),
        principal=at.principal(store),
        source="cli",
        now=now,
        occurred_at=now,
    )
    done = ErasureReport.of(erase_person(store.log, person, intent, reason), carried_out=True)
    _print(store, done, shape)


def _print(store: Workspace, report: ErasureReport, shape: Shape) -> None:
    if shape is Shape.JSON:
        print_json(report)
        return
    for line in _lines(store, report):
        say(clean(line))


def _lines(store: Workspace, report: ErasureReport) -> list[str]:
    called = references_of(store, {one.deal for one in report.stakeholders})
    places = [f"{called[one.deal]}/{one.stakeholder}" for one in report.stakeholders]
    lines = [
        f"Person      {', '.join(report.persons) or 'without an id across deals'}",
        f"Appears as  {', '.join(places)}",
    ]
    if report.gone:
        lines.append("Gone:" if report.carried_out else "Would be gone:")
        lines += [
            f"  {called[one.deal]}  {one.type}.{one.field}  {_counted(one.events, 'event')}"
            for one in report.gone
        ]
    else:
        lines.append("Nothing of them is readable by their keys any more.")
    if report.texts_left:
        lines.append("Still readable, and with their full name in it:")
        lines += [
            f"  {called[one.deal]}  version {one.version}  {one.type}.{one.field}"
            for one in report.texts_left
        ]
    if report.unreadable:
        lines.append(
            f"{_counted(report.unreadable, 'event or field', 'events or fields')} on these deals"
            " cannot be read: `dealstate audit fsck --fields` tells why. What of them is under"
            " their keys goes too."
        )
    if report.carried_out:
        lines.append(
            f"{_counted(report.keys_destroyed, 'key')} destroyed,"
            f" {_counted(report.events_appended, 'event')} appended,"
            f" {_counted(report.commands_cleared, 'command')} cleared."
        )
    if not report.carried_out:
        lines.append("What is public stays: ids, roles, attitudes, relations and dates.")
    lines.append("Backups of the keys made earlier still open these fields until they are deleted.")
    return lines


def _counted(number: int, what: str, several: str | None = None) -> str:
    return f"{number:,} {what if number == 1 else several or f'{what}s'}"


def _export(store: Workspace, path: Path) -> None:
    erasures = erasures_of(store.log.keys)
    try:
        write_whole(path, write_erasures(erasures))
    except OSError as error:
        raise typer.BadParameter(
            f"cannot write {path}: {error.strerror}", param_hint="'--export'"
        ) from None
    note(f"Wrote {len(erasures.hashes):,} hashes of what was erased to {path}.")
