"""A page of deals, in an order: filter, search, keyset paging.

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
from collections.abc import Sequence
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

from projections.deal_walks import SHOWN, DealQuery, Matching, after_values, values_of, walked
from projections.planning import INDEX_SCANS_LACK, plan_without
from projections.readable import ids_by_team
from projections.search import FILTERS, fold, words_asked
from projections.tables import deals

Condition: TypeAlias = ColumnElement[bool]

SORTABLE = ("opened_at", "closed_at", "amount_minor", "expected_close", "name", "last_occurred_at")

WALKED_PER_DEAL = 40
"""So many deals are compared for each one that is wanted, before the index of words is asked."""
MANY = 10_000
"""Deals that are gathered at once. Where more have the words, the walk goes on first."""
WALKED_FAR_PER_DEAL = 1_000

_FOUND_NUMBER: ColumnElement[int] = literal_column("deal_words.rowid")


class DealPage(msgspec.Struct, frozen=True):
    """Rows of `deals`, and the cursor to the next page, None at the end."""

    rows: list[dict[str, Any]]
    next: tuple[Any, str] | None


def page(connection: Connection, query: DealQuery) -> DealPage:
    """The deals that match. Raises ValueError for an unknown filter or sort column."""
    if query.sort not in SORTABLE:
        raise ValueError(f"deals cannot be sorted by {query.sort!r}; use {', '.join(SORTABLE)}")
    if unknown := query.where.keys() - set(FILTERS):
        names = ", ".join(map(repr, sorted(unknown)))
        raise ValueError(f"deals cannot be filtered by {names}; use {', '.join(FILTERS)}")
    found = walked(connection, query, WALKED_PER_DEAL)
    if found is None:
        ways = _ways(connection, query)
        few = next((way for way in ways if not _has_more_than(connection, way, MANY)), None)
        if few is None:
            found = walked(connection, query, WALKED_FAR_PER_DEAL)
        if found is None:
            found = _gathered(connection, query, few or ways[0])
    plan_without(connection)
    rows = found[: query.limit]
    more = len(found) > query.limit
    return DealPage(rows, (rows[-1][query.sort], rows[-1]["deal_id"]) if more else None)


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


def _gathered(connection: Connection, query: DealQuery, way: Way) -> list[dict[str, Any]]:
    """The deals of the page and one more, of all that are found this way."""
    plan_without(connection, *INDEX_SCANS_LACK)
    candidates, having = way
    key, matching = deals.c[query.sort], Matching.of(connection, query)
    statement = select(*SHOWN).select_from(candidates).where(having, *matching.conditions())
    if query.after is not None:
        statement = statement.where(_behind(key, query))
    # No index has this order, so that none is walked.
    order = [one.desc() if query.descending else one.asc() for one in (key, deals.c.deal_id)]
    statement = statement.order_by(key.is_(None), *order).limit(query.limit + 1)
    values = values_of(connection, query)
    return [dict(row) for row in connection.execute(statement, values).mappings()]


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


def _behind(key: Column[Any], query: DealQuery) -> Condition:
    """Rows that come after the cursor; rows without the sort key come last."""
    cursor = after_values(query)
    value, deal_id = cursor["after_value"], cursor["after_id"]
    beyond = operator.lt if query.descending else operator.gt
    if value is None:
        return and_(key.is_(None), beyond(deals.c.deal_id, deal_id))
    further: Condition = beyond(tuple_(key, deals.c.deal_id), tuple_(value, deal_id))
    return or_(further, key.is_(None)) if key.nullable else further
