"""Causes of losing that are planted on purpose, to try an analysis on what is known beforehand.

In the usual stories everything has to do with how a deal ends. Here whether a deal is lost is
settled at its opening, by chance and by the flaws that are planted in it, and nobody in the story
knows: every stay is told as one that goes on, and a deal that is lost is lost at the moment at
which it would have moved on or been won. So of deals that came equally far, those that were lost
and those that were won differ in the planted flaws, and otherwise by chance alone.
"""

from collections.abc import Sequence
from math import exp
from random import Random

from domain.process import BuyingPhase

TOO_EARLY = "solution-too-early"
OVERRIDDEN = "gate-overridden"
NO_MINUTES = "minutes-missing"
NO_NEXT_STEP = "next-step-missing"
PLANTABLE = (TOO_EARLY, OVERRIDDEN, NO_MINUTES, NO_NEXT_STEP)
"""The flaws that a story can show on purpose, by the finding that tells of them."""

SHARE = 0.35
"""Of the deals that have a flaw, for each of them."""
WEIGHT = 2.4
"""By so much each flaw raises the log-odds of losing where the customer chooses.

So strong that a few hundred deals show it, also where several flaws are planted at once.
"""

_LOST_ON_THE_WAY: dict[BuyingPhase, float] = {
    BuyingPhase.SATISFACTION: 0.01,
    BuyingPhase.ACKNOWLEDGEMENT: 0.01,
    BuyingPhase.DECISION: 0.02,
    BuyingPhase.CRITERIA: 0.02,
    BuyingPhase.MEASUREMENT: 0.02,
    BuyingPhase.INVESTIGATION: 0.03,
}
"""Chance that a deal ends in a stage of this phase before its last one, whatever its flaws.

Less than usual: a deal that ended on the way has no won one beside it that came equally far.
"""


def chosen(names: str) -> tuple[str, ...]:
    """The causes that a list names, separated by commas; `none` for none. Raises ValueError."""
    causes = () if names.strip() == "none" else tuple(one.strip() for one in names.split(","))
    unknown = [one for one in causes if one not in PLANTABLE]
    if unknown:
        raise ValueError(
            f"{unknown[0]!r} cannot be planted; say none, or some of {', '.join(PLANTABLE)}"
        )
    return tuple(one for one in PLANTABLE if one in causes)


class Fate:
    """Which flaws a deal has, and where it is lost. Settled at its opening."""

    def __init__(self, causes: Sequence[str], key: str) -> None:
        rng = Random(f"{key}/fate")
        drawn = {cause: rng.random() < SHARE for cause in PLANTABLE}
        self._flaws = {cause: drawn[cause] for cause in causes}
        self._lost_in = {
            phase for phase, chance in _LOST_ON_THE_WAY.items() if rng.random() < chance
        }
        # So that about half of the deals are lost, however many causes are planted.
        burden = sum(self._flaws.values()) - SHARE * len(self._flaws)
        self._lost_at_last = rng.random() < 1 / (1 + exp(-WEIGHT * burden))

    def flaw(self, cause: str) -> bool | None:
        """Whether the deal has a flaw; None where it is not among those that are planted."""
        return self._flaws.get(cause)

    def loses(self, phase: BuyingPhase, last: bool) -> bool:
        """Whether the deal is lost when it would leave a stage of this phase, or its last one."""
        return self._lost_at_last if last else phase in self._lost_in
