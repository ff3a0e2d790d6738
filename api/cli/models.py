"""Read models: building them anew, trying what is parked again, keeping them up to date."""

import logging
import signal
import sys
from queue import SimpleQueue
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.ending import leave
from api.cli.groups import WantedDeal, commands
from api.cli.logs import LogFormatOption, LogLevelOption
from api.cli.output import Column, Shape, ShapeOption, note, print_json, print_table, say
from api.cli.progress import Progress
from api.cli.terminal import terminal
from api.operation.levels import LogFormat, LogLevel
from api.queries.models import retry as try_again
from api.wire.health import RebuildResult, RetryResult, TableDifference
from projections.engine.models import MODELS, NoSuchModel, named
from projections.engine.rebuilding import Rebuilt
from projections.engine.rebuilding import rebuild as build_anew

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from projections.models import ReadModel

app = commands()

_NAMES = ", ".join(model.NAME for model in MODELS)

_Models = Annotated[
    list[str] | None,
    typer.Argument(metavar="MODEL", help=f"Of {_NAMES}; without any, all.", show_default=False),
]


def _chosen(names: list[str] | None) -> "Sequence[ReadModel]":
    try:
        return named(names or ())
    except NoSuchModel as error:
        raise typer.BadParameter(str(error), param_hint="'MODEL'") from None


@app.command(
    epilog="""\b
Examples:
  dealstate rebuild
  dealstate rebuild deals --workers 1
  dealstate rebuild --check && echo live and rebuilt are equal"""
)
def rebuild(
    context: typer.Context,
    models: _Models = None,
    *,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            max=256,
            metavar="N",
            help="Processes that fold side by side.",
            show_default="as many as pay on this machine",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Compare the rebuilt rows with the live ones; where they differ, keep the live"
            " ones and exit with 3.",
        ),
    ] = False,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Build read models anew from the log.

    They are built beside the live ones, which keep answering and reading on, and take their
    place at once. One rebuild runs at a time; one that is cut short leaves everything as it was.
    """
    chosen = _chosen(models)
    with terminal(context).opened() as store, Progress("Rebuilding", "events") as progress:
        done = build_anew(
            store.views,
            store.tail,
            chosen,
            workers=workers,
            check=check,
            progress=progress.reached,
        )
        if done.switched:
            store.maintain_columns()
    answer = _result(done)
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell_rebuild(answer)
        if check and answer.differences is None:
            say("Nothing was compared: there were no read models of this log and release.")
    if answer.differences:
        raise typer.Exit(3)


def _result(done: Rebuilt) -> RebuildResult:
    differences = None
    if done.differences is not None:
        differences = [
            TableDifference(str(d.table), d.only_live, d.only_rebuilt, d.examples)
            for d in done.differences
        ]
    return RebuildResult(
        events=done.events,
        seconds=round(done.seconds, 3),
        rows={str(table): count for table, count in done.rows.items()},
        differences=differences,
        swapped=done.switched,
    )


def _tell_rebuild(answer: RebuildResult) -> None:
    rate = answer.events / answer.seconds if answer.seconds else 0
    say(f"Folded {answer.events:,} events in {answer.seconds:,.1f} s ({rate:,.0f}/s) into:")
    print_table(
        [Column("table"), Column("rows", right=True)],
        [[table, f"{rows:,}"] for table, rows in answer.rows.items()],
    )
    if answer.differences is None:
        say("They took the place of the live ones.")
    elif not answer.differences:
        say("Checked: every live row equals the rebuilt one.")
    for difference in answer.differences or ():
        say(
            f"{difference.table}: {difference.only_live:,} rows only live,"
            f" {difference.only_rebuilt:,} only rebuilt"
        )
        for example in difference.examples:
            say(f"  {example}")
    if answer.differences:
        say("The live rows were kept. Either they were changed past dealstate, or the log was.")
        say("Run dealstate audit fsck first. Where the log is as it was written, dealstate rebuild")
        say("replaces the live rows by the rebuilt ones.")


@app.command(
    epilog="""\b
