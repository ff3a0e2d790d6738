"""Numbers in words: amounts, counted things."""

from api.wire.values import Amount


def money(amount: Amount) -> str:
    """With thousands, and without minor digits that say nothing."""
    return f"{float(amount.amount):,.2f}".removesuffix(".00") + f" {amount.currency}"


def counted(count: int, thing: str) -> str:
    """`1 day`, `2 days`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)
