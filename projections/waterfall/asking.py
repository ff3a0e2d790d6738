"""What the deal periods are asked for: transitions and standing deals, in sums or one by one."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from domain.lifecycle import Status
from projections.columns.source import Reach
from projections.figures import Point, Values
from projections.instants import instant_of
from projections.waterfall.steps import Share, Side, State, Step, corrections_of, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from projections.columns.relation import Relation


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the pipeline between two moments."""

    since: datetime
    until: datetime
    """Not before `since`."""
    known_at: datetime
    by: Sequence[str] = ()
    where: Mapping[str, str] = {}
    """Values of dimensions (`""`: without one)."""
    closing: tuple[date, date] | None = None
    """The first and the last day of the expected closes that count; None: any, and none."""
    as_believed: bool = False
    """Whether each moment is seen with the knowledge of its own, whatever `known_at` says."""

    @property
    def start(self) -> Point:
        return Point.of(self.since, self.since if self.as_believed else self.known_at)

    @property
    def end(self) -> Point:
        return Point.of(self.until, self.until if self.as_believed else self.known_at)

    @property
    def reach(self) -> Reach:
        """The periods that can be needed."""
        known = (self.since, self.until) if self.as_believed else (self.known_at,)
        # At the end of time nothing ends any more; what holds for ever is sought before it.
        since = instant_of(self.start.occurred)
        return Reach(known_at=known, since=since, until=self.until)


class Sums(NamedTuple):
    """Over transitions of one kind, amounts in minor units; an unknown amount is 0."""

    number: int
    before: int
    after: int
    rises: int
    """How many of the amounts rose."""
    rise: int
    falls: int
    fall: int
    """Not below 0."""

    def of(self, share: Share, deals: int) -> tuple[int, int]:
        """How many transitions take such a step, and what they bring, with its sign."""
        match share:
            case Share.BEFORE:
                return self.number, deals * self.before
            case Share.AFTER:
                return self.number, deals * self.after
            case Share.RISE:
                return self.rises, self.rise
            case Share.FALL:
                return self.falls, -self.fall
            case Share.CHANGE:
                return self.rises + self.falls, self.rise - self.fall


class Transitions(NamedTuple):
    """Deals of one currency that went from one state to another."""

    before: State | None
    """None before the opening, or where nothing was known yet."""
    after: State
    corrects: bool
    """Whether it goes from what was known of one moment to what is known of it later."""
    anew: bool
    """Whether the deals ended at another instant before, or not at all."""
    currency: str
    sums: Sums

    def steps(self) -> Iterator[tuple[Step, int, int]]:
        """The steps of deals that are asked for, how many take each, and what these bring."""
        steps = (
            corrections_of(self.before, self.after)
            if self.corrects
            else steps_of(self.before, self.after, anew=self.anew)
        )
        for step in steps:
            times, amount = self.sums.of(step.share, step.deals)
            if step.state.kept and times:
                yield step, times, amount


class Pairs(NamedTuple):
    """States `b` before, where there is one, and `a` after, by deal and moment."""

    steps: dict[str, str]
    corrects: bool = False
    """As in `Transitions`."""


class Standing(NamedTuple):
    """Deals of one group and currency that are in the pipeline at a moment."""

    group: Values
    currency: str
    deals: int
    unpriced: int
    """How many of them have no amount on record."""
    amount: int
    """In minor units."""


