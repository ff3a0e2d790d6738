"""`dealstate` with a worker that does not come back: `python -m tests.api.cli.stuck THREAD …`.

The rest are the arguments of `dealstate`. The thread of that name enters an endless
statement, and says so: to read on one of SQLite, for maintenance one of DuckDB.
"""

import sys
import threading
from unittest.mock import patch

import duckdb

from api.cli.entry import main
from api.workspace import Workspace
from projections.engine import working
from store.sqlite.recorder import LogRecorder
from store.tail import Tail

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
_ENDLESS_TOO = "SELECT sum(a.range * b.range) FROM range(100_000) a, range(1_000_000_000_000) b"

_head = Tail.head


def head(tail: Tail) -> int:
    """As it is, but for the thread that reads on."""
    if threading.current_thread().name == "read models":
        recorder = tail._log.recorder
        assert isinstance(recorder, LogRecorder)
        with recorder.datastore.reading() as cursor:
            say()
            cursor.execute(_ENDLESS)
    return _head(tail)


def maintain(_: Workspace) -> None:
    """In place of making the columnar copy."""
    with duckdb.connect(":memory:", config={"threads": "1"}) as connection:
        say()
        connection.execute(_ENDLESS_TOO).fetchall()


def say() -> None:
    """So that the signal comes when it is in the statement, or about to be."""
    sys.stdout.write("is stuck\n")
    sys.stdout.flush()


if __name__ == "__main__":
    thread = sys.argv.pop(1)
    with (
        patch.object(Tail, "head", head)
        if thread == "read models"
        else patch.object(Workspace, "maintain_columns", maintain),
        patch.object(working, "_MAINTAIN_SECONDS", 0.01),
    ):
        main()
