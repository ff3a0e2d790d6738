"""Webhooks: registered, listed, rotated; what they sent, and sending it again."""

from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

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
from api.cli.terminal import terminal
from api.plain import clean
from api.workspace import Workspace
from domain.access import Principal
from domain.intent import Intent
from domain.refusals import UnknownReference, there_are
from domain.webhooks import (
    DEFAULT_OVERLAP_HOURS,
    AnyWebhookCommand,
    AnyWebhookFact,
    ChangeWebhook,
    DisableWebhook,
    EnableWebhook,
    ReplayWebhook,
    Webhook,
    describe,
)

if TYPE_CHECKING:
    from api.webhooks.addresses import Reach
    from api.wire.webhooks import IssuedSecret, RegisteredWebhook
    from store.handled import Handled
    from store.outbox.rows import State

app = commands()
webhooks = commands(no_args_is_help=True)
app.add_typer(webhooks, name="webhooks", help="Have events posted to other programs.")

WantedHook = Annotated[
    str, typer.Argument(metavar="WEBHOOK", help="Id of the webhook.", show_default=False)
]
Url = Annotated[str, typer.Argument(metavar="URL", help="Where to, by https.", show_default=False)]
Types = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="Only events of this type, as note-added; may be given more than once.",
        show_default="all",
    ),
]
Deals = Annotated[
    list[str] | None,
    typer.Option(
        "--deal",
        metavar="ID",
        help="Only events of the deal of this id; may be given more than once.",
        show_default="all that the owner may read",
    ),
]
Name = Annotated[
    str | None, typer.Option(metavar="TEXT", help="What it is for.", show_default=False)
]


@webhooks.command(
    epilog="""\b
Examples:
  dealstate webhooks add https://crm.example.com/hooks --owner anna --type opportunity-won
  dealstate webhooks add https://crm.example.com/hooks --owner anna --deal d-1 --name CRM"""
)
def add(
    context: typer.Context,
    url: Url,
    *,
    owner: Annotated[
        str,
        typer.Option(
            metavar="USER", help="In whose name it reads, by id or name.", show_default=False
        ),
    ],
    types: Types = None,
    deals: Deals = None,
    name: Name = None,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Have events that follow posted to an address, as far as a user may read them.

    The signing secret is shown this once. It takes the right to configure.
    """
    from api.queries.users import named_user
    from api.webhooks.managing import register
    from api.wire.webhooks import WantedWebhook

    at = terminal(context)
    with at.opened() as store:
        wanted = WantedWebhook(
            url, named_user(store, owner), tuple(types or ()), tuple(deals or ()), name
        )
        issued, handled = register(store, reach(), wanted, _intent(store, at.principal(store)))
    _tell_secret(issued, handled, shape)


@webhooks.command(
    "list",
    epilog="""\b
Examples:
  dealstate webhooks list
  dealstate webhooks list --format json""",
)
def list_(context: typer.Context, *, layout: FormatOption = Format.TABLE) -> None:
    """List the webhooks: all for who may configure or audit, for others those that they own."""
    from api.queries.webhooks import list_webhooks
    from api.wire.webhooks import RegisteredWebhook

    at = terminal(context)
    with at.opened() as store:
        answer = list_webhooks(store, at.principal(store))
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.webhooks, RegisteredWebhook)
        case Format.TABLE if not answer.webhooks:
            note("There are no webhooks. Add one: dealstate webhooks add URL --owner USER")
        case Format.TABLE:
            columns = ("webhook", "owner", "url", "types", "deals", "state")
            print_table(
                [Column(name, wraps=name in {"url", "types", "deals"}) for name in columns],
                [_row(one) for one in answer.webhooks],
            )


def _row(one: "RegisteredWebhook") -> list[str]:
    state = "sends" if one.disabled is None else f"disabled ({one.disabled})"
    types, deals = ", ".join(one.types) or "all", ", ".join(one.deals) or "all"
    return [one.id, shown.person(one.owner), one.url, types, deals, state]


@webhooks.command(
    epilog="""\b
Examples:
  dealstate webhooks change 5f1c0a9b3e27d418 https://crm.example.com/v2/hooks"""
)
def change(
    context: typer.Context,
    webhook: WantedHook,
    url: Url,
    *,
    types: Types = None,
    deals: Deals = None,
    name: Name = None,
) -> None:
    """Give a webhook another address, filter or name. What is not given is not set any more."""
    reach().require_form(url)
    command = ChangeWebhook(webhook, url, tuple(types or ()), tuple(deals or ()), name)
    _carry_out(context, command)


