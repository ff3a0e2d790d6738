"""The deals behind a figure, and the events behind each of them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec

from api.wire.conversions import UsedRate
from api.wire.numbers import money
from api.wire.values import Amount, Instant, Names, User, optional_instant, same
from domain.history import StreamKind, stream_of
from domain.lifecycle import Status
from projections.conversion import Conversion
from projections.drilldown import DealBehind as Projected
from store.times import written

FACTS = (
    *("status", "outcome", "process", "stage", "amount", "currency", "expected_close"),
    *("probability", "forecast_category", "owner", "region", "industry", "territory", "product"),
    *("business_type", "grade", "lead_source", "opened_at", "closed_at"),
)
"""The facts of a deal that name the event that set them."""


class DealBehind(msgspec.Struct, frozen=True, kw_only=True):
    """A deal that a figure counts, as it was reported at (as of, known at)."""

    id: str
    name: str | None
    """As it is called now; null where the listing of deals could not take it in."""
    reference: str | None
    """Id of the deal in the system it came from, as it stands now."""
    status: Status
    outcome: str | None
    """How it ended: won, or how it was lost."""
    process: str
    """Sales process and its version, `key-account/1`."""
    stage: str
    amount: Amount | None
    """The contract value once won, else the amount forecast; null: unknown."""
    weighted_amount: Amount | None
    """Amount times probability."""
    reported_amount: Amount | None
    """The amount in the reporting currency; null without one, without a rate, or if unknown."""
    reported_weighted_amount: Amount | None
    """The weighted amount in the reporting currency."""
    currency: str
    probability: int | None
    """Per cent."""
    expected_close: date | None
    forecast_category: str | None
    owner: User
    region: str | None
    industry: str | None
    territory: str | None
    product: str | None
    """The products, joined where there are several."""
    business_type: str | None
    grade: str | None
    lead_source: str | None
    opened_at: Instant
    closed_at: Instant | None
    events: dict[str, str]
    """By fact, the event that made it what it is, as in deal:d-1@7.

    A fact without a value has one if an event took its value away.
    """

    @classmethod
    def of(
        cls,
        deal: Projected,
        called: tuple[str | None, str | None],
        names: Names,
        conversion: Conversion | None,
        set_by: Mapping[str, int],
    ) -> "DealBehind":
        amount = None if deal.amount is None else deal.amount.amount
        return cls(
            id=deal.deal_id,
            name=called[0],
            reference=called[1],
            amount=Amount.of(deal.amount),
            weighted_amount=(
                None if deal.weighted is None else Amount.exact(deal.weighted, deal.currency)
            ),
            reported_amount=_reported(amount, deal.currency, conversion),
            reported_weighted_amount=_reported(deal.weighted, deal.currency, conversion),
            owner=names.user(deal.owner),
            opened_at=written(deal.opened_at),
            closed_at=optional_instant(deal.closed_at),
            events=_events(deal.deal_id, set_by),
            **same(deal, _AS_IT_IS),
        )


_AS_IT_IS = (
    *("status", "outcome", "process", "stage", "currency", "probability", "expected_close"),
    *("forecast_category", "region", "industry", "territory", "product", "business_type"),
    *("grade", "lead_source"),
)


def _reported(value: Decimal | None, own: str, conversion: Conversion | None) -> Amount | None:
    """An amount in the reporting currency; None without one, without a rate, or if unknown."""
    if value is None or conversion is None or conversion.rate(own) is None:
        return None
    return money(conversion.amount(value, own), conversion.target)


def _events(deal_id: str, set_by: Mapping[str, int]) -> dict[str, str]:
    stream = stream_of(StreamKind.DEAL, deal_id)
    return {fact: f"{stream}@{set_by[fact]}" for fact in FACTS if fact in set_by}


class DealsBehind(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the deals behind a figure, the largest amount first, unknown amounts last.

    In a reporting currency, amounts without a rate stand behind all that have one. Without it,
    amounts of several currencies are in order of their numbers.
    """

    as_of: Instant
    known_at: Instant
    reporting_currency: str | None
    rates: list[UsedRate]
    """With which amounts were converted: of the day of `as_of`, as known at `known_at`."""
    currencies_without_rate: list[str]
    """Their amounts are in their own currency alone."""
    matching: int
    """How many deals there are on all pages together."""
    deals: list[DealBehind]
    cursor: str | None
    """Leads to the deals that follow; null at the end."""
    caveats: list[str]
    """What limits the answer."""
