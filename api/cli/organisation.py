"""The organisation: who is in it, in which role, in which unit, and how far they may go."""

from pathlib import Path
from typing import Annotated

import typer

from api.cli import api_keys, shown
from api.cli.configuring import carry_out
from api.cli.failures import fail
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
from api.queries.users import named_user
from api.wire.organisation import (
    HeldRole,
    LimitsOfRole,
    RegisteredUser,
    Unit,
    UnitList,
    UserList,
)
from api.wire.organisation import Limits as LimitsShown
from domain.access import Role
from domain.limit_files import LimitsError, parse_limits
from domain.negotiation import AuthorityLimits
from domain.organisation import (
    EndMembership,
    GrantMembership,
    Organisation,
    RegisterUnit,
    RegisterUser,
    SetAuthorityLimits,
)
from domain.process_files import ProcessError, decode_process

app = commands()
users = commands(help="Users, the roles they hold, and their API keys.", no_args_is_help=True)
units = commands(help="Units: teams, regions, companies.", no_args_is_help=True)
limits = commands(help="How far each role may go alone in a negotiation.", no_args_is_help=True)
users.add_typer(api_keys.app)
app.add_typer(users, name="users")
app.add_typer(units, name="units")
app.add_typer(limits, name="limits")

_LARGEST_BYTES = 1_000_000

WantedRole = Annotated[
    Role,
    typer.Argument(
        metavar="ROLE", help="seller, manager, analyst, auditor or admin.", show_default=False
    ),
]
InUnit = Annotated[
    str | None,
    typer.Option("--unit", metavar="UNIT", help="The unit in which it is held; managers need one."),
]


@app.callback()
def _group() -> None:
    """Hold the groups."""


# Users and their roles.


@users.command(
    "list",
    epilog="""\b
Examples:
  dealstate users list
  dealstate users list --format json""",
)
def list_users(context: typer.Context, *, layout: FormatOption = Format.TABLE) -> None:
    """List every user with the roles they hold now."""
    with terminal(context).opened() as store:
        organisation = store.log.organisation()
    answer = UserList.of(organisation)
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.users, RegisteredUser)
        case Format.TABLE if not answer.users:
            note("There are no users yet. Add one: dealstate users add USER NAME")
        case Format.TABLE:
            print_table(
                [Column("user"), Column("name", wraps=True), Column("roles", wraps=True)],
                [
                    [one.id, shown.text(one.name), _roles(one.roles, organisation)]
                    for one in answer.users
                ],
            )


def _roles(held: list[HeldRole], organisation: Organisation) -> str:
    told = [
        f"{one.role} of {_unit_named(one.unit, organisation)}" if one.unit else one.role.value
        for one in held
    ]
    return ", ".join(told) or shown.NONE


@users.command(
    "add",
    epilog="""\b
Examples:
  dealstate users add anna "Anna Lee"
  dealstate users add anna "Anna Lee-Ray"      a new name for the same user""",
)
def add_user(
    context: typer.Context,
    user: Annotated[
        str, typer.Argument(metavar="USER", help="The id to give them.", show_default=False)
    ],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What they are called.", show_default=False)
    ],
) -> None:
    """Make a user known, or known under a new name. They hold no role yet."""
    at = terminal(context)
    with at.opened() as store:
        carry_out(store, at.principal(store), RegisterUser(user, name))


@users.command(
    epilog="""\b
Examples:
  dealstate users grant anna seller --unit west
  dealstate users grant "Anna Lee" manager --unit west
  dealstate users grant rosa auditor"""
)
def grant(context: typer.Context, user: WantedUser, role: WantedRole, unit: InUnit = None) -> None:
    """Give a user a role. They keep those that they hold."""
    at = terminal(context)
    with at.opened() as store:
        carry_out(store, at.principal(store), GrantMembership(named_user(store, user), role, unit))


@users.command(
    epilog="""\b
Examples:
  dealstate users end anna seller --unit west"""
)
def end(context: typer.Context, user: WantedUser, role: WantedRole, unit: InUnit = None) -> None:
    """End a role that a user holds, in the unit in which they hold it."""
    at = terminal(context)
    with at.opened() as store:
        carry_out(store, at.principal(store), EndMembership(named_user(store, user), role, unit))


# Units.


