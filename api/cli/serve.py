"""Serving a store over HTTP."""

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.ending import leave
from api.cli.failures import fail
from api.cli.groups import commands
from api.cli.output import say
from api.cli.terminal import terminal

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.settings import Settings
    from projections.engine.working import Worker

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate serve
  dealstate --db sqlite:////var/lib/deals.db serve --port 8080

The documentation is at /docs, the OpenAPI document at /openapi.json."""
)
def serve(
    context: typer.Context,
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="A loopback address of this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="N", help="0 takes any free one.")
    ] = 8000,
    worker: Annotated[
        bool,
        typer.Option(
            "--worker/--no-worker",
            help="Also keep the read models up with the log, as dealstate worker does.",
        ),
    ] = True,
) -> None:
    """Answer over HTTP, to this machine only.

    There is no authentication yet, so other addresses are refused: whoever can reach the port
    can read every deal. Read models that have to be built are built before it listens.
    """
    if not is_loopback(host):
        raise typer.BadParameter(
            f"{host!r} can be reached by other machines, and there is no authentication yet."
            " Use 127.0.0.1, ::1 or localhost.",
            param_hint="'--host'",
        )
    at = terminal(context)
    with at.opened() as store, store.fresh():
        location = str(store.location)
    from api.settings import Settings

    listening = listen(host, port)
    address, bound = listening.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    say(f"Serving {location} at http://{shown}:{bound}/docs. Stop with Ctrl-C.")
    settings = Settings(
        db=at.db,
        timezone=at.zone.key,
        kek=at.kek,
        worker=worker,
        thresholds=at.thresholds,
        fiscal_year_from=at.fiscal_year_from,
    )
    _run(settings, listening)


def is_loopback(host: str) -> bool:
    """Whether the address is one that only this machine can reach."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def listen(host: str, port: int) -> socket.socket:
    """A socket that waits for connections. Ends the command where that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        fail(
            "port-unavailable",
            f"cannot listen on {host} port {port}: {error.strerror}",
            "Choose another with --port; 0 takes any free one.",
        )


def _run(settings: "Settings", listening: socket.socket) -> None:
    import uvicorn

    from api.app import create_app

    application = create_app(settings)
    config = uvicorn.Config(application, log_level="warning", server_header=False)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        _leave_if_at_work(application, 130)
        raise
    _leave_if_at_work(application, 0)


def _leave_if_at_work(application: "FastAPI", code: int) -> None:
    worker: Worker | None = application.state.worker
    if worker is not None and not worker.has_ended:
        leave(code)
