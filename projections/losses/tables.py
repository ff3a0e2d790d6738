"""Counts and sums over rows: broken down, where deals die, and by whose account."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from statistics import median

import msgspec

from domain.lifecycle.facts import ReasonDriver, Teller
from projections.losses.rows import NOBODY_ELSE, UNKNOWN, LossRow


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
