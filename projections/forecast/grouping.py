"""Groups of deals by dimensions, as the database numbers them and as people name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from projections.columns.relation import Relation

Values: TypeAlias = tuple[str | None, ...]
"""Of the dimensions that are grouped by, in their order."""


class Grouping:
    """Some dimensions of a relation. Raises ValueError for an unknown one."""

    def __init__(self, relation: Relation, by: Sequence[str]) -> None:
        coded = [relation.coded(name) for name in by]
        self.columns = list(dict.fromkeys(coded))
        """Of the relation, each once."""
        self._at = [self.columns.index(column) for column in coded]
        self._texts = [relation.texts(name) for name in by]
        self._stages = [
            [(place.process, place.order) for place in relation.places] if name == "stage" else []
            for name in by
        ]
        self._first: dict[tuple[int, str | None], tuple[str, int]] = {}

    def keys(self, table: str) -> str:
        """The columns of a table, as k0, k1…, with a comma behind each."""
        return "".join(f"{table}.{name} AS k{n}, " for n, name in enumerate(self.columns))

    @property
    def names(self) -> str:
        """What `keys` calls them, with a comma behind each."""
        return "".join(f"k{n}, " for n in range(len(self.columns)))

    def __len__(self) -> int:
        return len(self.columns)

    def values(self, codes: Sequence[int]) -> Values:
        """What codes of the columns stand for."""
        values = []
        for n, at in enumerate(self._at):
            value: str | None = self._texts[n][codes[at]]
            values.append(value)
            if self._stages[n]:
                place = self._stages[n][codes[at]]
                self._first[n, value] = min(place, self._first.get((n, value), place))
        return tuple(values)

    def order(self, values: Values) -> list[object]:
        """By value, stages by their place in their process, those without a value last."""
        key: list[object] = []
        for n, value in enumerate(values):
            if self._stages[n]:
                key += self._first[n, value]
            key.append((value is None, value or ""))
        return key
