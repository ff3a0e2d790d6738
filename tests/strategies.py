"""Hypothesis strategies for whatever can be stored, read off the types themselves.

A new type of fact, field or value needs nothing here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import NODEFAULT, UNSET, inspect

from domain.currencies import MINOR_DIGITS
from domain.history import Draft, Fact, Recorded
from domain.values import Money
from store.events.codec import REGISTERED

S = TypeVar("S", bound=msgspec.Struct)

_LONGEST_TEXT = 30
_LONGEST_TUPLE = 3
_LARGEST_INTEGER = 2**53

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=_LONGEST_TEXT)
"""Any text that is not empty: every script, control characters, no lone surrogates."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_SECONDS = 2**33

moments = st.one_of(
    st.integers(0, _LATEST_SECONDS * 10**6).map(lambda n: _EPOCH + timedelta(microseconds=n)),
    st.integers(0, _LATEST_SECONDS).map(lambda n: _EPOCH + timedelta(seconds=n)),
)
"""Moments in UTC, many of them on a whole second."""


@st.composite
def amounts(draw: st.DrawFn) -> Money:
    """Money in any currency, up to the largest amount."""
    currency = draw(st.sampled_from(sorted(MINOR_DIGITS)))
    below = 10 ** (15 + MINOR_DIGITS[currency])
    return Money.from_minor(draw(st.integers(0, below - 1)), currency)


def structs_of(cls: type[S], pools: Mapping[str, SearchStrategy[Any]]) -> SearchStrategy[S]:
    """Structs of one type, valid by it; the fields named in `pools` are drawn from there."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    fields = {field.name: _field(field, pools.get(field.name)) for field in info.fields}
    return st.builds(cls, **fields)


@cache
def facts_of(fact_type: type[Fact]) -> SearchStrategy[Fact]:
    """Facts of one type, valid by its types; they need not make sense on a deal."""
    return _of(inspect.type_info(fact_type))


def facts() -> SearchStrategy[Fact]:
    """Facts of every registered type."""
    return st.sampled_from(REGISTERED).flatmap(facts_of)


def drafts(fact: SearchStrategy[Fact] | None = None) -> SearchStrategy[Draft[Fact]]:
    """Facts ready to be appended."""
    return st.builds(
        Draft,
        fact=facts() if fact is None else fact,
        occurred_at=moments,
        actor=texts,
        source=texts,
        command_id=texts,
        correlation_id=texts,
        known_at=st.none() | moments,
        inferred=st.booleans(),
    )


def events(fact: SearchStrategy[Fact] | None = None) -> SearchStrategy[Recorded[Fact]]:
    """Events of any stream."""
    return st.builds(
        Recorded,
        stream=texts.map(lambda name: f"deal:{name}"),
        version=st.integers(1, 10_000),
        occurred_at=moments,
        known_at=moments,
        recorded_at=moments,
        actor=texts,
        source=texts,
        command_id=texts,
        correlation_id=texts,
        fact=facts() if fact is None else fact,
        inferred=st.booleans(),
    )


def _of(info: inspect.Type) -> SearchStrategy[Any]:
    match info:
        case inspect.StructType(cls=cls):
            if cls is Money:
                return amounts()
            return st.builds(cls, **{field.name: _field(field) for field in info.fields})
        case inspect.UnionType(types=types):
            return st.one_of(*map(_of, types))
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            longest = min(most or _LONGEST_TUPLE, _LONGEST_TUPLE)
            return st.lists(_of(item), min_size=least or 0, max_size=longest).map(tuple)
        case inspect.EnumType(cls=enum):
            return st.sampled_from(enum)
        case inspect.StrType(min_length=least, max_length=most, pattern=None):
            longest = min(most or _LONGEST_TEXT, _LONGEST_TEXT)
            return st.text(st.characters(codec="utf-8"), min_size=least or 0, max_size=longest)
        case inspect.StrType(pattern=str() as pattern):
            return st.from_regex(pattern, fullmatch=True)
        case inspect.IntType(ge=lowest, le=highest, gt=None, lt=None, multiple_of=None):
            return st.integers(
                -_LARGEST_INTEGER if lowest is None else lowest,
                _LARGEST_INTEGER if highest is None else highest,
            )
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.DateType():
            return st.dates()
        case _:
            raise NotImplementedError(f"there is no strategy for {info}")


def _field(field: inspect.Field, pool: SearchStrategy[Any] | None = None) -> SearchStrategy[Any]:
    values = _of(field.type) if pool is None else pool
    if field.required:
        return values
    return st.just(UNSET if field.default is NODEFAULT else field.default) | values
