"""Walking the index of an order, past the deals that match: statements that are made once.

Making a statement takes several times as long as running it. So what is asked for comes apart into
its shape, of which there are few, and its values: each shape has its statements, and the values go
with every run of them.
"""

import operator
from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    literal_column,
    select,
    tuple_,
)

from projections.planning import INDEX_WALKS_LACK, plan_without, within
from projections.readable import ALL, Readable, is_readable, values_readable
from projections.search import fold
from projections.tables import deals

Condition: TypeAlias = ColumnElement[bool]
Values: TypeAlias = dict[str, Any]

SHAPES = 1_000
"""Whose statements are kept."""

_FOUND_BY = {"number", "folded", "words"}
SHOWN = [column for column in deals.columns if column.name not in _FOUND_BY]
_NAMES = tuple(column.name for column in SHOWN)
_BY_STATUS = {"opened_at", "closed_at", "last_occurred_at"}
"""The orders that have an index within each status."""
_ESCAPE = "/"


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


class Matching(msgspec.Struct, frozen=True):
    """What is asked of a deal, without the values."""

    filters: tuple[tuple[str, bool], ...]
    """By which columns, and whether for a value or for none."""
    has_search: bool
    is_readable: tuple[bool, bool] | None
    """By being on the team, by being among the owners; None: all may be read."""
    on_postgresql: bool

    @classmethod
    def of(cls, connection: Connection, query: DealQuery) -> "Matching":
        readable = query.readable
        return cls(
            tuple((name, bool(value)) for name, value in query.where.items()),
            bool(query.search),
            None if readable.all else (readable.member is not None, bool(readable.owners)),
            connection.dialect.name == "postgresql",
        )

    def conditions(self, *, with_status: bool = True) -> list[Condition]:
        """On a row of `deals`. No index of the status is used: that is chosen in `_Shape`."""
        asked: list[Condition] = []
        for name, has_value in self.filters:
            if name == "status" and not with_status:
                continue
            column: ColumnElement[Any] = deals.c[name]
            if name == "status":
                column = column.concat(literal_column("''"))
            asked.append(column == bindparam(name) if has_value else column.is_(None))
        if self.has_search:
            asked.append(deals.c.folded.contains(bindparam("search"), escape=_ESCAPE))
        if self.is_readable is not None:
            asked.append(is_readable(*self.is_readable, on_postgresql=self.on_postgresql))
        return asked


def values_of(connection: Connection, query: DealQuery) -> Values:
    """The values of the conditions."""
    values: Values = {name: value for name, value in query.where.items() if value}
    if query.search:
        values["search"] = _escaped(fold(query.search))
    if not query.readable.all:
        values |= values_readable(connection, query.readable)
    return values


def _escaped(text: str) -> str:
    for one in (_ESCAPE, "%", "_"):
        text = text.replace(one, _ESCAPE + one)
    return text


class _Stretch(StrEnum):
    """A part of the index, in its order."""

    ALL = "all"
    BEHIND = "behind the cursor"
    WITH_KEY = "those that have what is sorted by"
    WITHOUT_KEY = "those that lack it"
    WITHOUT_KEY_BEHIND = "those that lack it, behind the cursor"


class _End(StrEnum):
    """Up to where a stretch is looked through."""

    NOWHERE = "no end"
    PLACE = "a place"
    ID = "an id, among those that lack what is sorted by"


