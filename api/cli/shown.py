"""How values are shown to people."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from zoneinfo import ZoneInfo

from api.queries.instants import Instants
from api.times import shown, shown_day
from api.wire.deals import Deal
from api.wire.values import Amount, User

NONE = "–"


def moment(instant: str | None, zone: ZoneInfo) -> str:
    """Day and minute in the time zone."""
    return NONE if instant is None else shown(datetime.fromisoformat(instant), zone)


def day(instant: str | None, zone: ZoneInfo) -> str:
    """The day in the time zone."""
    return NONE if instant is None else shown_day(datetime.fromisoformat(instant), zone)


def point(at: Instants, zone: ZoneInfo) -> str:
    """Which moment of both axes was asked for."""
    as_of = "now" if at.as_of is None else f"as of {shown(at.as_of, zone)}"
    if at.known_at is not None:
        return f"{as_of}, as known at {shown(at.known_at, zone)}"
    return as_of if at.as_of is None else f"{as_of}, with what is known today"


def whole_day(value: date | None) -> str:
    return NONE if value is None else value.isoformat()


def percent(value: int | None) -> str:
    return NONE if value is None else f"{value} %"


def share(part: str | None) -> str:
    """A part of 1 in per cent, with one digit where it says something."""
    if part is None:
        return NONE
    with localcontext() as context:
        context.prec = 60
        value = (Decimal(part) * 100).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    return f"{value or Decimal(0):f} %".replace(".0 %", " %")


def text(value: object) -> str:
    return NONE if value is None or value == "" else str(value)


def number(value: int) -> str:
    """A count; none is shown as a dash, so that the others stand out."""
    return f"{value:,}" if value else NONE


def person(user: User | None) -> str:
    """The name, else the id."""
    return NONE if user is None else user.name or user.id


def money(amount: Amount | None) -> str:
    """An amount with its currency and, where they say something, its minor digits."""
    return NONE if amount is None else f"{_digits(amount)} {amount.currency}"


def _digits(amount: Amount) -> str:
    value = Decimal(amount.amount)
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,}"


def rounded(amount: Amount) -> str:
    """An amount to the whole unit of its currency, without it; none is shown as a dash."""
    value = Decimal(amount.amount).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return f"{value:,}" if Decimal(amount.amount) else NONE


def one_currency(currencies: Iterable[str]) -> str | None:
    """The currency, where there is only one."""
    found = set(currencies)
    return found.pop() if len(found) == 1 else None


def short_name(deal: Deal) -> str:
    """What a deal is called by on the command line: its reference, else the start of its id."""
    return deal.reference or deal.id[:8]
