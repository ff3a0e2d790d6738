"""Rows of the store as columns of numbers, and back."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from projections.columns.source import CODED, COLUMNS, INSTANTS, Row

PLACE = "place"
"""A stage with its process and its position there, as one number."""

Arrays: TypeAlias = dict[str, NDArray[Any]]
"""Columns of equal length, by name."""

_ID_BYTES = 16


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
        """The numbers of the places with this process or stage."""
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
        "percent": np.array([percent or 0 for percent in by_name["probability"]], dtype=np.int32),
        PLACE: _coded(places, dictionary.of[PLACE]),
        **{name: _coded(by_name[name], dictionary.of[name]) for name in CODED},
    }


def _coded(values: Iterable[Any], codes: Codes) -> NDArray[Any]:
    return np.array([codes[value] for value in values], dtype=np.uint32)


def deals_of(deal_ids: Iterable[str], deals: Sequence[int]) -> Arrays:
    """Ids of deals as two numbers, which tell them apart as a hash of 128 bits does."""
    ids = b"".join(blake2b(i.encode(), digest_size=_ID_BYTES).digest() for i in deal_ids)
    halves = np.frombuffer(ids, dtype="<u8").reshape(-1, 2)
    return {
        "high": np.ascontiguousarray(halves[:, 0]),
        "low": np.ascontiguousarray(halves[:, 1]),
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
