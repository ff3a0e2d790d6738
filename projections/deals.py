"""Deals: one row per deal, current state; and how a deal is found that a text names."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    literal_column,
    select,
)

from domain.deal import Deal
from projections.frames import DealFold
from projections.instants import micros
from projections.models import Row, Rows, Told
from projections.reported import Reported, reported
from projections.rows import optional_micros, reported_row
from projections.search import FILTERS, FOLDED_START, fold, folded, words_of
from projections.tables import deal_team, deals

NAME = "deals"
VERSION = 5
TABLES = (deals, deal_team)
REPLACED_BY = deals.c.deal_id

CANDIDATES = 6
"""How many deals are named where a name fits several."""

_IDS_PER_STATEMENT = 500
_INDEXED = 50
"""Characters of a name that are looked up; fewer than the index has."""
_LAST_CHARACTER = "\U0010ffff"
_VALUES = {name: list(deals.columns.keys()).index(name) for name in FILTERS}
"""Where in a row the columns stand that deals are filtered by."""

Condition: TypeAlias = ColumnElement[bool]


def rows(told: Told) -> Rows:
    """The row of a deal, none before it was opened."""
    fold = told.fold
    if fold is None or not fold.states or fold.last_at is None:
        return {}
    _, deal = fold.states[-1]
    facts = reported(deal, fold.processes, fold.last_at)
    if facts is None:
        return {}
    row = _row(fold, deal, facts, fold.last_at)
    life = deal.life
    team = [(fold.deal_id, member, member == life.owner) for member in sorted(life.team_ids)]
    return {deals: [(*row, told.positions[0], *found_by(row))], deal_team: team}


def found_by(row: Row) -> tuple[str, str]:
    """The columns `folded` and `words` of a row that has the others."""
    texts = folded(row[2], row[5], row[3])
    return texts, words_of(texts, {name: row[at] for name, at in _VALUES.items()})


def _row(fold: DealFold, deal: Deal, facts: Reported, last_at: datetime) -> Row:
    life = deal.life
    managers = [event.fact.member for event in life.team if event.fact.role == "manager"]
    return (
        fold.deal_id,
        len(fold.events),
        life.name,
        life.reference,
        life.account.id if life.account else None,
        life.account.name if life.account else None,
        managers[-1] if managers else None,
        optional_micros(deal.stages.entered_at),
        micros(last_at),
        *reported_row(facts),
    )


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
    for condition, order in _ways_to_name(wanted):
        statement = select(deals.c.deal_id, deals.c.name).where(condition)
        statement = statement.order_by(*order).limit(CANDIDATES)
        found = connection.execute(statement).all()
        if len(found) == 1:
            return str(found[0].deal_id)
        if found:
            raise DealNotFound(wanted, [(row.deal_id, row.name) for row in found])
    raise DealNotFound(wanted, [])


def _ways_to_name(wanted: str) -> Iterator[tuple[Condition, list[ColumnElement[Any]]]]:
    """What the deals meet that a text names, one way after the other, in the order of an index."""
    deal_id, start = deals.c.deal_id, fold(wanted)
    folded_start: ColumnElement[str] = literal_column(FOLDED_START)
    first = start[:_INDEXED]
    yield deal_id == wanted, [deal_id]
    yield deals.c.reference == wanted, [deal_id]
    yield deals.c.name == wanted, [deal_id]
    starting = and_(
        folded_start >= first,
        folded_start < first + _LAST_CHARACTER,
        deals.c.folded.startswith(start, autoescape=True),
    )
    yield starting, [folded_start, deal_id]
    yield and_(deal_id >= wanted, deal_id < wanted + _LAST_CHARACTER), [deal_id]
