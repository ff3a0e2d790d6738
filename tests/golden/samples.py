"""A few events of every stored type, the same on every run, that touch all of its shape."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, NamedTuple

from msgspec import inspect

from domain.accesses import DataExported, FieldDisclosed, SecretsRead
from domain.directory import (
    ApiKeyIssued,
    ApiKeyRevoked,
    MembershipEnded,
    MembershipGranted,
    UnitRegistered,
    UserRegistered,
)
from domain.history import Draft, Fact, Recorded, StreamKind, stream_of
from domain.organisation import AuthorityLimitsSet
from domain.process import ProcessPublished
from domain.rates import ExchangeRatesPublished
from domain.restoring import StoreRestored
from domain.sessions import SessionEnded, SessionOpened
from domain.targets import TargetSet
from domain.values import Money
from domain.webhooks import (
    WebhookChanged,
    WebhookDisabled,
    WebhookEnabled,
    WebhookRegistered,
    WebhookReplayAsked,
    WebhookSecretRotated,
)

KINDS: dict[type[Fact], StreamKind] = {
    ProcessPublished: StreamKind.PROCESS,
    UserRegistered: StreamKind.USER,
    UnitRegistered: StreamKind.UNIT,
    MembershipGranted: StreamKind.USER,
    MembershipEnded: StreamKind.USER,
    ApiKeyIssued: StreamKind.USER,
    ApiKeyRevoked: StreamKind.USER,
    AuthorityLimitsSet: StreamKind.AUTHORITY,
    FieldDisclosed: StreamKind.ACCESS,
    SecretsRead: StreamKind.ACCESS,
    DataExported: StreamKind.EXPORT,
    SessionOpened: StreamKind.SESSION,
    SessionEnded: StreamKind.SESSION,
    StoreRestored: StreamKind.STORE,
    ExchangeRatesPublished: StreamKind.RATES,
    TargetSet: StreamKind.TARGET,
    WebhookRegistered: StreamKind.WEBHOOK,
    WebhookChanged: StreamKind.WEBHOOK,
    WebhookSecretRotated: StreamKind.WEBHOOK,
    WebhookDisabled: StreamKind.WEBHOOK,
    WebhookEnabled: StreamKind.WEBHOOK,
    WebhookReplayAsked: StreamKind.WEBHOOK,
}


class _Variant(NamedTuple):
    """Which of all possible values to take."""

    every_field: bool
    nulls: bool = False
    member: int = 0
    """Of every enumeration, counted round."""


def samples(fact_type: type[Fact]) -> list[Recorded[Fact]]:
    """The smallest event; full ones, until every member of every enumeration was used; nulls."""
    info = inspect.type_info(fact_type)
    members = max((len(enum) for enum in _enums(info)), default=1)
    variants = [
        _Variant(every_field=False),
        *(_Variant(every_field=True, member=member) for member in range(members)),
        _Variant(every_field=True, nulls=True),
    ]
    facts = {_value(info, "", variant): variant for variant in reversed(variants)}
    return [_event(fact, inferred=facts[fact].every_field) for fact in reversed(facts)]


def _event(fact: Fact, *, inferred: bool) -> Recorded[Fact]:
    kind = KINDS.get(type(fact), StreamKind.DEAL)
    draft = Draft(
        fact=fact,
        occurred_at=datetime(2026, 3, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        known_at=datetime(2026, 4, 1, 8, 30, tzinfo=UTC),
        actor="u-17",
        source="import:crm",
        command_id="c-1",
        correlation_id="c-0",
        inferred=inferred,
    )
    recorded_at = datetime(2026, 11, 21, 22, 5, 0, 120_000, tzinfo=UTC)
    return draft.recorded(stream_of(kind, "4f1c"), 2, recorded_at)


def _enums(info: inspect.Type) -> Iterator[type[Enum]]:
    match info:
        case inspect.StructType(fields=fields):
            for field in fields:
                yield from _enums(field.type)
        case inspect.UnionType(types=types):
            for part in types:
                yield from _enums(part)
        case inspect.VarTupleType(item_type=item):
            yield from _enums(item)
        case inspect.EnumType(cls=enum):
            yield enum


def _value(info: inspect.Type, name: str, variant: _Variant) -> Any:
    match info:
        case inspect.StructType(cls=cls, fields=fields):
            if cls is Money:
                return Money.parse("1054.50", "USD")
            chosen = [field for field in fields if field.required or variant.every_field]
            return cls(**{field.name: _field(field, variant) for field in chosen})
        case inspect.UnionType(types=types):
            return _value(min(types, key=_is_null(variant)), name, variant)
        case inspect.VarTupleType(item_type=item, min_length=least):
            length = max(least or 0, 2) if variant.every_field else (least or 0)
            return tuple(_value(item, name, variant) for _ in range(length))
        case inspect.EnumType(cls=enum):
            return list(enum)[variant.member % len(enum)]
        case inspect.StrType(pattern=str()):
            return "12.5"
        case inspect.StrType():
            return "USD" if name == "currency" else f"{name} “一” of 2"
        case inspect.IntType(ge=lowest, le=highest):
            return 3 if (lowest or 0) <= 3 <= (highest or 3) else lowest
        case inspect.BoolType():
            return True
        case inspect.DateType():
            return date(2026, 6, 30)
        case inspect.NoneType():
            return None
        case _:
            raise NotImplementedError(f"there is no sample for {info}")


def _field(field: inspect.Field, variant: _Variant) -> Any:
    value = _value(field.type, field.encode_name, variant)
    if isinstance(value, bool) and value is field.default:
        return not value
    return value


def _is_null(variant: _Variant) -> Callable[[inspect.Type], bool]:
    """Sorts null last, or first where nulls are wanted."""
    return lambda part: isinstance(part, inspect.NoneType) is not variant.nulls
