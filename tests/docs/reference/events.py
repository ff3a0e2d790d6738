"""The reference of the events."""

import json
import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from inspect import getdoc
from typing import Any, cast

import msgspec

from api.cli.explaining import laid_out
from api.commands import BY_NAME, by_family, facts_of, fields_of, values_inside
from api.meanings import beside, meaning, named_types
from domain.deal import FACT_TYPES
from domain.history import Fact, Recorded, stored_name
from domain.intent import command_name
from store.events.codec import REGISTERED, codec
from store.events.fields import FieldCipher
from store.events.upcasters import UPCASTERS
from tests.docs.reference.markdown import MADE, TEXTS, code, fields_table, link, table
from tests.docs.reference.played import events_beside_deals, events_of_the_story, set_up

_HEAD = f"""\
# Events

{MADE}
Everything that is stored, with its stored name, its fields and an example. Names and meanings never
change; a change of shape raises the schema version, and what was stored before is read as the
newest version. [Commands](commands.md) lead to the events of a deal.

## The written form

An event is one line of JSON, without spaces, in UTF-8, made once and kept as it is. Times are in
UTC with six digits. Amounts are text with their currency's minor digits. A field at its default is
left out, so that equal events have equal bytes; the default *none* is the empty list, and *as
before* says nothing about the field.
{TEXTS}
Around the fact stands the envelope, the same for all. What is personal or secret does not stand in
the fact but behind it, each field encrypted on its own: [who sees which field](audience.md).

"""

_SENSITIVE = f"""
Some fields are marked:

- **Personal.** {beside(Fact)["personal"]}
- **Secret.** {beside(Fact)["secret"]}
"""

_ENCRYPTED = {
    "summary": {"keys": ["person:p-li"], "commitment": "32 bytes", "ciphertext": "bytes in base64"}
}

_UNUSED = cast("FieldCipher", None)
"""Nothing is encrypted for the page."""

_BESIDE = """\
## Beside the deals

Small streams in the same log, with the same envelope.
"""

_VALUES = """\
## Values

What fields are made of: choices, each written as its value, and objects.
"""


def events() -> str:
    """Every event."""
    parts = [_HEAD + _envelope() + _SENSITIVE]
    for family, members in by_family(FACT_TYPES).items():
        parts.append(f"## {family}\n")
        parts += [_event(one) for one in members]
    parts.append(_BESIDE)
    parts += [_event(one) for one in REGISTERED if one not in FACT_TYPES]
    parts.append(_VALUES)
    parts += [_value(one) for one in sorted(values(), key=lambda one: one.__name__)]
    return "\n".join(parts)


@cache
def examples() -> dict[str, Recorded[Any]]:
    """An event of every type, by its stored name."""
    return {**events_of_the_story(), **events_beside_deals()}


def stored(fact_type: type[Fact]) -> bytes:
    """The bytes of the example of a type, as they are before fields are encrypted."""
    row, _ = codec().to_row(examples()[stored_name(fact_type)], (), _UNUSED)
    return row[3]


def _envelope() -> str:
    whole = json.loads(stored(FACT_TYPES[0]))
    whole["fact"] = {"type": whole["fact"]["type"]}
    whole["encrypted"] = _ENCRYPTED
    shown = code("json", laid_out(whole))
    return (
        shown
        + "\nIn the examples only the fact is shown, with what is encrypted in its place."
        + " [Concepts](concepts.md) explains the rest.\n"
    )


def _event(fact_type: type[Fact]) -> str:
    name = stored_name(fact_type)
    marks = {"Personal.": fact_type.personal, "Secret.": fact_type.secret}
    fact = json.loads(stored(fact_type))["fact"]
    parts = [
        f"### {name}",
        meaning(fact_type),
        " ".join(_origin(fact_type)),
        fields_table(fields_of(fact_type), [fact_type], marks=marks).rstrip(),
        code("json", laid_out(fact)),
    ]
    return "\n\n".join(part for part in parts if part)


def _origin(fact_type: type[Fact]) -> Iterable[str]:
    """Where it comes from, in which stream it stands, and which schemas it has had."""
    kind = examples()[stored_name(fact_type)].kind
    if fact_type not in FACT_TYPES:
        yield f"Stream `{kind}:<id>`."
    led_by = [command_name(one) for one in BY_NAME.values() if fact_type in facts_of(one)]
    led_by += {command_name(type(one)) for one, event in set_up() if type(event.fact) is fact_type}
    if led_by:
        yield f"Recorded by {', '.join(link(name, 'commands.md') for name in led_by)}."
    yield f"Schema {fact_type.schema_version}."
    for schema in range(1, fact_type.schema_version):
        yield _history(stored_name(fact_type), schema)


def _history(name: str, schema: int) -> str:
    """What the upcaster says of itself, without the name and the numbers in front."""
    words = getdoc(UPCASTERS[name, schema]) or ""
    told = re.fullmatch(rf"`{name}`, {schema} to {schema + 1}: (.+)", words)
    assert told, f"the upcaster of {name} from schema {schema} does not say what it does"
    return f"From schema {schema} to {schema + 1}: {told[1]}"


def values() -> list[type]:
    """The enumerations and value structs that events are made of."""
    structs = {value for one in REGISTERED for value in values_inside(one)}
    owners: set[type[msgspec.Struct]] = {*REGISTERED, *structs}
    named = {one for owner in owners for f in fields_of(owner) for one in named_types(f.type)}
    return list(named)


def _value(of: type) -> str:
    if issubclass(of, msgspec.Struct):
        body = fields_table(fields_of(of), [of])
    else:
        rows = [[f"`{value}`", words] for value, words in members(of).items()]
        told = any(words for _, words in rows)
        body = (
            table(["value", "meaning"], rows) if told else f"{', '.join(row[0] for row in rows)}\n"
        )
    return f"### {of.__name__}\n\n{meaning(of)}\n\n{body}"


def members(enumeration: type) -> dict[str, str]:
    """The values of an enumeration, and what each means where its docstring says so."""
    assert issubclass(enumeration, StrEnum)
    told = beside(enumeration)
    return {one.value: told.get(one.name, "") for one in enumeration}
