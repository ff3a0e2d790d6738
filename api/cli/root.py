"""The command line as a whole: global options, the table of commands, and how failures end."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from api.cli.groups import commands
from api.cli.terminal import Terminal

COMMANDS = {
    "init": "stores",
    "import": "feeding",
    "simulate": "feeding",
    "deals": "deals",
    "show": "deals",
    "gate": "gate",
    "record": "record",
    "pipeline": "pipeline",
    "waterfall": "waterfall",
    "figures": "figures",
    "coverage": "coverage",
    "flow": "flow",
    "forecast": "forecast",
    "calibration": "calibration",
    "replay": "replay",
    "whatif": "whatif",
    "postmortem": "postmortem",
    "warnings": "warnings",
    "losses": "losses",
    "accounts": "accounts",
    "account": "accounts",
    "map": "people",
    "negotiation": "negotiation",
    "estimates": "estimates",
    "audit": "audit",
    "events": "events",
    "disclose": "disclose",
    "keys": "keys",
    "process": "process",
    "users": "organisation",
    "units": "organisation",
    "limits": "organisation",
    "rates": "rates",
    "targets": "targets",
    "webhooks": "webhooks",
    "reassign": "reassign",
    "erase": "erase",
    "backup": "backup",
    "restore": "backup",
    "rebuild": "models",
    "status": "stores",
    "retry": "models",
    "serve": "serve",
    "worker": "models",
}
"""Each command and the module of this package that holds it, in the order of the help."""

_HOISTED = ("--db", "--kek", "--as", "--timezone", "--thresholds", "--fiscal-year-from")
_OWN_TIMEZONE = "import"


class Commands(TyperGroup):
    """Loads a command's module when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"api.cli.{COMMANDS[cmd_name]}")
        found = get_command(module.app)
        return found.commands[cmd_name] if isinstance(found, TyperGroup) else found

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_broken_text(args)
        return super().parse_args(ctx, hoisted(args))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            from api.cli.failures import exit_code, report

            if not report(error):
                _say_plainly(error)
                raise
            raise typer.Exit(exit_code(error)) from error


def _say_plainly(error: Exception) -> None:
    """Leave out what the library that checks options puts before each of its messages."""
    if isinstance(error, typer.BadParameter):
        error.message = error.message.removeprefix("Value error, ")


def _refuse_broken_text(args: list[str]) -> None:
    """Names of files may be any bytes; everything else is text."""
    for arg in args:
        if not arg.isascii() and any("\ud800" <= c <= "\udfff" for c in arg):
            raise typer.BadParameter(f"{arg!r} is not valid text in this terminal's encoding")


def hoisted(args: list[str]) -> list[str]:
    """The arguments with the global options in front, so that they may stand anywhere.

    `import` has an option --timezone of its own: behind it, that one is meant.
    """
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(args)
    for arg in remaining:
        name, equals, _ = arg.partition("=")
        if arg == "--":
            rest += [arg, *remaining]
        elif name not in _HOISTED or (name == "--timezone" and rest[:1] == [_OWN_TIMEZONE]):
            rest.append(arg)
        elif equals:
            front.append(arg)
        else:
            value = next(remaining, None)
            if value is None:
                raise typer.BadParameter(f"Option '{name}' requires an argument.")
            front += [name, value]
    return front + rest


app = commands(cls=Commands, no_args_is_help=True)


def _version(wanted: bool) -> None:
    if wanted:
        from api.queries.stores import release

        print(f"dealstate {release()}")
        raise typer.Exit


@app.callback(
    epilog="""\b
Examples:
  dealstate import sales_pipeline.csv --from csv --map maven-crm
  dealstate pipeline --as-of 2017-06-30 --by region
  dealstate deals --status lost --limit 5
  dealstate replay D-0042

Global options may stand before or behind the command. Each command explains itself:
dealstate COMMAND --help. Exit codes: 0 done, 1 refused or not found, 2 usage, 3 verification
failed."""
)
def root(
    context: typer.Context,
    *,
    db: Annotated[
        str,
        typer.Option(
            envvar="DEALSTATE_DB", show_envvar=True, metavar="URL", help="The store to work on."
        ),
    ] = "sqlite:///dealstate.db",
    kek: Annotated[
        str | None,
        typer.Option(
            envvar="DEALSTATE_KEK",
            show_envvar=True,
            metavar="SOURCE",
            help="Where the key-encryption key comes from: file:PATH, env:NAME or"
            " plugin:MODULE:FACTORY. With none: read what is public, without any key.",
            show_default="the key file beside the store",
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="USER",
            help="Act as this user, by id or name, with their own roles.",
            show_default="local:<login name>",
        ),
    ] = None,
    timezone: Annotated[
        str,
        typer.Option(
            envvar="DEALSTATE_TIMEZONE",
            show_envvar=True,
            metavar="ZONE",
            help="Time zone of dates without a time, and of what is shown.",
        ),
    ] = "UTC",
    fiscal_year_from: Annotated[
        int,
        typer.Option(
            envvar="DEALSTATE_FISCAL_YEAR_FROM",
            show_envvar=True,
            metavar="MONTH",
            min=1,
            max=12,
            help="The month, from 1, with which the fiscal year begins; it is named by its end.",
        ),
    ] = 1,
    thresholds: Annotated[
        Path | None,
        typer.Option(
            envvar="DEALSTATE_THRESHOLDS",
            show_envvar=True,
            metavar="FILE",
            help="When the rules of the findings fire, as TOML: see docs/findings.md.",
            show_default="built in",
        ),
    ] = None,
    _: Annotated[
        bool,
        typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the release."),
    ] = False,
) -> None:
    """The state of complex sales deals, kept as events: as of any date, and move by move."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows another one in its place.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    context.obj = Terminal(db, user, timezone, kek, thresholds, fiscal_year_from=fiscal_year_from)
