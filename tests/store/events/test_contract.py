"""A release whose stored contract is not sound does not start."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, ClassVar

import msgspec
import pytest
from msgspec import UNSET, UnsetType

from domain.history import Fact, Recorded
from domain.values import Money, Value
from store.events.codec import Codec
from store.events.contract import StoredContractError
from store.events.reading import PUBLIC
from store.events.upcasters import Plain, Upcaster


class Colour(StrEnum):
    """An enumeration whose members are written as text."""

    RED = "red"


class Number(Enum):
    """One whose members are not."""

    ONE = 1


class Inner(Value, frozen=True):
    """A value as facts hold them."""

    text: str
    more: tuple[int, ...] = ()


class Loose(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value that lets unknown fields pass."""

    text: str


class Changing(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A value that can change."""

    text: str


class Chatty(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value that writes its defaults."""

    text: str | None = None


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A value written as a list."""

    text: str


def fact(field: Any, default: Any = msgspec.NODEFAULT, tag: str = "tried") -> type[Fact]:
    """A type of fact with one field."""
    described = ("field", field) if default is msgspec.NODEFAULT else ("field", field, default)
    made = msgspec.defstruct("Tried", [described], bases=(Fact,), tag=tag, frozen=True)
    assert issubclass(made, Fact)
    return made


@pytest.mark.parametrize(
    ("field", "default"),
    [
        (str, msgspec.NODEFAULT),
        (str, ""),
        (int, 0),
        (int, 256),
        (int, -5),
        (bool, True),
        (date, msgspec.NODEFAULT),
        (date | None, None),
        (Money, msgspec.NODEFAULT),
        (Colour, Colour.RED),
        (Annotated[str, msgspec.Meta(min_length=1)] | None | UnsetType, UNSET),
        (tuple[Inner, ...], ()),
        (tuple[str, int], msgspec.NODEFAULT),
        (Inner, msgspec.NODEFAULT),
    ],
)
def test_canonical_fields_pass(field: Any, default: Any) -> None:
    Codec([fact(field, default)], {})


@pytest.mark.parametrize(
    "field",
    [
        float,
        Decimal,
        datetime,
        dict[str, str],
        list[str],
        set[str],
        frozenset[str],
        bytes,
        Any,
        Number,
        tuple[float, ...],
        float | None,
        Loose,
        Changing,
        Chatty,
        Listed,
        tuple[Chatty, ...],
    ],
    ids=str,
)
def test_fields_without_a_single_written_form_are_refused(field: Any) -> None:
    with pytest.raises(StoredContractError, match=r"^tried"):
        Codec([fact(field)], {})


@pytest.mark.parametrize(
    ("field", "default"),
    [
        (str, "word"),
        (int, 257),
        (int, -6),
        (date, date(2026, 1, 1)),
        (Inner, Inner("x")),
        (tuple[int, ...], (1,)),
    ],
)
def test_defaults_that_are_not_recognised_by_identity_are_refused(field: Any, default: Any) -> None:
    with pytest.raises(StoredContractError, match=r"tried\.field: the default .* at times"):
        Codec([fact(field, default)], {})


@pytest.mark.parametrize("tag", ["Tried", "tried_on", "tried-", "tried--on", ""])
def test_stored_names_are_kebab_case(tag: str) -> None:
    with pytest.raises(StoredContractError, match="not kebab-case"):
        Codec([fact(str, tag=tag)], {})


def test_two_types_cannot_have_one_stored_name() -> None:
    with pytest.raises(StoredContractError, match="two types are stored as 'tried'"):
        Codec([fact(str), fact(int)], {})


class Moved(Fact, tag="moved", frozen=True):
    """A fact in its third shape."""

    schema_version: ClassVar[int] = 3

    first: str
    second: str


def split(old: Plain) -> Plain:
    first, second = old["both"].split()
    return {"type": old["type"], "first": first, "then": second}


def rename(old: Plain) -> Plain:
    return {"type": old["type"], "first": old["first"], "second": old["then"]}


CHAIN: dict[tuple[str, int], Upcaster] = {("moved", 1): split, ("moved", 2): rename}


@pytest.mark.parametrize("schema", [1, 2])
def test_a_chain_with_a_missing_step_is_refused(schema: int) -> None:
    chain = {key: step for key, step in CHAIN.items() if key != ("moved", schema)}
    with pytest.raises(StoredContractError, match=f"no upcaster leads on from schema {schema}"):
        Codec([Moved], chain)


@pytest.mark.parametrize("key", [("moved", 3), ("moved", 0), ("unheard-of", 1)])
def test_a_step_that_leads_nowhere_is_refused(key: tuple[str, int]) -> None:
    with pytest.raises(StoredContractError, match="leads nowhere"):
        Codec([Moved], {**CHAIN, key: rename})


def test_a_schema_version_below_one_is_refused() -> None:
    class Early(Fact, tag="early", frozen=True):
        schema_version: ClassVar[int] = 0

    with pytest.raises(StoredContractError, match="below 1"):
        Codec([Early], {})


STATE = (
    b'{"stream":"deal:d","version":1,"schema":%d,"occurred_at":"2026-01-01T00:00:00.000000Z",'
    b'"known_at":"2026-01-01T00:00:00.000000Z","recorded_at":"2026-01-01T00:00:00.000000Z",'
    b'"actor":"a","source":"api","command_id":"c","correlation_id":"c","inferred":false,"fact":%s}'
)


@pytest.mark.parametrize(
    ("schema", "stored"),
    [
        (1, b'{"type":"moved","both":"here there"}'),
        (2, b'{"type":"moved","first":"here","then":"there"}'),
        (3, b'{"type":"moved","first":"here","second":"there"}'),
    ],
)
def test_a_fact_of_any_schema_goes_through_the_steps_that_follow(
    schema: int, stored: bytes
) -> None:
    row = ("deal:d", 1, f"moved@{schema}", STATE % (schema, stored))
    event = Codec([Moved], CHAIN).to_event(*row, PUBLIC)
    assert event.fact == Moved("here", "there")
    assert isinstance(event, Recorded)


def test_steps_do_not_change_what_they_are_given() -> None:
    steps: list[tuple[Callable[[Plain], Plain], Plain]] = [
        (split, {"type": "moved", "both": "here there"}),
        (rename, {"type": "moved", "first": "here", "then": "there"}),
    ]
    for step, old in steps:
        before = dict(old)
        step(old)
        assert old == before
