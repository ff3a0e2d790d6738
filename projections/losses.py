"""Loss analysis over many deals: why, where, when and to whom they were lost.

Theory of operation. Every decided deal gives one row (`row_of`), with what the analysis asks for;
the rest are counts and sums over rows. A deal counts once in every table: among several accounts of
why it was lost, the buyer's goes before the manager's, and that before the seller's. A voided
tender is no loss: it is counted apart, and stands in none of the tables. Amounts are summed by
currency, and a deal whose amount is not known is counted as such.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from statistics import median

import msgspec

from domain.competition.facts import CompetitorKind
from domain.deal import Deal, DealEvent
from domain.lifecycle import Status
from domain.lifecycle.facts import LostOutcome, OpportunityLost, ReasonDriver, Teller
from domain.naming import Naming
from domain.process import ProcessBook
from domain.values import Money
from projections.findings.case import runs
from projections.findings.lift import (
    LEAD,
    DealSummary,
    LiftTable,
    Reached,
    furthest,
    lift_table,
)
from projections.frames import frames_of
from projections.instants import days_between

UNKNOWN = "unknown"
"""How something is called that nobody put on record."""
NOBODY_ELSE = "none"
"""In place of a competitor, where a deal was not lost to one."""

WON = "won"


class Told(msgspec.Struct, frozen=True):
    """A reason of an outcome, by whose account it is."""

    by: Teller
    driver: ReasonDriver


class LossRow(msgspec.Struct, frozen=True):
    """What loss analysis has to know of a decided deal, at its outcome. None: not on record."""

    deal_id: str
    outcome: str
    """`won`, or one of the values of `LostOutcome`."""
    opened_at: datetime
    decided_at: datetime
    reached: Reached
    """The furthest stage of its process before the outcome."""
    stage: str
    """The one in which it ended."""
    amount: Money | None
    """The contract value once won, else the amount forecast."""
    competitor: str | None
    """Who won it, by name; `unknown` where nobody knows. None: no competitor did."""
    competitors: tuple[str, ...]
    """The vendors recorded on the deal before the outcome, by name."""
    purchase_mode: str | None
    industry: str | None
    region: str | None
    business_type: str | None
    size: str | None
    """Of the account, in the classes that the organisation uses."""
    reasons: tuple[Told, ...]
    """The latest of each teller since the deal was last taken up again."""
    to_vendor: bool = True
    """Whether the competitor who won it, if any, is a vendor, and not the customer's own people."""

    @property
    def age(self) -> int:
        """Days from the opening to the outcome."""
        return days_between(self.opened_at, self.decided_at)

    @property
    def lost(self) -> bool:
        return self.outcome not in (WON, LostOutcome.VOIDED)

    @property
    def reason(self) -> ReasonDriver | None:
        """Why, by the account nearest to who decided; None: nobody said."""
        told = (self.reason_by(teller) for teller in (Teller.BUYER, Teller.MANAGER, Teller.SELLER))
        return next((driver for driver in told if driver is not None), None)

    def reason_by(self, teller: Teller) -> ReasonDriver | None:
        return next((one.driver for one in self.reasons if one.by is teller), None)


def row_of(
    deal_id: str,
    events: Iterable[DealEvent],
    processes: ProcessBook,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
) -> LossRow | None:
    """The row of a deal that was decided at (as of, known at); None: it runs, or was merged."""
    frames = frames_of(events, as_of, known_at)
    now = frames[-1].after if frames else Deal()
    if now.life.status not in (Status.WON, Status.LOST, Status.VOIDED):
        return None
    last = max(i for i, one in enumerate(frames) if runs(one.before) and not runs(one.after))
    before, after = frames[last].before, frames[last].after
    account, mode, process = now.life.account, before.purchase.mode, before.life.process
    assert after.life.opened_at is not None
    assert process is not None
    return LossRow(
        deal_id=deal_id,
        outcome=now.life.outcome_name or UNKNOWN,
        opened_at=after.life.opened_at,
        decided_at=frames[last].at,
        reached=furthest(before, processes),
        stage=before.stages.stage or "",
        amount=now.amount,
        competitor=_lost_to(now),
        competitors=_vendors(before),
        purchase_mode=mode.fact.method.value if mode else None,
        industry=account.industry if account else None,
        region=now.life.region,
        business_type=now.life.business_type.value if now.life.business_type else None,
        size=account.size if account else None,
        reasons=_reasons(now),
        to_vendor=_is_to_vendor(now),
    )


def _vendors(deal: Deal) -> tuple[str, ...]:
    """The names of the recorded competitors that are vendors."""
    found = (one.fact for one in deal.field.competitors)
    return tuple(sorted({one.name for one in found if one.kind is CompetitorKind.VENDOR}))


