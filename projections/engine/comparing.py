"""Live read models against rebuilt ones: every row of every table."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Table

from projections.engine.catching_up import catch_up_generation
from projections.models import ReadModel
from projections.tables import checkpoints, parked
from projections.views import Generation
from store.tail import Tail

DIFFERENCES_SHOWN = 5
_NOT_COMPARED = {"parked_at"}
_NOT_SHOWN = {"number", "folded", "words"}
"""What deals are found by: it follows from the columns that are shown, and is long."""


class Difference(msgspec.Struct, frozen=True):
    """Rows of one table that live and rebuilt read models do not share."""

    table: str
    only_live: int
    only_rebuilt: int
    examples: list[str]


def compare(
    live: Generation, rebuilt: Generation, tail: Tail, models: Sequence[ReadModel]
) -> list[Difference]:
    """Bring both to the same position of the log, and compare one snapshot of both."""
    until = tail.head()
    catch_up_generation(live, tail, models, until)
    catch_up_generation(rebuilt, tail, models, until)
    while True:
        with rebuilt.beside(live) as (connection, ours, theirs):
            at, live_at = (_position(connection, schema, models) for schema in (ours, theirs))
            if at == live_at:
                tables = [parked, *(table for model in models for table in model.TABLES)]
                return list(_differences(connection, tables, ours, theirs))
        catch_up_generation(rebuilt, tail, models, live_at)
        catch_up_generation(live, tail, models, at)


def _position(connection: Connection, schema: str, models: Sequence[ReadModel]) -> int:
    """How far these models have read, which have caught up to the same position."""
    names = ", ".join(f"'{model.NAME}'" for model in models)
    query = f"SELECT max(position) FROM {schema}.{checkpoints.name} WHERE model IN ({names})"  # noqa: S608
    return int(connection.exec_driver_sql(query).scalar_one())


def _differences(
    connection: Connection, tables: Iterable[Table], rebuilt: str, live: str
) -> Iterable[Difference]:
    for table in tables:
        only: list[int] = []
        examples: list[str] = []
        for name, one, other in (("live", live, rebuilt), ("rebuilt", rebuilt, live)):
            rows = connection.exec_driver_sql(_except(table, one, other))
            shown = [f"{name}: {_shown(row)}" for row in islice(rows, DIFFERENCES_SHOWN)]
            only.append(len(shown) + sum(1 for _ in rows))
            examples += shown
        if examples:
            yield Difference(table.name, only[0], only[1], examples)


def _shown(row: Row[Any]) -> str:
    values = row._mapping.items()
    return ", ".join(f"{name}={value!r}" for name, value in values if name not in _NOT_SHOWN)


def _except(table: Table, one: str, other: str) -> str:
    names = ", ".join(column.name for column in table.columns if column.name not in _NOT_COMPARED)
    return (
        f"SELECT {names} FROM {one}.{table.name}"  # noqa: S608 (our own names)
        f" EXCEPT SELECT {names} FROM {other}.{table.name}"
    )
