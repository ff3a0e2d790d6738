"""Deals from a Salesforce CSV export: `Opportunity` and `OpportunityHistory`.

Each history row tells the deal after one change; the opportunity tells it as it
is now. Where the two disagree, the opportunity is taken as a change of its last
modification that the history has missed. `Account`, `User`, `OpportunityStage`,
and `OpportunityContactRole` with `Contact` are read where they are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from api.exchange.intake.snapshot import Reading, Snapshot, SourceDeal, merged
from api.exchange.moments import Moment
from api.exchange.report import ImportFailure, Kind, Origin, with_hint
from api.exchange.rows import RowFault
from api.exchange.salesforce.contacts import Contacts
from api.exchange.salesforce.export import RANKS, Export
from api.exchange.salesforce.files import ACCOUNT, OPPORTUNITY, STAGE, USER
from api.exchange.salesforce.rows import States, Times
from api.exchange.salesforce.stages import inferred_process
from domain.currencies import MINOR_DIGITS
from domain.directory import UserRegistered
from domain.lifecycle.facts import Account

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from api.exchange.grouping import Filed
    from api.exchange.identity import Identity
    from api.exchange.moments import Calendar
    from api.exchange.report import GapReport
    from domain.process import ProcessBook, SalesProcess

DATE_FORMATS = ("%m/%d/%y %I:%M %p", "%m/%d/%Y %I:%M %p", "%m/%d/%y", "%m/%d/%Y")
"""Besides ISO 8601."""

DEFAULT_CURRENCY = "USD"


class SalesforceDeals:
    """The deals of one export. Everything is read before the first deal comes out.

    Raises ImportFailure when a file is damaged, a time has no zone, or `process`
    lacks a stage that the deals are in.
    """

    def __init__(
        self,
        files: Mapping[str, Path],
        identity: Identity,
        report: GapReport,
        calendar: Calendar,
        book: ProcessBook,
        *,
        actor: str,
        encoding: str = "utf-8",
        currency: str | None = None,
        process: SalesProcess | None = None,
    ) -> None:
        self._identity = identity
        self._report = report
        self._times = Times(calendar)
        self._actor = actor
        self._currency = currency
        self._export = Export(files, report, self._times, encoding)
        self.process = process or self._inferred(book)
        self._states = States(self._times, self._export.stages, self.process)
        self._check_stages()
        self._contacts = Contacts(self._export, identity, report, self._times, actor)
        self._told_once: set[str] = set()
        self._deals = 0

    def rows_read(self) -> tuple[int, float]:
        """Rows read so far, and the share of the deals that have come out."""
        return self._export.rows, self._deals / max(self._export.opportunities, 1)

    def _inferred(self, book: ProcessBook) -> SalesProcess:
        name = self._identity.name
        process_id = name if name.startswith("salesforce") else f"salesforce-{name}"
        process = inferred_process(self._export.stages, process_id, book)
        stages = ", ".join(f"{stage.name.en} {stage.probability} %" for stage in process.stages)
        told = self._export.tells_stages
        origin = Origin(self._export.file_name(STAGE if told else OPPORTUNITY))
        source = f"from {STAGE}" if told else f"inferred from the rows, for {STAGE} is not there"
        reason = f"process {process.ref}, {source}: {stages}"
        if tied := self._export.stages.tied():
            reason += f"; the order among {', '.join(tied)} is by name alone"
        self._report.add(Kind.PROCESS_INFERRED, reason, origin)
        return process

    def _check_stages(self) -> None:
        """A process that is given has to have all stages."""
        missing = [
            name for name in self._export.stages.open_stages() if self._states.stage(name) is None
        ]
        if missing:
            known = ", ".join(stage.name.en for stage in self.process.stages if not stage.after_win)
            raise ImportFailure(
                f"the process {self.process.ref} has no selling stage"
                f" {', '.join(map(repr, missing))}",
                f"Its selling stages are: {known}. Stages are matched by name or id.",
            )

    # Deals.

    def deals(self) -> Iterator[SourceDeal]:
        """All deals that can be used; the others are reported."""
        for reference, rows in self._export.by_deal:
            opportunities = [row for row in rows if row.file == 0]
            history = self._without_repeats([row for row in rows if row.file == 1], reference)
            roles = self._without_repeats([row for row in rows if row.file == 2], reference)
            if not opportunities:
                self._tell_without_deal(Kind.HISTORY_WITHOUT_DEAL, history)
                self._tell_without_deal(Kind.CONTACT_ROLE_WITHOUT_DEAL, roles)
                continue
            for row in opportunities[1:]:
                reason = f"the same id stands on line {opportunities[0].line} already"
                self._report.add(Kind.DUPLICATE_ID, reason, self._export.origin(row), reference)
            self._deals += 1
            try:
                deal = self._deal(reference, opportunities[0], history)
                people = tuple(self._contacts.of(roles, min(deal.readings, key=_at)))
                yield msgspec.structs.replace(deal, people=people)
            except RowFault as fault:
                origin = fault.origin or self._export.origin(opportunities[0])
                self._report.add(fault.kind, fault.reason, origin, reference)
                self._report.counts.deals_left_out += 1

    def _without_repeats(self, rows: Sequence[Filed], reference: str) -> list[Filed]:
        kept: dict[str, Filed] = {}
        for row in rows:
            first = kept.setdefault(row.cells["Id"], row)
            if first is not row:
                reason = f"the same id stands on line {first.line} already"
                self._report.add(Kind.DUPLICATE_ID, reason, self._export.origin(row), reference)
        return list(kept.values())

    def _deal(self, reference: str, row: Filed, history: Sequence[Filed]) -> SourceDeal:
        currency = self._currency_of(row)
        readings = sorted(
            (self._change(change, currency) for change in history),
            key=lambda reading: (reading.at, reading.key),
        )
        self._tell_order(reference, history, readings)
        created = self._times.needed(row.cells, "CreatedDate")
        modified = self._times.needed(row.cells, "LastModifiedDate")
        state = self._states.of(row.cells, currency)
        if not readings:
            self._tell(Kind.NO_HISTORY, "has no history row: known by its last state alone", row)
            opening = msgspec.structs.replace(
                self._reading(row, "opened", min(created, modified, key=_at), state),
                snapshot=Snapshot(stage=state.stage, outcome=None),
                inferred=True,
            )
            readings = [opening]
        owner = self._owner(row, history)
        first = merged(self._facts(row, owner), readings[0].snapshot)
        readings[0] = msgspec.structs.replace(readings[0], snapshot=first)
        self._tell_values(row, state, readings[0])
        readings[1:1] = self._team(row, owner, readings[0])
        last = max(Moment(readings[-1].at, readings[-1].day), modified, key=_at)
        now = self._reading(row, f"modified/{last.at.isoformat()}", last, state)
        remark = Kind.CONTRADICTS_HISTORY if history else None
        readings.append(msgspec.structs.replace(now, inferred=True, remark=remark))
        return SourceDeal(
            reference=reference,
            currency=currency,
            process=self.process,
            readings=tuple(readings),
            users=tuple(self._named_users(row, history, owner)),
            revised_at=last.at,
        )

    def _change(self, row: Filed, currency: str) -> Reading:
        try:
            at = self._times.needed(row.cells, "CreatedDate")
            state = self._states.of(row.cells, currency)
        except RowFault as fault:
            raise RowFault(fault.kind, fault.reason, self._export.origin(row)) from None
        return self._reading(row, row.cells["Id"], at, state)

    def _reading(self, row: Filed, part: str, at: Moment, snapshot: Snapshot) -> Reading:
        author = row.cells.get("CreatedById" if row.file else "LastModifiedById", "")
        return Reading(
            key=f"{RANKS[row.file]}/{row.group}/{part}",
            at=at.at,
            day=at.day,
            snapshot=snapshot,
            origin=self._export.origin(row),
            actor=self._identity.user(author) if author else self._actor,
            known_at=at.at,
        )

    def _facts(self, row: Filed, owner: str) -> Snapshot:
        """What the opportunity alone says, since when is not told: it stands with the opening."""
        cells = row.cells
        name = cells["Name"] or row.group
        if not cells["Name"]:
            self._tell(Kind.NAME_ASSUMED, "has no name: named by its id", row)
        facts = Snapshot(name=name, owner=self._identity.user(owner) if owner else self._actor)
        if "AccountId" in cells:
            facts = merged(facts, Snapshot(account=self._account(row)))
        if "LeadSource" in cells:
            facts = merged(facts, Snapshot(lead_source=cells["LeadSource"] or None))
        return facts

    def _team(self, row: Filed, owner: str, at: Reading) -> Iterator[Reading]:
        """The owner's manager, where the users tell it."""
        manager = self._export.users.get(owner, {}).get("ManagerId", "")
        if manager:
            team = Snapshot(manager=self._identity.user(manager))
            reading = self._reading(row, "team", Moment(at.at, at.day), team)
            yield msgspec.structs.replace(reading, inferred=True, dated=False)

    def _owner(self, row: Filed, history: Sequence[Filed]) -> str:
        """The owner's id in the source, else that of who created the deal; blank for nobody."""
        owner = row.cells.get("OwnerId", "")
        if owner:
            return owner
        first = min(
            history,
            key=lambda r: (self._times.needed(r.cells, "CreatedDate").at, r.line),
            default=None,
        )
        creator = "" if first is None else first.cells.get("CreatedById", "")
        who = "who created the deal" if creator else "who imports it"
        self._tell(Kind.OWNER_ASSUMED, f"has no owner: taken to be {who}", row)
        return creator

    def _account(self, row: Filed) -> Account | None:
        reference = row.cells["AccountId"]
        if not reference:
            return None
        cells = self._export.accounts.get(reference)
        if cells is None or not cells["Name"]:
            reason = f"the account {reference!r} is not in {ACCOUNT}: left unknown"
            self._tell(Kind.LOOKUP_MISSED, reason, row)
            return None
        return Account(
            name=cells["Name"],
            id=self._identity.account(reference),
            industry=cells.get("Industry") or None,
            region=cells.get("BillingCountry") or cells.get("BillingState") or None,
            size=cells.get("NumberOfEmployees") or None,
        )

    def _named_users(
        self, row: Filed, history: Sequence[Filed], owner: str
    ) -> Iterator[UserRegistered]:
        """The users of the deal whose names are known."""
        manager = self._export.users.get(owner, {}).get("ManagerId", "")
        authors = [change.cells.get("CreatedById", "") for change in history]
        for reference in dict.fromkeys((owner, manager, *authors)):
            if not reference:
                continue
            name = self._export.users.get(reference, {}).get("Name")
            if name:
                yield UserRegistered(self._identity.user(reference), name, reference)
            elif reference not in self._told_once:
                self._told_once.add(reference)
                reason = f"the user {reference} has no name, for {USER} does not tell it"
                self._report.add(Kind.USER_WITHOUT_NAME, reason, self._export.origin(row))

    def _currency_of(self, row: Filed) -> str:
        own = row.cells.get("CurrencyIsoCode", "")
        currency = own or self._currency or DEFAULT_CURRENCY
        if currency not in MINOR_DIGITS:
            reason = f"{currency!r} is no currency code of ISO 4217"
            raise RowFault(Kind.IMPOSSIBLE_VALUE, with_hint(reason, currency, MINOR_DIGITS))
        if not own and self._currency is None and DEFAULT_CURRENCY not in self._told_once:
            self._told_once.add(DEFAULT_CURRENCY)
            reason = f"no currency is told: {DEFAULT_CURRENCY} is assumed, --currency names another"
            self._report.add(
                Kind.CURRENCY_ASSUMED, reason, Origin(self._export.file_name(OPPORTUNITY))
            )
        return currency

    # Telling.

    def _tell_without_deal(self, kind: Kind, rows: Sequence[Filed]) -> None:
        for row in rows:
            self._tell(kind, f"{OPPORTUNITY} has no such deal", row)

    def _tell_order(
        self, reference: str, history: Sequence[Filed], readings: Sequence[Reading]
    ) -> None:
        lines = [reading.origin.line or 0 for reading in readings]
        if lines != sorted(lines):
            reason = "the history rows are not in the order of time: sorted"
            self._report.add(
                Kind.ROWS_OUT_OF_ORDER, reason, self._export.origin(history[0]), reference
            )
        if len({reading.at for reading in readings}) < len(readings):
            reason = "history rows of the same time are taken in the order of their ids"
            self._report.add(
                Kind.SAME_TIME_ROWS, reason, self._export.origin(history[0]), reference
            )

    def _tell_values(self, row: Filed, state: Snapshot, first: Reading) -> None:
        if state.amount is None:
            self._tell(Kind.BLANK_AMOUNT, "the amount is blank: unknown", row)
        close, created = state.expected_close, self._times.day_of(Moment(first.at, first.day))
        if close is not None and close is not UNSET and close < created:
            reason = f"the close date {close} lies before the creation, {created}: kept"
            self._tell(Kind.CLOSE_DATE_BEFORE_CREATION, reason, row)

    def _tell(self, kind: Kind, reason: str, row: Filed) -> None:
        self._report.add(kind, reason, self._export.origin(row), row.group)


def _at(moment: Moment | Reading) -> datetime:
    return moment.at
