"""API keys of users: issued, listed, revoked."""

from datetime import date
from typing import Annotated

import typer

from api.auth.keys import is_good, make_key
from api.cli import shown
from api.cli.configuring import carried_out, carry_out
from api.cli.groups import WantedUser, commands
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
from api.cli.terminal import terminal
from api.plain import clean
from api.queries.users import named_user
from api.wire.organisation import ApiKey, ApiKeyList, IssuedApiKey
from api.workspace import Workspace
from domain.access import NO_DEAL, Action, may, require
from domain.directory import ApiKeyIssued
from domain.organisation import IssueApiKey, RevokeApiKey
from domain.refusals import UnknownReference

app = commands()


@app.command(
    epilog="""\b
Examples:
  dealstate users key anna --name "Nightly export" --only read --until 2026-12-31
  dealstate users key anna --name laptop
  curl -H "Authorization: Bearer dealstate_…" http://127.0.0.1:8000/v1/deals"""
)
def key(
    context: typer.Context,
    user: WantedUser,
    *,
    name: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.", show_default=False)],
    only: Annotated[
        str | None,
        typer.Option(
            metavar="ACTIONS",
            help=f"What it is good for, with commas between: {', '.join(Action)}.",
            show_default="all that the user may do",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="DAY",
            help="The last day, in UTC, on which it is good.",
            show_default="until it is revoked",
        ),
    ] = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Issue an API key, by which a program acts as a user over HTTP. It is shown this once.

    It can do no more than the user may do at that moment, whatever their roles are then.
    """
    actions, last_day = _actions(only), _day(until)
    made, at = make_key(), terminal(context)
    with at.opened() as store:
        command = IssueApiKey(
            named_user(store, user), made.id, made.digest, name, actions, last_day
        )
        (fact,) = carried_out(store, at.principal(store), command)
        assert isinstance(fact, ApiKeyIssued)
    if shape is Shape.JSON:
        print_json(IssuedApiKey(ApiKey.of(fact, good=True), made.token))
        return
    note(clean(f"Issued {fact.user} the API key {fact.key}. It is shown this once:"))
    say(made.token)


def _actions(only: str | None) -> tuple[Action, ...]:
    if only is None:
        return ()
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Action)]
    if unknown or not names:
        raise typer.BadParameter(f"use some of {', '.join(Action)}", param_hint="'--only'")
    return tuple(Action(name) for name in dict.fromkeys(names))


def _day(until: str | None) -> date | None:
    try:
        return date.fromisoformat(until) if until is not None else None
    except ValueError:
        raise typer.BadParameter(
            f"{until!r} is not a day, as in 2026-12-31", param_hint="'--until'"
        ) from None


@app.command(
    epilog="""\b
Examples:
  dealstate users keys
  dealstate users keys anna --format json"""
)
def keys(
    context: typer.Context,
    user: Annotated[
        str | None,
        typer.Argument(metavar="[USER]", help="Only those of this user.", show_default=False),
    ] = None,
    *,
    layout: FormatOption = Format.TABLE,
) -> None:
    """List the API keys that were not revoked. It takes the right to configure, or to audit."""
    at = terminal(context)
    with at.opened() as store:
        principal = at.principal(store)
        if not may(principal, Action.AUDIT, NO_DEAL).allowed:
            require(principal, Action.CONFIGURE, NO_DEAL)
        answer = _listed(store, named_user(store, user) if user is not None else None)
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.keys, ApiKey)
        case Format.TABLE if not answer.keys:
            note("There are no API keys. Issue one: dealstate users key USER --name TEXT")
        case Format.TABLE:
            columns = ("key", "user", "for", "good to", "until")
            print_table(
                [Column(name, wraps=name == "for") for name in columns],
                [_row(one) for one in answer.keys],
            )


def _listed(store: Workspace, user: str | None) -> ApiKeyList:
    users, now = store.log.organisation().directory.users, store.now()
    wanted = [users[one] for one in sorted(users) if user in {None, one}]
    issued = [key for one in wanted for key in one.keys]
    return ApiKeyList([ApiKey.of(key, good=is_good(key, now)) for key in issued])


def _row(one: ApiKey) -> list[str]:
    until = shown.text(one.last_day) if one.good else f"{one.last_day} (over)"
    return [one.id, one.user, one.name, ", ".join(one.actions) or "all", until]


@app.command(
    "revoke-key",
    epilog="""\b
Examples:
  dealstate users revoke-key 5f1c0a9b3e27""",
)
def revoke_key(
    context: typer.Context,
    key_id: Annotated[
        str, typer.Argument(metavar="KEY", help="Id of the key.", show_default=False)
    ],
) -> None:
    """Revoke an API key. It is good for nothing from that moment on, on every server."""
    at = terminal(context)
    with at.opened() as store:
        directory = store.log.organisation().directory
        owner = next(
            (
                one.id
                for one in directory.users.values()
                if key_id in one.revoked or any(key.key == key_id for key in one.keys)
            ),
            None,
        )
        if owner is None:
            raise UnknownReference(
                f"there is no key {key_id!r}", "dealstate users keys lists them."
            )
        carry_out(store, at.principal(store), RevokeApiKey(owner, key_id))
