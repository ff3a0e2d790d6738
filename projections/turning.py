"""Where a deal turned: its turning points, and the point of no return.

Falls of the estimate are worked out from what is known at each move, so nothing later changes
them. A mistake marks the move at which it was made, though it may be told only once such things
are on record; and the point of no return looks back from the loss, as it must.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

import msgspec

from projections.findings import Finding, Weight

FALL_POINTS = 10.0
"""A turning point: the estimate falls by at least so many points, in per cent."""
HOPELESS = 15.0
"""Below this estimate, in per cent, until the loss: there was no return."""


class TurningPoint(msgspec.Struct, frozen=True):
    """A move at which the estimate fell far, or a mistake was made."""

    move: int
    """Index of the move, from 0. What a deadline brings belongs to the move before it."""
    fall: float | None
    """By how many points the estimate fell there; None where it did not fall so far."""
    findings: tuple[int, ...]
    """Indices of the findings of weight mistake or blunder: what they find happened there."""


def turning_points(
    moments: Sequence[datetime], falls: Sequence[float | None], findings: Sequence[Finding]
) -> list[TurningPoint]:
    """The turning points of a deal.

    `moments` are those of its moves, ascending; `falls` by how many points the estimate fell
    at each, judged before and after it by one model; None: no estimate.
    """
    begun: dict[int, list[int]] = {}
    for number, finding in enumerate(findings):
        if finding.weight is not Weight.NOTE:
            move = bisect_right(moments, finding.happened_at) - 1
            begun.setdefault(max(move, 0), []).append(number)
    far = {move: fall for move, fall in enumerate(falls) if fall and fall >= FALL_POINTS}
    return [
        TurningPoint(move, far.get(move), tuple(begun.get(move, ())))
        for move in sorted(far.keys() | begun.keys())
    ]


def point_of_no_return(estimates: Sequence[float | None]) -> int | None:
    """Index of the earliest move from which on a lost deal's estimate stays below `HOPELESS`.

    `estimates`, in per cent, are those of the moves before the loss. None: it stayed above until
    the end, or it cannot be told, since there is no estimate of the move before.
    """
    first = None
    for move in reversed(range(len(estimates))):
        estimate = estimates[move]
        if estimate is None:
            return None
        if estimate >= HOPELESS:
            break
        first = move
    return first