@units.command(
    "list",
    epilog="""\b
Examples:
  dealstate units list
  dealstate units list --format csv""",
)
def list_units(context: typer.Context, *, layout: FormatOption = Format.TABLE) -> None:
    """List every unit, the unit above it, and who is in it."""
    with terminal(context).opened() as store:
        organisation = store.log.organisation()
    answer = UnitList.of(organisation)
    match layout:
        case Format.JSON:
            print_json(answer)
        case Format.CSV:
            print_listing(answer.units, Unit)
        case Format.TABLE if not answer.units:
            note("There are no units yet. Add one: dealstate units add UNIT NAME")
        case Format.TABLE:
            print_table(
                [
                    Column("unit"),
                    Column("name", wraps=True),
                    Column("under"),
                    Column("managers", wraps=True),
                    Column("sellers", wraps=True),
                ],
                [_unit_row(one, organisation) for one in answer.units],
            )


def _unit_row(one: Unit, organisation: Organisation) -> list[str]:
    return [
        one.id,
        one.name,
        _unit_named(one.parent, organisation) if one.parent else shown.NONE,
        _users_named(one.managers, organisation),
        _users_named(one.sellers, organisation),
    ]


def _unit_named(unit_id: str, organisation: Organisation) -> str:
    unit = organisation.directory.units.get(unit_id)
    return unit.name if unit else unit_id


def _users_named(user_ids: list[str], organisation: Organisation) -> str:
    known = [organisation.directory.users[user_id] for user_id in user_ids]
    names = [one.registered.name if one.registered else one.id for one in known]
    return ", ".join(names) or shown.NONE


@units.command(
    "add",
    epilog="""\b
Examples:
  dealstate units add world "All sales"
  dealstate units add west "Sales West" --under world
  dealstate units add west "Sales West"        the same unit, now at the top""",
)
def add_unit(
    context: typer.Context,
    unit: Annotated[
        str, typer.Argument(metavar="UNIT", help="The id to give it.", show_default=False)
    ],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="What it is called.", show_default=False)
    ],
    under: Annotated[
        str | None,
        typer.Option(metavar="UNIT", help="The unit above it.", show_default="at the top"),
    ] = None,
) -> None:
    """Make a unit known. For a known unit: rename it, or move it to another place."""
    at = terminal(context)
    with at.opened() as store:
        carry_out(store, at.principal(store), RegisterUnit(unit, name, under))


# Limits.


@limits.command(
    "show",
    epilog="""\b
Examples:
  dealstate limits show
  dealstate limits show --format json""",
)
def show_limits(context: typer.Context, *, shape: ShapeOption = Shape.TEXT) -> None:
    """Show how far each role may go without asking."""
    with terminal(context).opened() as store:
        answer = LimitsShown.of(store.log.organisation().limits)
    if shape is Shape.JSON:
        print_json(answer)
    elif not answer.roles:
        say("No limits are set: nobody needs an approval short of a deal's walk-away.")
    else:
        print_table(
            [Column("role"), Column("discount", right=True), Column("terms", wraps=True)],
            [_limits_row(one) for one in answer.roles],
        )


def _limits_row(one: LimitsOfRole) -> list[str]:
    terms = [f"{t.kind} to {t.furthest} {t.unit or ''}".rstrip() for t in one.terms]
    discount = shown.NONE if one.discount_percent is None else f"{one.discount_percent} %"
    return [one.role, discount, ", ".join(terms) or shown.NONE]


@limits.command(
    "set",
    epilog="""\b
Examples:
  dealstate limits set limits.toml

where limits.toml holds
  [[roles]]
  role = "seller"
  discount_percent = "5"

  [[roles.terms]]
  kind = "payment-time"
  furthest = "60"
  unit = "days"

  [[roles]]
  role = "manager"
  discount_percent = "20"

The file replaces all limits; an empty one removes them.""",
)
def set_limits(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The limits as TOML.", show_default=False)
    ],
) -> None:
    """Set how far each role may go without asking."""
    at = terminal(context)
    wanted = _read(file)
    with at.opened() as store:
        carry_out(store, at.principal(store), SetAuthorityLimits(wanted))


def _read(file: Path) -> AuthorityLimits:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST_BYTES)
        return parse_limits(decode_process(content, str(file)), str(file))
    except OSError as error:
        raise typer.BadParameter(
            f"cannot read {file}: {error.strerror}", param_hint="'FILE'"
        ) from None
    except (LimitsError, ProcessError) as error:
        for problem in error.problems:
            note(str(problem))
        fail("invalid-limits", f"{file} cannot be used as authority limits.")
