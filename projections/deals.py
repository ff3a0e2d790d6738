"""Deals: one row per deal, current state; filter, search, sort, keyset paging.

Theory of operation. There is an index for each order. A page is looked for by
walking that index and comparing each deal, which finds it soon where many deals
match. Where a stretch of some thousand deals did not fill the page, few deals
match, or they stand elsewhere: then the index of words gives all that can match, or
that of teams all that somebody may read who may not read everything, and those are
compared and put in order. Only where these have very many, the walk goes
on for a while before. So a page costs about the smaller of the two, and no
statement depends on what a database guesses of the values.
"""

import operator
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Join,
    and_,
    func,
    literal_column,
    or_,
    select,
    table,
    text,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from domain.deal import Deal
from projections.frames import DealFold
from projections.instants import micros
from projections.models import Row, Rows, Told
from projections.planning import (
    INDEX_SCANS_LACK,
    INDEX_WALKS_LACK,
    plan_without,
    within,
)
from projections.readable import ALL, Readable, ids_by_team, is_readable
from projections.reported import Reported, reported
from projections.rows import optional_micros, reported_row
from projections.search import FILTERS as FILTERS
from projections.search import FOLDED_START, fold, folded, words_asked, words_of
from projections.tables import deal_team, deals

NAME = "deals"
VERSION = 5
TABLES = (deals, deal_team)
REPLACED_BY = deals.c.deal_id

SORTABLE = ("opened_at", "closed_at", "amount_minor", "expected_close", "name", "last_occurred_at")
CANDIDATES = 6
"""How many deals are named where a name fits several."""

WALKED_PER_DEAL = 40
"""So many deals are compared for each one that is wanted, before the index of words is asked."""
MANY = 10_000
"""Deals that are gathered at once. Where more have the words, the walk goes on first."""
WALKED_FAR_PER_DEAL = 1_000

_IDS_PER_STATEMENT = 500
_INDEXED = 50
"""Characters of a name that are looked up; fewer than the index has."""
_LAST_CHARACTER = "\U0010ffff"
_BY_STATUS = {"opened_at", "closed_at", "last_occurred_at"}
"""The orders that have an index within each status."""
_FOUND_BY = {"number", "folded", "words"}
_FOUND_NUMBER: ColumnElement[int] = literal_column("deal_words.rowid")
_SHOWN = [column for column in deals.columns if column.name not in _FOUND_BY]
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
    readable: Readable = ALL
    """Only deals that whoever asks may read."""


class DealPage(msgspec.Struct, frozen=True):
    """Rows of `deals`, and the cursor to the next page, None at the end."""

    rows: list[dict[str, Any]]
    next: tuple[Any, str] | None


def page(connection: Connection, query: DealQuery) -> DealPage:
    """The deals that match. Raises ValueError for an unknown filter or sort column."""
    if query.sort not in SORTABLE:
        raise ValueError(f"deals cannot be sorted by {query.sort!r}; use {', '.join(SORTABLE)}")
    matching = _matching(connection, query)
    found = _walked(connection, query, matching, WALKED_PER_DEAL)
    if found is None:
        ways = _ways(connection, query)
        few = next((way for way in ways if not _has_more_than(connection, way, MANY)), None)
        if few is None:
            found = _walked(connection, query, matching, WALKED_FAR_PER_DEAL)
        if found is None:
            found = _gathered(connection, query, matching, few or ways[0])
    plan_without(connection)
    rows = found[: query.limit]
    more = len(found) > query.limit
    return DealPage(rows, (rows[-1][query.sort], rows[-1]["deal_id"]) if more else None)


def _matching(connection: Connection, query: DealQuery) -> dict[str, Condition]:
    """What is asked of a deal, by column."""
    asked: dict[str, Condition] = {}
    for name, value in query.where.items():
        if name not in FILTERS:
            raise ValueError(f"deals cannot be filtered by {name!r}; use {', '.join(FILTERS)}")
        column: ColumnElement[Any] = deals.c[name]
        if name == "status":
            # Written so that no index of it is used: that is chosen here, in `_walked`.
            column = column.concat(literal_column("''"))
        asked[name] = column == value if value else column.is_(None)
    if query.search:
        asked["folded"] = deals.c.folded.contains(fold(query.search), autoescape=True)
    if not query.readable.all:
        asked["readable"] = is_readable(connection, query.readable)
    return asked


# By walking the index of the order.


def _walked(
    connection: Connection, query: DealQuery, matching: Mapping[str, Condition], per_deal: int
) -> list[dict[str, Any]] | None:
    """The deals of the page and one more; None where so many steps for each are not enough."""
    status = query.where.get("status") if query.sort in _BY_STATUS else None
    along, first = within(connection, deals.c.status, status) if status else (None, ())
    order = _order(query, *first)
    others = [asked for name, asked in matching.items() if name != "status" or not status]
    found: list[dict[str, Any]] = []
    plan_without(connection, *INDEX_WALKS_LACK)
    for stretch in _stretches(query):
        conditions, end = stretch if along is None else [along, *stretch], None
        if others:
            places = select(deals.c[query.sort], deals.c.deal_id).where(*conditions)
            steps = per_deal * (query.limit + 1)
            end = connection.execute(places.order_by(*order).limit(1).offset(steps)).first()
            if end is not None:
                conditions.append(_reached(query, (end[0], end[1])))
        wanted = query.limit + 1 - len(found)
        statement = select(*_SHOWN).where(*conditions, *others).order_by(*order)
        rows = connection.execute(statement.limit(wanted))
        # Taken apart by position: a row that is asked for each name takes several times as long.
        names = tuple(rows.keys())
        found += [dict(zip(names, row, strict=True)) for row in rows.all()]
        if len(found) > query.limit:
            return found
        if end is not None:
            return None
    return found


