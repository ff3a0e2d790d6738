"""Rows of the store, read into memory for one question, where there is no base."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from projections.columns import making
from projections.columns.relation import Relation
from projections.columns.source import Reach, all_periods
from projections.readable import ALL, Readable

_MEMORY = "512MB"


@contextmanager
def passing(connection: Connection, reach: Reach, readable: Readable = ALL) -> Iterator[Relation]:
    """The periods within reach that `connection` sees, of the deals that somebody may read.

    What memory cannot hold goes to the disk.
    """
    with (
        TemporaryDirectory(prefix="dealstate-") as spill,
        making.connect(_MEMORY, Path(spill)) as into,
    ):
        into.execute("CREATE SCHEMA raw")
        dictionary, _ = making.read_into(into, all_periods(connection, reach, readable))
        into.execute(f"CREATE TABLE all_periods AS {making.ONE_NUMBER_EACH}")
        into.execute(f"CREATE TABLE all_deals AS {making.ONE_NUMBER_A_DEAL}")
        sources = {"periods": "FROM all_periods", "deals": "FROM all_deals"}
        yield Relation(into, sources, dictionary, nullcontext)
