"""Early warnings: the findings that hold on running deals at a moment."""

import msgspec

from api.wire.deals import Deal
from api.wire.findings import Finding
from api.wire.values import Instant


class Warned(msgspec.Struct, frozen=True):
    """A deal, and what the rules warn of."""

    deal: Deal
    findings: list[Finding]
    """The heaviest first, then the latest."""


class RuleCount(msgspec.Struct, frozen=True):
    """On how many deals a rule warns, and on how many it cannot tell."""

    rule: str
    warned: int
    not_assessable: int


class Warnings(msgspec.Struct, frozen=True, kw_only=True):
    """The warnings at (as of, known at)."""

    as_of: Instant
    known_at: Instant
    deals_judged: int
    """Running deals that match, and that the caller may read."""
    deals: list[Warned]
    """Those with the heaviest warnings first; those without any are left out."""
    rules: list[RuleCount]
    caveats: list[str]
