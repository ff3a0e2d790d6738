"""The customer's people on a deal: `OpportunityContactRole` names them, `Contact` describes them.

What a report says of a row here has neither a name nor an id of the contact in it:
whoever reads the row may be somebody who was erased.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from api.exchange.intake.snapshot import Reading, Remark, Snapshot, SourcePerson
from api.exchange.report import Kind
from api.exchange.rows import RowFault
from api.exchange.salesforce.export import short_id
from api.exchange.salesforce.files import CONTACT, ROLE
from domain.people.facts import (
    BuyingRole,
    ContactPoint,
    ContactPointKind,
    Power,
    StakeholderRevised,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from api.exchange.grouping import Filed
    from api.exchange.identity import Identity
    from api.exchange.report import GapReport
    from api.exchange.salesforce.export import Export
    from api.exchange.salesforce.rows import Cells, Times

Part = tuple[frozenset[BuyingRole], frozenset[Power]]

_NO_ROLE: frozenset[BuyingRole] = frozenset()
_NO_POWER: frozenset[Power] = frozenset()
_DECIDES = frozenset({BuyingRole.DECISION_MAKER})
_INFLUENCES = frozenset({BuyingRole.INFLUENCER})
_RECOMMENDS = frozenset({BuyingRole.RECOMMENDER})

PARTS: dict[str, Part] = {
    "": (_NO_ROLE, _NO_POWER),
    "other": (_NO_ROLE, _NO_POWER),
    "business user": (frozenset({BuyingRole.USER}), _NO_POWER),
    "decision maker": (_DECIDES, _NO_POWER),
    "economic buyer": (_DECIDES, frozenset({Power.BUDGET})),
    "economic decision maker": (_DECIDES, frozenset({Power.BUDGET})),
    "evaluator": (_RECOMMENDS, _NO_POWER),
    "executive sponsor": (_INFLUENCES, _NO_POWER),
    "influencer": (_INFLUENCES, _NO_POWER),
    "technical buyer": (_RECOMMENDS, frozenset({Power.TECHNICAL_VETO})),
}
"""The values that Salesforce delivers for `Role`, in lower case, and what they say.

An evaluator compares the offers and says which is best. A technical buyer does so too,
and can stop what does not fit. A sponsor stands behind the purchase, but who
decides is a role of its own.
"""

_POINTS = (
    ("Phone", ContactPointKind.PHONE),
    ("MobilePhone", ContactPointKind.PHONE),
    ("Email", ContactPointKind.MAIL),
)


class Contacts:
    """The people of the deals of one export."""

    def __init__(
        self, export: Export, identity: Identity, report: GapReport, times: Times, actor: str
    ) -> None:
        self._export = export
        self._identity = identity
        self._report = report
        self._times = times
        self._actor = actor

    def of(self, rows: Sequence[Filed], opening: Reading) -> Iterator[SourcePerson]:
        """Whom the rows of one deal name, each contact once."""
        by_contact: dict[str, list[Filed]] = {}
        for row in rows:
            reference = short_id(row.cells["ContactId"])
            if reason := self._unusable(reference):
                self._tell(Kind.CONTACT_ROLE_WITHOUT_CONTACT, reason, row)
            else:
                by_contact.setdefault(reference, []).append(row)
        for reference, theirs in by_contact.items():
            readings = [one for row in theirs if (one := self._came(reference, row, opening))]
            if readings:
                yield self._person(reference, theirs, min(readings, key=lambda one: one.at))

    def _unusable(self, reference: str) -> str | None:
        """Why a contact cannot be put on the map."""
        if not reference:
            return "ContactId is blank"
        cells = self._export.contacts.get(reference)
        if cells is None:
            return f"its contact is not in {CONTACT}"
        return None if _name(cells) else f"its contact has no name in {CONTACT}"

    def _came(self, reference: str, row: Filed, opening: Reading) -> Reading | None:
        """When a row says that they came; without a date, with the deal. None: impossible."""
        try:
            created = self._times.moment(row.cells, "CreatedDate")
        except RowFault as fault:
            self._tell(fault.kind, fault.reason, row)
            return None
        author = row.cells.get("CreatedById", "")
        at = opening.at if created is None else created.at
        return Reading(
            key=f"{ROLE}/{row.group}/{reference}",
            at=at,
            day=opening.day if created is None else created.day,
            snapshot=Snapshot(),
            origin=self._export.origin(row),
            actor=self._identity.user(author) if author else self._actor,
            known_at=at,
            inferred=created is None,
        )

    def _person(self, reference: str, rows: Sequence[Filed], reading: Reading) -> SourcePerson:
        cells = self._export.contacts[reference]
        roles, powers, remarks = self._part(rows)
        said: dict[str, Any] = {"name": _name(cells), "contact_points": _points(cells)}
        if roles is not UNSET:
            said |= {"roles": roles, "powers": powers}
        for field, column in (("title", "Title"), ("department", "Department")):
            if column in cells:
                said[field] = cells[column] or None
        if "ReportsToId" in cells:
            said["reports_to"] = short_id(cells["ReportsToId"]) or None
        author = cells.get("LastModifiedById", "")
        return SourcePerson(
            reading=reading,
            person=self._identity.person(f"contact/{reference}"),
            said=StakeholderRevised(reference, **said),
            revised_by=self._identity.user(author) if author else self._actor,
            remarks=tuple(remarks),
        )

    def _part(
        self, rows: Sequence[Filed]
    ) -> tuple[tuple[BuyingRole, ...] | UnsetType, tuple[Power, ...], list[Remark]]:
        """All roles that the rows of one contact name, in a fixed order."""
        roles, powers, remarks = set(_NO_ROLE), set(_NO_POWER), []
        lines: dict[str, int] = {}
        for row in rows:
            written = row.cells.get("Role", "")
            name, origin = written.casefold(), self._export.origin(row)
            if name in lines:
                reason = f"the contact has this role on line {lines[name]} already"
                remarks.append(Remark(Kind.DUPLICATE_CONTACT_ROLE, reason, origin))
                continue
            lines[name] = row.line
            if name not in PARTS:
                reason = f"the role {written!r} is none that Salesforce delivers: left unknown"
                remarks.append(Remark(Kind.UNKNOWN_CONTACT_ROLE, reason, origin))
                continue
            roles |= PARTS[name][0]
            powers |= PARTS[name][1]
        if all("Role" not in row.cells for row in rows):
            return UNSET, (), remarks
        in_order = tuple(role for role in BuyingRole if role in roles)
        return in_order, tuple(power for power in Power if power in powers), remarks

    def _tell(self, kind: Kind, reason: str, row: Filed) -> None:
        self._report.add(kind, reason, self._export.origin(row), row.group)


def _name(cells: Cells) -> str:
    parts = (cells.get("FirstName", ""), cells.get("LastName", ""))
    return cells.get("Name", "") or " ".join(part for part in parts if part)


def _points(cells: Cells) -> tuple[ContactPoint, ...] | UnsetType:
    """Where they can be reached; absent where the export has no such column."""
    if not any(column in cells for column, _ in _POINTS):
        return UNSET
    found = [ContactPoint(kind, cells[column]) for column, kind in _POINTS if cells.get(column)]
    return tuple(dict.fromkeys(found))