@webhooks.command(
    epilog="""\b
Examples:
  dealstate webhooks rotate 5f1c0a9b3e27d418
  dealstate webhooks rotate 5f1c0a9b3e27d418 --overlap 0"""
)
def rotate(
    context: typer.Context,
    webhook: WantedHook,
    *,
    overlap: Annotated[
        int,
        typer.Option(
            min=0,
            max=168,
            metavar="HOURS",
            help="So long messages are signed with the old secret too; 0 where it is known.",
        ),
    ] = DEFAULT_OVERLAP_HOURS,
    shape: ShapeOption = Shape.TEXT,
) -> None:
    """Sign with a new secret, which is shown this once."""
    from api.webhooks.managing import rotate as rotate_secret

    at = terminal(context)
    with at.opened() as store:
        principal = at.principal(store)
        known = _visible(store, principal, webhook)
        issued, handled = rotate_secret(store, known.id, overlap, _intent(store, principal))
    _tell_secret(issued, handled, shape)


@webhooks.command(
    epilog="""\b
Examples:
  dealstate webhooks disable 5f1c0a9b3e27d418"""
)
def disable(context: typer.Context, webhook: WantedHook) -> None:
    """Have a webhook send nothing any more. Its owner may do so too."""
    _carry_out(context, DisableWebhook(webhook))


@webhooks.command(
    epilog="""\b
Examples:
  dealstate webhooks enable 5f1c0a9b3e27d418"""
)
def enable(context: typer.Context, webhook: WantedHook) -> None:
    """Have a webhook go on where it stopped: everything since is sent."""
    _carry_out(context, EnableWebhook(webhook))


@webhooks.command(
    "test",
    epilog="""\b
Examples:
  dealstate webhooks test 5f1c0a9b3e27d418""",
)
def try_(context: typer.Context, webhook: WantedHook, shape: ShapeOption = Shape.TEXT) -> None:
    """Send the receiver an event of type dealstate.ping. Ends with 1 where it is not taken."""
    from api.queries.webhooks import require_may_try
    from api.webhooks.sending import Sender
    from api.webhooks.signed import ping

    at = terminal(context)
    with at.opened() as store:
        principal = at.principal(store)
        known = _visible(store, principal, webhook)
        require_may_try(known, principal)
        tried = ping(store, Sender(reach()), known)
    if shape is Shape.JSON:
        print_json(tried)
    else:
        what = "answered" if tried.status is None else f"answered {tried.status}"
        verdict = "Taken" if tried.taken else f"Not taken ({tried.error})"
        said = "did not answer" if tried.status is None else what
        say(f"{verdict}: the receiver {said}, after {tried.milliseconds} ms.")
    if not tried.taken:
        raise typer.Exit(1)


@webhooks.command(
    epilog="""\b
Examples:
  dealstate webhooks deliveries 5f1c0a9b3e27d418
  dealstate webhooks deliveries 5f1c0a9b3e27d418 --state dead --format json"""
)
def deliveries(
    context: typer.Context,
    webhook: WantedHook,
    *,
    state: Annotated[
        str | None,
        typer.Option(metavar="STATE", help="Only pending, delivered or dead.", show_default="all"),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=1_000, metavar="N", help="At most so many.")
    ] = 50,
    cursor: Annotated[
        str | None,
        typer.Option(metavar="CURSOR", help="Go on where an earlier answer ended."),
    ] = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """What was sent, is due, or was given up, the newest event first, by its place in the feed."""
    from api.queries.webhooks import list_deliveries
    from api.wire.webhooks import WebhookDelivery

    wanted, at = _state(state), terminal(context)
    with at.opened() as store:
        known = _visible(store, at.principal(store), webhook)
        page = list_deliveries(store, known, wanted, limit, cursor)
    match layout:
        case Format.JSON:
            print_json(page)
        case Format.CSV:
            print_listing(page.deliveries, WebhookDelivery)
        case Format.TABLE:
            note(f"{page.pending:,} pending, {page.dead:,} dead.")
            columns = ("position", "state", "attempts", "last", "status", "error", "next")
            right = {"position", "attempts", "status"}
            print_table(
                [Column(name, right=name in right) for name in columns],
                [
                    [
                        str(one.position),
                        one.state,
                        shown.number(one.attempts),
                        shown.moment(one.last_at, at.zone),
                        shown.text(one.status),
                        shown.text(one.error),
                        shown.moment(one.next_at, at.zone),
                    ]
                    for one in page.deliveries
                ],
            )
            if page.cursor:
                note(f"More: --cursor {page.cursor}")


