"""Making a base: from the rows of the store, or from the base before and what changed since.

Both bring the rows together in one query, and write them in the order of the base.
Memory stays within a limit whatever the number of rows: DuckDB sorts on the disk.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path

import duckdb
import msgspec

from projections.columns.coding import (
    NONE_LARGE,
    NONE_SMALL,
    PLACE,
    About,
    Arrays,
    Dictionary,
    columns_of,
    deals_of,
)
from projections.columns.source import CODED, INSTANTS, Row, Stand
from projections.cores import on_all
from projections.instants import FOREVER

FORM = 2
"""Of the tables in a base. A base of another form is made anew."""

BASE = "base.duckdb"

_MEMORY = "160MB"
_LARGEST = 2**63 - 1

_CODES = (PLACE, *CODED)

MOVING = f"""
(
    deal UINTEGER, {", ".join(f"{name} BIGINT" for name in INSTANTS)},
    priced UTINYINT, amount BIGINT, weighted HUGEINT,
    closed_at BIGINT, expected_close INTEGER, listed BIGINT, quoted BIGINT, probability TINYINT,
    {", ".join(f"{name} UINTEGER" for name in _CODES)}
)
"""
"""The columns of periods that are still being collected, or change."""

COLUMNS = (
    *("deal", *INSTANTS, "priced", "amount", "weighted"),
    *("closed_at", "expected_close", "listed", "quoted", "probability"),
    *_CODES,
)

KNOWN_DEALS = "(id VARCHAR, deal UINTEGER)"

_INSERT = f"""
INSERT INTO {{name}}
SELECT deal, {", ".join(INSTANTS)}, priced, amount,
    amount::HUGEINT * greatest(probability, 0),
    nullif(closed_at, {NONE_LARGE}), nullif(expected_close, {NONE_SMALL}),
    nullif(listed, {NONE_LARGE}), nullif(quoted, {NONE_LARGE}), nullif(probability, {NONE_SMALL}),
    {", ".join(_CODES)}
