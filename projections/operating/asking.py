"""What is asked, and the deals of the periods as small tables inside the database.

The tables, in which `n` is the number of a period and the columns of the groups stand beside:

- `fresh`: deals that were opened in a period, with their status at the as-of instant.
- `decided`: deals with an outcome that stands at the as-of instant, and what is reported of
  them then.
- `course`: the intervals in which deals were open or suspended, of all periods together.
- `steps`: where an interval of `course` ended in a period, and what came then.
- `lasting`: the intervals of `course` that hold the end of a period.
- `active`: deals that were open or suspended at some moment of a period: whether they were
  expected to close in it, pushed out of it, and how often they were pushed. Each stands where it
  was open or suspended last in the period.

The instant before a period is one of its moments in `course`: what stood then and changed with
the first instant of the period changed in it.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from domain.lifecycle import Status
from domain.lifecycle.facts import LostOutcome
from projections.columns.coding import day_number
from projections.columns.source import Reach
from projections.figures import Point, require_dimensions
from projections.instants import micros

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from projections.calendar import Period
    from projections.columns.relation import Relation

TEAM = "team"
"""The dimension beside those of the pipeline: the unit in which the owner of a deal sells."""

MOST_PERIODS = 40

_INTERVAL = "deal, occurred_from, occurred_until, status, expected_close, currency, place"
_THERE = ("place", "currency")
"""Columns of groups that are among them anyway."""

_CLOSED = (Status.WON, Status.LOST, Status.VOIDED)
_RUNNING = (Status.OPEN, Status.SUSPENDED)


class Question(msgspec.Struct, frozen=True):
    """Which deals, at which moment of both axes, in which periods and groups."""

    as_of: datetime
    known_at: datetime
    periods: Sequence[Period]
    """One at least, and at most `MOST_PERIODS`, each beginning where the one before ends."""
    by: Sequence[str] = ()
    """Dimensions of the pipeline, and `TEAM`."""
    where: Mapping[str, str] = {}
    """Dimensions of the pipeline, and their values (`""`: without one)."""
    owners: Collection[str] | None = None
    """Only what stood with these owners; None: with whomever."""

    def check(self) -> None:
        """Raise ValueError for what cannot be asked."""
        require_dimensions([*(name for name in self.by if name != TEAM), *self.where])
        if not self.periods:
            raise ValueError("there is no period")
        if any(one.end != other.start for one, other in pairwise(self.periods)):
            raise ValueError("periods have to follow one another")
        if len(self.periods) > MOST_PERIODS:
            raise ValueError(
                f"these are {len(self.periods):,} periods; ask for at most {MOST_PERIODS}"
            )

    @property
    def point(self) -> Point:
        return Point.of(self.as_of, self.known_at)

    @property
    def reach(self) -> Reach:
        """The rows that the tables are made of."""
        since = min(period.start for period in self.periods)
        return Reach((self.known_at,), min(since, self.as_of), self.as_of)


class Span(NamedTuple):
    """A period, in numbers that rows are compared with, as far as it has passed."""

    number: int
    since: int
    """The last instant before it."""
    until: int
    """Its last instant, or the as-of instant in it."""
    first: int
    last: int
    """Days since 1970-01-01."""


class Tables:
    """The tables of one question."""

    def __init__(self, relation: Relation, question: Question) -> None:
        self.relation = relation
        self.question = question
        self.spans = _spans(question)
        by = ["owner" if name == TEAM else name for name in question.by]
        also = [*question.where, *(() if question.owners is None else ("owner",))]
        self.keys = tuple(dict.fromkeys(map(relation.coded, by)))
        """The columns of the groups."""
        self._carried = tuple(dict.fromkeys((*self.keys, *map(relation.coded, also))))
        """Beside them, those by which the groups are restricted."""
        self.closed, self.running = self.status(*_CLOSED), self.status(*_RUNNING)
        self._sliced = self._slice()

    def status(self, *statuses: Status) -> str:
        """The codes of statuses, to stand behind IN."""
        return self.relation.codes("status", [one.value for one in statuses])

    @property
    def competitor(self) -> int:
        """The code of the outcome of a deal that was lost to a competitor."""
        return self.relation.code("outcome", LostOutcome.LOST_TO_COMPETITOR.value)

    def wanted(self, table: str) -> str:
        """The condition for rows of the groups that are asked for."""
        condition = self.relation.matching(self.question.where, table)
        if self.question.owners is None:
            return condition
        if not self.question.owners:
            return "false"
        codes = self.relation.codes("owner", self.question.owners)
        return f"{condition} AND {table}.owner IN {codes}"

    def hold(self) -> None:
        """Make all tables. There has to be a span."""
        values = ", ".join(map(str, map(tuple, self.spans)))
        names = "n, since, until, first, last"
        self.relation.hold("spans", f"FROM (VALUES {values}) AS spans({names})")
        self._hold_standing()
        self._hold_turns()
        self._hold_fresh()
        self._hold_decided()
        self._hold_course()
        self._hold_steps()
        self._hold_lasting()
        self._hold_active()

    def _slice(self) -> str:
        known = self.question.point.known
        return f"known_from <= {known} AND known_until > {known}"

    def _within(self, column: str) -> str:
        lowest, highest = self.spans[0].since, self.spans[-1].until
        return f"({column} > {lowest} AND {column} <= {highest})"

    def _columns(self, table: str, without: Collection[str] = ()) -> str:
        """The columns that are carried, behind others."""
        return "".join(f", {table}.{name}" for name in self._carried if name not in without)

    def _number(self, column: str) -> str:
        """The number of the period that an instant lies in, of instants that lie in one.

        Worked out, since databases are slow at finding between which limits a value lies.
        """
        later = " ".join(
            f"WHEN {column} > {span.since} THEN {span.number}" for span in self.spans[:0:-1]
        )
        first = self.spans[0].number
        return f"CASE {later} ELSE {first} END" if later else str(first)

    def _hold_standing(self) -> None:
        """Deals opened or closed in a period, and merged ones, as of the as-of instant."""
        as_of, merged = self.question.point.occurred, self.status(Status.MERGED)
        self.relation.hold(
            "standing",
            f"""
            SELECT deal, status, outcome, opened_at, closed_at, currency, priced, amount,
                listed, quoted
            FROM periods
            WHERE {self._sliced} AND occurred_from <= {as_of} AND occurred_until > {as_of}
                AND ({self._within("opened_at")} OR status IN {merged}
                    OR (status IN {self.closed} AND {self._within("closed_at")}))
            """,
        )
        self.relation.hold("merged", f"SELECT deal FROM standing WHERE status IN {merged}")

    def _hold_turns(self) -> None:
        """The intervals that begin in a period."""
        self.relation.hold(
            "turns",
            f"""
            SELECT {_INTERVAL} {self._columns("periods", _THERE)}
            FROM periods ANTI JOIN merged USING (deal)
            WHERE {self._sliced} AND {self._within("occurred_from")}
            """,
        )

    def _hold_fresh(self) -> None:
        self.relation.hold(
            "fresh",
            f"""
            SELECT {self._number("opened_at")} AS n, turns.deal, standing.status AS now
                {self._columns("turns")}
            FROM standing JOIN turns
                ON turns.deal = standing.deal AND turns.occurred_from = standing.opened_at
            WHERE {self.wanted("turns")}
            """,
        )

    def _hold_decided(self) -> None:
        facts = "outcome, opened_at, closed_at, priced, amount, listed, quoted"
        self.relation.hold(
            "decided",
            f"""
            SELECT {self._number("closed_at")} AS n, turns.deal, standing.status AS now,
                standing.currency AS coin, {facts} {self._columns("turns")}
            FROM standing JOIN turns
                ON turns.deal = standing.deal AND turns.occurred_from = standing.closed_at
            WHERE standing.status IN {self.closed} AND {self.wanted("turns")}
            """,
        )

    def _hold_course(self) -> None:
        lowest = self.spans[0].since
        columns = f"{_INTERVAL} {self._columns('periods', _THERE)}"
        self.relation.hold(
            "course",
            f"""
            SELECT * FROM turns WHERE status IN {self.running}
            UNION ALL
            SELECT {columns} FROM periods ANTI JOIN merged USING (deal)
            WHERE {self._sliced} AND occurred_from <= {lowest} AND occurred_until > {lowest}
                AND status IN {self.running}
            """,
        )

    def _hold_steps(self) -> None:
        self.relation.hold(
            "steps",
            f"""
            SELECT {self._number("turns.occurred_from")} AS n, course.deal,
                turns.occurred_from AS turned_at, turns.status AS to_status,
                course.place AS left_place, turns.place AS to_place,
                course.expected_close AS left_close, turns.expected_close AS to_close
                {self._columns("course")}
            FROM course JOIN turns
                ON turns.deal = course.deal AND turns.occurred_from = course.occurred_until
            """,
        )

    def _hold_lasting(self) -> None:
        each = (
            f"""
            SELECT {span.number} AS n, deal, status, currency AS coin
                {self._columns("course")}
            FROM course WHERE occurred_from <= {span.until} AND occurred_until > {span.until}
            """
            for span in self.spans
        )
        self.relation.hold("lasting", " UNION ALL ".join(each))

    def _hold_active(self) -> None:
        names = ", ".join(("n", "deal", *self._carried))
        last = "".join(f", arg_max({name}, turned_at) AS {name}" for name in self._carried)
        self.relation.hold(
            "active",
            f"""
            SELECT seen.*, expected.deal IS NOT NULL AS expected,
                coalesce(pushes, 0) AS pushes, coalesce(pushed_out, false) AS pushed_out
            FROM (
                SELECT {names} FROM lasting
                UNION ALL
                SELECT n, deal {last} FROM steps ANTI JOIN lasting USING (n, deal)
                WHERE to_status NOT IN {self.running} GROUP BY n, deal
            ) AS seen
            LEFT JOIN ({self._expected()}) AS expected USING (n, deal)
            LEFT JOIN (
                SELECT n, deal, count(*) AS pushes,
                    bool_or(left_close BETWEEN first AND last AND to_close > last) AS pushed_out
                FROM steps JOIN spans USING (n)
                WHERE to_close > left_close AND to_status IN {self.running}
                GROUP BY n, deal
            ) AS pushed USING (n, deal)
            WHERE {self.wanted("seen")}
            """,
        )

    def _expected(self) -> str:
        each = (
            f"""
            SELECT {span.number} AS n, deal FROM course
            WHERE occurred_from <= {span.until} AND occurred_until > {span.since}
                AND expected_close BETWEEN {span.first} AND {span.last}
            """
            for span in self.spans
        )
        return f"SELECT DISTINCT n, deal FROM ({' UNION ALL '.join(each)})"


def _spans(question: Question) -> list[Span]:
    """The periods that have begun at the as-of instant."""
    as_of = question.point.occurred
    found = []
    for number, period in enumerate(question.periods):
        since, until = micros(period.start), min(micros(period.end), as_of)
        if since < until:
            days = (day_number(period.first), day_number(period.last))
            found.append(Span(number, since, until, *days))
    return found
