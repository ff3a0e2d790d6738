"""The commands of the domain as the edges offer them: by name, decoded, explained."""

from difflib import get_close_matches
from inspect import getdoc
from typing import Any, cast

import msgspec
from msgspec import inspect

from domain.deal import COMMAND_TYPES, DealCommand
from domain.intent import Command, command_name
from domain.lifecycle.facts import Account
from domain.values import Money, ProcessRef

BY_NAME: dict[str, type[Command]] = {command_name(one): one for one in COMMAND_TYPES}


class CommandError(ValueError):
    """What was given is not a command. Names the field."""


def command_type(name: str) -> type[Command]:
    """The command of a name. Raises CommandError with the nearest names."""
    found = BY_NAME.get(name)
    if found is None:
        near = get_close_matches(name, BY_NAME)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise CommandError(f"there is no command {name!r}.{hint}")
    return found


def decode_command(name: str, content: bytes) -> DealCommand:
    """The command of a name with its fields from JSON. Raises CommandError."""
    wanted = command_type(name)
    try:
        return cast("DealCommand", msgspec.json.decode(content, type=wanted))
    except msgspec.ValidationError as error:
        fields = ", ".join(wanted.__struct_encode_fields__)
        raise CommandError(f"{_located(str(error))}. The fields of {name} are: {fields}.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"not valid JSON: {error}") from None


def _located(message: str) -> str:
    """The message with the field in front, `amount: USD has 2 minor digits`."""
    reason, _, path = message.rpartition(" - at `$")
    if not reason:
        return message
    return f"{path.rstrip('`').removeprefix('.')}: {reason}"


# Explaining.


class CommandField(msgspec.Struct, frozen=True):
    """One field of a command, in words."""

    name: str
    type: str
    required: bool


def summary(wanted: type[Command]) -> str:
    """What the command is for."""
    return getdoc(wanted) or ""


def explain(wanted: type[Command]) -> list[CommandField]:
    """The fields of a command."""
    return [
        CommandField(field.encode_name, in_words(field.type), field.required)
        for field in _struct(wanted).fields
    ]


def _struct(wanted: type[msgspec.Struct]) -> inspect.StructType:
    struct = inspect.type_info(wanted)
    assert isinstance(struct, inspect.StructType)
    return struct


def in_words(kind: inspect.Type) -> str:
    """A type in words."""
    match kind:
        case inspect.UnionType(types=types):
            return " or ".join(in_words(one) for one in types)
        case inspect.NoneType():
            return "null"
        case inspect.StrType(max_length=longest):
            return f"text of up to {longest:,} characters" if longest else "text"
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType(ge=lowest, le=highest):
            return f"whole number{_range(lowest, highest)}"
        case inspect.DateType():
            return "date, as in 2026-12-31"
        case inspect.DecimalType():
            return "decimal number as text"
        case inspect.EnumType(cls=choices):
            return "one of " + ", ".join(str(choice.value) for choice in choices)
        case inspect.VarTupleType(item_type=item):
            return f"list of {in_words(item)}"
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


_ALSO_SHOWN = {
    "account",
    "products",
    "objective",
    "due",
    "competitor",
    "decision",
    "driven_by",
    "amount",
}
"""Optional fields that are worth a place in an example."""

_SAMPLES: dict[str, Any] = {
    "name": "Dispatch system",
    "owner": "anna",
    "member": "ben",
    "role": "presales",
    "currency": "USD",
    "products": ["Dispatch"],
    "to": "P2",
    "stage": "P2",
    "criterion": "win-plan-set",
    "note": "Confirmed by the plant manager on the phone.",
    "override_reason": "The customer asked to go ahead.",
    "reason": "The customer asked for it.",
    "what": "Visit the plant",
    "objective": "Agree the scope of the pilot",
    "plan": "Win the plant manager, then the board.",
    "competitor": "Acme",
    "text": "They compare us with two others.",
    "id": "visit-1",
    "told_by": "Plant manager",
    "lessons": ["Meet the decision maker before the proposal."],
    "description": "A second plant in spring",
    "worth_winning": 4,
    "can_win": 3,
    "probability": 60,
    "score": 40,
    "version": 7,
    "outcome": "lost-to-competitor",
    "driven_by": "customer",
    "cause": "customer",
}
_SAMPLE_TYPES: dict[type, Any] = {
    Money: {"amount": "1054.00", "currency": "USD"},
    Account: {"name": "Nordwind Logistics", "industry": "logistics"},
    ProcessRef: {"id": "key-account", "version": 1},
}


def example(wanted: type[Command]) -> dict[str, Any]:
    """Fields that make up a command of this kind: the required ones, else all."""
    fields = _struct(wanted).fields
    required = [f for f in fields if f.required]
    kept = [f for f in fields if f.required or f.encode_name in _ALSO_SHOWN] if required else fields
    return {f.encode_name: _sample(f) for f in kept}


def _sample(field: inspect.Field) -> Any:
    kind = field.type
    if isinstance(kind, inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    if isinstance(kind, inspect.StructType):
        parts = {f.encode_name: _sample(f) for f in kind.fields if f.required}
        return _SAMPLE_TYPES.get(kind.cls, parts)
    known = _SAMPLES.get(field.encode_name)
    if known is None or not _fits(kind, known):
        return _plain_sample(kind)
    return known


def _fits(kind: inspect.Type, sample: Any) -> bool:
    """Whether a sample is one of the choices, where there are choices."""
    return not isinstance(kind, inspect.EnumType) or sample in {c.value for c in kind.cls}


def _plain_sample(kind: inspect.Type) -> Any:
    match kind:
        case inspect.EnumType(cls=choices):
            return next(choice.value for choice in choices)
        case inspect.DateType():
            return "2026-12-31"
        case inspect.BoolType():
            return True
        case inspect.IntType(ge=lowest):
            return lowest or 1
        case inspect.VarTupleType(item_type=item):
            return [_plain_sample(item)]
        case inspect.StructType(fields=fields):
            return {f.encode_name: _sample(f) for f in fields if f.required}
        case _:
            return "…"
