"""How a deal is told of: what people and vendors are called, and how a reason follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from domain.history import HIDDEN, LOST

if TYPE_CHECKING:
    from domain.deal import Deal


class Naming(msgspec.Struct, frozen=True):
    """Names by id; an id without a name stands for itself."""

    people: dict[str, str] = {}
    vendors: dict[str, str] = {}

    @classmethod
    def on(cls, deal: Deal) -> Naming:
        """The names by which they are known on `deal`."""
        return cls(
            people={one.id: called(one.id, one.name) for one in deal.people.stakeholders},
            vendors={one.fact.id: one.fact.name for one in deal.field.competitors},
        )

    def person(self, stakeholder_id: str) -> str:
        return self.people.get(stakeholder_id, stakeholder_id)

    def vendor(self, vendor_id: str) -> str:
        return self.vendors.get(vendor_id, vendor_id)


BY_ID = Naming()
"""Calls everybody by their id."""


def called(its_id: str, name: str) -> str:
    """The name of somebody, or the id where the name may not be seen, or was lost."""
    return its_id if name in {HIDDEN, LOST} else name


def because(reason: str | None) -> str:
    """What stands behind a phrase that has a reason."""
    return f": {reason}" if reason else ""
