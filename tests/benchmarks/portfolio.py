"""Made-up deals to measure with: the same ones for the same numbers, on every machine.

A deal is a course through the process `key-account`: attested criteria, planned
and finished next steps, revisions of the forecast, notes, advances and now and
then a step back, until it is won, lost or left open. Every history obeys the
structural rules of the domain. Events occur in the order of their versions,
since the stock library has no other order; one in twenty becomes known days
after it occurred.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from typing import TypeAlias
from uuid import UUID

import msgspec

from domain.deal import DealEvent, DealFact
from domain.history import Draft, StreamKind, stream_of
from domain.lifecycle.facts import (
    Account,
    AccountRelation,
    BantStatus,
    Grade,
    LeadQualified,
    LostOutcome,
    NextStepCompleted,
    NextStepPlanned,
    NoteAdded,
    OpportunityAssessed,
    OpportunityLost,
    OpportunityOpened,
    OpportunityWon,
    OutcomeReasonRecorded,
    PursuitDecision,
    QualificationLevel,
    ReasonDriver,
    TeamMemberAssigned,
    Teller,
)
from domain.process import Stage
from domain.process_files import built_in_processes
from domain.stages.facts import (
    ForecastRevised,
    GateCriterionAttested,
    GateResult,
    MetCriterion,
    Override,
    RevisionCause,
    StageAdvanced,
    StageRegressed,
)
from domain.values import BusinessType, Money, Side
from store.events.writing import Batch

PROCESSES = built_in_processes()
PROCESS = PROCESSES.latest("key-account")
SELLING: Sequence[Stage] = [stage for stage in PROCESS.stages if not stage.after_win]

FIRST_OPENING = datetime(2024, 1, 2, 8, tzinfo=UTC)
RECORDED_AT = datetime(2030, 1, 7, 6, 30, 12, 345678, tzinfo=UTC)
"""What the clock of every log in the measurements shows; after all that occurs."""

SHORTEST, USUAL, LONGEST = 6, 20, 60
"""Lengths in events; portfolios mix them, with a mean of nearly 29."""

_SOURCE = "import:portfolio"
_CURRENCY = "EUR"
_REGIONS = ("North", "South", "East", "West")
_INDUSTRIES = ("chemicals", "food", "machinery", "pharmacy", "software", "utilities")
_PRODUCTS = ("Press line", "Filling line", "Control room", "Packaging cell", "Service contract")
_SOURCES = ("fair", "referral", "tender", "web", "existing customer")
_SELLERS = tuple(f"seller-{number:02}" for number in range(40))
_MANAGERS = tuple(f"manager-{number}" for number in range(6))
_COMPETITORS = ("Alpha Works", "Beta Systems", "Gamma Plant")
_TALK = (
    "The plant manager wants the second shift to be covered before the audit in spring.",
    "Purchasing asked for a split of the price by module and for a second delivery date.",
    "Their engineers visited the reference site and liked the changeover times.",
    "The budget was moved to the next quarter; the sponsor says that it is safe.",
    "客户要求补充技术方案，并安排下周与总工程师见面。",
)


class MadeDeal(msgspec.Struct, frozen=True):
    """One made-up deal, ready to be appended."""

    deal_id: str
    """A UUID as text, since the stock library names its aggregates so."""
    drafts: Sequence[Draft[DealFact]]

    @property
    def stream(self) -> str:
        return stream_of(StreamKind.DEAL, self.deal_id)

    @property
    def batch(self) -> Batch:
        return Batch(self.stream, 0, self.drafts)

    @property
    def batches(self) -> list[Batch]:
        """Each draft on its own, to be appended among those of other deals."""
        return [Batch(self.stream, version, [draft]) for version, draft in enumerate(self.drafts)]

    @property
    def events(self) -> list[DealEvent]:
        """The events that a log whose clock shows `RECORDED_AT` makes of the drafts."""
        return [
            draft.recorded(self.stream, version, RECORDED_AT)
            for version, draft in enumerate(self.drafts, start=1)
        ]


def portfolio(events: int, seed: int = 1) -> list[MadeDeal]:
    """Deals of mixed lengths with `events` events together; the last deal may be cut short."""
    return list(made_one_by_one(events, seed))


def made_one_by_one(events: int, seed: int = 1) -> Iterator[MadeDeal]:
    """The same deals, of which only those in use are in memory."""
    missing = events
    for number in count():
        if not missing:
            return
        rng = random.Random(f"{seed}/{number}")
        length = int(rng.triangular(SHORTEST, LONGEST, USUAL))
        deal = _made(rng, min(length, missing))
        missing -= len(deal.drafts)
        yield deal


class Unheld(Iterable[MadeDeal]):
    """A portfolio that is made up anew whenever it is gone through, so that it takes no memory."""

    def __init__(self, events: int) -> None:
        self.events = events

    def __iter__(self) -> Iterator[MadeDeal]:
        return made_one_by_one(self.events)


def deals_of(length: int, count: int, seed: int = 2) -> list[MadeDeal]:
    """`count` open deals of exactly `length` events."""
    return [
        _made(random.Random(f"{seed}/{number}"), length, closed=False) for number in range(count)
    ]


def chunks(deals: Iterable[MadeDeal], events: int) -> Iterator[list[MadeDeal]]:
    """The deals in groups of at least `events` events, the last one of what is left."""
    group: list[MadeDeal] = []
    held = 0
    for deal in deals:
        group.append(deal)
        held += len(deal.drafts)
        if held >= events:
            yield group
            group, held = [], 0
    if group:
        yield group


def _made(rng: random.Random, length: int, *, closed: bool = True) -> MadeDeal:
    deal_id = str(UUID(int=rng.getrandbits(128), version=4))
    course = _Course(rng)
    ending = course.ending() if closed and length >= SHORTEST else ()
    facts = [*islice(course.facts(), length - len(ending)), *ending]
    return MadeDeal(deal_id, tuple(_drafts(rng, deal_id, course, facts)))


def _drafts(
    rng: random.Random, deal_id: str, course: _Course, facts: Sequence[DealFact]
) -> Iterator[Draft[DealFact]]:
    at = FIRST_OPENING + timedelta(seconds=rng.randrange(600 * 86_400))
    mean_seconds = rng.uniform(60, 300) * 86_400 / len(facts)
    for number, fact in enumerate(facts, start=1):
        late = timedelta(days=rng.randint(2, 30)) if rng.random() < 0.05 else timedelta()
        yield Draft(
            fact=fact,
            occurred_at=at,
            actor=course.owner,
            source=_SOURCE,
            command_id=f"portfolio/{deal_id}/{number}",
            correlation_id="portfolio",
            known_at=at + late,
        )
        at += timedelta(seconds=1 + int(rng.uniform(0, 2 * mean_seconds)))


Facts: TypeAlias = Iterator[DealFact]


class _Course:
    """What happens in one deal, without end, and how it ends once it does."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.owner = rng.choice(_SELLERS)
        self._manager = rng.choice(_MANAGERS)
        self._version = 0
        self._position = 0
        self._attested: dict[str, int] = {}
        self._steps = 0
        self._amount_cents = rng.randrange(2_000_000, 500_000_000, 100)
        self._close = FIRST_OPENING.date() + timedelta(days=rng.randrange(90, 900))

    def facts(self) -> Facts:
        for fact in self._endless():
            self._version += 1
            if isinstance(fact, GateCriterionAttested):
                self._attested[fact.criterion] = self._version
            yield fact

    def _endless(self) -> Facts:
        yield self._opening()
        yield TeamMemberAssigned(self._manager, "manager")
        yield LeadQualified(
            QualificationLevel.LEAD,
            budget=self.rng.choice(list(BantStatus)),
            need=BantStatus.CONFIRMED,
            timeline=self.rng.choice(list(BantStatus)),
        )
        while True:
            yield from self._work()
            yield self._move()

    def _opening(self) -> OpportunityOpened:
        rng = self.rng
        number = rng.randrange(10_000)
        account = Account(
            name=f"Company {number}",
            id=f"A-{number:05}",
            industry=rng.choice(_INDUSTRIES),
            region=rng.choice(_REGIONS),
            size=rng.choice(("small", "medium", "large")),
            relation=rng.choice(list(AccountRelation)),
        )
        return OpportunityOpened(
            name=f"{rng.choice(_PRODUCTS)} for {account.name}",
            process=PROCESS.ref,
            stage=SELLING[0].id,
            currency=_CURRENCY,
            owner=self.owner,
            account=account,
            business_type=rng.choice(list(BusinessType)),
            products=tuple(rng.sample(_PRODUCTS, rng.randint(1, 2))),
            territory=f"T{rng.randint(1, 12):02}",
            region=rng.choice(_REGIONS) if rng.random() < 0.5 else None,
            lead_source=rng.choice(_SOURCES),
            reference=f"R-{rng.getrandbits(48):012x}",
        )

    def _work(self) -> Facts:
        """What is done in a stage."""
        rng = self.rng
        yield self._revision()
        for criterion in SELLING[self._position].gate:
            if criterion.id not in self._attested and rng.random() < 0.35:
                yield GateCriterionAttested(criterion.id, rng.choice(_TALK))
        for _ in range(rng.randint(1, 2)):
            yield from self._step()
        if self._position == 1:
            yield self._assessment()
        if rng.random() < 0.4:
            yield self._revision()
        if rng.random() < 0.5:
            yield NoteAdded(rng.choice(_TALK))

    def _revision(self) -> ForecastRevised:
        rng = self.rng
        self._amount_cents = max(100_000, int(self._amount_cents * rng.uniform(0.8, 1.25)))
        self._close += timedelta(days=rng.randint(-5, 40))
        return ForecastRevised(
            amount=Money.from_minor(self._amount_cents, _CURRENCY),
            expected_close=self._close,
            cause=rng.choice(list(RevisionCause)),
            reason=rng.choice(_TALK),
        )

    def _step(self) -> Facts:
        self._steps += 1
        step_id = f"step-{self._steps}"
        yield NextStepPlanned(
            step_id, self.rng.choice(_TALK), self.owner, "Agree the scope", self._close
        )
        if self.rng.random() < 0.7:
            yield NextStepCompleted(step_id, self.rng.choice(_TALK))

    def _assessment(self) -> OpportunityAssessed:
        rng = self.rng
        return OpportunityAssessed(
            rng.randint(1, 5), rng.randint(1, 5), rng.choice(list(Grade)), (), PursuitDecision.GO
        )

    def _move(self) -> DealFact:
        here, last = self._position, len(SELLING) - 1
        if here == last or (here and self.rng.random() < 0.1):
            self._position = max(0, here - self.rng.randint(1, 3))
            return StageRegressed(
                SELLING[here].id, SELLING[self._position].id, self.rng.choice(_TALK), Side.CUSTOMER
            )
        self._position = here + 1
        gate = self._gate(SELLING[here])
        override = Override(self._manager, self.rng.choice(_TALK)) if gate.missing else None
        return StageAdvanced(SELLING[here].id, SELLING[here + 1].id, gate=gate, override=override)

    def _gate(self, stage: Stage) -> GateResult:
        ids = [criterion.id for criterion in stage.gate]
        return GateResult(
            tuple(
                MetCriterion(name, (self._attested[name],), True)
                for name in ids
                if name in self._attested
            ),
            tuple(name for name in ids if name not in self._attested),
        )

    def ending(self) -> tuple[DealFact, ...]:
        """How it ends; without facts it stays open."""
        rng = self.rng
        roll = rng.random()
        if roll < 0.4:
            value = Money.from_minor(rng.randrange(2_000_000, 500_000_000), _CURRENCY)
            won = OpportunityWon(value, reasons=(rng.choice(_TALK),))
            return (won, OutcomeReasonRecorded(Teller.BUYER, ReasonDriver.PRODUCT, _TALK[2]))
        if roll < 0.75:
            lost = OpportunityLost(
                LostOutcome.LOST_TO_COMPETITOR, rng.choice(_COMPETITORS), (rng.choice(_TALK),)
            )
            return (lost, OutcomeReasonRecorded(Teller.SELLER, ReasonDriver.PRICE, _TALK[1]))
        return ()
