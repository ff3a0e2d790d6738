"""Sales processes: versioned data, never code.

A process is an ordered list of stages, each with its win probability, forecast
category, expected days and gate (the exit criteria). The built-in ones are the
TOML files in `processes/`; others are published into the log. A published
version never changes: a deal keeps the version it was opened under.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated

import msgspec

from domain.history import Fact
from domain.refusals import UnknownProcess
from domain.values import ForecastCategory, Identifier, Label, Percent, ProcessRef, Value


class BuyingPhase(StrEnum):
    """The customer's decision cycle (满意 认识 决定 制定标准 评价 调查 选择 再评价), in order."""

    SATISFACTION = "satisfaction"
    ACKNOWLEDGEMENT = "acknowledgement"
    DECISION = "decision"
    CRITERIA = "criteria"
    MEASUREMENT = "measurement"
    INVESTIGATION = "investigation"
    SELECTION = "selection"
    RECONSIDERATION = "reconsideration"


class Evidence(StrEnum):
    """How a gate criterion is shown to be met."""

    AUTO = "auto"
    """By a predicate over the deal's state; it can be attested instead."""
    ATTESTED = "attested"
    """By a person who confirms it."""


class Origin(StrEnum):
    """Where a criterion comes from."""

    PRACTICE = "practice"
    OURS = "ours"


class ProbabilityHolds(StrEnum):
    """From when a stage's win probability counts."""

    ENTRY = "entry"
    MILESTONE = "milestone"


class Words(Value, frozen=True):
    """One text in English and, where the practice is Chinese, in Chinese."""

    en: Label
    """In English."""
    zh: Label | None = None
    """In Chinese."""


class Criterion(Value, frozen=True):
    """One exit criterion of a stage."""

    id: Identifier
    text: Words
    """What has to be true."""
    origin: Origin
    evidence: Evidence
    predicate: Identifier | None = None
    """Name of the predicate of an auto criterion."""


class Stage(Value, frozen=True):
    """One stage of a process. `probability` in per cent, `expected_days` in days."""

    id: Identifier
    name: Words
    probability: Percent
    forecast: ForecastCategory
    expected_days: Annotated[int, msgspec.Meta(ge=1, le=3650)]
    decision_phase: BuyingPhase | None = None
    activity: Words | None = None
    customer_sign: Words | None = None
    our_sign: Words | None = None
    milestone: Words | None = None
    self_check: tuple[Words, ...] = ()
    after_win: bool = False
    """Entered only after winning (delivery, after-sales)."""
    gate: tuple[Criterion, ...] = ()


class PurchaseStep(Value, frozen=True):
    """A step of buying in the customer's own words, such as the opening of the bids."""

    id: Identifier
    name: Words
    phase: BuyingPhase | None = None
    """The phase of the decision cycle that it belongs to, where it tells one."""


class SalesProcess(Value, frozen=True):
    """One version of a process. Stages are in order.

    Their ids are unique, as are those of criteria and of purchase steps.
    """

    id: Identifier
    version: Annotated[int, msgspec.Meta(ge=1)]
    name: Words
    stages: Annotated[tuple[Stage, ...], msgspec.Meta(min_length=1, max_length=100)]
    probability_holds: ProbabilityHolds = ProbabilityHolds.ENTRY
    description: Words | None = None
    purchase_steps: Annotated[tuple[PurchaseStep, ...], msgspec.Meta(max_length=100)] = ()
    """The customer's own steps of buying, in order."""

    @property
    def ref(self) -> ProcessRef:
        return ProcessRef(self.id, self.version)

    def position(self, stage_id: str) -> int | None:
        """Index of a stage in the order of the process, None when it has no such stage."""
        for index, stage in enumerate(self.stages):
            if stage.id == stage_id:
                return index
        return None

    def stage(self, stage_id: str) -> Stage | None:
        position = self.position(stage_id)
        return None if position is None else self.stages[position]

    def purchase_step(self, step_id: str) -> PurchaseStep | None:
        return next((step for step in self.purchase_steps if step.id == step_id), None)


class ProcessPublished(Fact, tag="process-published", frozen=True):
    """A version of a process became available. Stream `process:<id>`."""

    process: SalesProcess


class ProcessBook:
    """Every published version of every process, by reference. Immutable."""

    def __init__(self, processes: Iterable[SalesProcess] = ()) -> None:
        self._processes = {process.ref: process for process in processes}

    def __iter__(self) -> Iterator[SalesProcess]:
        return iter(self._processes.values())

    def __contains__(self, ref: object) -> bool:
        return ref in self._processes

    def get(self, ref: ProcessRef) -> SalesProcess:
        """Raises UnknownProcess when there is no such version."""
        process = self._processes.get(ref)
        if process is None:
            known = ", ".join(sorted(map(str, self._processes))) or "none"
            raise UnknownProcess(f"there is no process {ref}", f"Published are: {known}.")
        return process

    def latest(self, process_id: str) -> SalesProcess:
        """The newest version of a process. Raises UnknownProcess."""
        versions = [p for p in self if p.id == process_id]
        if not versions:
            return self.get(ProcessRef(process_id, 1))
        return max(versions, key=lambda process: process.version)

    def with_(self, *processes: SalesProcess) -> "ProcessBook":
        return ProcessBook([*self, *processes])
