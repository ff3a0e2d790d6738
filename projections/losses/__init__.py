"""Loss analysis over many deals: why, where, when and to whom they were lost.

Theory of operation. Every decided deal gives one row (`row_of`), with what the analysis asks for;
the rest are counts and sums over rows. A deal counts once in every table: among several accounts of
why it was lost, the buyer's goes before the manager's, and that before the seller's. A voided
tender is no loss: it is counted apart, and stands in none of the tables. Amounts are summed by
currency, and a deal whose amount is not known is counted as such.
"""

from projections.losses.analysis import LossAnalysis, comparable, loss_analysis
from projections.losses.rivals import FEWEST_FOR_A_RATE, HeadToHead, head_to_head
from projections.losses.rows import NOBODY_ELSE, UNKNOWN, WON, LossRow, Told, row_of
from projections.losses.tables import (
    AGES,
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

__all__ = [
    "AGES",
    "FEWEST_FOR_A_RATE",
    "NOBODY_ELSE",
    "UNKNOWN",
    "WON",
    "Accounts",
    "Dimension",
    "Grave",
    "Group",
    "HeadToHead",
    "LossAnalysis",
    "LossRow",
    "Sum",
    "Told",
    "accounts",
    "breakdown",
    "comparable",
    "graves",
    "head_to_head",
    "loss_analysis",
    "row_of",
    "sum_of",
]
