"""Variations: a deal as it was beside what it would have been, and other versions of a process."""

from enum import StrEnum

import msgspec

from api.wire.deals import Deal
from api.wire.findings import Finding, NotAssessable
from api.wire.moves import Move
from api.wire.values import Amount, Instant, Names, same
from api.wire.words import spoken
from domain.deal import describe
from projections.findings import Assessment
from projections.whatif import FindingChange as ProjectedChange
from projections.whatif import Pair as ProjectedPair
from projections.whatif.comparing import Edit
from projections.whatif.judging import Refused
from projections.whatif.portfolio import CurrencyForecast, DealForecast, JudgedMove, Needed
from store.times import written


class WhatIfFrame(msgspec.Struct, frozen=True, kw_only=True):
    """One event on both sides. Null: that side does not have it."""

    version: int
    edit: Edit | None
    """What was done to the event; null: nothing."""
    differs: list[str]
    """The indicators that differ behind it; none where one side does not have it."""
    original: Move | None
    variation: Move | None

    @classmethod
    def of(cls, pair: ProjectedPair, currencies: tuple[str, str], names: Names) -> "WhatIfFrame":
        before, after = pair.original, pair.variation
        return cls(
            version=pair.version,
            edit=pair.edit,
            differs=list(pair.differs),
            original=Move.of(before, currencies[0], names, pair.judged_original)
            if before
            else None,
            variation=Move.of(after, currencies[1], names, pair.judged_variation)
            if after
            else None,
        )


class Inadmissible(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the rules let pass in the original, and would refuse in the variation."""

    version: int
    type: str
    what: str
    code: str
    """Of the refusal."""
    message: str
    satisfied_by: str
    dropped: bool
    """It is not in the variation for that."""

    @classmethod
    def of(cls, refused: Refused, names: Names) -> "Inadmissible":
        event, refusal = refused.frame.event, refused.refusal
        return cls(
            version=event.version,
            type=event.type,
            what=spoken(event.type, describe(event, refused.frame.before), names),
            code=refusal.code,
            message=refusal.message,
            satisfied_by=refusal.satisfied_by,
            dropped=refused.dropped,
        )


class Became(StrEnum):
    """What became of a finding."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    CHANGED = "changed"


class FindingChange(msgspec.Struct, frozen=True):
    """A finding that is not the same on both sides."""

    change: Became
    original: Finding | None
    variation: Finding | None

    @classmethod
    def of(cls, change: ProjectedChange) -> "FindingChange":
        before, after = change.original, change.variation
        became = Became.CHANGED
        if before is None or after is None:
            became = Became.APPEARED if before is None else Became.VANISHED
        return cls(
            became,
            Finding.of(before) if before else None,
            Finding.of(after) if after else None,
        )


class WhatIfSide(msgspec.Struct, frozen=True):
    """Where one side ends, and what the rules of good practice find in it."""

    deal: Deal
    findings: list[Finding]
    not_assessable: list[NotAssessable]

    @classmethod
    def of(cls, deal: Deal, assessment: Assessment) -> "WhatIfSide":
        return cls(
            deal,
            [Finding.of(finding) for finding in assessment.findings],
            NotAssessable.all_of(assessment),
        )


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """A deal as it was, and as it would have been. Nothing of it is stored."""

    as_of: Instant
    known_at: Instant
    at: int
    """Version of the event at which the variation forks off."""
    strict: bool
    original: WhatIfSide
    variation: WhatIfSide
    frames: list[WhatIfFrame]
    """In order of occurrence."""
    inadmissible: list[Inadmissible]
    finding_changes: list[FindingChange]
    """In order of when they began."""
    caveats: list[str]
    """What limits the answer."""


class OverrideNeed(msgspec.Struct, frozen=True):
    """Why a move would have needed an override; both lists empty: it would not."""

    missing: list[str]
    """Criteria of the gate that were not met at the time."""
    skipped: list[str]
    """Stages between."""

    @classmethod
    def of(cls, needed: Needed | None) -> "OverrideNeed | None":
        return None if needed is None else cls(list(needed.missing), list(needed.skipped))


class TriedMove(msgspec.Struct, frozen=True, kw_only=True):
    """A move forward under both versions of the process; null: it has no such stages."""

    deal: str
    reference: str | None
    version: int
    occurred_at: Instant
    from_: str = msgspec.field(name="from")
    to: str
    overridden: bool
    """It was made by an override."""
    old: OverrideNeed | None
    new: OverrideNeed | None

    @classmethod
    def of(cls, move: JudgedMove) -> "TriedMove":
        return cls(
            occurred_at=written(move.occurred_at),
            old=OverrideNeed.of(move.old),
            new=OverrideNeed.of(move.new),
            **same(move, ("deal", "reference", "version", "from_", "to", "overridden")),
        )


class TriedForecast(msgspec.Struct, frozen=True, kw_only=True):
    """What is forecast of an open deal under both versions. Probability in per cent."""

    deal: str
    reference: str | None
    name: str
    process: str
    """The version that the deal runs under."""
    stage: str
    amount: Amount | None
    old_probability: int | None
    new_probability: int | None
    """Null: the stage is not in the other version, and nothing overrides its probability."""
    old_weighted_amount: Amount
    new_weighted_amount: Amount

    @classmethod
    def of(cls, one: DealForecast) -> "TriedForecast":
        return cls(
            amount=Amount.of(one.amount),
            old_weighted_amount=Amount.exact(one.old_weighted, one.currency),
            new_weighted_amount=Amount.exact(one.new_weighted, one.currency),
            **same(one, _AS_FORECAST),
        )


_AS_FORECAST = (
    "deal",
    "reference",
    "name",
    "process",
    "stage",
    "old_probability",
    "new_probability",
)


class TriedTotal(msgspec.Struct, frozen=True, kw_only=True):
    """The open deals in one currency together. What is not known adds nothing, and is counted."""

    currency: str
    deals: int
    amount: Amount
    old_weighted_amount: Amount
    new_weighted_amount: Amount
    unknown_amount: int
    unknown_probability: int
    """Deals without a probability under the other version."""

    @classmethod
    def of(cls, total: CurrencyForecast) -> "TriedTotal":
        return cls(
            amount=Amount.exact(total.amount, total.currency),
            old_weighted_amount=Amount.exact(total.old_weighted, total.currency),
            new_weighted_amount=Amount.exact(total.new_weighted, total.currency),
            **same(total, ("currency", "deals", "unknown_amount", "unknown_probability")),
        )


class UnknownStage(msgspec.Struct, frozen=True):
    """A stage that is not in the other version."""

    stage: str
    deals: int
    """How many stood in it at some time."""


class ProcessTrial(msgspec.Struct, frozen=True, kw_only=True):
    """Another version of a process, tried on the deals that run under it."""

    as_of: Instant
    known_at: Instant
    process: str
    deals: int
    """That run under the process, in whatever version."""
    other_process: int
    """Deals left out, since they run under another process."""
    merged: int
    """Deals left out, since they are duplicates of others."""
    moves_judged: int
    """Moves forward."""
    needed_old: int
    """Of them, those that needed an override under the version that the deal ran under."""
    needed_new: int
    """Those that would have needed one under the other version."""
    moves: list[TriedMove]
    """Those that needed an override under either version, or whose stages one lacks."""
    unknown_stages: list[UnknownStage]
    forecast: list[TriedForecast]
    """Of the open deals."""
    totals: list[TriedTotal]
    """One for each currency."""
