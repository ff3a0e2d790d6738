"""How a gate stands: what is met and by what, what is missing and what would meet it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from api.wire.values import Instant, Names, User
from api.wire.words import spoken
from domain.deal import describe
from domain.gates import gate_state, what_meets
from domain.history import Recorded
from domain.process import Criterion, Stage, Words
from domain.stages.facts import GateCriterionAttested, MetCriterion
from projections.frames import Frame
from store.times import written


class Bilingual(msgspec.Struct, frozen=True):
    """A text in English and, where there is one, in Chinese."""

    en: str
    zh: str | None

    @classmethod
    def of(cls, words: Words) -> "Bilingual":
        return cls(words.en, words.zh)


class GateEvidence(msgspec.Struct, frozen=True):
    """An event that shows that a criterion is met."""

    version: int
    occurred_at: Instant
    actor: User
    what: str

    @classmethod
    def of(cls, frame: Frame, names: Names) -> "GateEvidence":
        event = frame.event
        return cls(
            version=event.version,
            occurred_at=written(event.occurred_at),
            actor=names.user(event.actor),
            what=spoken(event.type, describe(event, frame.before), names),
        )


class Attestation(msgspec.Struct, frozen=True):
    """Someone's word that a criterion, or an aspect of it, is met or does not apply."""

    version: int
    occurred_at: Instant
    by: User
    note: str
    applies: bool
    """False: it does not apply to this deal."""
    contact: str | None
    """The contact it rests on."""
    aspect: str | None
    """The part of the criterion it speaks of; null: the whole."""

    @classmethod
    def of(cls, event: Recorded[GateCriterionAttested], names: Names) -> "Attestation":
        fact = event.fact
        return cls(
            version=event.version,
            occurred_at=written(event.occurred_at),
            by=names.user(event.actor),
            note=fact.note,
            applies=fact.applies,
            contact=fact.contact,
            aspect=fact.aspect,
        )


class GateCriterion(msgspec.Struct, frozen=True):
    """One exit criterion of the stage."""

    id: str
    text: Bilingual
    met: bool
    attested: bool
    """Met by someone's word alone."""
    evidence: list[GateEvidence]
    """The events that show it; none for what is met because there is nothing to do."""
    attestations: list[Attestation]
    """What people attested of it, whether it counts or not."""
    met_by: str | None
    """Of a missing criterion: the commands that would meet it."""

    @classmethod
    def of(
        cls,
        criterion: Criterion,
        met: MetCriterion | None,
        frames: Mapping[int, Frame],
        attested: Sequence[Recorded[GateCriterionAttested]],
        names: Names,
    ) -> "GateCriterion":
        versions = met.evidence if met else ()
        return cls(
            id=criterion.id,
            text=Bilingual.of(criterion.text),
            met=met is not None,
            attested=met is not None and met.attested,
            evidence=[GateEvidence.of(frames[version], names) for version in versions],
            attestations=[
                Attestation.of(event, names)
                for event in attested
                if event.fact.criterion == criterion.id
            ],
            met_by=None if met else what_meets(criterion),
        )


class Gate(msgspec.Struct, frozen=True):
    """The gate of one stage."""

    stage: str
    met: int
    total: int
    criteria: list[GateCriterion]

    @classmethod
    def of(cls, stage: Stage, frames: Sequence[Frame], at: datetime, names: Names) -> "Gate":
        """How the gate of `stage` stands at `at`, behind the last of the deal's `frames`."""
        deal = frames[-1].after
        state = gate_state(deal, stage, at)
        met = {one.criterion: one for one in state.met}
        by_version = {frame.event.version: frame for frame in frames}
        criteria = [
            GateCriterion.of(
                criterion, met.get(criterion.id), by_version, deal.stages.attestations, names
            )
            for criterion in state.criteria
        ]
        return cls(state.stage, len(met), len(criteria), criteria)
