"""A known deal is brought up to date with what its source says now.

Theory of operation. No ledger of earlier imports is kept: the events of this
source, folded by themselves, are what it said before. They are compared with
what it says now in two steps.

First the dated facts, those whose time the source itself gives. One that is new
goes to its true time. One that differs from what was recorded under the same
command id is withdrawn and recorded anew, so that the past reads as the source
tells it now, and at earlier known-at dates as it was told then. Facts that the
source no longer shows stay: exports are often partial.

Then everything else: what the source says of the deal now, other than what it
said before, happened at some time until now. It becomes an inferred revision,
known at the time of the import. Only what changed in the source is revised, so
that what users changed here since stays as they left it.

If a step would make an event that was sound unsound, it is not taken, and told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from api.exchange.identity import again
from api.exchange.intake.changes import changes
from api.exchange.intake.comparing import claim_the_same, is_at, last_recorded, stands_as_told
from api.exchange.intake.forgotten import as_forgotten, without_forgotten
from api.exchange.intake.people import changed_fields, has_ended_without_win, news
from api.exchange.intake.snapshot import Remark, current, differing, fields_set
from api.exchange.report import Kind
from domain.corrections import EventWithdrawn, withdrawn_versions
from domain.deal import DealEvent, replay, standing, violations
from domain.history import Draft, stored_name
from domain.lifecycle import Status
from domain.lifecycle.facts import (
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityWon,
)
from domain.people.facts import PeopleFact, StakeholderIdentified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from api.exchange.intake.derivation import Derivation, Derived
    from api.exchange.intake.snapshot import Context, SourceDeal, SourcePerson
    from domain.deal import Deal, DealFact
    from domain.history import Recorded
    from domain.lifecycle import Life
    from domain.people import People
    from domain.refusals import Refusal

CORRECTED = "The source tells it otherwise now."
REORDERED = "Something that came before it was recorded later."


class Revision(msgspec.Struct, frozen=True):
    """What to append to a known deal, and what to report."""

    drafts: tuple[Draft[DealFact], ...]
    remarks: tuple[Remark, ...]


def revise(
    deal: SourceDeal, derivation: Derivation, events: Sequence[DealEvent], context: Context
) -> Revision:
    """The drafts that bring a deal with `events` up to date with `derivation`."""
    revising = _Revising(deal, derivation, events, context)
    revising.run()
    return Revision(tuple(revising.drafts), tuple(revising.remarks))


class _Revising:
    def __init__(
        self,
        deal: SourceDeal,
        derivation: Derivation,
        events: Sequence[DealEvent],
        context: Context,
    ) -> None:
        self._source = deal
        self._derivation = derivation
        self._identity = context.identity
        self._book = context.book
        self._now = context.now
        self._stream = context.stream(deal)
        self._events = tuple(events)
        self._rows = {self._identity.command(r.key) for r in deal.readings}
        self._dated_rows = {self._identity.command(r.key) for r in deal.readings if r.dated}
        self.drafts: list[Draft[DealFact]] = []
        self.remarks: list[Remark] = []

    @property
    def _ours(self) -> list[DealEvent]:
        """The events of this source, in order of version."""
        return [event for event in self._events if event.source == self._identity.stamp]

    def run(self) -> None:
        opening = next((e for e in self._ours if isinstance(e.fact, OpportunityOpened)), None)
        if opening is None:
            self._remark(Kind.CONFLICT, "a deal of this id exists and is not of this source")
            return
        self._compare_opening(opening)
        dated, remarks = self._dated(opening.occurred_at)
        if self._adopt(dated):
            self.remarks += remarks
        self._bring_up_to_date()
        if self._derivation.people:
            self._identify_people(opening.occurred_at)
            self._revise_people()

    def _compare_opening(self, opening: DealEvent) -> None:
        told = self._derivation.facts[0]
        if not told.reading.assumed and not is_at(opening, told):
            told_at, stands_at = f"{told.reading.at:%Y-%m-%d}", f"{opening.occurred_at:%Y-%m-%d}"
            reason = f"the source has it opened on {told_at}; recorded is {stands_at}, which stands"
            self.remarks.append(Remark(Kind.OPENING_STANDS, reason, told.reading.origin))

    def _dated(self, opened_at: datetime) -> tuple[list[Draft[DealFact]], list[Remark]]:
        """Withdrawals and records after which the dated facts are as the source tells them."""
        by_id = {event.command_id: event for event in self._ours}
        stale = {event.version: event for event in self._told_before()}
        drafts: list[Draft[DealFact]] = []
        remarks: list[Remark] = []
        newest: datetime | None = None
        for derived in self._derivation.facts[1:]:
            if not derived.reading.dated or isinstance(derived.fact, PeopleFact):
                continue
            command_id, last = last_recorded(derived.draft.command_id, by_id)
            earlier = None if last is None else stale.pop(last.version, None)
            told = derived if last is None else as_forgotten(derived, last.fact)
            at = max(told.draft.occurred_at, opened_at)
            if earlier is not None and stands_as_told(earlier, told, at):
                if newest is None or earlier.occurred_at > newest:
                    continue
                at = newest
            new = msgspec.structs.replace(told.draft, occurred_at=at, command_id=command_id)
            newest = at if newest is None else max(at, newest)
            if earlier is None:
                drafts.append(new)
                remarks += self._told_of(told, at)
                continue
            is_the_same = claim_the_same(earlier, told)
            drafts += self._instead_of(earlier, new, is_the_same)
            if not is_the_same:
                reason = f"{earlier.type} differs from what was recorded: corrected"
                remarks.append(Remark(Kind.ROW_CHANGED, reason, told.reading.origin))
        withdrawn = [self._withdrawal(e, REORDERED, e.known_at) for e in stale.values()]
        after_the_end = self._revised_after_the_end(opened_at)
        withdrawn += [self._withdrawal(e, CORRECTED, None) for e in after_the_end]
        return [*withdrawn, *drafts], remarks

    def _revised_after_the_end(self, opened_at: datetime) -> Iterator[DealEvent]:
        """Revisions of earlier imports from behind the end that the source tells now."""
        told = self._derivation.last
        if told.reading.dated and isinstance(told.fact, OpportunityWon | OpportunityLost):
            ended_at = max(told.draft.occurred_at, opened_at)
            for event in standing(self._ours):
                is_of_people = isinstance(event.fact, PeopleFact)
                if event.occurred_at > ended_at and self._gives_way(event) and not is_of_people:
                    yield event

    def _told_before(self) -> Iterator[DealEvent]:
        """The standing events that came from dated rows which the source still shows."""
        for event in standing(self._ours):
            if event.correlation_id in self._dated_rows and not isinstance(
                event.fact, OpportunityOpened | EventWithdrawn
            ):
                yield event

    def _instead_of(
        self, earlier: DealEvent, new: Draft[DealFact], is_the_same: bool
    ) -> list[Draft[DealFact]]:
        """Withdraw `earlier` and record `new`.

        Where both claim the same, and only what came before differs, it was
        known as early as before. Otherwise it is known now.
        """
        if is_the_same:
            kept = msgspec.structs.replace(new, known_at=earlier.known_at)
            return [self._withdrawal(earlier, REORDERED, earlier.known_at), kept]
        revised = msgspec.structs.replace(new, known_at=None, inferred=True)
        return [self._withdrawal(earlier, CORRECTED, None), revised]

    def _told_of(self, told: Derived, at: datetime) -> Iterator[Remark]:
        """What is remarkable about a fact that is new."""
        name, origin = stored_name(type(told.fact)), told.reading.origin
        if at > told.draft.occurred_at:
            reason = f"{name} lies before the recorded opening: entered at the opening"
            yield Remark(Kind.BEFORE_RECORDED_OPENING, reason, origin)
        elif any(event.occurred_at > at for event in self._events):
            yield Remark(Kind.LATE_ROW, f"{name} is entered at its true time, {at:%F %T}Z", origin)

    def _bring_up_to_date(self) -> None:
        """Revise what the source says of the deal now, other than before."""
        before = replay(self._ours)
        known = current(before)
        changed = differing(without_forgotten(self._derivation.wanted, known), known)
        deal = replay(self._events)
        facts = changes(deal, changed, self._source.process, self._book)
        if not facts:
            return
        if self._is_merged(deal.life):
            return
        if deal.life.status.closed and not isinstance(facts[0], OpportunityReopened):
            drafts = self._amended(self._revised(facts, self._now), deal.life)
        else:
            drafts = self._revised(facts, self._time_of_revision())
        if drafts and self._adopt(drafts):
            told = f"changed {', '.join(fields_set(changed)).replace('_', ' ')}"
            self._remark(Kind.ROW_CHANGED, told)

    def _is_merged(self, life: Life) -> bool:
        """Whether the deal is a duplicate, which is told: nothing of it changes any more."""
        if life.status is not Status.MERGED:
            return False
        reason = f"changed in the source, but merged into deal {life.merged_into} here"
        self._remark(Kind.CONFLICT, reason)
        return True

    # People.

    def _identify_people(self, opened_at: datetime) -> None:
        """Put those who are new on the map, at their true time."""
        for told in self._derivation.facts:
            if isinstance(told.fact, StakeholderIdentified) and self._is_new(told, told.fact.id):
                self._identify(told, max(told.draft.occurred_at, opened_at))

    def _is_new(self, told: Derived, stakeholder: str) -> bool:
        """Whether this import is to identify them: nobody did here, and no user withdrew it."""
        gone = withdrawn_versions(self._ours)
        withdrawn = withdrawn_versions(self._events)
        for event in self._events:
            fact = event.fact
            if not isinstance(fact, StakeholderIdentified) or fact.id != stakeholder:
                continue
            is_ours = event.source == self._identity.stamp
            if not is_ours and event.version not in withdrawn:
                reason = "a stakeholder of the id of this contact was put on the map here"
                self.remarks.append(Remark(Kind.CONFLICT, reason, told.reading.origin))
                return False
            if is_ours and event.version not in gone:
                return False
        return True

    def _identify(self, told: Derived, at: datetime) -> None:
        by_id = {event.command_id: event for event in self._ours}
        command_id, _ = last_recorded(told.draft.command_id, by_id)
        drafts = [msgspec.structs.replace(told.draft, occurred_at=at, command_id=command_id)]
        life = replay(self._events, as_of=at).life
        if self._is_merged(life):
            return
        if has_ended_without_win(life):
            drafts = self._amended(drafts, life)
        remarks = [] if told.draft.inferred else list(self._told_of(told, at))
        if drafts and self._adopt(drafts):
            self.remarks += remarks

    def _revise_people(self) -> None:
        """Revise what the source says of people now, other than before."""
        before, deal = replay(self._ours).people, replay(self._events)
        for person in self._derivation.people:
            known = deal.people.stakeholder(person.id)
            if known is None or before.stakeholder(person.id) is None:
                continue
            if known.erased is not None:
                reason = "skipped: erased"
                self.remarks.append(Remark(Kind.SKIPPED_ERASED, reason, person.reading.origin))
                continue
            self._revise_person(person, before, deal)

    def _revise_person(self, person: SourcePerson, before: People, deal: Deal) -> None:
        fact = news(person, before, deal.people)
        if fact is None:
            return
        origin = person.reading.origin
        if has_ended_without_win(deal.life):
            reason = "the contact changed, but the deal has ended: the recorded one stands"
            self.remarks.append(Remark(Kind.STAKEHOLDER_STANDS, reason, origin))
            return
        at = max(self._now, *(event.occurred_at for event in self._events))
        if self._adopt(self._revised([fact], at, actor=person.revised_by)):
            fields = ", ".join(changed_fields(fact)).replace("_", " ")
            remark = Remark(Kind.ROW_CHANGED, f"the contact changed: {fields}", origin)
            self.remarks.append(remark)

    def _time_of_revision(self) -> datetime:
        """When the source says it was last changed, if nothing is recorded after; else now."""
        latest = max(event.occurred_at for event in self._events)
        revised_at = self._source.revised_at
        if revised_at is not None and latest <= revised_at <= self._now:
            return revised_at
        return max(latest, self._now)

    def _revised(
        self, facts: Sequence[DealFact], at: datetime, actor: str | None = None
    ) -> list[Draft[DealFact]]:
        row = self._derivation.last.reading
        revision = f"revision/{self._source.reference}/{len(self._events)}"
        return [
            Draft(
                fact=fact,
                occurred_at=at,
                actor=actor or row.actor,
                source=self._identity.stamp,
                command_id=self._identity.command(revision, stored_name(type(fact))),
                correlation_id=self._identity.command(revision),
                inferred=True,
            )
            for fact in facts
        ]

    def _amended(self, drafts: Sequence[Draft[DealFact]], life: Life) -> list[Draft[DealFact]]:
        """Drafts at the end of a deal that has ended, and the outcome once more behind them."""
        outcome = life.outcome
        assert outcome is not None, "a deal that has ended has an outcome"
        if outcome.source != self._identity.stamp:
            reason = "changed in the source, but the deal was ended here, by other than this import"
            self._remark(Kind.CONFLICT, reason)
            return []
        once_more = Draft(
            fact=outcome.fact,
            occurred_at=outcome.occurred_at,
            actor=outcome.actor,
            source=outcome.source,
            command_id=again(outcome.command_id),
            correlation_id=outcome.correlation_id,
            known_at=outcome.known_at,
            inferred=outcome.inferred,
        )
        return [
            self._withdrawal(outcome, REORDERED, outcome.known_at),
            *(msgspec.structs.replace(one, occurred_at=outcome.occurred_at) for one in drafts),
            once_more,
        ]

    def _withdrawal(
        self, event: Recorded[Any], reason: str, known_at: datetime | None
    ) -> Draft[DealFact]:
        key = f"withdrawal/{self._source.reference}/{event.version}"
        return Draft(
            fact=EventWithdrawn((event.version,), reason),
            occurred_at=self._now,
            actor=event.actor,
            source=self._identity.stamp,
            command_id=self._identity.command(key),
            correlation_id=event.correlation_id,
            known_at=known_at,
            inferred=True,
        )

    def _adopt(self, drafts: Sequence[Draft[DealFact]]) -> bool:
        """Take the drafts unless an event would become unsound by them; whether they were taken.

        Our own earlier revisions give way: what they said is compared anew.
        """
        if not drafts:
            return True
        taken = list(drafts)
        while (broken := self._broken_by(taken)) is not None:
            event, refusal = broken
            if not self._gives_way(event):
                reason = f"{event.type} of {event.occurred_at:%F} could not stand: {refusal}"
                self._remark(Kind.CONFLICT, reason)
                return False
            taken.append(self._withdrawal(event, REORDERED, None))
        self._events = self._with(taken)
        self.drafts += taken
        return True

    def _broken_by(self, drafts: Sequence[Draft[DealFact]]) -> tuple[DealEvent, Refusal] | None:
        """The first event that is unsound with the drafts and was not without them."""
        unsound = {version for version, _ in violations(self._events, self._book)}
        events = self._with(drafts)
        for version, refusal in violations(events, self._book):
            if version not in unsound:
                return events[version - 1], refusal
        return None

    def _with(self, drafts: Sequence[Draft[DealFact]]) -> tuple[DealEvent, ...]:
        following = enumerate(drafts, start=len(self._events) + 1)
        new = (draft.recorded(self._stream, version, self._now) for version, draft in following)
        return (*self._events, *new)

    def _gives_way(self, event: DealEvent) -> bool:
        """Whether an event is a revision of an earlier import, which rested on its comparison."""
        return (
            event.version <= len(self._events)
            and event.source == self._identity.stamp
            and (event.inferred or isinstance(event.fact, PeopleFact))
            and event.correlation_id not in self._rows
            and not isinstance(event.fact, OpportunityOpened | EventWithdrawn)
        )

    def _remark(self, kind: Kind, reason: str) -> None:
        self.remarks.append(Remark(kind, reason, self._derivation.last.reading.origin))
