"""Which deals somebody may read, as a condition on the rows of deals.

It holds what the rights of `domain.access` come to for one principal and one organisation, as
they are now: `api.queries.views.readable_by` makes it. The rows tell the owner of a deal and who
is on its team; whose manager somebody is changes with no event of the deal, so it comes along as
the owners whose deals they are.
"""

import json
from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    SelectBase,
    any_,
    bindparam,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
)

from projections.tables import deal_team, deals

Condition = ColumnElement[bool]


class Readable(msgspec.Struct, frozen=True):
    """Deals with this one on the team, deals of these owners; or all of them."""

    all: bool = False
    member: str | None = None
    owners: frozenset[str] = frozenset()

    def holds(self, owner: str | None, team: Collection[str]) -> bool:
        """Whether a deal with that owner and team is among them."""
        return self.all or self.member in team or owner in self.owners


ALL = Readable(all=True)


def is_readable(by_team: bool, by_owners: bool, *, on_postgresql: bool) -> Condition:
    """The condition on a row of `deals`, which is looked at anyway: not for `ALL`.

    It goes by the one on the team, by the owners, or by both; `values_readable` are its values.
    """
    ways: list[Condition] = []
    if by_team:
        of_deal = deal_team.c.deal_id == deals.c.deal_id
        ways.append(exists().where(of_deal, deal_team.c.member == bindparam("reader")))
    if by_owners:
        kind = ARRAY(deals.c.owner.type) if on_postgresql else deals.c.owner.type
        owners = bindparam("reads_of", type_=kind)
        ways.append(_among(deals.c.owner, owners, on_postgresql=on_postgresql))
    return or_(false(), *ways)


def values_readable(connection: Connection, readable: Readable) -> dict[str, Any]:
    """The values of `is_readable`, those that it takes."""
    values: dict[str, Any] = {}
    if readable.member is not None:
        values["reader"] = readable.member
    if readable.owners:
        owners = sorted(readable.owners)
        values["reads_of"] = owners if _on_postgresql(connection) else json.dumps(owners)
    return values


_ON_SQLITE = """
SELECT deal_id FROM deal_team INDEXED BY deal_team_by_member WHERE member = :member
UNION ALL SELECT deal_id FROM json_each(:owners)
CROSS JOIN deal_team INDEXED BY deal_team_by_member ON member = value WHERE owns
"""
"""It reads all of a table that it takes for small, and is told not to."""


def ids_by_team(connection: Connection, readable: Readable) -> SelectBase:
    """The ids of the deals, looked up in `deal_team`; some come twice. Not for `ALL`."""
    ids = select(deal_team.c.deal_id)
    if _on_postgresql(connection):
        owners = literal(sorted(readable.owners), ARRAY(deal_team.c.member.type))
        owned = _among(deal_team.c.member, owners, on_postgresql=True)
        on_team = deal_team.c.member == readable.member
        return union_all(ids.where(on_team), ids.where(deal_team.c.owns, owned))
    values = {"member": readable.member, "owners": json.dumps(sorted(readable.owners))}
    return text(_ON_SQLITE).bindparams(**values).columns(deal_team.c.deal_id)


def readable_ids(connection: Connection, readable: Readable) -> list[str]:
    """The ids of the deals; some come twice. Not for `ALL`."""
    found = ids_by_team(connection, readable).subquery()
    return list(connection.scalars(select(found.c.deal_id)))


def of_readable(
    connection: Connection, readable: Readable, deal_id: ColumnElement[str]
) -> Condition:
    """The condition on rows that have the id of a deal."""
    return true() if readable.all else deal_id.in_(ids_by_team(connection, readable))


def _among(column: Column[Any], values: ColumnElement[Any], *, on_postgresql: bool) -> Condition:
    """That the column has one of the values, which are one parameter, however many there are."""
    if on_postgresql:
        return column == any_(values)
    listed = func.json_each(values).table_valued("value")
    return column.in_(select(listed.c.value))


def _on_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