Examples:
  dealstate status                          lists what is parked
  dealstate retry deals D-0042
  dealstate retry audit user:anna           a stream that is not a deal"""
)
def retry(
    context: typer.Context,
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help=f"One of {_NAMES}.", show_default=False)
    ],
    deal: WantedDeal,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Have a read model take in a deal again that it could not take in.

    A deal that a read model fails on is parked there: the model leaves it out, and goes on with
    all others. Each is tried again at its next event; this does it now. Exits with 1 where the
    deal stays parked.
    """
    _chosen([model])
    with terminal(context).opened() as store:
        answer = try_again(store, model, deal)
    if shape is Shape.JSON:
        print_json(answer)
    else:
        _tell_retry(answer)
    if answer.outcome == "still-parked":
        raise typer.Exit(1)


def _tell_retry(answer: RetryResult) -> None:
    match answer.outcome:
        case "taken-in":
            say(f"{answer.model} has taken in {answer.stream}.")
        case "not-parked":
            say(f"{answer.stream} is not parked in {answer.model}: there is nothing to do.")
        case "still-parked":
            say(f"{answer.stream} is still parked in {answer.model}: {answer.error}")
            note("The other read models are not affected. An event that cannot be read is shown by")
            note("dealstate audit fsck; anything else is a fault of the read model: report it.")


@app.command(
    epilog="""\b
Examples:
  dealstate worker
  dealstate --kek none --db postgresql://deals@db.example/deals worker
  dealstate worker deals deal-periods       only these; another worker may take the rest"""
)
def worker(
    context: typer.Context,
    models: _Models = None,
    *,
    log_format: LogFormatOption = LogFormat.TEXT,
    log_level: LogLevelOption = LogLevel.INFO,
) -> None:
    """Keep the read models up with the log, until it is stopped with Ctrl-C or SIGTERM.

    Questions catch up by themselves, so a worker is not needed; with one they seldom have to.
    It needs no key: read models hold what is public. On PostgreSQL several may run, on one or
    many machines: the first takes all read models that are free, the others stand by, and take
    them over within ten seconds when it is gone. It also makes the models of the probability to
    win that are due, where scikit-learn is installed, and delivers webhooks, where the store is
    opened with its keys. It tells each thing worth knowing in one line.
    """
    chosen = _chosen(models)
    from api.cli.webhooks import reach
    from api.webhooks.deliverer import deliverer_of
    from api.webhooks.sending import Sender
    from projections.engine.working import Worker

    _log_to_stdout(log_format, log_level)
    log = logging.getLogger("dealstate.worker")
    told = SimpleQueue[None]()
    _when_told(signal.default_int_handler)
    with terminal(context).opened() as store:
        # Nothing is raised from here on: wherever it came, threads would be left at work.
        _when_told(lambda *_: told.put(None))
        log.info("works on %s; stop it with Ctrl-C", store.location)
        upkeep = [store.maintain_columns, store.maintain_models]
        sends = deliverer_of(store, Sender(reach()))
        with Worker(store.views, store.tail, chosen, maintain=upkeep) as working, sends as sending:
            told.get()
            log.info("stops")
        if not working.has_ended or not (sending is None or sending.has_ended):
            # What it is at is given up with its transaction.
            leave(0)


def _when_told(handler: "Callable[[int, FrameType | None], object]") -> None:
    """Do this on Ctrl-C and SIGTERM.

    Also where it was started in the background, by a shell that has Ctrl-C ignored there.
    """
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, handler)


def _log_to_stdout(shape: LogFormat | None, level: LogLevel) -> None:
    """Each line with its time, on standard output, which is what a worker answers with."""
    if shape is LogFormat.JSON:
        from api.operation.logs import configure

        configure(shape, level, sys.stdout)
        return
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s"))
    log = logging.getLogger("dealstate")
    log.handlers, log.propagate = [handler], False
    log.setLevel(level.number)
