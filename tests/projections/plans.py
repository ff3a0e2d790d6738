"""How the databases answer each statement: statements as they are run, each with its plan.

Whatever is asked of the log or the read models in `planned` is explained where it is
asked, in its own transaction, so a new query is seen without being named.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
import pytest
from sqlalchemy import Engine, event

from store.sqlite import connections

LARGE = ("deals", "deal_team", "deal_periods", "deal_marks", "entries", "stored_events", "commands")
"""Tables with rows for every deal or event."""


class Planned(msgspec.Struct, frozen=True):
    """A statement, and the steps by which a database answers it."""

    statement: str
    steps: list[str]
    scans: list[str]
    """Steps that read all of a large table, or of an index of one."""
    walks: list[str]
    """Steps that read an index in order, every row of it, until a LIMIT ends them."""


@contextmanager
def planned(patch: pytest.MonkeyPatch) -> Iterator[list[Planned]]:
    """All questions asked meanwhile, of any connection that is opened meanwhile."""
    found: list[Planned] = []
    with patch.context() as patched:
        _watch_sqlite(patched, found)
        _watch_postgres(patched, found)

        def ask(_: Any, cursor: Any, statement: str, values: Any, *__: Any) -> None:
            connection = cursor.connection
            if isinstance(connection, sqlite3.Connection) and _asks(statement):
                steps = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
                found.append(of_sqlite(statement, [step[3] for step in steps]))

        event.listen(Engine, "before_cursor_execute", ask)
        try:
            yield found
        finally:
            event.remove(Engine, "before_cursor_execute", ask)


def _asks(statement: str) -> bool:
    return statement.lstrip().startswith(("SELECT", "WITH"))


def _watch_sqlite(patch: pytest.MonkeyPatch, found: list[Planned]) -> None:
    """The log's statements, which are seen with their values, and explained beside."""
    connect = connections._connect

    def watched(path: Any, mode: str) -> sqlite3.Connection:
        connection, beside = connect(path, mode), connect(path, mode)

        def ask(statement: str) -> None:
            if _asks(statement):
                steps = beside.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
                found.append(of_sqlite(statement, [step[3] for step in steps]))

        connection.set_trace_callback(ask)
        return connection

    patch.setattr(connections, "_connect", watched)


def _watch_postgres(patch: pytest.MonkeyPatch, found: list[Planned]) -> None:
    """The statements of both: the same driver carries them."""
    execute = psycopg.Cursor.execute

    def watched(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        if isinstance(query, str) and _asks(query):
            with psycopg.Cursor(self.connection, row_factory=psycopg.rows.tuple_row) as beside:
                execute(beside, f"EXPLAIN (FORMAT JSON) {query}", *values[:1])
                found.append(of_postgres(query, beside.fetchone()[0][0]["Plan"]))  # type: ignore[index]
        return execute(self, query, *values, **options)

    patch.setattr(psycopg.Cursor, "execute", watched)


def of_sqlite(statement: str, steps: list[str]) -> Planned:
    """From the lines of EXPLAIN QUERY PLAN."""
    sorts = any("FOR ORDER BY" in step for step in steps)
    limited = "LIMIT" in statement and "WHERE" not in statement and not sorts
    scans: list[str] = []
    walks: list[str] = []
    for step in steps:
        matched = re.match(r"SCAN (\w+)", step)
        if matched is None or matched[1] not in LARGE:
            continue
        (walks if limited and "USING" in step else scans).append(step)
    return Planned(statement, steps, scans, walks)


def of_postgres(statement: str, plan: dict[str, Any]) -> Planned:
    """From the tree of EXPLAIN (FORMAT JSON)."""
    steps: list[str] = []
    scans: list[str] = []
    walks: list[str] = []
    for node, above in _nodes(plan, ()):
        step = " ".join(str(node[key]) for key in ("Node Type", "Index Name") if key in node)
        steps.append(step)
        narrowed = node["Node Type"] == "Bitmap Heap Scan" or "Index Cond" in node
        if node.get("Relation Name") in LARGE and not narrowed:
            walked = (
                "Index" in node["Node Type"] and "Filter" not in node and above[-1:] == ("Limit",)
            )
            (walks if walked else scans).append(f"{step} on {node['Relation Name']}")
    return Planned(statement, steps, scans, walks)


def _nodes(
    node: dict[str, Any], above: tuple[str, ...]
) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    yield node, above
    for below in node.get("Plans", ()):
        yield from _nodes(below, (*above, node["Node Type"]))
