"""Quotes: prices that we named."""

from datetime import date

import msgspec

from api.wire.numbers import amount, ratio
from api.wire.values import Amount, Instant, Names, User
from domain.history import Recorded
from domain.negotiation import figures as reckoned
from domain.negotiation.facts import QuoteIssued
from store.times import written


class QuotedLine(msgspec.Struct, frozen=True):
    """One product of a quote."""

    product: str
    quantity: str
    list_price: Amount | None
    unit_price: Amount
    discount_percent: str | None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """Prices that we named."""

    number: int
    version: int
    issued_at: Instant
    issued_by: User
    total: Amount
    list_total: Amount | None
    """The lines at list prices; null where a line has none."""
    discount: str | None
    """Share of the list total that the total is below."""
    lines: list[QuotedLine]
    payment_terms: str | None
    delivery_terms: str | None
    valid_until: date | None

    @classmethod
    def of(cls, event: Recorded[QuoteIssued], names: Names) -> "Quote":
        quote = event.fact
        discount = reckoned.quote_discount(quote)
        return cls(
            number=quote.version,
            version=event.version,
            issued_at=written(event.occurred_at),
            issued_by=names.user(event.actor),
            total=Amount(str(quote.total.amount), quote.total.currency),
            list_total=amount(reckoned.list_total(quote), quote.total.currency),
            discount=ratio(discount.share) if discount else None,
            lines=[
                QuotedLine(
                    line.product,
                    line.quantity,
                    Amount.of(line.list_price),
                    Amount(str(line.unit_price.amount), line.unit_price.currency),
                    line.discount_percent,
                )
                for line in quote.lines
            ],
            payment_terms=quote.payment_terms,
            delivery_terms=quote.delivery_terms,
            valid_until=quote.valid_until,
        )