def _stretches(query: DealQuery) -> Iterator[list[Condition]]:
    """Behind the cursor, the deals that have what is sorted by, then those that lack it.

    Each is a stretch of the index, in its order.
    """
    key, after = deals.c[query.sort], _after(query)
    if after is None or after[0] is not None:
        some = [] if after is None else [_beyond(query)(_place(query), tuple_(*after))]
        yield [key.is_not(None), *some] if key.nullable and not some else some
    if key.nullable:
        lacking = after is not None and after[0] is None
        some = [_beyond(query)(deals.c.deal_id, after[1])] if after and lacking else []
        yield [key.is_(None), *some]


def _reached(query: DealQuery, end: tuple[Any, str]) -> Condition:
    """The deals of a stretch up to one of them."""
    until = operator.ge if query.descending else operator.le
    reached: Condition = (
        until(deals.c.deal_id, end[1]) if end[0] is None else until(_place(query), tuple_(*end))
    )
    return reached


def _place(query: DealQuery) -> Any:
    return tuple_(deals.c[query.sort], deals.c.deal_id)


def _order(query: DealQuery, *first: Column[Any]) -> list[ColumnElement[Any]]:
    columns = (*first, deals.c[query.sort], deals.c.deal_id)
    return [column.desc() if query.descending else column.asc() for column in columns]


def _beyond(query: DealQuery) -> Any:
    return operator.lt if query.descending else operator.gt


def _after(query: DealQuery) -> tuple[Any, str] | None:
    """The cursor, with values as the table has them."""
    if query.after is None:
        return None
    value, deal_id = query.after
    return (value.isoformat() if isinstance(value, date) else value), deal_id


# By the index of words, or of teams.

Way: TypeAlias = tuple[FromClause, Condition]
"""Where to look for deals that can match, and the condition for it."""


def _ways(connection: Connection, query: DealQuery) -> list[Way]:
    """By the words asked for, and by whose deals are asked for. Never none behind a walk."""
    plan_without(connection, *INDEX_SCANS_LACK)
    words = words_asked(fold(query.search or ""), query.where)
    ways = [_having(connection, words)] if words else []
    if not query.readable.all:
        ways.append((deals, deals.c.deal_id.in_(ids_by_team(connection, query.readable))))
    return ways


def _gathered(
    connection: Connection, query: DealQuery, matching: Mapping[str, Condition], way: Way
) -> list[dict[str, Any]]:
    """The deals of the page and one more, of all that are found this way."""
    plan_without(connection, *INDEX_SCANS_LACK)
    candidates, having = way
    key = deals.c[query.sort]
    statement = select(*_SHOWN).select_from(candidates).where(having, *matching.values())
    if (after := _after(query)) is not None:
        statement = statement.where(_behind(key, query, after))
    # No index has this order, so that none is walked.
    statement = statement.order_by(key.is_(None), *_order(query)).limit(query.limit + 1)
    return [dict(row) for row in connection.execute(statement).mappings()]


class _WordsFirst(Join):
    """A join whose left side is read first, whatever the database thinks of it."""

    inherit_cache = True


@compiles(_WordsFirst, "sqlite")
def _words_first(join: _WordsFirst, compiler: SQLCompiler, **options: Any) -> str:
    written: str = compiler.visit_join(join, **options)  # type: ignore[no-untyped-call]
    return written.replace(" JOIN ", " CROSS JOIN ", 1)


def _has_more_than(connection: Connection, way: Way, count: int) -> bool:
    """Whether more deals than that are found this way."""
    candidates, having = way
    one: ColumnElement[int] = literal_column("1")
    some = select(one).select_from(candidates).where(having).limit(count + 1)
    found = connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    return bool(found > count)


def _having(connection: Connection, words: Sequence[str]) -> Way:
    """Where the deals are that have all these words, and the condition for it."""
    if connection.dialect.name == "postgresql":
        having = text("string_to_array(words, ' ') @> CAST(:words AS text[])")
        return deals, having.bindparams(words=list(words))  # type: ignore[return-value]
    found = _WordsFirst(table("deal_words"), deals, deals.c.number == _FOUND_NUMBER)
    asked = " AND ".join(f'"{word}"' for word in words)
    return found, text("deal_words MATCH :words").bindparams(words=asked)  # type: ignore[return-value]


def _behind(key: Column[Any], query: DealQuery, after: tuple[Any, str]) -> Condition:
    """Rows that come after the cursor; rows without the sort key come last."""
    value, deal_id = after
    beyond = _beyond(query)
    if value is None:
        return and_(key.is_(None), beyond(deals.c.deal_id, deal_id))
    further: Condition = beyond(_place(query), tuple_(value, deal_id))
    return or_(further, key.is_(None)) if key.nullable else further


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
