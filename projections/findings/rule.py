"""What a rule is, and what all rules read."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from domain.buying.facts import PurchaseModeDeclared, VendorStatusChanged
from domain.corrections import DealMerged, EventWithdrawn
from domain.history import Fact
from domain.lifecycle.facts import (
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityResumed,
    OpportunitySuspended,
    OpportunityWon,
    ProcessChanged,
)
from domain.stages.facts import StageAdvanced, StageRegressed
from projections.findings.case import Case
from projections.findings.finding import Firing, Weight

Find: TypeAlias = Callable[[Case], Iterable[Firing]]

COURSE: tuple[type[Fact], ...] = (
    OpportunityOpened,
    ProcessChanged,
    OpportunitySuspended,
    OpportunityResumed,
    OpportunityWon,
    OpportunityLost,
    OpportunityReopened,
    StageAdvanced,
    StageRegressed,
    PurchaseModeDeclared,
    VendorStatusChanged,
    EventWithdrawn,
    DealMerged,
)
"""The course of a deal, which all rules read: its stages, its rests, its end."""


class Rule(msgspec.Struct, frozen=True):
    """A rule of the book."""

    id: str
    find: Find
    weight: Weight
    reads: tuple[type[Fact], ...] = ()
    """Beside `COURSE`: no other event changes what it says."""
    secret: bool = False
    """It rests on secrets, and says nothing to who may not see them."""