@webhooks.command(
    epilog="""\b
Examples:
  dealstate webhooks replay 5f1c0a9b3e27d418 --after 4711
  dealstate webhooks replay 5f1c0a9b3e27d418 --position 4712"""
)
def replay(
    context: typer.Context,
    webhook: WantedHook,
    *,
    after: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="POSITION", help="All events behind this position of the feed."
        ),
    ] = None,
    position: Annotated[
        int | None, typer.Option(min=1, metavar="POSITION", help="The event at this position.")
    ] = None,
) -> None:
    """Have events sent once more, in the order of the feed. Its owner may ask for that too."""
    if (after is None) == (position is None):
        raise typer.BadParameter("give one of --after and --position")
    begin = after if after is not None else (position or 1) - 1
    _carry_out(context, ReplayWebhook(webhook, begin, position))


def reach() -> "Reach":
    """Where webhooks may be posted to, by the environment. Ends where that is unusable."""
    from pydantic import ValidationError

    from api.settings import Settings
    from api.webhooks.addresses import Reach

    try:
        return Reach.of(Settings().webhook_networks)
    except ValidationError as error:
        told = "; ".join(one["msg"].removeprefix("Value error, ") for one in error.errors())
        raise typer.BadParameter(f"the environment variables DEALSTATE_…: {told}") from None


def _visible(store: Workspace, principal: Principal, webhook: str) -> Webhook:
    """Raises UnknownReference for one that is not there, or not for whoever acts to see."""
    from api.queries.webhooks import WebhookNotFound, list_webhooks, visible_webhook

    try:
        return visible_webhook(store, principal, webhook)
    except WebhookNotFound:
        known = [one.id for one in list_webhooks(store, principal).webhooks]
        raise UnknownReference(
            f"there is no webhook {webhook!r}",
            there_are(known) or "Add one: dealstate webhooks add URL --owner USER.",
        ) from None


def _intent(store: Workspace, principal: Principal) -> Intent:
    now = store.now()
    return Intent(str(uuid4()), principal, "cli", now=now, occurred_at=now)


def _carry_out(context: typer.Context, command: AnyWebhookCommand) -> None:
    at = terminal(context)
    with at.opened() as store:
        principal = at.principal(store)
        _visible(store, principal, command.webhook)
        handled = store.log.set_webhook(command, _intent(store, principal))
    _tell(handled)


def _tell(handled: "Handled") -> None:
    if not handled.events:
        say("Nothing changed.")
    for told in _described(handled):
        say(f"{told}.")


def _tell_secret(issued: "IssuedSecret", handled: "Handled", shape: Shape) -> None:
    if shape is Shape.JSON:
        print_json(issued)
        return
    for told in _described(handled):
        note(f"{told}. Its secret is shown this once:")
    say(issued.secret)


def _described(handled: "Handled") -> list[str]:
    found = []
    for event in handled.events:
        assert isinstance(event.fact, AnyWebhookFact)
        what = describe(event.fact)
        found.append(clean(f"{what[0].upper()}{what[1:]}"))
    return found


def _state(state: str | None) -> "State | None":
    from store.outbox.rows import State

    if state is None:
        return None
    if state not in set(State):
        raise typer.BadParameter(f"use one of {', '.join(State)}", param_hint="'--state'")
    return State(state)
