"""How likely things are. Plain functions of numbers, so that the odds of the portfolio are here.

`health` is near 0 for an average deal, above 1 for a good one, below -1 for a poor one.
"""

from math import exp, log

from domain.lifecycle.facts import LostOutcome
from domain.process import BuyingPhase

LOSS_BY_PHASE: dict[BuyingPhase, float] = {
    BuyingPhase.SATISFACTION: 0.07,
    BuyingPhase.ACKNOWLEDGEMENT: 0.12,
    BuyingPhase.DECISION: 0.13,
    BuyingPhase.CRITERIA: 0.13,
    BuyingPhase.MEASUREMENT: 0.17,
    BuyingPhase.INVESTIGATION: 0.25,
    BuyingPhase.SELECTION: 0.16,
}
"""Chance that an average deal ends in a stage of this phase, in a process of seven stages."""

_STAGES = 7
_HEALTH_IN_LOSS = 0.95
_HEALTH_IN_REGRESSION = 0.7
_REGRESSION = 0.095


def shifted(probability: float, health: float, weight: float) -> float:
    """A probability, lower for a healthy deal and higher for a poor one."""
    return 1 / (1 + exp(-(log(probability / (1 - probability)) - weight * health)))


def loss(phase: BuyingPhase, stages: int, health: float) -> float:
    """Chance that the deal ends in this stay. Fewer stages carry more of the risk each."""
    average = 1 - (1 - LOSS_BY_PHASE[phase]) ** (_STAGES / stages)
    return shifted(average, health, _HEALTH_IN_LOSS)


def regression(position: int, health: float) -> float:
    """Chance that the deal falls back in this stay; none from the first stage."""
    return 0.0 if position == 0 else shifted(_REGRESSION, health, _HEALTH_IN_REGRESSION)


_EARLY = {
    LostOutcome.DISQUALIFIED: 34,
    LostOutcome.WITHDRAWN: 26,
    LostOutcome.NO_DECISION: 28,
    LostOutcome.LOST_TO_COMPETITOR: 5,
    LostOutcome.UNKNOWN: 7,
}
_MIDDLE = {
    LostOutcome.DISQUALIFIED: 5,
    LostOutcome.WITHDRAWN: 14,
    LostOutcome.NO_DECISION: 38,
    LostOutcome.LOST_TO_COMPETITOR: 34,
    LostOutcome.VOIDED: 9,
    LostOutcome.UNKNOWN: 6,
}
_LATE = {
    LostOutcome.DISQUALIFIED: 4,
    LostOutcome.WITHDRAWN: 4,
    LostOutcome.NO_DECISION: 22,
    LostOutcome.LOST_TO_COMPETITOR: 58,
    LostOutcome.VOIDED: 20,
    LostOutcome.UNKNOWN: 4,
}


def outcomes(phase: BuyingPhase, tender: bool, contested: bool) -> dict[LostOutcome, int]:
    """Weights of the ways to end without winning. Only tenders are voided."""
    match phase:
        case BuyingPhase.SATISFACTION | BuyingPhase.ACKNOWLEDGEMENT:
            weights = _EARLY
        case BuyingPhase.DECISION | BuyingPhase.CRITERIA:
            weights = _MIDDLE
        case _:
            weights = _LATE
    impossible = set()
    if not tender:
        impossible.add(LostOutcome.VOIDED)
    if not contested:
        impossible.add(LostOutcome.LOST_TO_COMPETITOR)
    return {name: weight for name, weight in weights.items() if name not in impossible}


def planted_outcomes(phase: BuyingPhase, contested: bool) -> dict[LostOutcome, int]:
    """The same where the fate is settled: none is voided, as that would be no loss."""
    return outcomes(phase, False, contested)


LINGERING: dict[LostOutcome, float] = {
    LostOutcome.LOST_TO_COMPETITOR: 1.0,
    LostOutcome.NO_DECISION: 2.3,
    LostOutcome.WITHDRAWN: 0.7,
    LostOutcome.DISQUALIFIED: 0.6,
    LostOutcome.VOIDED: 1.3,
    LostOutcome.UNKNOWN: 2.0,
}
"""How long a deal stays in the stage in which it ends, against one that goes on."""

REOPENING: dict[LostOutcome, float] = {
    LostOutcome.LOST_TO_COMPETITOR: 0.04,
    LostOutcome.NO_DECISION: 0.10,
    LostOutcome.WITHDRAWN: 0.03,
    LostOutcome.DISQUALIFIED: 0.02,
    LostOutcome.VOIDED: 0.40,
    LostOutcome.UNKNOWN: 0.02,
}
"""Chance that a deal that ended so is taken up again."""
