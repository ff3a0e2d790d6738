"""The commands of the domain as the edges offer them: by name, decoded, explained."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TypeVar, cast

import msgspec
from msgspec import inspect

from api.examples import leads_to
from api.meanings import field_meaning, meaning, named_types
from api.strict_json import JsonFault, decode_strictly
from domain.deal import COMMAND_TYPES, FACT_TYPES, DealCommand
from domain.history import Fact, stored_name
from domain.intent import Command, command_name
from domain.values import Money

BY_NAME: dict[str, type[Command]] = {command_name(one): one for one in COMMAND_TYPES}

FAMILIES = {
    "lifecycle": "Life of the deal",
    "stages": "Stages and forecast",
    "buying": "The customer's process",
    "people": "People",
    "needs": "Needs and value",
    "competition": "Competition",
    "negotiation": "Negotiation",
    "corrections": "Corrections",
}
"""What the families of commands and facts are called, by the room of the domain they stand in."""

T = TypeVar("T", bound=type)


def by_family(types: Iterable[T]) -> dict[str, list[T]]:
    """Commands or facts under the titles of their families, both in order."""
    found: dict[str, list[T]] = {title: [] for title in FAMILIES.values()}
    for one in types:
        found[FAMILIES[one.__module__.split(".")[1]]].append(one)
    return found


class CommandError(ValueError):
    """What was given is not a command. Names the field, or `near`: commands with such a name."""

    def __init__(self, message: str, near: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.near = near


def command_type(name: str) -> type[Command]:
    """The command of a name. Raises CommandError with the nearest names."""
    found = BY_NAME.get(name)
    if found is None:
        near = get_close_matches(name, BY_NAME)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise CommandError(f"there is no command {name!r}.{hint}", near)
    return found


def decode_command(name: str, content: bytes) -> DealCommand:
    """The command of a name with its fields from JSON. Raises CommandError."""
    wanted = command_type(name)
    try:
        return cast("DealCommand", decode_strictly(wanted, content))
    except msgspec.ValidationError as error:
        fields = ", ".join(wanted.__struct_encode_fields__)
        raise CommandError(f"{_located(str(error))}. The fields of {name} are: {fields}.") from None
    except JsonFault as error:
        raise CommandError(f"not valid JSON: {error}") from None


def _located(message: str) -> str:
    """The message with the field in front, `amount: USD has 2 minor digits`."""
    reason, _, path = message.rpartition(" - at `$")
    if not reason:
        return message
    return f"{path.rstrip('`').removeprefix('.')}: {reason}"


# Explaining.


class ExplainedField(msgspec.Struct, frozen=True):
    """One field of a command, of a fact or of a value inside one, in words."""

    name: str
    type: str
    otherwise: str
    """What holds where it is left out; empty for a field that is required."""
    meaning: str

    @property
    def required(self) -> bool:
        return not self.otherwise


def summary(wanted: type[Command]) -> str:
    """What the command is for."""
    return meaning(wanted)


def explain(wanted: type[Command]) -> list[ExplainedField]:
    """The fields of a command."""
    return explain_struct(wanted, facts_of(wanted))


def facts_of(wanted: type[Command]) -> list[type[Fact]]:
    """The facts that a command leads to."""
    names = leads_to(wanted)
    return [one for one in FACT_TYPES if stored_name(one) in names]


def explain_struct(
    struct: type[msgspec.Struct], mirrored_by: Iterable[type] = ()
) -> list[ExplainedField]:
    """The fields of a struct; what those mean that say nothing is looked up in `mirrored_by`."""
    owners = [struct, *mirrored_by]
    return [
        ExplainedField(
            field.encode_name, in_words(field.type), otherwise(field), field_meaning(field, owners)
        )
        for field in fields_of(struct)
    ]


def fields_of(struct: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    """The fields of a struct, as msgspec describes them."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return info.fields


def values_inside(struct: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """The value structs that a struct is made of, at any depth, each before what is inside it."""
    found: list[type[msgspec.Struct]] = []
    for field in fields_of(struct):
        for one in named_types(field.type):
            if issubclass(one, msgspec.Struct):
                found += [one, *values_inside(one)]
    return list(dict.fromkeys(found))


def otherwise(field: inspect.Field) -> str:
    """What holds where a field is left out; empty for one that is required."""
    if field.required:
        return ""
    match field.default:
        case None:
            return "null"
        case ():
            return "none"
        case bool(default):
            return "true" if default else "false"
        case msgspec.NODEFAULT:
            return "as before"
        case default:
            return str(default)


def in_words(kind: inspect.Type) -> str:
    """A type in words."""
    match kind:
        case inspect.UnionType(types=types):
            return " or ".join(in_words(one) for one in types)
        case inspect.NoneType():
            return "null"
        case inspect.StrType(pattern=str()):
            return 'decimal number as text, as in "0.5"'
        case inspect.StrType(max_length=longest):
            return f"text of up to {longest:,} characters" if longest else "text"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType(ge=lowest, le=highest):
            return f"whole number{_range(lowest, highest)}"
        case inspect.DateType():
            return "date, as in 2026-12-31"
        case inspect.EnumType(cls=choices):
            return "one of " + ", ".join(str(choice.value) for choice in choices)
        case inspect.VarTupleType(item_type=item, min_length=least):
            return f"list of {'one or more: ' if least else ''}{in_words(item)}"
        case inspect.StructType(cls=cls, fields=fields):
            if cls is Money:
                return 'amount, as in {"amount": "1054.00", "currency": "USD"}'
            parts = (f"{f.encode_name}{'' if f.required else '?'}" for f in fields)
            return f"object with {', '.join(parts)}"
        case _:
            raise TypeError(f"no words for {kind}")


def _range(lowest: int | None, highest: int | None) -> str:
    if lowest is not None and highest is not None:
        return f" from {lowest} to {highest}"
    return "" if lowest is None else f" from {lowest}"
