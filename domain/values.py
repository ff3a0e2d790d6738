"""Values that are valid once constructed: money, percentages, scales, references.

They are the leaves of every stored fact, so each has exactly one written form
(see `Money`), and widening one is a change of the stored contract.
"""

from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from domain.currencies import MINOR_DIGITS

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
"""An opaque id: of a deal, a user, an account, a stage, a competitor."""

Label = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
"""A short name that people read: of a deal, a product, a territory."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
"""Free text about the deal."""

Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
"""Whole per cent, 0 to 100."""

Score = Annotated[int, msgspec.Meta(ge=1, le=5)]
"""A judgement from 1 (low) to 5 (high)."""

_INTEGER = "[1-9][0-9]{0,17}"
_FRACTION = "[0-9]{0,8}[1-9]"

DecimalText = Annotated[
    str,
    msgspec.Meta(pattern=rf"^(0|-?{_INTEGER}|-?0\.{_FRACTION}|-?{_INTEGER}\.{_FRACTION})$(?!\n)"),
]
"""A number that is neither money nor a small integer, in its one written form (`decimal_text`).

At most 18 digits before the point and nine behind it; no exponent, no needless zero.
"""

LARGEST_AMOUNT = Decimal(10) ** 15
"""Amounts stay below this, so that one in minor units fits into 64 bits."""

END_OF_TIME = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
START_OF_TIME = datetime(1, 1, 1, tzinfo=UTC)


class Value(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, forbid_unknown_fields=True):
    """Base of compound values inside facts. Defaults are never written, so they never change."""


class Money(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, order=False):
    """A finite, non-negative amount in one ISO 4217 currency.

    `amount` always carries exactly the currency's minor digits (`1054.00` USD,
    `1054` JPY): fewer are filled up, more are an error, never rounded.

    Raises ValueError for an unknown currency, a negative, infinite or too large
    amount, or too many digits.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        digits = MINOR_DIGITS.get(self.currency)
        if digits is None:
            raise ValueError(f"{self.currency!r} is not an ISO 4217 currency code")
        amount = self.amount
        if not amount.is_finite():
            raise ValueError(f"an amount is a finite decimal number, not {amount}")
        if amount < 0:
            raise ValueError(f"an amount is not negative: {amount}")
        if amount >= LARGEST_AMOUNT:
            raise ValueError(f"an amount stays below 10^15: {amount}")
        if amount.as_tuple().exponent != -digits or amount.is_signed():
            exact = _with_digits(amount, digits, self.currency)
            msgspec.structs.force_setattr(self, "amount", exact)

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """Read `text` such as `1054` or `1054.50`. Raises ValueError with the reason."""
        return cls(_number(text), currency)

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> "Money":
        """The inverse of `minor`: 105400 USD cents are 1054.00 USD."""
        return cls(Decimal(minor).scaleb(-MINOR_DIGITS[currency]), currency)

    @property
    def minor(self) -> int:
        """The amount in whole minor units (cents), exact."""
        return int(self.amount.scaleb(MINOR_DIGITS[self.currency]))

    def __str__(self) -> str:
        return f"{self.amount:,} {self.currency}"


def _with_digits(amount: Decimal, digits: int, currency: str) -> Decimal:
    with localcontext() as context:
        context.prec = 40
        exact = abs(amount).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
    if exact != amount:
        raise ValueError(f"{currency} has {digits} minor digits, {amount} has more")
    return exact


def _number(text: str) -> Decimal:
    """A number in ASCII; `Decimal` itself takes digits of any script, and `1_000`."""
    try:
        if "_" in text or not text.isascii():
            raise InvalidOperation
        return Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a decimal number") from None


def decimal_text(number: str) -> str:
    """The one written form of `number`: `90` of `90.0` and `9E+1`. See `DecimalText`.

    Raises ValueError for what is not a finite decimal number in ASCII, or has too many digits.
    """
    value = _number(number)
    if not value.is_finite():
        raise ValueError(f"{number!r} is not a finite number")
    if not value:
        return "0"
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if value.adjusted() >= 18 or exponent < -1_000:
        raise ValueError(f"{number!r} has too many digits")
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if len(text.partition(".")[2]) > 9:
        raise ValueError(f"{number!r} has more than nine digits behind the point")
    return text


class ForecastCategory(StrEnum):
    """How sure the seller is that the deal closes as forecast."""

    PIPELINE = "pipeline"
    BEST_CASE = "best-case"
    MOST_LIKELY = "most-likely"
    COMMIT = "commit"
    CLOSED = "closed"
    OMITTED = "omitted"


class BusinessType(StrEnum):
    """How the deal follows on earlier business (新售 增售 复售 向上销售 交叉销售)."""

    NEW = "new"
    ADD_ON = "add-on"
    RENEWAL = "renewal"
    UPSELL = "upsell"
    CROSS_SELL = "cross-sell"


class Side(StrEnum):
    """Who caused or drove a change of the deal's course."""

    US = "us"
    CUSTOMER = "customer"
    COMPETITOR = "competitor"


class Party(StrEnum):
    """One of the two sides that deal with each other."""

    US = "us"
    CUSTOMER = "customer"

    @property
    def other(self) -> "Party":
        return Party.CUSTOMER if self is Party.US else Party.US


OURSELVES = "us"
"""Names our side where vendors are named; everybody else is a competitor of the deal."""


class ProcessRef(Value, frozen=True):
    """One published version of a sales process."""

    id: Identifier
    version: Annotated[int, msgspec.Meta(ge=1)]

    def __str__(self) -> str:
        return f"{self.id}/{self.version}"


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The last microsecond of `day` in `zone`, in UTC: where a date without a time stands.

    A fact known only by its date so sorts after the timed facts of its day. Where
    the clock is set back over midnight, the last hour of the day comes twice: its
    second coming counts.
    """
    if day == date.max:
        return END_OF_TIME
    return datetime.combine(day, time.max.replace(fold=1), tzinfo=zone).astimezone(UTC)
