"""Checks of the stored contract, made when the process starts.

Every stored type has exactly one written form. That holds only for some kinds
of field, and only for defaults that are recognised when a value equals them
(they are left out by identity), so anything else is refused here rather than
found in a log years later.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum
from typing import Any

import msgspec
from msgspec import inspect

from domain.history import Fact, stored_name
from domain.values import Money
from store.events.upcasters import Upcaster

_KEBAB_CASE = re.compile(r"[a-z]+(-[a-z]+)*")
_SCALARS = (
    inspect.StrType,
    inspect.IntType,
    inspect.BoolType,
    inspect.NoneType,
    inspect.DateType,
)
_SHARED_INTEGERS = range(-5, 257)


class StoredContractError(TypeError):
    """The fact types or upcasters of this release do not make a sound stored contract."""


def check_contract(
    fact_types: Iterable[type[Fact]], upcasters: Mapping[tuple[str, int], Upcaster]
) -> None:
    """Raise StoredContractError unless every type has a name and a form of its own."""
    schemas: dict[str, int] = {}
    for fact_type in fact_types:
        name = stored_name(fact_type)
        if not _KEBAB_CASE.fullmatch(name):
            raise StoredContractError(f"the stored name {name!r} is not kebab-case")
        if name in schemas:
            raise StoredContractError(f"two types are stored as {name!r}")
        if fact_type.schema_version < 1:
            raise StoredContractError(f"{name} has a schema_version below 1")
        schemas[name] = fact_type.schema_version
        check_canonical(fact_type)
    _check_chains(schemas, upcasters)


def _check_chains(
    schemas: Mapping[str, int], upcasters: Mapping[tuple[str, int], Upcaster]
) -> None:
    needed = {(name, schema) for name, last in schemas.items() for schema in range(1, last)}
    for name, schema in sorted(needed - upcasters.keys()):
        raise StoredContractError(
            f"{name} is at schema {schemas[name]}, and no upcaster leads on from schema {schema}"
        )
    for name, schema in sorted(upcasters.keys() - needed):
        raise StoredContractError(f"the upcaster of {name} from schema {schema} leads nowhere")


def check_canonical(fact_type: type[Fact]) -> None:
    """Raise StoredContractError unless all fields of a fact have exactly one written form."""
    _check_type(inspect.type_info(fact_type), stored_name(fact_type), set())


def _check_type(info: inspect.Type, where: str, seen: set[type]) -> None:
    match info:
        case inspect.StructType(cls=cls):
            if cls is not Money and cls not in seen:
                seen.add(cls)
                _check_struct(info, where, seen)
        case inspect.UnionType(types=types):
            for part in types:
                _check_type(part, where, seen)
        case inspect.VarTupleType(item_type=item):
            _check_type(item, where, seen)
        case inspect.TupleType(item_types=items):
            for item in items:
                _check_type(item, where, seen)
        case inspect.EnumType(cls=enum):
            if not issubclass(enum, StrEnum):
                raise StoredContractError(f"{where}: {enum.__name__} is not a StrEnum")
        case _ if not isinstance(info, _SCALARS):
            kind = type(info).__name__.removesuffix("Type").lower()
            raise StoredContractError(f"{where}: a {kind} has no single written form")


def _check_struct(info: inspect.StructType, where: str, seen: set[type]) -> None:
    config = info.cls.__struct_config__
    shape_is_fixed = config.frozen and config.forbid_unknown_fields and not config.array_like
    if not shape_is_fixed:
        raise StoredContractError(
            f"{where}: {info.cls.__name__} is not frozen, or takes unknown fields, or is a list"
        )
    for field in info.fields:
        place = f"{where}.{field.encode_name}"
        if not field.required:
            if not config.omit_defaults:
                raise StoredContractError(f"{place}: {info.cls.__name__} writes its defaults")
            _check_default(field, place)
        _check_type(field.type, place, seen)


def _check_default(field: inspect.Field, where: str) -> None:
    """A default is left out by identity, so one object has to stand for all equal ones."""
    default: Any = field.default
    match default:
        case None | True | False | Enum() | () | "":
            recognised = True
        case int():
            recognised = default in _SHARED_INTEGERS
        case _:
            # msgspec describes a field that defaults to UNSET as optional without a default.
            recognised = default is msgspec.NODEFAULT is field.default_factory
    if not recognised:
        raise StoredContractError(f"{where}: the default {default!r} would at times be written")
