"""Tests of deciding that read as sentences: given what happened, when this is asked, then that.

    given(opened()).when(AdvanceStage("proposal")).then(StageAdvanced("contact", "proposal"))

Facts happen one day after the other, the command one day after the last of
them. Where a time, an actor or a command id matters, `on` gives it. Deals run
under `SHORT`, a process of four stages whose gates show every kind of criterion.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from domain.access import Principal, Role
from domain.deal import (
    Deal,
    DealCommand,
    DealEvent,
    DealFact,
    History,
    decide,
    violations,
)
from domain.directory import Directory, Membership, UnitRegistered, User, UserRegistered
from domain.history import Draft
from domain.intent import Intent
from domain.lifecycle.facts import OpportunityOpened
from domain.organisation import Organisation
from domain.process import (
    Criterion,
    Evidence,
    Origin,
    ProbabilityHolds,
    ProcessBook,
    SalesProcess,
    Stage,
    Words,
)
from domain.process_files import built_in_processes
from domain.refusals import Refusal
from domain.values import ForecastCategory, Money

STREAM = "deal:d-1"
OPENED_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)

UNIT = UnitRegistered("sales", "Sales")
MEMBERS = {"ann": Role.SELLER, "bo": Role.SELLER, "mei": Role.MANAGER}
DIRECTORY = Directory(
    {
        name: User(name, UserRegistered(name, name.title()), (Membership(role, UNIT.unit),))
        for name, role in MEMBERS.items()
    },
    {UNIT.unit: UNIT},
)
ORGANISATION = Organisation(DIRECTORY)

OWNER = DIRECTORY.principal("ann")
COLLEAGUE = DIRECTORY.principal("bo")
MANAGER = DIRECTORY.principal("mei")
OPERATOR = Principal("op", frozenset({Role.OPERATOR}))


def _criterion(name: str, predicate: str | None = None) -> Criterion:
    evidence = Evidence.AUTO if predicate else Evidence.ATTESTED
    return Criterion(name, Words(f"{name} is met"), Origin.OURS, evidence, predicate)


def _stage(name: str, probability: int, *gate: Criterion, after_win: bool = False) -> Stage:
    return Stage(
        id=name,
        name=Words(name),
        probability=probability,
        forecast=ForecastCategory.CLOSED if after_win else ForecastCategory.PIPELINE,
        expected_days=30,
        after_win=after_win,
        gate=gate,
    )


SHORT = SalesProcess(
    "short",
    1,
    Words("Short"),
    (
        _stage("contact", 10),
        _stage("proposal", 40, _criterion("need-confirmed"), _criterion("plan", "win-plan-set")),
        _stage("closing", 80, _criterion("signed", "won")),
        _stage("delivery", 100, _criterion("accepted", "delivery-accepted"), after_win=True),
    ),
)
LONGER = msgspec.structs.replace(
    SHORT,
    version=2,
    stages=(_stage("lead", 5), *SHORT.stages),
    probability_holds=ProbabilityHolds.MILESTONE,
)
BOOK = built_in_processes().with_(SHORT, LONGER)


def day(number: float) -> datetime:
    """The moment that many days after the opening."""
    return OPENED_AT + timedelta(days=number)


def usd(amount: str) -> Money:
    return Money.parse(amount, "USD")


def opened(**changes: Any) -> OpportunityOpened:
    """An opening under `SHORT`, in US dollars, owned by `OWNER`."""
    usual: dict[str, Any] = {
        "name": "Press line",
        "process": SHORT.ref,
        "stage": "contact",
        "currency": "USD",
        "owner": OWNER.id,
    }
    return OpportunityOpened(**(usual | changes))


Given: TypeAlias = "DealFact | Draft[DealFact]"


def on(
    number: float,
    fact: DealFact,
    *,
    known_at: datetime | None = None,
    by: str = OWNER.id,
    command_id: str | None = None,
) -> Draft[DealFact]:
    """`fact`, that many days after the opening. Known when it occurred unless said otherwise."""
    return Draft(
        fact=fact,
        occurred_at=day(number),
        actor=by,
        source="api",
        command_id=command_id or "",
        correlation_id="",
        known_at=known_at or day(number),
    )


class Scenario:
    """What happened so far, and what is asked next."""

    def __init__(self, events: tuple[DealEvent, ...] = (), processes: ProcessBook = BOOK) -> None:
        self.history = History.of(STREAM, events)
        self.processes = processes

    @property
    def deal(self) -> Deal:
        return self.history.deal

    @property
    def last(self) -> datetime:
        """When the latest event occurred."""
        return max((event.occurred_at for event in self.history.events), default=day(-1))

    def and_given(self, *facts: Given) -> Scenario:
        """The same with more facts behind; each a day after the latest so far, or on its own."""
        scenario = self
        for fact in facts:
            draft = fact if isinstance(fact, Draft) else on(scenario._next_day, fact)
            events = (*scenario.history.events, scenario._recorded(draft))
            scenario = Scenario(events, self.processes)
        return scenario

    @property
    def _next_day(self) -> float:
        return (self.last - OPENED_AT) / timedelta(days=1) + 1

    def _recorded(self, draft: Draft[DealFact]) -> DealEvent:
        version = self.history.version + 1
        command_id = draft.command_id or f"given-{version}"
        named = msgspec.structs.replace(draft, command_id=command_id, correlation_id=command_id)
        return named.recorded(STREAM, version, draft.known_at or draft.occurred_at)

    def when(
        self,
        command: DealCommand,
        *,
        at: datetime | None = None,
        by: Principal = OWNER,
        now: datetime | None = None,
        command_id: str = "asked",
        organisation: Organisation = ORGANISATION,
    ) -> Answer:
        """Decide `command`, a day after all that happened unless `at` says when."""
        occurred_at = at or self.last + timedelta(days=1)
        intent = Intent(
            command_id=command_id,
            principal=by,
            source="api",
            now=now or max(occurred_at, self.last),
            occurred_at=occurred_at,
        )
        try:
            facts = decide(command, self.history, self.processes, intent, organisation)
        except Refusal as refusal:
            return Answer(self, intent, (), refusal)
        return Answer(self, intent, facts, None)


class Answer:
    """What a command led to."""

    def __init__(
        self,
        scenario: Scenario,
        intent: Intent,
        facts: tuple[DealFact, ...],
        refusal: Refusal | None,
    ) -> None:
        self.scenario = scenario
        self.intent = intent
        self.facts = facts
        self.refusal = refusal

    def then(self, *facts: DealFact) -> Scenario:
        """It led to exactly these facts. Answers with the scenario that has them behind."""
        assert facts, "say nothing() where nothing is expected"
        assert self.refusal is None, self.refusal
        assert self.facts == facts
        return self._as_recorded()

    def accepted(self) -> Scenario:
        """It led to facts, whichever."""
        assert self.refusal is None, self.refusal
        assert self.facts
        return self._as_recorded()

    def nothing(self) -> None:
        """It was accepted and changed nothing."""
        assert self.refusal is None, self.refusal
        assert self.facts == ()

    def refused(self, refusal_type: type[Refusal], *mentioning: str) -> Refusal:
        """It was refused by this rule, in a message and an advice with these words."""
        assert type(self.refusal) is refusal_type, self.refusal or self.facts
        assert self.refusal is not None
        for words in mentioning:
            assert words in str(self.refusal)
        return self.refusal

    def _as_recorded(self) -> Scenario:
        scenario = self.scenario
        for fact in self.facts:
            draft = Draft(
                fact=fact,
                occurred_at=self.intent.occurred_at,
                actor=self.intent.principal.id,
                source=self.intent.source,
                command_id=self.intent.command_id,
                correlation_id=self.intent.command_id,
                known_at=self.intent.now,
            )
            scenario = scenario.and_given(draft)
        return scenario


def given(*facts: Given) -> Scenario:
    """A deal to which this happened. The facts have to make a sound history."""
    scenario = Scenario().and_given(*facts)
    assert violations(scenario.history.events, scenario.processes) == []
    return scenario
