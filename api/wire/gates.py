"""How a gate stands: what is met and by what, what is missing and what would meet it."""

import msgspec

from domain.gates import GateState
from domain.process import Criterion, Words

MET_BY = {
    "account-and-source-recorded": "revise-opportunity with account and lead_source",
    "qualified": "qualify-lead",
    "bant-confirmed": "qualify-lead with budget, authority, need and timeline confirmed",
    "go-no-go-decided": "assess-opportunity with a decision",
    "next-step-planned": "plan-next-step with an objective",
    "deal-team-of-two-roles": "assign-team-member, until two roles are filled",
    "win-plan-set": "set-win-plan",
    "close-date-and-amount-forecast": "revise-forecast with amount and expected_close",
    "won": "win-opportunity",
    "delivery-accepted": "reach-delivery-milestone with accepted",
    "satisfaction-measured": "measure-satisfaction",
    "expansion-identified": "identify-expansion",
}
"""For each predicate of an auto criterion, the command that makes it true."""

ATTEST = "attest-gate-criterion"


class Bilingual(msgspec.Struct, frozen=True):
    """A text in English and, where there is one, in Chinese."""

    en: str
    zh: str | None

    @classmethod
    def of(cls, words: Words) -> "Bilingual":
        return cls(words.en, words.zh)


class GateCriterion(msgspec.Struct, frozen=True):
    """One exit criterion of the stage."""

    id: str
    text: Bilingual
    met: bool
    attested: bool
    """Met by someone's word."""
    evidence: list[int]
    """Versions of the events that show it."""
    met_by: str | None
    """Of a missing criterion: the command, or the commands, that would meet it."""


class Gate(msgspec.Struct, frozen=True):
    """The gate of one stage."""

    stage: str
    met: int
    total: int
    criteria: list[GateCriterion]

    @classmethod
    def of(cls, state: GateState) -> "Gate":
        met = {criterion.criterion: criterion for criterion in state.met}
        criteria = [
            GateCriterion(
                id=criterion.id,
                text=Bilingual.of(criterion.text),
                met=criterion.id in met,
                attested=criterion.id in met and met[criterion.id].attested,
                evidence=list(met[criterion.id].evidence) if criterion.id in met else [],
                met_by=None if criterion.id in met else what_meets(criterion),
            )
            for criterion in state.criteria
        ]
        return cls(state.stage, len(met), len(criteria), criteria)


def what_meets(criterion: Criterion) -> str:
    """The commands of which any one meets the criterion."""
    if criterion.predicate is None:
        return ATTEST
    return f"{MET_BY[criterion.predicate]}; or {ATTEST}"
