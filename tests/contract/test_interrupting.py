"""On every store: a statement that nobody waits for ends, and its connection is as good."""

import threading
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from api.workspace import Workspace
from store.interruption import CURRENT, Interrupted, Work
from store.location import Location

_ENDLESS = text(
    "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n)"
    " SELECT max(i) FROM n"
)


def test_a_statement_is_interrupted_and_the_next_one_is_not(
    new_location: Callable[[], Location],
) -> None:
    with Workspace.create(new_location(), ZoneInfo("UTC")) as store:
        with store.fresh() as connection:
            connection.execute(text("SELECT 1"))
        work = Work()
        stopping = threading.Timer(0.1, work.stop)
        token = CURRENT.set(work)
        try:
            stopping.start()
            with pytest.raises(Interrupted), store.views.reading() as connection:
                connection.execute(_ENDLESS)
            with pytest.raises(Interrupted), store.views.reading() as connection:
                raise AssertionError("it began")
        finally:
            CURRENT.reset(token)
            stopping.join()
        with store.views.reading() as connection:
            assert connection.execute(text("SELECT 1")).scalar_one() == 1