def _is_to_vendor(deal: Deal) -> bool:
    """Whether a vendor won it, as far as anybody recorded of what kind the competitor is."""
    outcome = deal.life.outcome
    if outcome is None or not isinstance(outcome.fact, OpportunityLost):
        return True
    kinds = {one.fact.id: one.fact.kind for one in deal.field.competitors}
    return kinds.get(outcome.fact.competitor or "", CompetitorKind.VENDOR) is CompetitorKind.VENDOR


def _lost_to(deal: Deal) -> str | None:
    outcome = deal.life.outcome
    if outcome is None or not isinstance(outcome.fact, OpportunityLost):
        return None
    if outcome.fact.outcome is not LostOutcome.LOST_TO_COMPETITOR:
        return None
    return Naming.on(deal).vendor(outcome.fact.competitor or UNKNOWN)


def _reasons(deal: Deal) -> tuple[Told, ...]:
    latest = {one.fact.told_by: one.fact.driver for one in deal.life.outcome_reasons}
    return tuple(Told(teller, driver) for teller, driver in sorted(latest.items()))


# Counts and sums.


class Sum(msgspec.Struct, frozen=True):
    """So many deals, and what they come to."""

    deals: int
    amounts: dict[str, Decimal]
    """By currency, in order of their codes."""
    unknown_amounts: int
    """Deals whose amount nobody put on record."""


def sum_of(rows: Collection[LossRow]) -> Sum:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row.amount is not None:
            totals[row.amount.currency] += row.amount.amount
    return Sum(
        deals=len(rows),
        amounts=dict(sorted(totals.items())),
        unknown_amounts=sum(row.amount is None for row in rows),
    )


class Dimension(StrEnum):
    """By what losses are broken down."""

    OUTCOME = "outcome"
    REASON = "reason"
    SELLERS_REASON = "sellers-reason"
    BUYERS_REASON = "buyers-reason"
    STAGE = "stage"
    COMPETITOR = "competitor"
    PURCHASE_MODE = "purchase-mode"
    INDUSTRY = "industry"
    REGION = "region"
    BUSINESS_TYPE = "business-type"
    SIZE = "size"


_VALUE: dict[Dimension, Callable[[LossRow], str | None]] = {
    Dimension.OUTCOME: lambda row: row.outcome,
    Dimension.REASON: lambda row: row.reason,
    Dimension.SELLERS_REASON: lambda row: row.reason_by(Teller.SELLER),
    Dimension.BUYERS_REASON: lambda row: row.reason_by(Teller.BUYER),
    Dimension.STAGE: lambda row: row.stage,
    Dimension.COMPETITOR: lambda row: row.competitor or NOBODY_ELSE,
    Dimension.PURCHASE_MODE: lambda row: row.purchase_mode,
    Dimension.INDUSTRY: lambda row: row.industry,
    Dimension.REGION: lambda row: row.region,
    Dimension.BUSINESS_TYPE: lambda row: row.business_type,
    Dimension.SIZE: lambda row: row.size,
}


class Group(msgspec.Struct, frozen=True):
    """The losses that are alike in what was asked by."""

    values: tuple[str, ...]
    """In the order of the dimensions; `unknown` where a deal has none on record."""
    lost: Sum


def breakdown(rows: Iterable[LossRow], by: Sequence[Dimension]) -> tuple[Group, ...]:
    """The losses by these dimensions crossed; the largest groups first, then by their values.

    A competitor is the same on all deals by its name, whatever the case of its letters.
    """
    spelled: dict[str, str] = {}
    groups: dict[tuple[str, ...], list[LossRow]] = defaultdict(list)
    for row in rows:
        if row.lost:
            values = [str(_VALUE[one](row) or UNKNOWN) for one in by]
            if Dimension.COMPETITOR in by:
                place = by.index(Dimension.COMPETITOR)
                values[place] = spelled.setdefault(values[place].casefold(), values[place])
            groups[tuple(values)].append(row)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return tuple(Group(values, sum_of(members)) for values, members in ordered)


# Where deals die.


class Grave(msgspec.Struct, frozen=True):
    """A stage in which deals were lost."""

    process: str
    stage: str
    lost: Sum
    median_age: float
    """Days from the opening to the end."""
    ages: tuple[int, ...]
    """Deals by age: one number for each limit of `AGES`, and one for those beyond."""


AGES = (30, 90, 180, 365)
"""Days: a deal of exactly so many belongs below the limit."""


