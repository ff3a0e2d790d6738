"""Takes deals from an importer and appends them, many to a transaction.

A deal is appended whole or not at all, so an import that is broken off leaves
whole deals, and the next run finds them known and goes on with the rest.
"""

from __future__ import annotations

from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, cast

import msgspec

from api.exchange.intake.derivation import derive
from api.exchange.intake.forgotten import without_names
from api.exchange.intake.revision import revise
from api.exchange.intake.snapshot import Context, Remark
from api.exchange.report import ImportFailure, Kind
from domain.access import EVERYTHING, Principal, Role
from domain.history import Draft, StreamKind, stream_of
from domain.intent import Intent
from domain.lifecycle.facts import OpportunityOpened
from domain.people.facts import StakeholderIdentified
from domain.refusals import PersonErased, VersionConflict
from domain.subjects import Subjects
from store.erased_names import ErasedNames
from store.events.writing import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from api.exchange.identity import Identity
    from api.exchange.intake.snapshot import SourceDeal, SourcePerson
    from api.exchange.report import GapReport
    from domain.deal import DealEvent
    from domain.directory import UserRegistered
    from domain.history import Fact
    from domain.process import SalesProcess
    from store.log import DealLog

DEALS_PER_TRANSACTION = 500
ATTEMPTS = 5
"""How often a batch is decided anew when someone else wrote to one of its deals meanwhile.

So it is when somebody was erased between asking for it and appending.
"""


class Progress(msgspec.Struct, frozen=True):
    """How far an import is."""

    rows: int
    deals: int
    deals_per_second: float
    share_read: float
    """How much of the input has been read, from 0 to 1."""


class Plan(msgspec.Struct, frozen=True):
    """What to append for one deal, nothing if it is unchanged or left out, and what to tell."""

    drafts: Sequence[Draft[Fact]]
    remarks: Sequence[Remark]
    is_known: bool = False
    is_left_out: bool = False


