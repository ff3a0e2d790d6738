"""What if: one deal with other events, or many deals under another version of their process."""

from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from typer.core import TyperCommand

from api.cli import shown
from api.cli.groups import AsOf, KnownAt, commands
from api.cli.output import note, print_json
from api.cli.progress import Progress
from api.cli.terminal import Terminal, terminal
from api.cli.whatif_tables import tell_trial, tell_variation
from api.queries.whatif import insertion, try_process, what_if
from api.workspace import Workspace
from domain.process import SalesProcess
from domain.process_files import ProcessError, decode_process, parse_process
from projections.whatif import EditFault, Edits

app = commands()


class Layout(StrEnum):
    """How the answer is printed."""

    TABLE = "table"
    JSON = "json"


_SET = "--set"


class _WithPairs(TyperCommand):
    """Takes two words behind `--set`, as often as it is given, which Typer has no type for."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, paired(args))


def paired(args: list[str]) -> list[str]:
    """The arguments with the two words behind each `--set` as one, a space between them."""
    found: list[str] = []
    remaining = iter(args)
    for arg in remaining:
        if arg == _SET:
            two = list(islice(remaining, 2))
            if len(two) < 2:
                raise typer.BadParameter("give a version and JSON", param_hint=f"'{_SET}'")
            found += [arg, " ".join(two)]
        else:
            found += [arg, *remaining] if arg == "--" else [arg]
    return found


_Deal = Annotated[
    str | None,
    typer.Argument(
        metavar="DEAL",
        help="A deal by id, reference or the start of its name.",
        show_default=False,
    ),
]


@app.command(
    cls=_WithPairs,
    epilog="""\b
Examples:
  dealstate whatif D-0042 --at 12 --drop 15
  dealstate whatif D-0042 --at 12 --set 14 '{"probability": 60}' --strict
  dealstate whatif D-0042 --at 12 --insert '{"type": "win-plan-set", "plan": "Show the press.",
      "occurred_at": "2026-03-02"}'
  dealstate whatif --process stricter.toml --as-of 2026-06-30

The variation forks off at the event of version N; nothing before it, in the order in which things
happened, is changed. Shown are the moves that differ, the events that the rules would then refuse
and let pass before, and what the rules of good practice find otherwise. Nothing is stored.
docs/whatif.md tells more.""",
)
def whatif(
    context: typer.Context,
    deal: _Deal = None,
    *,
    at: Annotated[
        int | None,
        typer.Option("--at", min=1, metavar="N", help="Fork at the event of this version."),
    ] = None,
    drop: Annotated[
        list[int] | None,
        typer.Option(
            "--drop",
            min=1,
            metavar="V",
            help="Drop the event of this version, with all of its command. May be repeated.",
        ),
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            _SET,
            metavar="V JSON",
            help="Replace fields of the fact of this version. May be repeated.",
        ),
    ] = None,
    insert: Annotated[
        list[str] | None,
        typer.Option(
            "--insert",
            metavar="JSON",
            help="Insert a fact: its stored name as type, its fields, and occurred_at."
            " May be repeated.",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Drop the commands that the rules would refuse.")
    ] = False,
    process: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Instead: another version of a process as TOML, on all deals that run under it.",
        ),
    ] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    layout: Annotated[
        Layout,
        typer.Option("--format", "-f", metavar="table|json", help="How to print the answer."),
    ] = Layout.TABLE,
) -> None:
    """Ask what would have been: other events on a deal, another process for all of them."""
    here = terminal(context)
    if process is not None:
        if deal is not None or at is not None or drop or change or insert or strict:
            raise typer.BadParameter(
                "it is asked of all deals; leave out DEAL and the edits", param_hint="'--process'"
            )
        _try(here, _process(process), as_of, known_at, layout)
        return
    if deal is None or at is None:
        raise typer.BadParameter("name a DEAL and --at, or a file with --process")
    given = _Given(at, drop or [], change or [], insert or [], strict)
    _vary(here, deal, given, as_of=as_of, known_at=known_at, layout=layout)


class _Given(msgspec.Struct, frozen=True):
    """The edits as they were given."""

    at: int
    drop: list[int]
    change: list[str]
    insert: list[str]
    strict: bool

    def edits(self, at: Terminal, store: Workspace) -> Edits:
        """Raises BadParameter, EditFault, and the refusal of a text that cannot be read."""
        now = store.now()
        change: dict[int, dict[str, Any]] = {}
        for one in self.change:
            number, _, text = one.partition(" ")
            version = _version(number)
            if version in change:
                raise EditFault("set", f"version {version} is changed twice; give one object")
            change[version] = _object(text, _SET)
        return Edits(
            at=self.at,
            drop=tuple(self.drop),
            change=change,
            insert=tuple(
                insertion(_object(text, "--insert"), at.zone, now) for text in self.insert
            ),
            strict=self.strict,
        )


def _version(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise typer.BadParameter(f"{text!r} is not a version", param_hint=f"'{_SET}'")
    return int(text)


def _object(text: str, option: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError) as error:
        raise typer.BadParameter(
            f"{text!r} is not a JSON object: {error}", param_hint=f"'{option}'"
        ) from None


def _vary(
    at: Terminal,
    deal: str,
    given: _Given,
    *,
    as_of: str | None,
    known_at: str | None,
    layout: Layout,
) -> None:
    with at.opened() as store, Progress("Training", "models") as progress:
        instants = at.instants(store, as_of, known_at)
        try:
            edits, view = given.edits(at, store), at.readable(store, deal)
            answer = what_if(view, edits, instants, at.principal(store), progress.reached)
        except EditFault as fault:
            raise typer.BadParameter(fault.detail, param_hint=f"'--{fault.edit}'") from None
    if layout is Layout.JSON:
        print_json(answer)
    else:
        tell_variation(answer, shown.point(instants, at.zone), at.zone)


def _try(
    at: Terminal,
    process: SalesProcess,
    as_of: str | None,
    known_at: str | None,
    layout: Layout,
) -> None:
    with at.opened() as store:
        instants = at.instants(store, as_of, known_at)
        with Progress("Replaying", "deals") as progress:
            answer = try_process(store, process, instants, at.principal(store), progress.reached)
    if layout is Layout.JSON:
        print_json(answer)
    else:
        tell_trial(answer, shown.point(instants, at.zone), at.zone)


def _process(file: Path) -> SalesProcess:
    try:
        return parse_process(decode_process(file.read_bytes(), str(file)), str(file))
    except OSError as error:
        raise typer.BadParameter(
            f"cannot read {file}: {error.strerror}", param_hint="'--process'"
        ) from None
    except ProcessError as error:
        for problem in error.problems:
            note(str(problem))
        raise typer.BadParameter(
            f"{file} cannot be used as a process; see: dealstate process check {file}",
            param_hint="'--process'",
        ) from None
