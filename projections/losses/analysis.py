"""The whole analysis of many deals."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from domain.lifecycle.facts import LostOutcome
from projections.findings.lift import (
    LEAD,
    DealSummary,
    LiftTable,
    Reached,
    lift_table,
)
from projections.losses.rivals import HeadToHead, head_to_head
from projections.losses.rows import WON, LossRow
from projections.losses.tables import (
    Accounts,
    Dimension,
    Grave,
    Group,
    Sum,
    accounts,
    breakdown,
    graves,
    sum_of,
)


class LossAnalysis(msgspec.Struct, frozen=True):
    """Why, where, when and to whom deals were lost."""

    won: Sum
    lost: Sum
    to_competitors: Sum
    no_decision: Sum
    """Apart from what competitors won."""
    other_losses: Sum
    """Withdrawn, disqualified and unknown; the three add up to the lost."""
    voided: Sum
    """Not among the lost."""
    by: tuple[Dimension, ...]
    groups: tuple[Group, ...]
    graves: tuple[Grave, ...]
    accounts: Accounts
    competitors: tuple[HeadToHead, ...]
    findings: LiftTable
    comparable: int
    """Deals of which lift can tell something, before it is asked which rules could tell."""


def comparable(summaries: Iterable[DealSummary]) -> int:
    """How many deals had time for findings, and came as far as both lost and won ones did."""
    results: dict[Reached, Counter[str]] = defaultdict(Counter)
    for one in summaries:
        if one.decided_at - one.opened_at >= LEAD:
            results[one.reached][one.result] += 1
    return sum(counts.total() for counts in results.values() if len(counts) > 1)


def loss_analysis(
    rows: Iterable[LossRow],
    summaries: Iterable[DealSummary],
    by: Sequence[Dimension] = (Dimension.REASON, Dimension.STAGE),
    *,
    secrets: bool,
) -> LossAnalysis:
    """The analysis of these deals; `summaries` are of the same ones, for the lift of findings.

    Rules that rest on secrets are among the findings only where `secrets` are shown.
    """
    decided, summed = list(rows), list(summaries)
    lost = [row for row in decided if row.lost]
    apart = (LostOutcome.LOST_TO_COMPETITOR, LostOutcome.NO_DECISION)
    to_competitors, no_decision = ([row for row in lost if row.outcome == one] for one in apart)
    return LossAnalysis(
        won=sum_of([row for row in decided if row.outcome == WON]),
        lost=sum_of(lost),
        to_competitors=sum_of(to_competitors),
        no_decision=sum_of(no_decision),
        other_losses=sum_of([row for row in lost if row.outcome not in apart]),
        voided=sum_of([row for row in decided if row.outcome == LostOutcome.VOIDED]),
        by=tuple(by),
        groups=breakdown(decided, by),
        graves=graves(decided),
        accounts=accounts(decided),
        competitors=head_to_head(decided),
        findings=lift_table(summed, secrets=secrets),
        comparable=comparable(summed),
    )
