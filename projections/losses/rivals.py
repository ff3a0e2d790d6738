"""Head to head: how we fare against each competing vendor."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from projections.losses.rows import UNKNOWN, WON, LossRow
from projections.losses.tables import Sum, sum_of

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
