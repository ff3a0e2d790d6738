"""What was on record at a moment of both axes of time, in SQL over the deal periods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from domain.lifecycle import Status
from projections.columns.source import Reach
from projections.conversion import day_in
from projections.figures import Point

if TYPE_CHECKING:
    from datetime import date

    from projections.columns.relation import Relation


class Moment(msgspec.Struct, frozen=True):
    """A moment on both axes of time."""

    as_of: datetime
    known_at: datetime

    @property
    def point(self) -> Point:
        return Point.of(self.as_of, self.known_at)

    def holds(self, table: str = "periods") -> str:
        """The condition for the periods that hold it: one at most of each deal."""
        at = self.point
        return (
            f"{table}.occurred_from <= {at.occurred} AND {table}.occurred_until > {at.occurred}"
            f" AND {table}.known_from <= {at.known} AND {table}.known_until > {at.known}"
        )


class Asked(msgspec.Struct, frozen=True):
    """Of which deals a forecast is made, when, and how it is grouped."""

    at: Moment
    zone: ZoneInfo
    by: Sequence[str] = ()
    """Dimensions, beside the category, the month and the currency."""
    where: Mapping[str, str] = {}
    """Values of dimensions (`""`: without one)."""

    @property
    def today(self) -> date:
        """The day of the forecast, in the time zone."""
        return day_in(self.at.as_of, self.zone)


def reach(*moments: Moment) -> Reach:
    """The periods that hold any of these moments."""
    return Reach(
        tuple(dict.fromkeys(one.known_at for one in moments)),
        since=min(one.as_of for one in moments),
        until=max(one.as_of for one in moments),
    )


def open_at(relation: Relation, asked: Asked, table: str = "periods") -> str:
    """The condition for the periods of the deals that a forecast is made of."""
    return (
        f"{asked.at.holds(table)} AND {table}.status = {relation.code('status', Status.OPEN.value)}"
        f" AND {relation.matching(asked.where, table)}"
    )