class Asked:
    """A question, being asked of the periods."""

    def __init__(self, relation: Relation, question: Question) -> None:
        self.relation = relation
        self.question = question
        self._dimensions = [_Dimension(relation, name) for name in question.by]
        self._statuses = relation.texts("status")
        self._outcomes = relation.texts("outcome")
        self._currencies = relation.texts("currency")
        assert len(self._statuses) <= _STATUSES

    # In sums.

    def standing(self) -> tuple[list[Standing], list[Standing]]:
        """What the pipeline is at the start and at the end."""
        at = [self._holds(self.question.start), self._holds(self.question.end)]
        names = self._names("periods")
        sums = ", ".join(
            f"count(*) FILTER ({one}), count(*) FILTER ({one} AND priced = 0),"
            f" coalesce(sum(amount) FILTER ({one}), 0)"
            for one in at
        )
        keys = ", ".join([*names, "currency"])
        rows = self.relation.rows(
            f"SELECT {keys}, {sums} FROM periods"
            f" WHERE ({' OR '.join(at)}) AND {self._within} GROUP BY {keys}"
        )
        start, end = [], []
        for row in rows:
            group, currency = self.group(row), self._currencies[row[len(names)]]
            figures = row[len(names) + 1 :]
            start.append(Standing(group, currency, *map(int, figures[:3])))
            end.append(Standing(group, currency, *map(int, figures[3:])))
        return start, end

    def transitions(self, pairs: Pairs) -> list[Transitions]:
        """All of them, those that are alike in one."""
        rows = self.relation.rows(f"{self.selected()} GROUP BY ALL", **pairs.steps)
        return [self.transition(row, pairs) for row in rows]

    def selected(self, more: str = "", joined: str = "") -> str:
        """A query over pairs for what `transition` reads, in sums over what is grouped by."""
        groups = [f"{side}.g{n}" for side in ("b", "a") for n, _ in enumerate(self._dimensions)]
        keys = ", ".join(["b.state", "a.state", "a.currency", ANEW, *groups])
        pairs = f"FROM a LEFT JOIN b USING (deal, moment) {joined}"
        return f"SELECT {_SUMS}, {keys}{more} {pairs}"

    def transition(self, row: Sequence[Any], pairs: Pairs) -> Transitions:
        """What a row of `selected` tells."""
        many = len(self._dimensions)
        sums, (before, after, currency, anew), groups = row[:7], row[7:11], row[11:]
        return Transitions(
            None if before is None else self.state(before, groups[:many]),
            self.state(after, groups[many:]),
            pairs.corrects,
            anew,
            self._currencies[currency],
            Sums(*map(int, sums)),
        )

    def moving(self) -> Pairs:
        """The transitions behind the start up to the end, as known at the end."""
        start, end = self.question.start.occurred, self.question.end.occurred
        known = self._known(self.question.end)

        def at(column: str) -> str:
            return self._states(column, f"{known} AND {column} > {start} AND {column} <= {end}")

        steps = {"b": at("occurred_until"), "a": at("occurred_from")}
        return Pairs(steps)

    def correcting(self) -> Pairs:
        """From what was held of the start, and is no more, to what is held of it since."""
        start = self.question.start
        end = Point(start.occurred, self.question.end.known)
        at = str(start.occurred)
        steps = {
            "b": self._states(at, f"{self._holds(start)} AND known_until <= {end.known}"),
            "a": self._states(at, f"{self._holds(end)} AND known_from > {start.known}"),
        }
        return Pairs(steps, corrects=True)

    @cached_property
    def stage_places(self) -> dict[str, tuple[str, int]]:
        """Of each stage its process, the first of them, and its position there, to order by."""
        found: dict[str, tuple[str, int]] = {}
        for place in self.relation.places:
            here = (place.process, place.order)
            found[place.stage] = min(found.get(place.stage, here), here)
        return found

    def standing_deals(
        self, point: Point, condition: str, limit: int
    ) -> list[tuple[str, Values, str, bool, int]]:
        """Deals in the pipeline at a moment in the order of their ids, with group, currency,
        whether they have an amount, and the amount in minor units."""
        names = "".join(f"{name}, " for name in self._names("periods"))
        rows = self.relation.rows(
            f"SELECT {names} id, currency, priced, amount FROM periods JOIN deals USING (deal)"
            f" WHERE {self._holds(point)} AND {self._within} AND ({condition})"
            f" ORDER BY id LIMIT {limit}"
        )
        return [
            (row[-4], self.group(row), self._currencies[row[-3]], bool(row[-2]), row[-1])
            for row in rows
        ]

    # What rows have to be.

    def _states(self, at: str, condition: str) -> str:
        kept = self.relation.matching(self.question.where)
        state = (
            f"(outcome::INTEGER * {_STATUSES} + status) * 8 + {self._side} * 2 + ({kept})::TINYINT"
        )
        groups = "".join(f", {name} AS g{n}" for n, name in enumerate(self._names("periods")))
        return (
            f"SELECT deal, {at} AS moment, {state} AS state, currency, amount, closed_at{groups}"
            f" FROM periods WHERE {condition}"
        )

    @property
    def _side(self) -> str:
        if self.question.closing is None:
            return str(int(Side.WITHIN))
        first, last = map(_day_number, self.question.closing)
        return (
            f"CASE WHEN expected_close IS NULL THEN {int(Side.UNDATED)}"
            f" WHEN expected_close < {first} THEN {int(Side.EARLIER)}"
            f" WHEN expected_close > {last} THEN {int(Side.LATER)} ELSE {int(Side.WITHIN)} END"
        )

    @property
    def _within(self) -> str:
        """Whether the deal of a period is in the pipeline, and has the values asked for."""
        is_open = f"status = {self.relation.code('status', Status.OPEN.value)}"
        where = self.relation.matching(self.question.where)
        return f"{is_open} AND {self._side} = {int(Side.WITHIN)} AND {where}"

    def _holds(self, point: Point) -> str:
        return (
            f"occurred_from <= {point.occurred} AND occurred_until > {point.occurred}"
            f" AND {self._known(point)}"
        )

    @staticmethod
    def _known(point: Point) -> str:
        return f"known_from <= {point.known} AND known_until > {point.known}"

    # From codes to values.

    def _names(self, table: str) -> list[str]:
        return [one.column(table) for one in self._dimensions]

    def group(self, codes: Sequence[Any]) -> Values:
        """The values that codes stand for, in the order of the dimensions."""
        return tuple(one.values[code] for one, code in zip(self._dimensions, codes, strict=False))

    def state(self, state: int, codes: Sequence[Any]) -> State:
        """The state that its number and the codes of its group stand for."""
        rest, low = divmod(state, 8)
        outcome, status = divmod(rest, _STATUSES)
        return State(
            Status(self._statuses[status]),
            self._outcomes[outcome],
            Side(low // 2),
            self.group(codes),
            bool(low % 2),
        )


_STATUSES = 16
"""More than there are statuses."""

ANEW = "a.closed_at IS DISTINCT FROM b.closed_at"
"""Whether a deal ended, or ended again."""
CHANGE = "a.amount - coalesce(b.amount, 0)"
_SUMS = (
    "count(*), coalesce(sum(b.amount), 0), sum(a.amount),"
    f" count(*) FILTER ({CHANGE} > 0), sum(greatest({CHANGE}, 0)),"
    f" count(*) FILTER ({CHANGE} < 0), sum(greatest(-({CHANGE}), 0))"
)


class _Dimension:
    """A dimension that is grouped by: the column of its codes, and what these stand for."""

    def __init__(self, relation: Relation, name: str) -> None:
        self.values: list[str | None] = relation.texts(name)
        self._column = relation.coded(name)
        # A stage may stand for several places, of several processes, and so may a process.
        first: dict[str | None, int] = {}
        self._same = [first.setdefault(value, code) for code, value in enumerate(self.values)]

    def column(self, table: str) -> str:
        plain = f"{table}.{self._column}"
        if self._same == list(range(len(self._same))):
            return plain
        return f"({self._same})[{plain} + 1]"


_EPOCH = date(1970, 1, 1).toordinal()


def _day_number(day: date) -> int:
    return day.toordinal() - _EPOCH
