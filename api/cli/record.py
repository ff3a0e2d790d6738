"""Recording: any command of the domain."""

import shlex
import sys
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import msgspec
import typer

from api.cli import shown
from api.cli.explaining import NEW, Record, names_by_family, print_list, unknown_command
from api.cli.groups import commands
from api.cli.output import Shape, ShapeOption, note, print_json, say
from api.cli.script import read_script
from api.cli.terminal import Terminal, terminal
from api.commands import CommandError, command_type, decode_command
from api.plain import clean
from api.queries.listing import find_deal
from api.queries.trails import entries_of_events
from api.queries.views import view_of_recorder
from api.recording import NOT_ALONE, UnusableId, new_deal_id
from api.times import TimeError, parse_occurrence
from api.wire.trails import CommandResult, ScriptResult
from api.workspace import Workspace
from domain.access import Role
from domain.deal import DealCommand
from domain.intent import Intent
from domain.lifecycle.commands import OpenOpportunity
from domain.refusals import NotAllowed, Refusal

app = commands()

_LARGEST_BYTES = 1_000_000


@app.command(
    cls=Record,
    epilog=f"""\b
Examples:
  dealstate record new open-opportunity \\
      --data '{{"name": "Dispatch system", "owner": "anna", "currency": "USD"}}'
  dealstate record "Dispatch sys" revise-forecast --at 2026-03-02 \\
      --data '{{"amount": {{"amount": "120000.00", "currency": "USD"}}}}'
  dealstate record D-0042 lose-opportunity --data @lost.json
  dealstate record D-0042 --script minutes.txt
  dealstate record revise-forecast --help

What is recorded happened now, or at --at: a day means its end, today means now. Recording the
same command id again changes nothing and gives the first answer. A command that changes nothing
records nothing.

A script holds a command a line, as it would stand behind the deal, with --at, --as and --data; a
line that begins with # is a remark, one that ends in a backslash goes on in the next. It stops at
the first refusal; recorded again, it goes on from there. A line that was recorded stays as it is;
what is new stands behind it.

\b
Commands, each explained by dealstate record COMMAND --help:
{names_by_family()}""",
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
        typer.Argument(metavar="COMMAND", help="What to record.", show_default=False),
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
    script: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Record the commands of a file.", show_default=False),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The system a script comes from, which knew each thing when it happened, done by"
            " whoever it says.",
            show_default="known when recorded",
        ),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List the commands and what each is for.")
    ] = False,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Record what happened to a deal.

    Any command of the domain, under all its rules.
    """
    if listed:
        print_list()
    elif script is not None and deal is not None:
        _alone_with_a_script(context)
        _record_script(script, source, deal, terminal(context), shape)
    elif source is not None:
        raise typer.BadParameter("only a script has a source", param_hint="'--source'")
    elif deal is None or command is None:
        raise typer.BadParameter("give a deal and a command, or --list or COMMAND --help")
    else:
        decoded = _decoded(command, _content(data))
        at = terminal(context)
        with at.opened() as store:
            intent = _intent(store, at, command_id, happened_at)
            answer = _carry_out(store, deal, decoded, intent, if_version)
        _answer(answer, at, shape)


def _answer(answer: CommandResult, at: Terminal, shape: Shape) -> None:
    if shape is Shape.JSON:
        print_json(answer)
        return
    _tell(answer, at)
    if answer.events:
        say(f"{answer.deal_id} is at version {answer.version}.")


def _alone_with_a_script(context: typer.Context) -> None:
    """Raise where something is given beside a script that its lines say for themselves."""
    for name in ("command", "data", "happened_at", "command_id", "if_version"):
        given = context.get_parameter_source(name)
        if given is not None and given.name == "COMMANDLINE":
            raise typer.BadParameter("its lines say everything", param_hint="'--script'")


def _record_script(path: Path, source: str | None, deal: str, at: Terminal, shape: Shape) -> None:
    """Record one command after the other; what was recorded before a refusal stays."""
    script = read_script(path, deal, source)
    answers = []
    with at.opened() as store:
        for one in script:
            try:
                if source is None:
                    intent = _intent(store, at.acting_as(one.user), one.command_id, one.at)
                else:
                    own = _intent(store, at, one.command_id, one.at)
                    intent = _told_by(source, one.user, own)
                answers.append(_carry_out(store, deal, one.command, intent, None))
            except (Refusal, LookupError, typer.BadParameter):
                note(f"{path}, line {one.line}, {one.name}:")
                raise
            deal = answers[-1].deal_id
            if shape is not Shape.JSON and not answers[-1].repeated:
                _tell(answers[-1], at)
    if shape is Shape.JSON:
        print_json(ScriptResult(answers))
        return
    before = sum(answer.repeated for answer in answers)
    if before:
        say(f"{before} of {len(answers)} commands were recorded before.")
    if answers:
        say(f"{deal} is at version {answers[-1].version}.")


def _told_by(source: str, user: str | None, intent: Intent) -> Intent:
    """The same as another system tells it: who did it, and that it was known at once.

    The rights are those of whoever records, who has to hold the files. Raises NotAllowed.
    """
    principal = intent.principal
    if Role.OPERATOR not in principal.roles:
        raise NotAllowed(
            f"{principal.id} may not record for another system",
            "Leave --source out, or record it without --as.",
        )
    return msgspec.structs.replace(
        intent,
        principal=msgspec.structs.replace(principal, id=user or principal.id),
        source=f"import:{source}",
        known_at=min(intent.occurred_at, intent.now),
    )


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
        raise unknown_command(error) from None
    try:
        return decode_command(command, content)
    except CommandError as error:
        raise typer.BadParameter(
            f"{error} See: dealstate record {command} --help", param_hint="'--data'"
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
    if isinstance(command, OpenOpportunity):
        deal_id = _opened_as(store, deal, intent)
    else:
        deal_id = find_deal(store, deal)
    if isinstance(command, NOT_ALONE):
        raise typer.BadParameter(
            "on one deal alone it would leave the keys, and every other deal, as they are; use:"
            f" dealstate erase {shlex.quote(f'{deal_id}/{command.stakeholder}')}",
            param_hint="'COMMAND'",
        )
    handled = store.log.handle(deal_id, command, intent, if_version)
    view = view_of_recorder(store, intent.principal, deal_id)
    return CommandResult(
        deal_id=deal_id,
        version=handled.version,
        repeated=handled.repeated,
        events=entries_of_events(view, [event.version for event in handled.events]),
    )


def _opened_as(store: Workspace, wanted: str, intent: Intent) -> str:
    try:
        return new_deal_id(store, None if wanted == NEW else wanted, intent)
    except UnusableId as error:
        raise typer.BadParameter(str(error)) from None


def _tell(answer: CommandResult, at: Terminal) -> None:
    if not answer.events:
        say(f"Nothing changed; {answer.deal_id} stays at version {answer.version}.")
        return
    if answer.repeated:
        note("This command id was used before; this is what it led to then.")
    for event in answer.events:
        when = shown.moment(event.occurred_at, at.zone)
        say(clean(f"{event.version:>4}  {when}  {shown.person(event.actor)}: {event.what}"))
