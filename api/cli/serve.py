"""Serving a store over HTTP."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from api.cli.ending import leave
from api.cli.failures import fail
from api.cli.first_key import FIRST_USER, has_key, issue_first_key
from api.cli.groups import commands
from api.cli.output import say
from api.cli.terminal import terminal

if TYPE_CHECKING:
    from fastapi import FastAPI

    from api.cli.terminal import Terminal
    from api.settings import Settings
    from projections.engine.working import Worker

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate serve
  dealstate --db sqlite:////var/lib/deals.db serve --port 8080
  dealstate serve --host 10.0.0.5 --behind-proxy 10.0.0.1 --allow-host deals.example.com

The documentation is at /docs, the OpenAPI document at /openapi.json. Tokens of an identity
provider count besides API keys once DEALSTATE_OIDC_ISSUER and DEALSTATE_OIDC_AUDIENCE are set:
see docs/access.md."""
)
def serve(
    context: typer.Context,
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address of this machine to listen on.")
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
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name by which the server may be addressed, besides those of this machine; may"
            " be given more than once.",
            show_default=False,
        ),
    ] = None,
    behind_proxy: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESSES",
            help="Addresses or networks, with commas between, of a proxy that speaks TLS. It is"
            " believed who asks.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Answer over HTTP, to whoever has an API key or a token of the identity provider.

    Where no API key is good and no identity provider is set, a first key is made and shown once.
    Only for this machine: any other address needs a key or a provider first, and a proxy in
    front, since keys and deals must not go over a network unencrypted. Read models that have to
    be built are built before it listens.
    """
    at = terminal(context)
    settings = _settings(at, worker=worker, names=_names(host, allow_host or ()))
    local = is_loopback(host)
    if not local:
        _require_proxy(host, behind_proxy, allow_host or ())
    with at.opened() as store, store.fresh():
        location = str(store.location)
        lacks_key = settings.identity_provider is None and not has_key(store)
        if lacks_key and not local:
            _refuse_to_serve_nobody(host)
        listening = listen(host, port)
        token = issue_first_key(store, at.principal(store)) if lacks_key else None
    address, bound = listening.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    if token is not None:
        # On the terminal alone: a log would keep it.
        say(f"A first key, for {FIRST_USER}. It is shown this once:\n{token}")
        say(
            "Try, with the key in the variable KEY:"
            f' curl -H "Authorization: Bearer $KEY" http://{shown}:{bound}/v1/deals'
        )
    say(f"Serving {location} at http://{shown}:{bound}/docs. Stop with Ctrl-C.")
    _run(settings, listening, behind_proxy)


def _names(host: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """The names by which the server may be addressed, besides those of this machine."""
    shown = f"[{host}]" if ":" in host else host
    return (*allowed, *(() if _is_wildcard(host) else (shown,)))


def _settings(at: "Terminal", *, worker: bool, names: tuple[str, ...]) -> "Settings":
    """From the options, and for the rest from the environment. Ends where that is unusable."""
    from pydantic import ValidationError

    from api.settings import Settings

    try:
        settings = Settings(
            db=at.db,
            timezone=at.zone.key,
            kek=at.kek,
            worker=worker,
            thresholds=at.thresholds,
            fiscal_year_from=at.fiscal_year_from,
        )
    except ValidationError as error:
        told = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        raise typer.BadParameter(f"the environment variables DEALSTATE_…: {told}") from None
    return settings.model_copy(update={"allowed_hosts": (*settings.allowed_hosts, *names)})


def _require_proxy(host: str, behind_proxy: str | None, allowed: Sequence[str]) -> None:
    """For an address that others can reach."""
    if behind_proxy is None:
        raise typer.BadParameter(
            f"{host!r} can be reached by other machines, and keys and deals would go over the"
            " network unencrypted. Put a proxy in front that speaks TLS, and name its address"
            " with --behind-proxy; or use 127.0.0.1, ::1 or localhost.",
            param_hint="'--host'",
        )
    if _is_wildcard(host) and not allowed:
        raise typer.BadParameter(
            "say by which names the server is addressed", param_hint="'--allow-host'"
        )


def _refuse_to_serve_nobody(host: str) -> NoReturn:
    fail(
        "nobody-let-in",
        f"{host} can be reached by others, and there is neither an API key nor an identity"
        " provider.",
        "Issue a key: dealstate users key USER --name TEXT. Or set DEALSTATE_OIDC_ISSUER and"
        " DEALSTATE_OIDC_AUDIENCE.",
    )


def _is_wildcard(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return host == ""


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


def _run(settings: "Settings", listening: socket.socket, behind_proxy: str | None) -> None:
    import uvicorn

    from api.app import create_app

    application = create_app(settings)
    # Nobody but the proxy is believed where a request comes from.
    config = uvicorn.Config(
        application,
        log_level="warning",
        server_header=False,
        proxy_headers=behind_proxy is not None,
        forwarded_allow_ips=behind_proxy or "",
    )
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