class Intake:
    """One run of one import into one log."""

    def __init__(
        self,
        log: DealLog,
        identity: Identity,
        report: GapReport,
        clock: Callable[[], datetime],
        *,
        actor: str,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.report = report
        self.now = clock()
        self._log = log
        self._identity = identity
        self._clock = clock
        self._actor = actor
        self._on_progress = on_progress
        self._book = log.processes()
        self._users = log.users()
        self._deals = 0
        self._started = monotonic()

    def publish(self, process: SalesProcess) -> None:
        """Make the process of the import known. Raises ImportFailure if it has other content."""
        if process.ref in self._book:
            if self._book.get(process.ref) != process:
                raise ImportFailure(
                    f"the process {process.ref} is published with other content",
                    "Published versions never change: give this one the next version.",
                )
            return
        self._book = self._book.with_(process)
        if self.report.dry_run:
            return
        now = self._clock()
        intent = Intent(
            command_id=self._identity.command("process", str(process.ref)),
            principal=Principal(self._actor, frozenset({Role.OPERATOR})),
            source=self._identity.stamp,
            now=now,
            occurred_at=now,
        )
        self._log.publish(process, intent)

    def take(self, deals: Iterable[SourceDeal], rows_read: Callable[[], tuple[int, float]]) -> None:
        """Append all deals. `rows_read` tells the rows and the share of the input read so far."""
        remaining = iter(deals)
        while batch := list(islice(remaining, DEALS_PER_TRANSACTION)):
            self._take_batch(batch)
            self._deals += len(batch)
            if self._on_progress is not None:
                seconds = max(monotonic() - self._started, 1e-6)
                rows, share = rows_read()
                self._on_progress(Progress(rows, self._deals, self._deals / seconds, share))

    def _take_batch(self, deals: Sequence[SourceDeal]) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._append(deals)
            except (VersionConflict, PersonErased):
                if attempt == ATTEMPTS:
                    raise
                self._users = self._log.users()
            else:
                return

    def _append(self, deals: Sequence[SourceDeal]) -> None:
        """Append what the deals of one batch come to, in one transaction; then count and tell."""
        context = Context(self._identity, self._book, self._clock())
        streams = [context.stream(deal) for deal in deals]
        known = cast("dict[str, tuple[DealEvent, ...]]", self._log.events_of(streams, EVERYTHING))
        erased, names = self._erased_among(deals, context), ErasedNames(self._log.keys)
        plans = []
        for deal, stream in zip(deals, streams, strict=True):
            events = known.get(stream, ())
            plan = self._plan(deal, events, context, erased)
            plans.append(_without_names(plan, deal, events, stream, names))
        users = list(self._new_users(deals, plans))
        batches = [self._registration(user, context.now) for user in users]
        for stream, plan in zip(streams, plans, strict=True):
            if plan.drafts:
                batches.append(Batch(stream, len(known.get(stream, ())), plan.drafts))
        if batches and not self.report.dry_run:
            self._log.append(batches)
        self._users.update({user.user: user for user in users})
        self.report.counts.users += len(users)
        for deal, plan in zip(deals, plans, strict=True):
            self._count(plan)
            self._tell(deal, plan)

    def _erased_among(self, deals: Sequence[SourceDeal], context: Context) -> set[str]:
        """The names of keys of people on these deals that were erased, here or on any deal."""
        names = {
            name
            for deal in deals
            for person in deal.people
            for name in _key_names(person, context.stream(deal))
        }
        return self._log.keys.is_erased(names) if names else set()

    def _plan(
        self, deal: SourceDeal, events: Sequence[DealEvent], context: Context, erased: set[str]
    ) -> Plan:
        """What to append for one deal, as if the source did not know of those `erased`."""
        people = deal.people
        skipped = {
            one.id for one in people if erased.intersection(_key_names(one, context.stream(deal)))
        }
        kept = tuple(one for one in people if one.id not in skipped)
        plan = self._plan_of(msgspec.structs.replace(deal, people=kept), events, context)
        told = (
            Remark(Kind.SKIPPED_ERASED, "skipped: erased", one.reading.origin)
            for one in people
            if one.id in skipped
        )
        return msgspec.structs.replace(plan, remarks=(*told, *plan.remarks))

    def _plan_of(self, deal: SourceDeal, events: Sequence[DealEvent], context: Context) -> Plan:
        derivation = derive(deal, context, _opened_under(events, context))
        if not derivation.facts:
            return Plan((), derivation.remarks, is_left_out=True)
        if not events:
            return Plan(derivation.drafts, derivation.remarks)
        revision = revise(deal, derivation, events, context)
        remarks = (*derivation.remarks, *revision.remarks)
        return Plan(revision.drafts, remarks, is_known=True)

    def _new_users(
        self, deals: Sequence[SourceDeal], plans: Sequence[Plan]
    ) -> Iterator[UserRegistered]:
        """Users of these deals who are not registered, or under another name."""
        found: dict[str, UserRegistered] = {}
        for deal, plan in zip(deals, plans, strict=True):
            if not plan.is_left_out:
                found.update({user.user: user for user in deal.users})
        for user in found.values():
            if self._users.get(user.user) != user:
                yield user

    def _registration(self, user: UserRegistered, now: datetime) -> Batch:
        stream = stream_of(StreamKind.USER, user.user)
        version = len(self._log.events_in(stream)) if user.user in self._users else 0
        command_id = self._identity.command(f"user/{user.user}/{version}", user.name)
        draft = Draft(
            fact=user,
            occurred_at=now,
            actor=self._actor,
            source=self._identity.stamp,
            command_id=command_id,
            correlation_id=command_id,
        )
        return Batch(stream, version, (draft,))

    def _count(self, plan: Plan) -> None:
        counts = self.report.counts
        counts.deals_left_out += plan.is_left_out
        counts.deals += not plan.is_known and not plan.is_left_out
        counts.deals_revised += plan.is_known and bool(plan.drafts)
        counts.deals_unchanged += plan.is_known and not plan.drafts
        counts.events += len(plan.drafts)
        counts.inferred_events += sum(draft.inferred for draft in plan.drafts)

    def _tell(self, deal: SourceDeal, plan: Plan) -> None:
        for remark in plan.remarks:
            self.report.add(remark.kind, remark.reason, remark.origin, deal.reference)


def _without_names(
    plan: Plan, deal: SourceDeal, events: Sequence[DealEvent], stream: str, names: ErasedNames
) -> Plan:
    """The plan without texts that name somebody who was erased on the deal."""
    if not plan.drafts or not events or not names.concern(stream):
        return plan
    subjects = Subjects()
    for fact in (*(event.fact for event in events), *(draft.fact for draft in plan.drafts)):
        subjects = subjects.after(fact)
    living = [name for one in subjects.stakeholders.values() for name in one.names]
    drafts = [
        msgspec.structs.replace(
            draft,
            fact=without_names(draft.fact, lambda texts: names.are_in(stream, texts, living)),
        )
        for draft in plan.drafts
    ]
    changed = sum(new.fact is not old.fact for new, old in zip(drafts, plan.drafts, strict=True))
    reason = "left out a text: it names somebody who was erased"
    told = (Remark(Kind.SKIPPED_ERASED, reason, deal.readings[0].origin),) * bool(changed)
    return msgspec.structs.replace(plan, drafts=drafts, remarks=(*plan.remarks, *told))


def _key_names(person: SourcePerson, stream: str) -> tuple[str, ...]:
    """The names of the keys under which a stakeholder's data would stand."""
    identified = StakeholderIdentified(person.id, "", person=person.person)
    return Subjects().after(identified).keys_of(person.id, stream)


def _opened_under(events: Sequence[DealEvent], context: Context) -> SalesProcess | None:
    """The process that a known deal was opened under."""
    if events and isinstance(events[0].fact, OpportunityOpened):
        return context.book.get(events[0].fact.process)
    return None
