"""Deals: one row per deal, current state; filter, search, sort, keyset paging."""

import operator
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    insert,
    or_,
    select,
    tuple_,
)

from projections.frames import Batch, DealFold
from projections.instants import micros
from projections.reported import reported
from projections.rows import optional_micros, reported_row
from projections.tables import deals

NAME = "deals"
VERSION = 1
TABLES = (deals,)

SORTABLE = ("opened_at", "closed_at", "amount_minor", "expected_close", "name", "last_occurred_at")
FILTERS = ("status", "outcome", "stage", "owner", "region", "industry", "territory", "product",
           "business_type", "currency", "process", "manager")  # fmt: skip
CANDIDATES = 6
_IDS_PER_STATEMENT = 500
"""How many deals are named where a name fits several."""


def apply(connection: Connection, batch: Batch) -> None:
    """Replace the rows of the deals in the batch."""
    connection.execute(delete(deals).where(deals.c.deal_id.in_(batch.deal_ids)))
    rows = [row for fold in batch.folds if (row := _row(fold)) is not None]
    if rows:
        connection.execute(insert(deals), rows)


def _row(fold: DealFold) -> dict[str, Any] | None:
    if not fold.frames:
        return None
    last_at = fold.frames[-1].event.occurred_at
    facts = reported(fold.deal, fold.processes, last_at)
    if facts is None:
        return None
    life = fold.deal.life
    managers = [event.fact.member for event in life.team if event.fact.role == "manager"]
    return {
        "deal_id": fold.deal_id,
        "version": len(fold.events),
        "name": life.name,
        "reference": life.reference,
        "account_id": life.account.id if life.account else None,
        "account": life.account.name if life.account else None,
        "manager": managers[-1] if managers else None,
        "lead_source": life.lead_source,
        "stage_entered_at": optional_micros(fold.deal.stages.entered_at),
        "last_occurred_at": micros(last_at),
        **reported_row(facts),
    }


class DealQuery(msgspec.Struct, frozen=True):
    """Which deals, in which order. `after` is the cursor of the page before."""

    where: Mapping[str, str] = {}
    """Column of `FILTERS` to value; `""` finds rows without one."""
    search: str | None = None
    """Part of the deal's or account's name, or of the reference."""
    sort: str = "opened_at"
    descending: bool = True
    limit: int = 50
    after: tuple[Any, str] | None = None


class DealPage(msgspec.Struct, frozen=True):
    """Rows of `deals`, and the cursor to the next page, None at the end."""

    rows: list[dict[str, Any]]
    next: tuple[Any, str] | None


def page(connection: Connection, query: DealQuery) -> DealPage:
    """The deals that match. Raises ValueError for an unknown filter or sort column."""
    found = connection.execute(_select(query).limit(query.limit + 1)).mappings().all()
    rows = [dict(row) for row in found[: query.limit]]
    more = len(found) > query.limit
    return DealPage(rows, (rows[-1][query.sort], rows[-1]["deal_id"]) if more else None)


def _select(query: DealQuery) -> Select[Any]:
    if query.sort not in SORTABLE:
        raise ValueError(f"deals cannot be sorted by {query.sort!r}; use {', '.join(SORTABLE)}")
    statement = select(deals)
    for name, value in query.where.items():
        if name not in FILTERS:
            raise ValueError(f"deals cannot be filtered by {name!r}; use {', '.join(FILTERS)}")
        column = deals.c[name]
        statement = statement.where(column == value if value else column.is_(None))
    if query.search:
        statement = statement.where(_matches(query.search))
    key = deals.c[query.sort]
    if query.after is not None:
        statement = statement.where(_behind(key, query))
    if query.descending:
        return statement.order_by(key.desc().nulls_last(), deals.c.deal_id.desc())
    return statement.order_by(key.asc().nulls_last(), deals.c.deal_id.asc())


def _matches(text: str) -> ColumnElement[bool]:
    return or_(
        *(
            deals.c[name].contains(text, autoescape=True)
            for name in ("name", "account", "reference")
        )
    )


def _behind(key: Column[Any], query: DealQuery) -> ColumnElement[bool]:
    """Rows that come after the cursor; rows without the sort key come last."""
    assert query.after is not None
    value, deal_id = query.after
    behind = operator.lt if query.descending else operator.gt
    if not key.nullable:
        rows_behind: ColumnElement[bool] = behind(
            tuple_(key, deals.c.deal_id), tuple_(value, deal_id)
        )
        return rows_behind
    same: ColumnElement[bool] = key.is_(None) if value is None else key == value
    behind_tie = and_(same, behind(deals.c.deal_id, deal_id))
    return behind_tie if value is None else or_(behind(key, value), behind_tie, key.is_(None))


class DealNotFound(LookupError):
    """No deal, or more than one, answers to a name. `candidates` are (deal id, name)."""

    def __init__(self, wanted: str, candidates: Sequence[tuple[str, str]]) -> None:
        self.wanted = wanted
        self.candidates = list(candidates)
        several = "; ".join(f"{name} ({deal_id})" for deal_id, name in candidates)
        super().__init__(
            f"{wanted!r} could be any of: {several}. Give the id or more of the name."
            if candidates
            else f"there is no deal {wanted!r}. Name it by id, reference or the start of its name."
        )


def of_reference(connection: Connection, reference: str) -> str | None:
    """The id of the deal that another system knows under this reference."""
    statement = select(deals.c.deal_id).where(deals.c.reference == reference).limit(1)
    return connection.execute(statement).scalar()


def references(connection: Connection, deal_ids: Collection[str]) -> dict[str, str]:
    """What other systems call these deals, by deal id, for those that are in one."""
    found: dict[str, str] = {}
    ids = sorted(set(deal_ids))
    for start in range(0, len(ids), _IDS_PER_STATEMENT):
        some = ids[start : start + _IDS_PER_STATEMENT]
        statement = select(deals.c.deal_id, deals.c.reference).where(deals.c.deal_id.in_(some))
        rows = connection.execute(statement.where(deals.c.reference.is_not(None)))
        found.update((row.deal_id, row.reference) for row in rows)
    return found


def find(connection: Connection, wanted: str) -> str:
    """The id of the deal named by id, external reference or unique name prefix.

    Raises DealNotFound.
    """
    for condition in (
        deals.c.deal_id == wanted,
        deals.c.reference == wanted,
        deals.c.name == wanted,
        deals.c.name.istartswith(wanted, autoescape=True),
        deals.c.deal_id.startswith(wanted, autoescape=True),
    ):
        statement = select(deals.c.deal_id, deals.c.name).where(condition)
        statement = statement.order_by(deals.c.name, deals.c.deal_id).limit(CANDIDATES)
        found = connection.execute(statement).all()
        if len(found) == 1:
            return str(found[0].deal_id)
        if found:
            raise DealNotFound(wanted, [(row.deal_id, row.name) for row in found])
    raise DealNotFound(wanted, [])