FROM given
"""

_NUMBERED_TWICE = """
CREATE TABLE raw.twice AS
SELECT deal, number FROM raw.deals
JOIN (SELECT id, min(deal) AS number FROM raw.deals GROUP BY id HAVING count(*) > 1) USING (id)
"""

ONE_NUMBER_EACH = """
SELECT periods.* REPLACE (coalesce(number, periods.deal) AS deal)
FROM raw.periods AS periods LEFT JOIN raw.twice AS twice ON periods.deal = twice.deal
"""

ONE_NUMBER_A_DEAL = "SELECT id, min(deal) AS deal FROM raw.deals GROUP BY id"

_LEVEL = f"""
CASE WHEN occurred_until = {FOREVER} THEN 64
ELSE floor(log2((xor(occurred_from, occurred_until - 1) & {_LARGEST}) + 1.0)) END
"""
"""The size of the smallest span of time that a period lies in, of those that halve and halve
again: the highest bit in which its ends differ. Whatever lies in one span stands together."""


def connect(memory: str, spill: Path | None = None) -> duckdb.DuckDBPyConnection:
    """DuckDB in memory, which may use a folder besides, and reaches for nothing else."""
    with on_all():
        # It starts its threads at once.
        return duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory,
                "temp_directory": str(spill or ""),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            },
        )


def quoted(path: Path) -> str:
    """A path in a statement."""
    return "'" + str(path).replace("'", "''") + "'"


def add_periods(connection: duckdb.DuckDBPyConnection, name: str, given: Arrays) -> None:
    """Add rows to a table of moving periods."""
    connection.register("given", given)
    connection.execute(_INSERT.format(name=name))
    connection.unregister("given")


def add_deals(connection: duckdb.DuckDBPyConnection, name: str, given: Arrays) -> None:
    """Add rows to a table of known deals."""
    connection.register("given", given)
    connection.execute(f"INSERT INTO {name} SELECT id, deal FROM given")
    connection.unregister("given")


class Collected:
    """All rows of the store, to become a base; the store is no longer needed."""

    def __init__(self, workshop: Path, stand: Stand, batches: Iterable[Sequence[Row]]) -> None:
        """Read the rows, in a new folder."""
        workshop.mkdir(parents=True)
        self._workshop = workshop
        self._connection = connect(_MEMORY, workshop / "spill")
        try:
            self.about = self._read(stand, batches)
        except BaseException:
            self._connection.close()
            raise

    def _read(self, stand: Stand, batches: Iterable[Sequence[Row]]) -> About:
        self._connection.execute(f"ATTACH {quoted(self._workshop / 'raw.duckdb')} AS raw")
        dictionary, deals = read_into(self._connection, batches)
        parked = sorted(stand.parked)
        return About(FORM, stand.set_id, stand.position, parked, deals, dictionary.values())

    def written(self) -> Path:
        """The base of these rows."""
        with self._connection as connection:
            made = attach(connection, self._workshop)
            fill(connection, self.about, ONE_NUMBER_EACH, ONE_NUMBER_A_DEAL)
            detach(connection)
        return made


def read_into(
    into: duckdb.DuckDBPyConnection, batches: Iterable[Sequence[Row]]
) -> tuple[Dictionary, int]:
    """Write rows of the store into the schema or file `raw`. Answers the codes, and how many deals.

    What is read is asked by `ONE_NUMBER_EACH` and `ONE_NUMBER_A_DEAL`.
    """
    into.execute(f"CREATE TABLE raw.periods {MOVING}")
    into.execute(f"CREATE TABLE raw.deals {KNOWN_DEALS}")
    dictionary, deals = Dictionary(), 0
    for rows, numbers, new in _numbered(batches):
        add_periods(into, "raw.periods", columns_of(rows, numbers, dictionary))
        add_deals(into, "raw.deals", deals_of(new, range(deals + 1, numbers[-1] + 1)))
        deals = numbers[-1]
    into.execute(_NUMBERED_TWICE)
    return dictionary, deals


def _numbered(
    batches: Iterable[Sequence[Row]],
) -> Iterator[tuple[Sequence[Row], list[int], list[str]]]:
    """Rows, the number of the deal of each, and the deals that are new, in order.

    A deal whose rows do not follow one another has several numbers here, of which one is kept.
    """
    number, last = 0, None
    for rows in batches:
        numbers, new = [], []
        for before, deal_id in pairwise(chain([last], (row[0] for row in rows))):
            if deal_id != before:
                number += 1
                new.append(deal_id)
            numbers.append(number)
        last = rows[-1][0]
        yield rows, numbers, new


def attach(connection: duckdb.DuckDBPyConnection, workshop: Path) -> Path:
    """A new base without tables, as `made`."""
    path = workshop / BASE
    connection.execute(f"ATTACH {quoted(path)} AS made")
    return path


def fill(connection: duckdb.DuckDBPyConnection, about: About, periods: str, deals: str) -> None:
    """Write the periods and the deals that two queries give into the new base."""
    run = connection.execute
    codes = ", ".join(f"{n}::{_narrowest(len(about.dictionary[n]))} AS {n}" for n in _CODES)
    [[largest]] = run(f"SELECT coalesce(max(abs(weighted)), 0) FROM ({periods})").fetchall()
    weighted = "BIGINT" if largest <= _LARGEST else "HUGEINT"
    run(
        f"""
        CREATE TABLE made.periods AS
        SELECT deal, {", ".join(INSTANTS)}, priced, amount, weighted::{weighted} AS weighted,
            closed_at, expected_close, listed, quoted, probability, {codes}
        FROM ({periods}) ORDER BY known_until < {FOREVER}, {_LEVEL}, occurred_from
        """
    )
    run(f"CREATE TABLE made.deals AS FROM ({deals}) ORDER BY deal")
    run("CREATE TABLE made.about (about VARCHAR)")
    run("INSERT INTO made.about VALUES (?)", [msgspec.json.encode(about).decode()])


def detach(connection: duckdb.DuckDBPyConnection) -> None:
    """Finish the new base, so that its file is complete."""
    connection.execute("CHECKPOINT made")
    connection.execute("DETACH made")


def _narrowest(values: int) -> str:
    return "UTINYINT" if values <= 2**8 else "USMALLINT" if values <= 2**16 else "UINTEGER"
