"""`fields`: which parts of an answer somebody wants. One place for every route.

The shape of the answer says which names there are. What is wanted is checked before anything is
looked up, and picked out of the answer once it is there: a selection shows nothing that the whole
answer would not.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias

import msgspec
from fastapi import Request
from msgspec import inspect

from api.routes.faults import ParameterFault

FIELDS = "fields"
LONGEST = 2_000
DESCRIPTION = (
    "Only these fields of the answer, with commas between, as in `deal.name,deal.amount`; a path"
    " goes on in every element of a list."
)

Selection: TypeAlias = Mapping[str, "Selection"]
"""The names wanted, and what of each; empty: all of it."""

Names: TypeAlias = Mapping[str, tuple[inspect.Type, ...]]
"""The fields of an answer, and what each holds."""

_PATH = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*", re.ASCII)
_OURS = "api.wire."


def selected(request: Request, shape: type[msgspec.Struct]) -> Selection:
    """What a request wants of an answer; empty: all of it. Raises ParameterFault."""
    given = request.query_params.getlist(FIELDS)
    if len(given) > 1:
        raise ParameterFault(FIELDS, "it is given more than once")
    return parse_fields(given[0], shape) if given else {}


def parse_fields(text: str, shape: type[msgspec.Struct]) -> Selection:
    """The selection that a text names, of answers of that shape. Raises ParameterFault."""
    if len(text) > LONGEST:
        raise ParameterFault(FIELDS, f"it has more than {LONGEST:,} characters")
    found: dict[str, Any] = {}
    for path in text.split(","):
        if not _PATH.fullmatch(path):
            raise ParameterFault(FIELDS, f"{path[:100]!r} is not a name, nor names with dots")
        _add(found, path.split("."), names_of(shape))
    return found


def _add(found: dict[str, Any], path: list[str], known: Names) -> None:
    """Put a path into the selection. Whoever wants a field whole and a part of it wants it whole.

    Raises ParameterFault.
    """
    above = "the answer"
    for depth, name in enumerate(path, start=1):
        if name not in known:
            few = ", ".join(known) or "no fields to choose from"
            raise ParameterFault(FIELDS, f"{above} has no field {name!r}; it has {few}")
        is_new = name not in found
        inner = found.setdefault(name, {})
        if depth == len(path):
            inner.clear()
        elif not inner and not is_new:
            return
        found, known, above = inner, names_below(known[name]), name


@cache
def names_of(shape: type[msgspec.Struct]) -> Names:
    """The fields of a shape."""
    return names_below((inspect.type_info(shape),))


def names_below(kinds: tuple[inspect.Type, ...]) -> Names:
    """The fields of what may stand there; of a fact none, it is shown as it is stored."""
    found: dict[str, tuple[inspect.Type, ...]] = {}
    for kind in kinds:
        for struct in _structs(kind):
            for field in struct.fields:
                found[field.encode_name] = (*found.get(field.encode_name, ()), field.type)
    return found


def _structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    match kind:
        case inspect.StructType(cls=cls) if cls.__module__.startswith(_OURS):
            yield kind
        case inspect.UnionType(types=kinds):
            for one in kinds:
                yield from _structs(one)
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            yield from _structs(item)
        case inspect.Metadata(type=inner):
            yield from _structs(inner)
        case _:
            pass


def picked(body: bytes, selection: Selection) -> bytes:
    """What is wanted of an answer, in the order in which it has it."""
    return msgspec.json.encode(_picked(msgspec.json.decode(body), selection))


def _picked(value: Any, selection: Selection) -> Any:
    match value:
        case dict() if selection:
            return {
                name: _picked(inner, selection[name])
                for name, inner in value.items()
                if name in selection
            }
        case list() if selection:
            return [_picked(one, selection) for one in value]
        case _:
            return value