class _Shape(msgspec.Struct, frozen=True):
    """A stretch, and what is asked of the deals there."""

    matching: Matching
    sort: str
    descending: bool
    stretch: _Stretch

    @property
    def in_status(self) -> bool:
        """Whether the index within one status is walked."""
        return self.sort in _BY_STATUS and ("status", True) in self.matching.filters

    @property
    def has_others(self) -> bool:
        """Whether the index does not see to all that is asked for."""
        asked = self.matching
        filters = len(asked.filters) > self.in_status
        return filters or asked.has_search or asked.is_readable is not None

    @property
    def others(self) -> list[Condition]:
        return self.matching.conditions(with_status=not self.in_status)

    @property
    def key(self) -> Column[Any]:
        return deals.c[self.sort]

    def along(self) -> tuple[list[Condition], list[ColumnElement[Any]]]:
        """The conditions of the stretch, and its order."""
        conditions, columns = list[Condition](), [self.key, deals.c.deal_id]
        if self.in_status:
            has_status, first = self._in_status()
            conditions, columns = [has_status], [*first, *columns]
        beyond = operator.lt if self.descending else operator.gt
        match self.stretch:
            case _Stretch.BEHIND:
                conditions.append(beyond(self.place, self._told("after")))
            case _Stretch.WITH_KEY:
                conditions.append(self.key.is_not(None))
            case _Stretch.WITHOUT_KEY:
                conditions.append(self.key.is_(None))
            case _Stretch.WITHOUT_KEY_BEHIND:
                behind = beyond(deals.c.deal_id, bindparam("after_id"))
                conditions += [self.key.is_(None), behind]
        return conditions, [one.desc() if self.descending else one.asc() for one in columns]

    def _in_status(self) -> tuple[Condition, tuple[Column[Any], ...]]:
        column = deals.c.status
        if not self.matching.on_postgresql:
            return within(column, bindparam("status"), on_postgresql=False)
        statuses = bindparam("statuses", type_=ARRAY(column.type))
        return within(column, statuses, on_postgresql=True)

    def reached(self, end: _End) -> list[Condition]:
        until = operator.ge if self.descending else operator.le
        match end:
            case _End.PLACE:
                return [until(self.place, self._told("end"))]
            case _End.ID:
                return [until(deals.c.deal_id, bindparam("end_id"))]
            case _End.NOWHERE:
                return []

    @property
    def place(self) -> Any:
        return tuple_(self.key, deals.c.deal_id)

    def _told(self, what: str) -> Any:
        value = bindparam(f"{what}_value", type_=self.key.type)
        return tuple_(value, bindparam(f"{what}_id", type_=deals.c.deal_id.type))


@lru_cache(SHAPES)
def _place_statement(shape: _Shape) -> Select[Any]:
    """The place so many `steps` on."""
    conditions, order = shape.along()
    places = select(shape.key, deals.c.deal_id).where(*conditions).order_by(*order)
    return places.limit(1).offset(bindparam("steps"))


@lru_cache(SHAPES)
def _rows_statement(shape: _Shape, end: _End) -> Select[Any]:
    """The rows that match, as many as are `wanted`."""
    conditions, order = shape.along()
    matching = select(*SHOWN).where(*conditions, *shape.reached(end), *shape.others)
    return matching.order_by(*order).limit(bindparam("wanted"))


def walked(connection: Connection, query: DealQuery, per_deal: int) -> list[dict[str, Any]] | None:
    """The deals of the page and one more; None where so many steps for each are not enough."""
    matching = Matching.of(connection, query)
    values = values_of(connection, query) | after_values(query)
    if matching.on_postgresql and "status" in values:
        values["statuses"] = [values["status"]]
    found: list[dict[str, Any]] = []
    plan_without(connection, *INDEX_WALKS_LACK)
    for stretch in _stretches(query):
        shape = _Shape(matching, query.sort, query.descending, stretch)
        end, until = None, _End.NOWHERE
        if shape.has_others:
            steps = per_deal * (query.limit + 1)
            end = connection.execute(_place_statement(shape), values | {"steps": steps}).first()
            if end is not None:
                until = _End.ID if end[0] is None else _End.PLACE
                values |= {"end_value": end[0], "end_id": end[1]}
        wanted = {"wanted": query.limit + 1 - len(found)}
        rows = connection.execute(_rows_statement(shape, until), values | wanted)
        # Taken apart by position: a row that is asked for each name takes several times as long.
        found += [dict(zip(_NAMES, row, strict=True)) for row in rows.all()]
        if len(found) > query.limit:
            return found
        if end is not None:
            return None
    return found


def _stretches(query: DealQuery) -> Iterator[_Stretch]:
    """Behind the cursor, the deals that have what is sorted by, then those that lack it."""
    is_nullable = deals.c[query.sort].nullable
    if query.after is None:
        yield _Stretch.WITH_KEY if is_nullable else _Stretch.ALL
    elif query.after[0] is not None:
        yield _Stretch.BEHIND
    if is_nullable:
        lacking = query.after is not None and query.after[0] is None
        yield _Stretch.WITHOUT_KEY_BEHIND if lacking else _Stretch.WITHOUT_KEY


def after_values(query: DealQuery) -> Values:
    """The values of the cursor, as the table has them."""
    if query.after is None:
        return {}
    value, deal_id = query.after
    told = value.isoformat() if isinstance(value, date) else value
    return {"after_value": told, "after_id": deal_id}
