"""Rows of the store as columns of numbers, and back."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from projections.columns.source import CODED, COLUMNS, INSTANTS, Row

PLACE = "place"
"""A stage with its process and its position there, as one number."""

Arrays: TypeAlias = dict[str, NDArray[Any]]
"""Columns of equal length, by name."""

NONE_SMALL, NONE_LARGE = -(2**31), -(2**63)
"""Stand for values that are not there, in columns of numbers."""

_EPOCH = date(1970, 1, 1).toordinal()


class Codes(dict[Any, int]):
    """Numbers of the values of a column, given as they come. In the texts 0 is None."""

    def __init__(self, values: Iterable[Any] = ()) -> None:
        super().__init__()
        self.values_by_code: list[Any] = []
        for value in values:
            self[value]

    def __missing__(self, value: Any) -> int:
        code = len(self.values_by_code)
        self.values_by_code.append(value)
        self[value] = code
        return code


class Dictionary:
    """The codes of all columns that have some."""

    def __init__(self, values: dict[str, list[Any]] | None = None) -> None:
        held = values or {name: [None] for name in CODED}
        self.of = {name: Codes(held[name]) for name in CODED}
        self.of[PLACE] = Codes(map(tuple, held.get(PLACE, [])))

    def values(self) -> dict[str, list[Any]]:
        """Every value, in the order of the codes."""
        return {name: list(codes.values_by_code) for name, codes in self.of.items()}

    def code(self, name: str, value: str) -> int | None:
        """The number of a text, None where no row has it; an empty one asks for those without."""
        return 0 if not value else self.of[name].get(value)

    def places(self, name: str, value: str) -> list[int]:
        """The numbers of the places with this process or stage; none is without one."""
        if not value:
            return []
        at = ("process", "stage").index(name)
        # Other threads may add places meanwhile.
        places = list(self.of[PLACE].values_by_code)
        return [code for code, place in enumerate(places) if place[at] == value]


def columns_of(rows: Sequence[Row], deals: Sequence[int], dictionary: Dictionary) -> Arrays:
    """The columns of some rows, of which there is at least one; `deals` numbers their deals."""
    by_name = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
    amounts = by_name["amount_minor"]
    places = zip(by_name["process"], by_name["stage"], by_name["stage_order"], strict=True)
    return {
        "deal": np.array(deals, dtype=np.uint32),
        **{name: np.array(by_name[name], dtype=np.int64) for name in INSTANTS},
        "priced": np.array([amount is not None for amount in amounts], dtype=np.uint8),
        "amount": np.array([amount or 0 for amount in amounts], dtype=np.int64),
        "probability": _small(by_name["probability"]),
        "closed_at": _large(by_name["closed_at"]),
        "listed": _large(by_name["listed_minor"]),
        "quoted": _large(by_name["quoted_minor"]),
        "expected_close": _small(map(_day_number, by_name["expected_close"])),
        PLACE: _coded(places, dictionary.of[PLACE]),
        **{name: _coded(by_name[name], dictionary.of[name]) for name in CODED},
    }


def _small(values: Iterable[int | None]) -> NDArray[Any]:
    return np.array([NONE_SMALL if v is None else v for v in values], dtype=np.int32)


def _large(values: Iterable[int | None]) -> NDArray[Any]:
    return np.array([NONE_LARGE if v is None else v for v in values], dtype=np.int64)


def _day_number(day: str | None) -> int | None:
    """Days since 1970-01-01 of a date."""
    return None if day is None else day_number(date.fromisoformat(day))


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def day_of(number: int) -> date:
    """The inverse of `day_number`."""
    return date.fromordinal(number + _EPOCH)


def _coded(values: Iterable[Any], codes: Codes) -> NDArray[Any]:
    return np.array([codes[value] for value in values], dtype=np.uint32)


def deals_of(deal_ids: Iterable[str], deals: Sequence[int]) -> Arrays:
    """Ids of deals, and their numbers."""
    return {
        "id": np.array(list(deal_ids), dtype=object),
        "deal": np.array(deals, dtype=np.uint32),
    }


class About(msgspec.Struct, frozen=True):
    """What a base says of itself."""

    form: int
    set_id: str
    position: int
    parked: list[str]
    deals: int
    """The largest number of a deal."""
    dictionary: dict[str, list[Any]]
