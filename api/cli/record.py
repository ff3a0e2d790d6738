"""Recording: any command of the domain."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4, uuid5

import typer

from api.cli import shown
from api.cli.groups import commands
from api.cli.output import (
    Column,
    Shape,
    ShapeOption,
    clean,
    note,
    print_json,
    print_table,
    say,
)
from api.cli.terminal import Terminal, terminal
from api.commands import BY_NAME, CommandError, command_type, decode_command, example, explain
from api.commands import summary as summary_of
from api.queries import entries_of_events, find_deal
from api.times import TimeError, parse_occurrence
from api.wire.trails import CommandResult
from api.workspace import Workspace
from domain.deal import DealCommand
from domain.intent import Intent
from domain.lifecycle.commands import OpenOpportunity

app = commands()

NEW = "new"
_NEW_DEALS = UUID("0e9a2c5e-52a4-5d5c-9a3b-5a3d0c1f7a10")
_LARGEST_BYTES = 1_000_000


@app.command(
    epilog="""\b
Examples:
  dealstate record new open-opportunity \\
      --data '{"name": "Dispatch system", "owner": "anna", "currency": "USD"}'
  dealstate record "Dispatch sys" revise-forecast --at 2026-03-02 \\
      --data '{"amount": {"amount": "120000.00", "currency": "USD"}}'
  dealstate record D-0042 lose-opportunity --data @lost.json
  dealstate record --list
  dealstate record --explain revise-forecast

What is recorded happened now, or at --at: a day means its end, today means now. Recording the
same command id again changes nothing and gives the first answer. A command that changes nothing
records nothing."""
)
def record(
    context: typer.Context,
    deal: Annotated[
        str | None,
        typer.Argument(
            metavar="DEAL",
            help="A deal by id, reference or the start of its name. For open-opportunity the id to"
            " give the deal, or new.",
            show_default=False,
        ),
    ] = None,
    command: Annotated[
        str | None,
        typer.Argument(metavar="COMMAND", help="What to record; see --list.", show_default=False),
    ] = None,
    *,
    data: Annotated[
        str, typer.Option(metavar="JSON", help="Its fields; @FILE reads a file, - standard input.")
    ] = "{}",
    happened_at: Annotated[
        str, typer.Option("--at", metavar="TIME", help="When it happened.")
    ] = "now",
    command_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Makes repeating safe.", show_default="a new one"),
    ] = None,
    if_version: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Only if the deal is still at this version."),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the commands.")] = False,
    explained: Annotated[
        str | None,
        typer.Option("--explain", metavar="COMMAND", help="Show its fields and an example."),
    ] = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Record what happened to a deal.

    Any command of the domain, under all its rules.
    """
    if listed:
        _list()
    elif explained is not None:
        _explain(explained)
    elif deal is None or command is None:
        raise typer.BadParameter("give a deal and a command, or --list or --explain COMMAND")
    else:
        at = terminal(context)
        decoded = _decoded(command, _content(data))
        with at.opened() as store:
            intent = _intent(store, at, command_id, happened_at)
            answer = _carry_out(store, deal, decoded, intent, if_version)
        if shape is Shape.JSON:
            print_json(answer)
        else:
            _tell(answer, at)


def _content(data: str) -> bytes:
    """The JSON itself, or what the file or standard input holds."""
    if data == "-":
        content = sys.stdin.buffer.read(_LARGEST_BYTES + 1)
    elif data.startswith("@"):
        content = _file_content(Path(data[1:]))
    else:
        content = data.encode("utf-8", "surrogateescape")
    if len(content) > _LARGEST_BYTES:
        raise typer.BadParameter("more than a megabyte is no command", param_hint="'--data'")
    return content.removeprefix(b"\xef\xbb\xbf")


def _file_content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise typer.BadParameter(f"cannot read {path}: {reason}", param_hint="'--data'") from None


def _decoded(command: str, content: bytes) -> DealCommand:
    try:
        command_type(command)
    except CommandError as error:
        raise typer.BadParameter(
            f"{error} See: dealstate record --list", param_hint="'COMMAND'"
        ) from None
    try:
        return decode_command(command, content)
    except CommandError as error:
        raise typer.BadParameter(
            f"{error} See: dealstate record --explain {command}", param_hint="'--data'"
        ) from None


def _intent(store: Workspace, at: Terminal, command_id: str | None, happened_at: str) -> Intent:
    now = store.now()
    try:
        occurred_at = parse_occurrence(happened_at, at.zone, now)
    except TimeError as error:
        raise typer.BadParameter(str(error), param_hint="'--at'") from None
    return Intent(
        command_id=command_id or str(uuid4()),
        principal=at.principal(store),
        source="cli",
        now=now,
        occurred_at=occurred_at,
    )


def _carry_out(
    store: Workspace,
    deal: str,
    command: DealCommand,
    intent: Intent,
    if_version: int | None,
) -> CommandResult:
    deal_id = _new_id(deal, intent) if isinstance(command, OpenOpportunity) else None
    deal_id = deal_id or find_deal(store, deal)
    handled = store.log.handle(deal_id, command, intent, if_version)
    return CommandResult(
        deal_id=deal_id,
        version=handled.version,
        repeated=handled.repeated,
        events=entries_of_events(store, deal_id, [event.version for event in handled.events]),
    )


def _new_id(wanted: str, intent: Intent) -> str:
    """The id given, else one that follows from the command, so that repeating it opens no other."""
    if wanted != NEW:
        return wanted
    return str(uuid5(_NEW_DEALS, f"{intent.principal.id}\x1f{intent.command_id}"))


def _tell(answer: CommandResult, at: Terminal) -> None:
    if not answer.events:
        say(f"Nothing changed; {answer.deal_id} stays at version {answer.version}.")
        return
    if answer.repeated:
        note("This command id was used before; this is what it led to then.")
    for event in answer.events:
        when = shown.moment(event.occurred_at, at.zone)
        say(clean(f"{event.version:>4}  {when}  {shown.person(event.actor)}: {event.what}"))
    say(f"{answer.deal_id} is at version {answer.version}.")


def _list() -> None:
    print_table(
        [Column("command"), Column("what it is for", wraps=True)],
        [[name, summary_of(wanted)] for name, wanted in BY_NAME.items()],
    )


def _explain(name: str) -> None:
    try:
        wanted = command_type(name)
    except CommandError as error:
        raise typer.BadParameter(str(error), param_hint="'--explain'") from None
    say(f"{name}: {summary_of(wanted)}")
    fields = explain(wanted)
    say()
    print_table(
        [Column("field"), Column(""), Column("type", wraps=True)],
        [[f.name, "required" if f.required else "", f.type] for f in fields],
    )
    say()
    say("Example:")
    sample = json.dumps(example(wanted), ensure_ascii=False)
    target = NEW if wanted is OpenOpportunity else "DEAL"
    say(f"  dealstate record {target} {name} --data {shlex.quote(sample)}")
