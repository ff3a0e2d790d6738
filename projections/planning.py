"""What PostgreSQL is told of the way to answer, where its guesses do not fit.

It weighs the ways by how many rows it thinks each has to read, and that goes wrong
in an order by two columns: between two places it thinks that very many rows stand,
however near they are, and rows with a common value it expects everywhere, though all
of them may stand at the far end. SQLite is given nothing to choose from where the
statements are made.
"""

from typing import Any, TypeAlias

from sqlalchemy import ARRAY, BindParameter, Column, ColumnElement, Connection, any_, literal

Condition: TypeAlias = ColumnElement[bool]

INDEX_WALKS_LACK = (
    "enable_seqscan",
    "enable_bitmapscan",
    "enable_sort",
    "enable_incremental_sort",
    "enable_gathermerge",
    "jit",
)
"""The settings for all that it could do instead of reading an index in its order."""
INDEX_SCANS_LACK = ("enable_seqscan", "jit")
"""The settings for reading all of a table."""


def plan_without(connection: Connection, *settings: str) -> None:
    """Have PostgreSQL avoid what these stand for, until the transaction ends.

    The others among `INDEX_WALKS_LACK` are as they were before.
    """
    if connection.dialect.name == "postgresql":
        off = dict.fromkeys(settings, "'off'")
        given = [
            f"set_config('{name}', {off.get(name, 'NULL')}, true)" for name in INDEX_WALKS_LACK
        ]
        connection.exec_driver_sql(f"SELECT {', '.join(given)}")


def within(
    column: Column[Any], value: str | BindParameter[Any], *, on_postgresql: bool
) -> tuple[Condition, tuple[Column[Any], ...]]:
    """The condition that a column has a value, and what to order by first.

    So only an index that begins with the column has the order, and it is the one
    that is read. A parameter is the value, on PostgreSQL a list with it alone.
    """
    if not on_postgresql:
        return column == value, ()
    # As one of a list, since PostgreSQL leaves out of the order what can have one value only.
    given = value if isinstance(value, BindParameter) else literal([value], ARRAY(column.type))
    return column == any_(given), (column,)
