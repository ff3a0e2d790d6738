"""What is asked, and the deals of the periods as tables inside the database.

The tables, in which `n` is the number of a period and the columns of the groups stand beside.
Those that are needed more than once are held; the others are queries, since to write rows costs
more than to find them.

- `merged` (held): deals that are merged at the as-of instant. They count nowhere.
- `steps` (held): where an interval of a deal ended in a period, and what came then, in so far as
  figures tell it. What was is `left_…`, what came `to_…`.
- `lasting` (held): intervals in which deals were open or suspended at the end of a period: from
  the period `begun` up to that before `ended`.
- `fresh`: deals that were opened in a period, and the outcome that stands at the as-of instant.
- `decided`: deals with an outcome that stands at the as-of instant, and what is reported of
  them then.
- `gone`: deals that were open or suspended in a period, but not at its end. Each stands where it
  was so last.
- `moving`: those, and deals of `lasting` that were expected to close in the period or pushed in
  it; what of this they were, whether pushed out of it, and how often they were pushed.

The instant before a period is one of its moments: what stood then and changed with the first
instant of the period changed in it.
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
        """Make the tables that are held. There has to be a span."""
        self.relation.hold(
            "merged",
            f"SELECT deal FROM periods WHERE {self._standing} AND status IN {self._merged}",
        )
        self._hold_steps()
        self._hold_lasting()

    @property
    def _merged(self) -> str:
        return self.status(Status.MERGED)

    @property
    def _standing(self) -> str:
        """The condition for what holds at the as-of instant."""
        as_of = self.question.point.occurred
        return f"{self._sliced} AND occurred_from <= {as_of} AND occurred_until > {as_of}"

    def _slice(self) -> str:
        known = self.question.point.known
        return f"known_from <= {known} AND known_until > {known}"

    def _within(self, column: str) -> str:
        lowest, highest = self.spans[0].since, self.spans[-1].until
        return f"({column} > {lowest} AND {column} <= {highest})"

    def _columns(self, table: str) -> str:
        """The columns that are carried, behind others."""
        return "".join(f", {table}.{name}" for name in self._carried)

    def _number(self, column: str) -> str:
        """The number of the period that an instant lies in, of instants that lie in one.

        Worked out, since databases are slow at finding between which limits a value lies.
        """
        return self._later([(f"{column} > {span.since}", span.number) for span in self.spans])

    def _number_of_day(self, column: str) -> str:
        """The number of the period that a day lies in, of days that do not lie before all.

        Of days behind all: one that no period has.
        """
        limits = [(f"{column} >= {span.first}", span.number) for span in self.spans]
        last = self.spans[-1]
        return self._later([*limits, (f"{column} > {last.last}", last.number + 1)])

    def _later(self, limits: Sequence[tuple[str, int]]) -> str:
        """The number of the last condition that holds, else the first."""
        later = " ".join(f"WHEN {condition} THEN {number}" for condition, number in limits[:0:-1])
        first = limits[0][1]
        return f"CASE {later} ELSE {first} END" if later else str(first)

    def _hold_steps(self) -> None:
        runs = f"status IN {self.running}"
        self.relation.hold(
            "steps",
            f"""
            SELECT {self._number("turned_at")} AS n, deal, turned_at,
                gone.{runs} AS left_runs, come.{runs} AS to_runs, come.status AS to_status,
                gone.place AS left_place, come.place AS to_place,
                gone.expected_close AS left_close, come.expected_close AS to_close
                {self._columns("gone")}
            FROM (
                SELECT *, occurred_until AS turned_at FROM periods ANTI JOIN merged USING (deal)
                WHERE {self._sliced} AND {self._within("occurred_until")}
            ) AS gone JOIN (
                SELECT *, occurred_from AS turned_at FROM periods
                WHERE {self._sliced} AND {self._within("occurred_from")}
                    AND occurred_from > opened_at
            ) AS come USING (deal, turned_at)
            WHERE left_runs <> to_runs
                OR (left_runs AND (left_place <> to_place OR to_close > left_close))
            """,
        )

    def fresh(self) -> str:
        """Those opened in the periods; `now` is the status of the outcome that stands, or 0."""
        opened = self._within("opened_at")
        return f"""
            SELECT {self._number("opened_at")} AS n, deal, coalesce(closed, 0) AS now
                {self._columns("opening")}
            FROM (
                SELECT * FROM periods ANTI JOIN merged USING (deal)
                WHERE {self._sliced} AND {self._within("occurred_from")} AND {opened}
                    AND occurred_from = opened_at
            ) AS opening LEFT JOIN (
                SELECT deal, status AS closed FROM periods
                WHERE {self._standing} AND {opened} AND status IN {self.closed}
            ) AS standing USING (deal)
            WHERE {self.wanted("opening")}
            """

    def decided(self) -> str:
        """Two short lists of deals: the outcomes in the periods, and those that stand."""
        closed = self._within("closed_at")
        return f"""
            SELECT {self._number("closed_at")} AS n, standing.* {self._columns("outcomes")}
            FROM (
                SELECT deal, status AS now, currency AS coin, outcome, opened_at,
                    closed_at, priced, amount, listed, quoted
                FROM periods
                WHERE {self._standing} AND {closed} AND status IN {self.closed}
            ) AS standing JOIN (
                SELECT * FROM periods
                WHERE {self._sliced} AND {self._within("occurred_from")} AND {closed}
                    AND occurred_from = closed_at
            ) AS outcomes USING (deal, closed_at)
            WHERE {self.wanted("outcomes")}
            """

    def _hold_lasting(self) -> None:
        first, last = self.spans[0], self.spans[-1]
        begun, ended = self._number("occurred_from"), self._number("occurred_until")
        self.relation.hold(
            "lasting",
            f"""
            SELECT {begun} AS begun,
                CASE WHEN occurred_until > {last.until} THEN {last.number + 1} ELSE {ended} END
                    AS ended,
                deal, status, currency AS coin {self._columns("periods")}
            FROM periods ANTI JOIN merged USING (deal)
            WHERE {self._sliced} AND occurred_from <= {last.until}
                AND occurred_until > {first.until} AND begun < ended
                AND status IN {self.running} AND {self.wanted("periods")}
            """,
        )

    def gone(self) -> str:
        """Those of which the last change in a period, between running and not, was to not."""
        last = "".join(f", arg_max({name}, turned_at) AS {name}" for name in self._carried)
        return f"""
            SELECT * FROM (
                SELECT n, deal {last} FROM steps WHERE left_runs <> to_runs
                GROUP BY n, deal HAVING arg_max(left_runs, turned_at)
            ) AS last WHERE {self.wanted("last")}
            """

    def moving(self) -> dict[str, str]:
        """The table, and the steps to it. `gone` is 1 for the deals of that table, else 0."""
        marks = "coalesce(expected, false) AS expected, coalesce(pushed_out, false) AS pushed_out"
        return {
            "gone": self.gone(),
            "marked": self._marked(),
            "moving": f"""
                SELECT n, gone.deal, 1 AS gone, {marks}, coalesce(pushes, 0) AS pushes
                    {self._columns("gone")}
                FROM gone LEFT JOIN marked USING (n, deal)
                UNION ALL
                SELECT n, lasting.deal, 0, expected, pushed_out, pushes {self._columns("lasting")}
                FROM lasting JOIN marked
                    ON marked.deal = lasting.deal AND n >= begun AND n < ended
                """,
        }

    def _marked(self) -> str:
        """Deals that were expected to close in a period, or pushed in it."""
        first, last = self.spans[0], self.spans[-1]
        left, to = self._number_of_day("left_close"), self._number_of_day("to_close")
        return f"""
            SELECT n, deal, bool_or(expected) AS expected, bool_or(pushed_out) AS pushed_out,
                count_if(pushed) AS pushes
            FROM (
                SELECT {self._number_of_day("expected_close")} AS n, deal, true AS expected,
                    false AS pushed, false AS pushed_out
                FROM periods
                WHERE {self._sliced} AND status IN {self.running}
                    AND occurred_from <= {last.until} AND occurred_until > {first.since}
                    AND expected_close BETWEEN {first.first} AND {last.last}
                    AND n BETWEEN {self._number("occurred_from")}
                        AND {self._number("occurred_until")}
                UNION ALL
                SELECT n, deal, false, true,
                    left_close >= {first.first} AND {left} = n AND {to} > n
                FROM steps WHERE left_runs AND to_runs AND to_close > left_close
            ) GROUP BY n, deal
            """


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
