"""The rows of deal periods: as the relation of DuckDB gives them, and as the tables hold them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from projections.columns.relation import Relation
from projections.columns.source import CODED
from projections.tables import deal_periods

_AS_IT_IS = (
    *("occurred_from", "occurred_until", "known_from", "known_until", "opened_at", "closed_at"),
    *("listed", "quoted", "probability"),
)

Found = Counter[tuple[Any, ...]]


def in_relation(relation: Relation, where: Mapping[str, str] | None = None) -> Found:
    """Every row, with its texts for their codes, and the id of the deal for its number."""
    codes = ", ".join(CODED)
    rows = relation.rows(
        f"""
        FROM periods LEFT JOIN deals USING (deal)
        SELECT id, {", ".join(_AS_IT_IS)}, priced, amount, weighted,
            strftime(DATE '1970-01-01' + expected_close, '%Y-%m-%d'), place, {codes}
        WHERE {relation.matching(where or {})}
        """
    )
    texts = [relation.texts(name) for name in CODED]
    places, first = relation.places, 15
    return Counter(
        (
            *row[: first - 1],
            *places[row[first - 1]],
            *(values[code] for values, code in zip(texts, row[first:], strict=True)),
        )
        for row in rows
    )


def in_tables(
    connection: Connection, *conditions: Any, where: Mapping[str, str] | None = None
) -> Found:
    """The same of the rows that a connection sees."""
    rows = connection.execute(select(deal_periods).where(*conditions)).mappings()
    return Counter(_row(row) for row in map(dict, rows) if _meets(row, where or {}))


def _row(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    names = {"listed": "listed_minor", "quoted": "quoted_minor"}
    amount = row["amount_minor"]
    return (
        row["deal_id"],
        *(row[names.get(name, name)] for name in _AS_IT_IS),
        int(amount is not None),
        amount or 0,
        (amount or 0) * (row["probability"] or 0),
        row["expected_close"],
        row["process"],
        row["stage"],
        row["stage_order"],
        *(row[name] for name in CODED),
    )


def _meets(row: Mapping[Any, Any], where: Mapping[str, str]) -> bool:
    return all(row[name] == (value or None) for name, value in where.items())


def numbers_of(relation: Relation) -> list[tuple[int, str]]:
    """Every deal that has periods, by its number."""
    numbers: Sequence[int] = [row[0] for row in relation.rows("FROM periods SELECT DISTINCT deal")]
    ids = relation.ids(numbers)
    return sorted((number, ids[number]) for number in numbers)
