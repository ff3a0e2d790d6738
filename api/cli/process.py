"""Sales processes: which there are, what is in one, whether a file is one."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli import shown
from api.cli.groups import commands
from api.cli.output import (
    Column,
    Format,
    FormatOption,
    Shape,
    ShapeOption,
    note,
    print_json,
    print_listing,
    print_table,
    say,
)
from api.cli.terminal import Terminal, terminal
from api.plain import clean
from api.queries.processes import list_processes, show_process
from api.wire.processes import Process, ProcessSummary
from domain.process import ProcessBook
from domain.process_files import ProcessError, built_in_processes, check_process, decode_process
from domain.toml.problems import Severity

app = commands()
process = commands(help="Sales processes: list, show, check a file.", no_args_is_help=True)
app.add_typer(process, name="process")

_LARGEST_BYTES = 5_000_000


@app.callback()
def _group() -> None:
    """Hold the group."""


def _book(at: Terminal) -> ProcessBook:
    """The processes of the store; where there is none, those that come with the program."""
    if not at.has_store:
        return built_in_processes()
    with at.opened() as store:
        return store.log.processes()


@process.command(
    "list",
    epilog="""\b
Examples:
  dealstate process list
  dealstate process list --format json""",
)
def list_all(context: typer.Context, *, layout: FormatOption = Format.TABLE) -> None:
    """List every version of every process that deals can run under."""
    answer = list_processes(_book(terminal(context)))
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.processes, ProcessSummary)
        case Format.TABLE:
            print_table(
                [
                    Column("process"),
                    Column("name", wraps=True),
                    Column("stages", right=True),
                    Column("criteria", right=True),
                    Column("from"),
                ],
                [_summary_row(one) for one in answer.processes],
            )


def _summary_row(one: ProcessSummary) -> list[str]:
    return [
        f"{one.id}/{one.version}",
        one.name.en,
        str(one.stages),
        str(one.criteria),
        "built in" if one.built_in else "published",
    ]


@process.command(
    epilog="""\b
Examples:
  dealstate process show key-account
  dealstate process show key-account/1 --format json"""
)
def show(
    context: typer.Context,
    wanted: Annotated[
        str,
        typer.Argument(
            metavar="PROCESS",
            help="Its id, or id/version; without a version the newest.",
            show_default=False,
        ),
    ],
    *,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Show the stages of a process and their gates."""
    process_id, slash, number = wanted.partition("/")
    if slash and not (number.isascii() and number.isdigit() and int(number)):
        raise typer.BadParameter(
            f"{number!r} is not a version; write id/version, as in key-account/1",
            param_hint="'PROCESS'",
        )
    answer = show_process(_book(terminal(context)), process_id, int(number) if slash else None)
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell(answer)


def _tell(answer: Process) -> None:
    say(clean(f"{answer.id}/{answer.version}  {answer.name.en}"))
    if answer.description:
        say(clean(answer.description.en))
    say()
    print_table(
        [
            Column("stage"),
            Column("name", wraps=True),
            Column("prob", right=True),
            Column("days", right=True),
            Column("forecast"),
            Column("customer's phase", spare=True),
        ],
        [
            [
                stage.id,
                stage.name.en,
                shown.percent(stage.probability),
                str(stage.expected_days),
                stage.forecast_category,
                shown.text(stage.decision_phase),
            ]
            for stage in answer.stages
        ],
    )
    for stage in answer.stages:
        if stage.gate:
            say()
            say(clean(f"To leave {stage.id}:"))
        for criterion in stage.gate:
            say(clean(f"  {criterion.text.en} ({criterion.id}, {criterion.evidence})"))
    if answer.purchase_steps:
        say()
        say("The customer's purchase steps:")
    for step in answer.purchase_steps:
        phase = f", {step.phase}" if step.phase else ""
        say(clean(f"  {step.name.en} ({step.id}{phase})"))


@process.command(
    epilog="""\b
Examples:
  dealstate process check pilot.toml && echo it can be used"""
)
def check(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A process as TOML.", show_default=False),
    ],
) -> None:
    """Check a process file: every error and warning, with its line. Exit 1 for errors."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_BYTES)
        problems = check_process(decode_process(content, str(file)), str(file))
    except OSError as error:
        raise typer.BadParameter(
            f"cannot read {file}: {error.strerror}", param_hint="'FILE'"
        ) from None
    except ProcessError as error:
        problems = list(error.problems)
    for problem in problems:
        note(str(problem))
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if errors:
        note(f"{errors} {'error' if errors == 1 else 'errors'}: it cannot be used.")
        raise typer.Exit(1)
    say(f"{file} is a process" + (", with warnings." if problems else "."))
