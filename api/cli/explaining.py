"""The help of `record`: the commands by family, and one command with its fields and an example."""

import json
import shlex
import textwrap
from typing import Any

import typer
from typer.core import TyperCommand

from api.cli.output import Column, print_table, say
from api.commands import (
    BY_NAME,
    CommandError,
    ExplainedField,
    by_family,
    command_type,
    explain,
    explain_struct,
    facts_of,
    summary,
    values_inside,
)
from api.examples import example
from api.meanings import meaning
from domain.access import Action
from domain.history import stored_name
from domain.intent import Command, command_name
from domain.lifecycle.commands import OpenOpportunity

NEW = "new"
"""Stands for the deal that is yet to be opened."""


class Record(TyperCommand):
    """Explains the command that is named beside `--help`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        words = [given.get("deal"), given.get("command")]
        ctx.meta[__name__] = [word for word in words if isinstance(word, str)]
        return super().parse_args(ctx, args)

    def get_help(self, ctx: Any) -> str:
        wanted = _named(ctx.meta[__name__])
        if wanted is None:
            return super().get_help(ctx)
        print_explanation(wanted)
        raise typer.Exit


def _named(words: list[str]) -> type[Command] | None:
    """The command that is named: behind a deal, or alone. A deal alone names none."""
    if not words:
        return None
    try:
        return command_type(words[-1])
    except CommandError as error:
        if len(words) == 1 and not error.near:
            return None
        raise unknown_command(error) from None


def unknown_command(error: CommandError) -> typer.BadParameter:
    """How a command that does not exist is refused."""
    return typer.BadParameter(f"{error} See: dealstate record --help", param_hint="'COMMAND'")


def names_by_family() -> str:
    """The names of all commands, as a paragraph of the help."""
    lines = []
    for family, members in by_family(BY_NAME.values()).items():
        names = ", ".join(command_name(one) for one in members)
        lines.append(f"  {family}:")
        lines += textwrap.wrap(
            names, 94, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
        )
    return "\n".join(lines)


def print_list() -> None:
    """Every command and what it is for, by family."""
    longest = max(map(len, BY_NAME))
    for number, (family, members) in enumerate(by_family(BY_NAME.values()).items()):
        if number:
            say()
        print_table(
            [Column(family.ljust(longest)), Column("what it is for", wraps=True)],
            [[command_name(one), summary(one)] for one in members],
        )


def print_explanation(wanted: type[Command]) -> None:
    """What a command is for, its fields, and an example."""
    say(f"{command_name(wanted)}: {summary(wanted)}")
    say()
    _print_fields(explain(wanted))
    for value in values_inside(wanted):
        say()
        say(f"{value.__name__}: {meaning(value)}")
        say()
        _print_fields(explain_struct(value))
    say()
    say(f"Recorded as: {', '.join(stored_name(one) for one in facts_of(wanted))}")
    if wanted.right is not Action.RECORD:
        say(f"Needs the right: {wanted.right.value}")
    say()
    say("Example:")
    say(example_line(wanted))


def _print_fields(fields: list[ExplainedField]) -> None:
    print_table(
        [
            Column("field"),
            Column("default"),
            Column("type", wraps=True),
            Column("meaning", wraps=True),
        ],
        [[one.name, one.otherwise or "required", one.type, one.meaning] for one in fields],
    )


def example_line(wanted: type[Command]) -> str:
    """The example of a command, as a command line."""
    data = laid_out(example(wanted))
    target = NEW if wanted is OpenOpportunity else "DEAL"
    return f"dealstate record {target} {command_name(wanted)} --data {shlex.quote(data)}"


def laid_out(value: Any, indent: str = "") -> str:
    """JSON with a line for each field, and for each object in a list."""
    deeper = f"{indent}  "
    match value:
        case dict() if value:
            parts = [f"{_json(name)}: {laid_out(part, deeper)}" for name, part in value.items()]
            whole = f"{{{', '.join(parts)}}}"
            if indent and len(whole) <= 80 and "\n" not in whole:
                return whole
            return f"{{\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}}}"
        case [dict(), *_]:
            parts = [laid_out(part, deeper) for part in value]
            return f"[\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}]"
        case _:
            return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
