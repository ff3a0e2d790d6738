"""From the rows of one deal in a CSV file to its readings."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from api.exchange.csv_files.fields import Fields
from api.exchange.csv_files.map import Ending
from api.exchange.intake.snapshot import Reading, Snapshot, SourceDeal, merged
from api.exchange.moments import Moment
from api.exchange.report import Kind, Origin
from api.exchange.rows import RowFault
from domain.lifecycle.facts import OpportunityLost, OpportunityWon

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from api.exchange.csv_files.cells import Values
    from api.exchange.csv_files.map import LoadedMap
    from api.exchange.identity import Identity
    from api.exchange.report import GapReport


class SourceRow(msgspec.Struct, frozen=True):
    """One row: the id of its deal, its values and where it stands."""

    reference: str
    values: Values
    origin: Origin


class Dates(msgspec.Struct, frozen=True):
    """When a deal was opened and closed, as far as its row tells."""

    opened: Moment | None
    closed: Moment | None


class Readings:
    """Makes deals of rows. Methods raise RowFault where a row cannot be used."""

    def __init__(
        self,
        loaded: LoadedMap,
        fields: Fields,
        identity: Identity,
        report: GapReport,
        *,
        now: datetime,
        actor: str,
    ) -> None:
        self._map = loaded.map
        self._process = loaded.process
        self._fields = fields
        self._identity = identity
        self._report = report
        self._now = Moment(now)
        self._actor = actor

    # One row per deal.

    def deal_of_row(self, row: SourceRow) -> SourceDeal:
        """The deal that one row tells, as it stands now."""
        stage, ending = self._fields.ending(row.values)
        dates = self._dates(row, ending)
        readings = [
            self._opening(row, dates, stage if ending is Ending.OPEN else None),
            *self._with_the_opening(row, dates),
        ]
        if ending is not Ending.OPEN:
            readings += self._closing(row, dates, stage, ending)
        return self._deal([row], readings)

    def _dates(self, row: SourceRow, ending: Ending) -> Dates:
        opened = self._fields.moment("opened", row.values)
        closed = self._fields.moment("closed", row.values)
        if closed is not None and ending is Ending.OPEN:
            reason = "the deal is open but has a closed date, which is not used"
            self._tell(Kind.OPEN_WITH_CLOSED_DATE, reason, row)
            closed = None
        if opened is not None and closed is not None and closed.at < opened.at:
            days = f"{closed.at:%Y-%m-%d}, before it was opened on {opened.at:%Y-%m-%d}"
            raise RowFault(Kind.CLOSED_BEFORE_OPENED, f"closed on {days}")
        if opened is None:
            when = "when it is imported" if closed is None else "when it was closed"
            reason = f"has no opened date: opened {when} (inferred)"
            self._tell(Kind.MISSING_OPENED_DATE, reason, row)
        if closed is None and ending is not Ending.OPEN:
            reason = "has no closed date: closed when it is imported (inferred)"
            self._tell(Kind.MISSING_CLOSED_DATE, reason, row)
        return Dates(opened, closed)

    def _opening(self, row: SourceRow, dates: Dates, stage: str | None) -> Reading:
        """The opening in `stage`, or in the one that the opened date stands for."""
        stage = stage or self._map.opened_stage or self._process.stages[0].id
        is_told = dates.opened is not None and stage == self._map.opened_stage
        if dates.opened is not None and not is_told:
            reason = f"since when it is in {stage} is not told: opened in it (inferred)"
            self._tell(Kind.STAGE_ASSUMED, reason, row)
        facts = self._named(self._fields.facts(row.values, None), row)
        return self._reading(
            row,
            "opened",
            dates.opened or dates.closed or self._now,
            merged(facts, Snapshot(stage=stage, outcome=None)),
            inferred=not is_told,
            dated=False,
            assumed=dates.opened is None,
        )

    def _with_the_opening(self, row: SourceRow, dates: Dates) -> Iterator[Reading]:
        """What stands with the opening, because since when it is so is not told."""
        at = dates.opened or dates.closed or self._now
        team = self._fields.team(row.values, None)
        yield self._reading(row, "team", at, team, dated=False)
        said: dict[str, Any] = {}
        if self._fields.has("amount"):
            said["amount"] = self._fields.money("amount", row.values)
        if self._fields.has("expected_close"):
            said["expected_close"] = self._fields.day("expected_close", row.values)
        forecast = Snapshot(**said)
        yield self._reading(row, "forecast", at, forecast, inferred=True, dated=False)

    def _closing(
        self, row: SourceRow, dates: Dates, stage: str | None, ending: Ending
    ) -> Iterator[Reading]:
        at = dates.closed or self._now
        if stage is not None:
            yield self._reading(row, "stage", at, Snapshot(stage=stage), inferred=True, dated=False)
        snapshot = Snapshot(outcome=self._outcome(row, ending))
        is_told = dates.closed is not None
        yield self._reading(row, "closed", at, snapshot, inferred=not is_told, dated=is_told)

    # One row per change.

    def deal_of_changes(self, rows: Sequence[SourceRow]) -> SourceDeal:
        """The deal whose changes the rows tell, in any order."""
        readings: list[Reading] = []
        keys: Counter[str] = Counter()
        for row in rows:
            try:
                readings += self._change(row, keys)
            except RowFault as fault:
                raise RowFault(fault.kind, fault.reason, row.origin) from None
        self._tell_order(rows[0], readings)
        readings.sort(key=lambda reading: reading.at)
        known = Snapshot()
        for reading in reversed(readings):
            known = merged(known, reading.snapshot)
        first = merged(Snapshot(name=known.name, owner=known.owner), readings[0].snapshot)
        readings[0] = msgspec.structs.replace(readings[0], snapshot=self._named(first, rows[0]))
        return self._deal(rows, readings)

    def _change(self, row: SourceRow, keys: Counter[str]) -> Iterator[Reading]:
        """The reading of one row, unless its change was read before."""
        fields, values = self._fields, row.values
        changed = fields.moment("changed", values)
        if changed is None:
            raise RowFault(Kind.MISSING_VALUE, f"{self._map.deal.changed}, the time, is blank")
        text = fields.text("change_id", values) or fields.text("changed", values)
        keys[text] += 1
        if keys[text] > 1 and fields.has("change_id"):
            reason = f"the change {text!r} stands further up already"
            self._tell(Kind.DUPLICATE_ID, reason, row)
            return
        recorded = fields.moment("recorded", values)
        by = fields.text("changed_by", values)
        yield self._reading(
            row,
            f"change/{text}/{keys[text]}",
            changed,
            self._state(row),
            known_at=None if recorded is None else recorded.at,
            actor=self._identity.user(by) if by else None,
        )

    def _state(self, row: SourceRow) -> Snapshot:
        """What one change row says; a blank cell says nothing."""
        fields, values = self._fields, row.values
        said: dict[str, Any] = {
            "amount": fields.money("amount", values),
            "expected_close": fields.day("expected_close", values),
        }
        said = {name: value for name, value in said.items() if value is not None}
        if fields.text("stage", values) or fields.text("outcome", values):
            stage, ending = fields.ending(values)
            said["outcome"] = self._outcome(row, ending)
            if stage is not None:
                said["stage"] = stage
        facts = merged(fields.facts(values, UNSET), fields.team(values, UNSET))
        return merged(facts, Snapshot(**said))

    def _tell_order(self, row: SourceRow, readings: Sequence[Reading]) -> None:
        times = [reading.at for reading in readings]
        if times != sorted(times):
            reason = "the rows are not in the order of time: sorted"
            self._tell(Kind.ROWS_OUT_OF_ORDER, reason, row)
        if len(set(times)) < len(times):
            reason = "rows of the same time are taken in the order of the file"
            self._tell(Kind.SAME_TIME_ROWS, reason, row)

    # Both.

    def _outcome(self, row: SourceRow, ending: Ending) -> OpportunityWon | OpportunityLost | None:
        fact = self._fields.outcome(ending, row.values)
        is_blank = isinstance(fact, OpportunityWon) and fact.value is None
        if is_blank and self._fields.has("won_value"):
            self._tell(Kind.BLANK_AMOUNT, "won, but the contract value is blank", row)
        return fact

    def _named(self, snapshot: Snapshot, row: SourceRow) -> Snapshot:
        """The snapshot that opens a deal, which needs an owner and a name."""
        if snapshot.owner is UNSET:
            raise RowFault(Kind.MISSING_VALUE, "no owner is named, and the map has no constant")
        if snapshot.name is not UNSET:
            return snapshot
        self._tell(Kind.NAME_ASSUMED, "has no name: named by its id", row)
        return merged(snapshot, Snapshot(name=row.reference))

    def _deal(self, rows: Sequence[SourceRow], readings: Sequence[Reading]) -> SourceDeal:
        users = {user.user: user for row in rows for user in self._fields.users(row.values)}
        return SourceDeal(
            reference=rows[0].reference,
            currency=self._fields.currency(rows[0].values),
            process=self._process,
            readings=tuple(readings),
            users=tuple(users.values()),
        )

    def _reading(
        self,
        row: SourceRow,
        part: str,
        moment: Moment,
        snapshot: Snapshot,
        *,
        inferred: bool = False,
        dated: bool = True,
        assumed: bool = False,
        known_at: datetime | None = None,
        actor: str | None = None,
    ) -> Reading:
        return Reading(
            key=f"{row.reference}/{part}",
            at=moment.at,
            day=moment.day,
            snapshot=snapshot,
            origin=row.origin,
            actor=actor or self._actor,
            known_at=known_at,
            inferred=inferred,
            dated=dated,
            assumed=assumed,
        )

    def _tell(self, kind: Kind, reason: str, row: SourceRow) -> None:
        self._report.add(kind, reason, row.origin, row.reference)
