"""Serving a store over HTTP."""

import socket
from collections.abc import Sequence
from ipaddress import (
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from api.cli.failures import fail
from api.cli.first_key import FIRST_USER, has_key, issue_first_key
from api.cli.groups import commands
from api.cli.logs import LogFormatOption, LogLevelOption, shape_of_log
from api.cli.output import say
from api.cli.terminal import terminal
from api.operation.levels import LogLevel

if TYPE_CHECKING:
    from api.cli.terminal import Terminal
    from api.operation.processes import Served
    from api.settings import Settings

app = commands()


AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="A name by which the server may be addressed, besides those of this machine; may be"
        " given more than once.",
        show_default=False,
    ),
]
BehindProxy = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESSES",
        help="Addresses or networks, with commas between, of a proxy that speaks TLS. It is"
        " believed who asks.",
        show_default=False,
    ),
]


@app.command(
    epilog="""\b
Examples:
  dealstate serve
  dealstate --db sqlite:////var/lib/deals.db serve --port 8080
  dealstate serve --host 10.0.0.5 --behind-proxy 10.0.0.1 --allow-host deals.example.com
  dealstate --db postgresql://deals@db.example/deals serve --workers 4 --log-format json

The documentation is at /docs, the OpenAPI document at /openapi.json. Tokens of an identity
provider count besides API keys once DEALSTATE_OIDC_ISSUER and DEALSTATE_OIDC_AUDIENCE are set:
see docs/access.md. Running it for others, and what it logs and counts: docs/operating.md."""
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
    workers: Annotated[
        int,
        typer.Option(
            min=1, max=64, metavar="N", help="Processes that serve side by side; on PostgreSQL."
        ),
    ] = 1,
    log_format: LogFormatOption = None,
    log_level: LogLevelOption = LogLevel.INFO,
    allow_host: AllowHost = None,
    behind_proxy: BehindProxy = None,
) -> None:
    """Answer over HTTP, to whoever has an API key or a token of the identity provider.

    Where no API key is good and no identity provider is set, a first key is made and shown once.
    Only for this machine: any other address needs a key or a provider first, and a proxy in
    front, since keys and deals must not go over a network unencrypted. Read models that have to
    be built are built before it listens.
    """
    at = terminal(context)
    if workers > 1 and not at.db.startswith("postgresql"):
        raise typer.BadParameter(
            "several processes serve a store on PostgreSQL; one serves SQLite",
            param_hint="'--workers'",
        )
    meant = address_of(host)
    proxies = None if behind_proxy is None else _proxies(behind_proxy)
    settings = _settings(at, worker=worker, names=_names(host, meant, allow_host or ()))
    local = is_loopback(meant)
    if not local:
        _require_proxy(host, meant, proxies, allow_host or ())
    with at.opened() as store, store.fresh():
        location = str(store.location)
        lacks_key = settings.identity_provider is None and not has_key(store)
        if lacks_key and not local:
            _refuse_to_serve_nobody(host)
        listening = listen(meant, port)
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
    from api.operation.processes import Served

    _run(Served(settings, proxies, shape_of_log(log_format), log_level), listening, workers)


def _names(host: str, meant: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """The names by which the server may be addressed, besides those of this machine."""
    if is_wildcard(meant):
        return tuple(allowed)
    own = (f"[{one}]" if ":" in one else one for one in dict.fromkeys((host, meant)))
    return (*allowed, *own)


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


def _proxies(told: str) -> str:
    """The addresses and networks of proxies, as the server takes them.

    Who comes from there is believed on whose behalf they ask. So it is nobody by mistake, and
    never everybody: each address would try keys as often as it likes, under others' names.
    """
    try:
        found = [ip_network(one.strip()) for one in told.split(",")]
    except ValueError as error:
        raise typer.BadParameter(
            f"{error}; give addresses or networks such as 10.0.0.1,10.1.0.0/16, with commas"
            " between",
            param_hint="'--behind-proxy'",
        ) from None
    whole: list[IPv4Network | IPv6Network] = []
    whole += collapse_addresses(one for one in found if isinstance(one, IPv4Network))
    whole += collapse_addresses(one for one in found if isinstance(one, IPv6Network))
    for one in whole:
        holds_all_of_four = isinstance(one, IPv6Network) and one.supernet_of(_FOUR_IN_SIX)
        if one.prefixlen == 0 or holds_all_of_four or is_wildcard(str(one.network_address)):
            raise typer.BadParameter(
                f"{one} stands for everybody; name the proxies alone",
                param_hint="'--behind-proxy'",
            )
    return ",".join(str(one.network_address if one.num_addresses == 1 else one) for one in found)


_FOUR_IN_SIX = IPv6Network("::ffff:0:0/96")
"""All addresses of version 4, written as ones of version 6."""


def _require_proxy(host: str, meant: str, proxies: str | None, allowed: Sequence[str]) -> None:
    """For an address that others can reach."""
    if proxies is None:
        raise typer.BadParameter(
            f"{host!r} can be reached by other machines, and keys and deals would go over the"
            " network unencrypted. Put a proxy in front that speaks TLS, and name its address"
            " with --behind-proxy; or use 127.0.0.1, ::1 or localhost.",
            param_hint="'--host'",
        )
    if is_wildcard(meant) and not allowed:
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


def address_of(host: str) -> str:
    """The address that would be listened on, as it is written in full.

    There are many ways to write one: `0`, `0x0` and the empty text are 0.0.0.0. What is no
    address, and no name of one, stays as it is; nobody can listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.getaddrinfo(
            host or None, 0, family, socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError):
        return host
    return str(found[0][4][0])


def is_wildcard(address: str) -> bool:
    """Whether it stands for all addresses of this machine."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    four = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (four or found).is_unspecified


def is_loopback(address: str) -> bool:
    """Whether the address is one that only this machine can reach."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    four = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (four or found).is_loopback


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


def _run(served: "Served", listening: socket.socket, workers: int) -> None:
    from api.app import create_app
    from api.operation.logs import configure
    from api.operation.processes import serve_by
    from api.operation.server import run
    from api.operation.traces import Tracing, TracingUnusable
    from api.queries.stores import release

    try:
        tracing = Tracing.configured(release())
    except TracingUnusable as error:
        raise typer.BadParameter(str(error)) from None
    if tracing is not None:
        # Each process has its own.
        tracing.close()
    configure(served.log_format, served.log_level)
    if workers > 1:
        raise typer.Exit(serve_by(workers, served, listening))
    run(served.settings, create_app(served.settings), listening, served.behind_proxy)