def graves(rows: Iterable[LossRow]) -> tuple[Grave, ...]:
    """Where and how old deals die, the stage with the most losses first."""
    ended: dict[tuple[str, str], list[LossRow]] = defaultdict(list)
    for row in rows:
        if row.lost:
            ended[row.reached.process, row.stage].append(row)
    ordered = sorted(ended.items(), key=lambda group: (-len(group[1]), group[0]))
    return tuple(
        Grave(process, stage, sum_of(deals), median(row.age for row in deals), _ages(deals))
        for (process, stage), deals in ordered
    )


def _ages(rows: Iterable[LossRow]) -> tuple[int, ...]:
    classes = Counter(sum(row.age > limit for limit in AGES) for row in rows)
    return tuple(classes[place] for place in range(len(AGES) + 1))


# Whose account.


class Accounts(msgspec.Struct, frozen=True):
    """What the seller said against what the buyer said of the same losses."""

    cells: tuple[tuple[ReasonDriver, ReasonDriver, int], ...]
    """The seller's reason, the buyer's, and how many deals; the most frequent first."""
    both: int
    """Deals of which both said something."""
    agreed: int
    only_seller: int
    only_buyer: int
    neither: int


def accounts(rows: Iterable[LossRow]) -> Accounts:
    """How far seller and buyer give the same reason for a loss."""
    told = Counter(
        (row.reason_by(Teller.SELLER), row.reason_by(Teller.BUYER)) for row in rows if row.lost
    )
    cells = [
        (ours, theirs, count)
        for (ours, theirs), count in told.items()
        if ours is not None and theirs is not None
    ]
    return Accounts(
        cells=tuple(sorted(cells, key=lambda cell: (-cell[2], cell[0], cell[1]))),
        both=sum(count for _, _, count in cells),
        agreed=sum(count for ours, theirs, count in cells if ours is theirs),
        only_seller=sum(n for (ours, theirs), n in told.items() if ours and not theirs),
        only_buyer=sum(n for (ours, theirs), n in told.items() if theirs and not ours),
        neither=told[None, None],
    )


# Head to head.


FEWEST_FOR_A_RATE = 5
"""Where fewer deals were won or lost to a competitor, no rate is given."""


class HeadToHead(msgspec.Struct, frozen=True):
    """How we fare against one vendor, in deals on which they were recorded or which they won.

    The three kinds of loss and the won deals add up to all decided deals in which they were.
    """

    competitor: str
    won: Sum
    lost_to_them: Sum
    lost_to_others: Sum
    """To another competitor, or nobody knows to whom."""
    lost_otherwise: Sum
    """No decision, withdrawn, disqualified or unknown."""
    unseen: int
    """Of those lost to them: deals on which they had never been recorded."""
    win_rate: float | None
    """Won ÷ (won + lost to them), 0 to 1; None: these are fewer than `FEWEST_FOR_A_RATE`."""


def head_to_head(rows: Iterable[LossRow]) -> tuple[HeadToHead, ...]:
    """Win and loss against each vendor, the one met most often first.

    The customer's own people, and leaving it as it is, are no vendors. A vendor is the same on
    all deals by its name, whatever the case of its letters.
    """
    names: dict[str, str] = {}
    met: dict[str, list[LossRow]] = defaultdict(list)
    for row in rows:
        known = row.competitor not in (None, UNKNOWN) and row.to_vendor
        lost_to = (row.competitor,) if known else ()
        for key, name in {n.casefold(): n for n in (*row.competitors, *lost_to) if n}.items():
            names.setdefault(key, name)
            if row.outcome == WON or row.lost:
                met[key].append(row)
    ordered = sorted(met.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return tuple(_against(names[key], deals) for key, deals in ordered)


def _against(name: str, rows: Sequence[LossRow]) -> HeadToHead:
    key = name.casefold()
    won = [row for row in rows if row.outcome == WON]
    to_somebody = [row for row in rows if row.competitor]
    to_them = [row for row in to_somebody if _lost_to_vendor(row, key)]
    to_others = [row for row in to_somebody if not _lost_to_vendor(row, key)]
    seen = [row for row in to_them if key in {one.casefold() for one in row.competitors}]
    decided = len(won) + len(to_them)
    return HeadToHead(
        competitor=name,
        won=sum_of(won),
        lost_to_them=sum_of(to_them),
        lost_to_others=sum_of(to_others),
        lost_otherwise=sum_of([row for row in rows if row.lost and not row.competitor]),
        unseen=len(to_them) - len(seen),
        win_rate=len(won) / decided if decided >= FEWEST_FOR_A_RATE else None,
    )


def _lost_to_vendor(row: LossRow, key: str) -> bool:
    """Whether the vendor of this name, in small letters, won the deal."""
    return row.to_vendor and row.competitor is not None and row.competitor.casefold() == key


# All of it.


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
