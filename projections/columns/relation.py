"""The deal periods as one relation of DuckDB, for questions that a sum over one date cannot answer.

A question is asked in SQL of two tables, whichever way their rows came there:

- `periods`: a row for each deal period. `deal` is a number; `occurred_from`, `occurred_until`,
  `known_from`, `known_until`, `opened_at` and `closed_at` are microseconds; `expected_close` days
  since 1970-01-01; `amount`, `listed` and `quoted` minor units, `weighted` minor units × per cent;
  `probability` per cent; `priced` 1 where there is an amount, 0 where it is unknown and `amount`
  0. `place` (stage, with its process and position) and the texts are codes: see `code`, `texts`
  and `places`. What is not there is NULL, and code 0 in texts.
- `deals`: the `id` of each `deal`.

Amounts are to be summed as integers, so that every sum is exact.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from projections.columns.coding import PLACE, Dictionary
from projections.figures import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import duckdb

NOWHERE = 2**32 - 1
"""A code that no row has."""

_HELD = re.compile(r"[a-z_]+", re.ASCII)


def literal(text: str) -> str:
    """A text in a statement. In hexadecimal: whoever hands it in may write anything."""
    return f"decode(from_hex('{text.encode().hex()}'))"


class Place(NamedTuple):
    """A stage of a process."""

    process: str
    stage: str
    order: int
    """Position of the stage in its process, from 0."""


class Relation:
    """The deal periods as of one state of the read models."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        sources: Mapping[str, str],
        dictionary: Dictionary,
        guarded: Callable[[], Any],
    ) -> None:
        self._cursor = cursor
        self._sources = dict(sources)
        self._dictionary = dictionary
        self._guarded = guarded

    def rows(self, select: str, **steps: str) -> list[tuple[Any, ...]]:
        """The rows of a query over `periods` and `deals`, and over steps that are named before."""
        with self._guarded():
            return self._cursor.execute(self._whole(select, steps)).fetchall()

    def arrays(self, select: str, **steps: str) -> dict[str, Any]:
        """The columns of a query as arrays of numpy, by name; masked where something is NULL."""
        with self._guarded():
            return self._cursor.execute(self._whole(select, steps)).fetchnumpy()

    def hold(self, name: str, select: str, **steps: str) -> None:
        """Keep the rows of a query as a table of that name, for queries that follow."""
        assert _HELD.fullmatch(name)
        with self._guarded():
            self._cursor.execute(f"CREATE TEMP TABLE {name} AS {self._whole(select, steps)}")

    def _whole(self, select: str, steps: Mapping[str, str]) -> str:
        # Else DuckDB copies into memory what is used twice: millions of rows.
        named = [f"{name} AS NOT MATERIALIZED ({q})" for name, q in self._sources.items()]
        named += [f"{name} AS ({query})" for name, query in steps.items()]
        return f"WITH {', '.join(named)} {select}"

    def code(self, column: str, value: str) -> int:
        """The number of a text in a column, `NOWHERE` where no row has it; `""`: without one."""
        code = self._dictionary.code(column, value)
        return NOWHERE if code is None else code

    def codes(self, column: str, values: Iterable[str]) -> str:
        """The numbers of texts, to stand behind IN."""
        return f"({', '.join(str(self.code(column, value)) for value in values)})"

    def texts(self, column: str) -> list[Any]:
        """The texts of a column, or the value of a dimension, by code of `coded(column)`."""
        if column in ("process", "stage"):
            return [getattr(place, column) for place in self.places]
        return list(self._dictionary.of[column].values_by_code)

    @property
    def places(self) -> list[Place]:
        """What the codes in `place` stand for."""
        return [Place(*place) for place in list(self._dictionary.of[PLACE].values_by_code)]

    def coded(self, dimension: str) -> str:
        """The column that holds a dimension. Raises ValueError for an unknown one."""
        if dimension not in DIMENSIONS:
            raise ValueError(f"there is no dimension {dimension!r}; use {', '.join(DIMENSIONS)}")
        return PLACE if dimension in ("process", "stage") else dimension

    def matching(self, where: Mapping[str, str], table: str = "periods") -> str:
        """The condition for rows with these values of dimensions (`""`: without one)."""
        conditions = ["true"]
        for name, value in where.items():
            column = self.coded(name)
            if column == PLACE:
                codes: Sequence[int] = self._dictionary.places(name, value) or [NOWHERE]
            else:
                codes = [self.code(name, value)]
            conditions.append(f"{table}.{column} IN ({', '.join(map(str, codes))})")
        return " AND ".join(conditions)

    def ids(self, numbers: Iterable[int]) -> dict[int, str]:
        """The ids of deals, by their numbers."""
        wanted = ", ".join(map(str, sorted(set(numbers)))) or "NULL"
        return {
            row[0]: row[1]
            for row in self.rows(f"FROM deals SELECT deal, id WHERE deal IN ({wanted})")
        }
