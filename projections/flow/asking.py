"""What is asked of the flow of deals, and the parts that its questions share."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

import msgspec

from domain.lifecycle import Status
from projections.calendar import Calendar, Grain, Period
from projections.columns import Reach
from projections.columns.relation import NOWHERE, Relation
from projections.days import Days, stepped
from projections.figures import Point, require_dimensions
from projections.instants import instant_of, micros

MOST_DEALS = 100_000
"""Deals in a portion: their courses fit into the memory that the columnar copy may use."""

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many deals have been looked at, and how many there are."""


def untold(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


class Asked(msgspec.Struct, frozen=True):
    """At which moment, by which calendar, and which deals."""

    as_of: datetime
    known_at: datetime
    calendar: Calendar
    where: Mapping[str, str] = {}
    """Dimensions and their values at that moment (`""`: without one)."""
    by: str | None = None
    """What deals are told apart by: a dimension, whose value at that moment counts, or one of
    `Grain`: the period in which they were opened."""
    only: Status | None = None
    """Only deals with this status at that moment."""

    def check(self) -> None:
        """Raise ValueError for an unknown dimension."""
        by = [] if self.by is None or self.by in set(Grain) else [self.by]
        require_dimensions((*self.where, *by))

    @property
    def point(self) -> Point:
        return Point.of(self.as_of, self.known_at)

    @property
    def reach(self) -> Reach:
        """What was known then of the time up to then."""
        return Reach(known_at=(self.known_at,), until=self.as_of)


class Slice:
    """The deals as they stood at the moment asked for, and their courses up to it, in SQL."""

    def __init__(self, relation: Relation, asked: Asked) -> None:
        asked.check()
        self.relation = relation
        self._asked = asked
        point = asked.point
        self.at = point.occurred
        self.known = f"known_from <= {point.known} AND known_until > {point.known}"
        self.running = relation.codes("status", (Status.OPEN.value, Status.SUSPENDED.value))
        self.suspended = relation.code("status", Status.SUSPENDED.value)
        self.won = relation.code("status", Status.WON.value)
        [(first, last)] = relation.rows(
            f"SELECT min(occurred_from), max(occurred_from) FROM periods"
            f" WHERE {self.known} AND occurred_from <= {self.at}"
        )
        self.days = Days.between(asked.calendar.zone, first or 0, last or 0)
        self.today = self.days.of(self.at)

    @property
    def value(self) -> str:
        """The code of what deals are told apart by; 0 where they are not."""
        by = self._asked.by
        if by is None:
            return "0"
        return self.cohort_of(Grain(by)) if by in set(Grain) else self.relation.coded(by)

    def value_of(self, code: int) -> str | None:
        """The value that a code of `value` stands for."""
        by = self._asked.by
        if by is None:
            return None
        if by in set(Grain):
            return self.cohorts(Grain(by))[code].label
        value: str | None = self.relation.texts(by)[code]
        return value

    @cached_property
    def _openings(self) -> tuple[int | None, int | None]:
        """The first opening and the last one."""
        condition = f"{self.known} AND occurred_from <= {self.at}"
        columns = "min(opened_at), max(opened_at)"
        [found] = self.relation.rows(f"SELECT {columns} FROM periods WHERE {condition}")
        return found[0], found[1]

    def cohorts(self, grain: Grain) -> list[Period]:
        """The periods in which some deal was opened, and those between. Raises PeriodError."""
        first, last = self._openings
        if first is None or last is None:
            return []
        calendar = self._asked.calendar
        days = [instant_of(at).astimezone(calendar.zone).date() for at in (first, last)]
        return list(calendar.covering(days[0], days[1], grain))

    def cohort_of(self, grain: Grain) -> str:
        """The number of the period in which a deal was opened."""
        starts = [(micros(period.start) + 1, n) for n, period in enumerate(self.cohorts(grain))]
        return stepped("opened_at", 0, starts)

    def stood(self, some: str = "true", more: str = "") -> str:
        """One row for each deal that matches: as it stood at the moment asked for.

        `some` are the deals, `more` further columns.
        """
        columns = f"deal, status AS final, {self.value} AS value{more and ', '}{more}"
        return (
            f"SELECT {columns} FROM periods WHERE {self.known} AND occurred_from <= {self.at}"
            f" AND occurred_until > {self.at} AND {self._matching} AND {some}"
        )

    @property
    def _matching(self) -> str:
        matching, only = self.relation.matching(self._asked.where), self._asked.only
        if only is None:
            return matching
        return f"{matching} AND status = {self.relation.code('status', only.value)}"

    def course(self, some: str = "true", stood: str = "stood", more: str = "") -> str:
        """The rows of these deals up to that moment, each with what the deal was at its end."""
        columns = f"deal, occurred_from, occurred_until, place, status, outcome{more}"
        return (
            f"SELECT {columns} FROM periods JOIN {stood} USING (deal)"
            f" WHERE {self.known} AND occurred_from <= {self.at} AND {some}"
        )

    def day_until(self, column: str) -> str:
        """The day on which something ended, or the moment asked for, where it goes on."""
        return f"CASE WHEN {column} > {self.at} THEN {self.today} ELSE {self.days.sql(column)} END"

    def process_of(self, place: str) -> str:
        """A number for the process of a place."""
        numbers: dict[str, int] = {}
        places = self.relation.places
        return _looked_up(place, [numbers.setdefault(p.process, len(numbers)) for p in places])

    def position_of(self, place: str) -> str:
        """Where in its process the stage of a place stands, from 0."""
        return _looked_up(place, [p.order for p in self.relation.places])

    def portions(self, progress: Progress = untold) -> Iterator[str]:
        """Conditions for some deals each, which together hold for all of them."""
        [(first, last)] = self.relation.rows("SELECT min(deal), max(deal) FROM deals")
        if first is None:
            return
        for start in range(first, last + 1, MOST_DEALS):
            end = min(start + MOST_DEALS, last + 1)
            yield f"deal >= {start} AND deal < {end}"
            progress(end - first, last + 1 - first)


def _looked_up(column: str, values: list[int]) -> str:
    """The value of a code, from a list by code."""
    return stepped(column, NOWHERE, list(enumerate(values)))
