"""The history that a source tells of one deal, as facts in the order of time.

Every fact here is structurally sound: gates are not judged, for what is told
happened, but a fact that could not follow from what came before is left out and
told.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from api.exchange.intake.changes import changes
from api.exchange.intake.people import Arrival, arrivals, has_ended_without_win, lined_up
from api.exchange.intake.snapshot import (
    Reading,
    Remark,
    Snapshot,
    SourcePerson,
    current,
    differing,
    fields_set,
    merged,
)
from api.exchange.report import Kind
from domain.deal import Deal, DealFact, admissible, evolve
from domain.history import Draft, Fact, stored_name
from domain.intent import CLOCK_TOLERANCE
from domain.lifecycle.facts import (
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityWon,
    ProcessChanged,
)
from domain.people.facts import PeopleFact
from domain.refusals import Refusal
from domain.stages.facts import StageAdvanced, StageRegressed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from api.exchange.intake.snapshot import Context, SourceDeal
    from domain.process import SalesProcess


class Derived(msgspec.Struct, frozen=True):
    """A draft and what its importer knows beyond it."""

    draft: Draft[DealFact]
    reading: Reading

    @property
    def fact(self) -> DealFact:
        return self.draft.fact


class Derivation(msgspec.Struct, frozen=True):
    """What a source tells of one deal. Without facts the deal cannot be imported."""

    facts: tuple[Derived, ...]
    wanted: Snapshot
    """All that the source says of the deal now."""
    remarks: tuple[Remark, ...] = ()
    people: tuple[SourcePerson, ...] = ()
    """Whom the source tells of, as far as that can be stored."""

    @property
    def last(self) -> Derived:
        """The last fact of the deal itself."""
        return next(one for one in reversed(self.facts) if not isinstance(one.fact, PeopleFact))

    @property
    def drafts(self) -> list[Draft[DealFact]]:
        return [derived.draft for derived in self.facts]


def derive(
    deal: SourceDeal, context: Context, opened_under: SalesProcess | None = None
) -> Derivation:
    """The facts and remarks that the readings of one deal lead to.

    `opened_under` is the process that a known deal was opened under, which may
    be an earlier version of the source's.
    """
    readings = sorted(deal.readings, key=lambda reading: reading.at)
    wanted = Snapshot()
    for reading in readings:
        wanted = merged(wanted, reading.snapshot)
    telling = _Telling(deal, context, opened_under)
    usable = telling.has_usable_users() and not telling.meets_the_future(readings)
    if not usable or not telling.open(readings[0]):
        return Derivation((), wanted, tuple(telling.remarks))
    people = telling.usable_people()
    steps: list[Reading | Arrival] = [*readings, *arrivals(people, readings[0])]
    for step in sorted(steps, key=lambda step: step.at):
        if isinstance(step, Arrival):
            telling.meet(step)
        else:
            telling.follow(step)
    return Derivation(tuple(telling.facts), wanted, tuple(telling.remarks), people)


class _Telling:
    """The facts so far, and the deal that they fold to."""

    def __init__(
        self, source_deal: SourceDeal, context: Context, opened_under: SalesProcess | None
    ) -> None:
        self._source = source_deal
        self._opened_under = opened_under or source_deal.process
        self._identity = context.identity
        self._book = context.book
        self._now = context.now
        self._stream = context.stream(source_deal)
        self._deal = Deal()
        self.facts: list[Derived] = []
        self.remarks: list[Remark] = []

    def has_usable_users(self) -> bool:
        """Whether all names of users can be stored; else the deal is left out."""
        for user in self._source.users:
            try:
                check_storable(user)
            except msgspec.ValidationError as error:
                told = f"the user {user.name[:40]!r}…: {error}"
                self._remark(Kind.IMPOSSIBLE_VALUE, told, self._source.readings[0])
                return False
        return True

    def meets_the_future(self, readings: Iterable[Reading]) -> bool:
        """Whether a reading has not happened yet; such a deal is left out."""
        return any(self._lies_ahead(reading) for reading in readings)

    def _lies_ahead(self, reading: Reading) -> bool:
        begins = reading.at if reading.day is None else reading.at - timedelta(days=1)
        if begins <= self._now + CLOCK_TOLERANCE:
            return False
        day = reading.day or reading.at
        self._remark(Kind.IN_THE_FUTURE, f"{day} lies in the future", reading)
        return True

    def usable_people(self) -> tuple[SourcePerson, ...]:
        """Who can be recorded, with lines of reporting among them that run in no circle."""
        people, loops = lined_up([one for one in self._source.people if self._is_usable(one)])
        for one in loops:
            told = "the reporting lines run in a circle: this one is left out"
            self._remark(Kind.UNSOUND, told, one.reading)
        return people

    def _is_usable(self, person: SourcePerson) -> bool:
        """Nothing that is said of them is told here: it is personal."""
        self.remarks += person.remarks
        try:
            check_storable(person.said)
        except msgspec.ValidationError as error:
            told = f"a contact cannot be stored: {error}"
            self._remark(Kind.IMPOSSIBLE_VALUE, told, person.reading)
            return False
        return not self._lies_ahead(person.reading)

    def open(self, reading: Reading) -> bool:
        """Begin the history with the earliest reading; False where that cannot be."""
        said = reading.snapshot
        stage = said.stage
        if stage is UNSET:
            stage = self._opened_under.stages[0].id
        if said.outcome is not UNSET and said.outcome is not None:
            self._remark(
                Kind.FIRST_ROW_CLOSED,
                f"the history begins with the end of the deal: opened in {stage} (inferred)",
                reading,
            )
        fact = self._opening(said, stage)
        inferred = reading.inferred or said.stage is UNSET
        return self._add(fact, reading, inferred=inferred)

    def _opening(self, said: Snapshot, stage: str) -> OpportunityOpened:
        assert said.name is not UNSET, "the earliest reading names the deal"
        assert said.owner is not UNSET, "the earliest reading names the owner"
        optional = ("account", "business_type", "territory", "region", "route", "lead_source")
        given: dict[str, Any] = {
            name: value for name in optional if (value := getattr(said, name)) is not UNSET
        }
        known = self._opened_under
        process = self._source.process if known.stage(stage) is None else known
        return OpportunityOpened(
            name=said.name,
            process=process.ref,
            stage=stage,
            currency=self._source.currency,
            owner=said.owner,
            products=() if said.products is UNSET else said.products,
            reference=self._source.reference,
            **given,
        )

    def follow(self, reading: Reading) -> None:
        """Add what `reading` changes."""
        facts = changes(self._deal, reading.snapshot, self._source.process, self._book)
        if not facts:
            return
        if reading.remark is not None:
            self._remark(reading.remark, self._told(reading), reading)
        reopens = isinstance(facts[0], OpportunityReopened)
        if self._deal.life.status.closed and not reopens:
            if reading.remark is None:
                told = f"{self._told(reading)} after the deal had ended: entered before the end"
                self._remark(Kind.CHANGED_AFTER_OUTCOME, told, reading)
            self._amend(facts, reading)
            return
        if reopens:
            ended = self._deal.life.outcome_name
            self._remark(Kind.REOPENED, f"the deal had ended ({ended}): reopened first", reading)
        for fact in facts:
            inferred = reading.inferred or isinstance(fact, OpportunityReopened)
            self._add(fact, reading, inferred=inferred)

    def meet(self, arrival: Arrival) -> None:
        """Put somebody on the map: before the end of a deal that was not won, else when they came.

        A deal that has ended before anything else happened ends behind them, and
        that is no repair.
        """
        life, reading = self._deal.life, arrival.reading
        if not has_ended_without_win(life):
            self._add(arrival.fact, reading, inferred=reading.inferred)
            return
        is_late = life.outcome is not None and reading.at > life.outcome.occurred_at
        if is_late:
            told = f"{stored_name(type(arrival.fact))} after the deal had ended"
            self._remark(Kind.CHANGED_AFTER_OUTCOME, f"{told}: entered before the end", reading)
        self._amend([arrival.fact], reading, inferred=is_late or reading.inferred)

    def _told(self, reading: Reading) -> str:
        """What `reading` changes, in words."""
        news = fields_set(differing(reading.snapshot, current(self._deal)))
        return f"changes {', '.join(news).replace('_', ' ')}"

    def _amend(self, facts: Iterable[DealFact], reading: Reading, *, inferred: bool = True) -> None:
        """Enter facts into the story of a deal that has ended and stays so, before its end.

        After an outcome nothing about the deal may change, but what was true
        before it may be entered at any time.
        """
        outcome = self._deal.life.outcome
        assert outcome is not None, "a deal that has ended has an outcome"
        earlier, later = self.facts[: outcome.version - 1], self.facts[outcome.version - 1 :]
        self.facts, self._deal = [], Deal()
        for derived in earlier:
            self._keep(derived)
        end = later[0].reading
        at_the_end = msgspec.structs.replace(reading, at=end.at, day=end.day)
        for fact in facts:
            self._add(fact, at_the_end, inferred=inferred)
        for derived in later:
            self._keep(derived)

    def _add(self, fact: DealFact, reading: Reading, *, inferred: bool) -> bool:
        """Add a fact unless it is unsound; whether it was added."""
        try:
            check_storable(fact)
            admissible(fact, self._deal, self._book)
        except msgspec.ValidationError as error:
            self._remark(Kind.IMPOSSIBLE_VALUE, f"{stored_name(type(fact))}: {error}", reading)
            return False
        except Refusal as refusal:
            told = f"{stored_name(type(fact))} cannot stand here: {refusal}"
            self._remark(Kind.UNSOUND, told, reading)
            return False
        draft = Draft(
            fact=fact,
            occurred_at=reading.at if reading.day is None else min(reading.at, self._now),
            actor=reading.actor,
            source=self._identity.stamp,
            command_id=self._identity.command(reading.key, _part(fact)),
            correlation_id=self._identity.command(reading.key),
            known_at=self._known_at(reading),
            inferred=inferred,
        )
        self._keep(Derived(draft, reading))
        return True

    def _known_at(self, reading: Reading) -> datetime | None:
        """A source's clock that runs ahead, or a bare date of today, tells nothing."""
        if reading.known_at is None or reading.known_at > self._now:
            return None
        return reading.known_at

    def _keep(self, derived: Derived) -> None:
        self.facts.append(derived)
        event = derived.draft.recorded(self._stream, len(self.facts), self._now)
        self._deal = evolve(self._deal, event)

    def _remark(self, kind: Kind, reason: str, reading: Reading) -> None:
        self.remarks.append(Remark(kind, reason, reading.origin))


def _part(fact: DealFact) -> str:
    """What of the deal a fact is about: a later import may tell it by a fact of another type."""
    match fact:
        case OpportunityWon() | OpportunityLost():
            return "outcome"
        case StageAdvanced() | StageRegressed() | ProcessChanged():
            return "stage"
        case _:
            return stored_name(type(fact))


@cache
def _decoder(fact_type: type[Fact]) -> msgspec.json.Decoder[Fact]:
    return msgspec.json.Decoder(fact_type)


def check_storable(fact: Fact) -> None:
    """Raise msgspec.ValidationError for a fact that could not be read back: a text too long."""
    _decoder(type(fact)).decode(msgspec.json.encode(fact))
