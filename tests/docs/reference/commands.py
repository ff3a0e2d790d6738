"""The reference of the commands."""

from collections.abc import Sequence
from typing import get_args

from api.cli.explaining import example_line
from api.commands import BY_NAME, by_family, facts_of, fields_of, summary
from api.examples import story
from domain.history import Fact, stored_name
from domain.intent import Command, command_name
from tests.docs.reference.markdown import MADE, TEXTS, code, fields_table, link, table
from tests.docs.reference.played import SET_UP, BesideCommand, set_up

_HEAD = f"""\
# Commands

{MADE}
Every command that can be given on a deal: what it is for, its fields, what it is recorded as, and
an example. `dealstate record --help` lists them, and `dealstate record COMMAND --help` prints what
this page says of one. A command that breaks a rule is refused: [refusals](refusals.md).

The data is JSON. A field that is left out takes its default; *none* is the empty list, and *as
before* leaves alone what is known.
{TEXTS}
Ids are made up by whoever records: short names that people recognise, such as `li-na`.
[Values](events.md#values), the choices and objects that fields are made of, are those of the
events.

Giving a command takes the right to record, where nothing else is said.

## The story of the examples

The examples make up one deal, in this order; each is accepted where it stands. A test plays them.

"""

_BESIDE = """\
## Beside the deals

Users, units, roles, limits, exchange rates and targets have commands of their own on the
[command line](cli.md).
"""


def commands() -> str:
    """Every command."""
    parts = [_HEAD + _story()]
    for family, members in by_family(BY_NAME.values()).items():
        parts.append(f"## {family}\n")
        parts += [_command(one) for one in members]
    parts.append(_BESIDE)
    led_to = {type(command): type(event.fact) for command, event in set_up()}
    lines = {type(command): line for line, command in SET_UP}
    parts += [
        _section(one, [led_to[one]], f"dealstate {lines[one]}") for one in get_args(BesideCommand)
    ]
    return "\n".join(parts)


def _story() -> str:
    return table(
        ["day", "command", "recorded as"],
        (
            [
                step.on.isoformat(),
                link(step.command),
                ", ".join(link(name, "events.md") for name in step.leads_to),
            ]
            for step in story()
        ),
    )


def _command(wanted: type[Command]) -> str:
    return _section(wanted, facts_of(wanted), example_line(wanted))


def _section(wanted: type[Command], facts: Sequence[type[Fact]], line: str) -> str:
    led_to = ", ".join(link(stored_name(one), "events.md") for one in facts)
    right = "" if wanted.right is Command.right else f" Takes the right to {wanted.right.value}."
    parts = [
        f"### {command_name(wanted)}",
        summary(wanted),
        f"Recorded as {led_to}.{right}",
        fields_table(fields_of(wanted), [wanted, *facts], "events.md").rstrip(),
        code("sh", line),
    ]
    return "\n\n".join(parts)
