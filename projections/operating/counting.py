"""What the database counts and sums, by period and group: whole numbers, which add up."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from domain.lifecycle import Status
from projections.columns.coding import PLACE
from projections.days import Days
from projections.instants import instant_of
from projections.operating.asking import TEAM, Tables
from projections.operating.worth import Rates, Worth, hold_rates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date

    from projections.columns.relation import Place, Relation
    from projections.operating.asking import Question

Group = tuple[str | None, ...]
"""Values of what was grouped by, in that order."""


class Stage(NamedTuple):
    """A stage of a process."""

    process: str
    order: int
    stage: str


class Money(msgspec.Struct):
    """Sums in one currency, in its units."""

    won: int = 0
    """Deals with an amount."""
    won_amount: Fraction = Fraction(0)
    open: int = 0
    """Deals that were open at the end of the period, with an amount or without."""
    quoted_deals: int = 0
    listed: Fraction = Fraction(0)
    quoted: Fraction = Fraction(0)

    def add(self, other: Money) -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Departures(msgspec.Struct):
    """How often deals left a stage."""

    forward: int = 0
    """To a later stage of the process, or won."""
    back: int = 0
    ended: int = 0
    """Lost or voided."""
    elsewhere: int = 0
    """To a stage of another process."""

    def add(self, other: Departures) -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Tally(msgspec.Struct):
    """What was counted of one group in one period."""

    counts: Counter[str] = msgspec.field(default_factory=Counter)
    """By the names of the columns in the questions below."""
    money: defaultdict[str, Money] = msgspec.field(default_factory=lambda: defaultdict(Money))
    """By currency."""
    stages: defaultdict[Stage, Departures] = msgspec.field(
        default_factory=lambda: defaultdict(Departures)
    )

    def add(self, other: Tally) -> None:
        self.counts.update(other.counts)
        for currency, money in other.money.items():
            self.money[currency].add(money)
        for stage, departures in other.stages.items():
            self.stages[stage].add(departures)


class Counted(NamedTuple):
    """All that was counted."""

    tallies: dict[tuple[int, Group], Tally]
    """By number of the period and group."""
    stages: dict[str, tuple[str, int]]
    """Where the stages of groups stand: their process, the first of several, and the position."""


FRESH = ("new", "cohort_won", "cohort_lost", "cohort_voided")
DECIDED = (
    *("won", "lost", "voided", "lost_to_competitor"),
    *("won_days", "decided_days", "won_priced", "won_quoted"),
)
ACTIVE = ("active", "expected", "pushed_out", "pushes")


def tallies_of(
    relation: Relation,
    question: Question,
    worth: Worth,
    team_of: Callable[[str], str | None],
) -> Counted:
    """Everything that is counted. `team_of` tells the team of an owner."""
    tables = Tables(relation, question)
    counting = _Counting(tables, worth, _values(relation, question.by, tables.keys, team_of))
    if tables.spans:
        counting.all()
    return Counted(dict(counting.found), counting.stages)


def _values(
    relation: Relation,
    by: Sequence[str],
    keys: Sequence[str],
    team_of: Callable[[str], str | None],
) -> Callable[[Sequence[int]], Group]:
    """What turns the codes of the columns of a group into its values."""
    readers: list[tuple[int, list[str | None]]] = []
    for name in by:
        dimension = "owner" if name == TEAM else name
        texts = relation.texts(dimension)
        if name == TEAM:
            texts = [team_of(text) if text else None for text in texts]
        readers.append((keys.index(relation.coded(dimension)), texts))
    return lambda codes: tuple([texts[codes[at]] for at, texts in readers])


class _Counting:
    """One question on its way."""

    def __init__(
        self, tables: Tables, worth: Worth, values: Callable[[Sequence[int]], Group]
    ) -> None:
        self._tables = tables
        self._relation = tables.relation
        self._worth = worth
        self._values = values
        self.found: defaultdict[tuple[int, Group], Tally] = defaultdict(Tally)
        self.stages: dict[str, tuple[str, int]] = {}
        self._places = tables.relation.places
        self._coins: list[str] = tables.relation.texts("currency")
        keys = self._tables.keys
        self._place_at = keys.index(PLACE) if PLACE in keys else None

    def all(self) -> None:
        self._tables.hold()
        self._count("fresh", FRESH, self._fresh(), fresh=self._tables.fresh())
        self._decided()
        self._active()
        self._departures()

    def _rows(
        self, table: str, sums: str, *more: str, where: str = "true", **steps: str
    ) -> Iterator[tuple[int, Tally, Any]]:
        """Sums by period, group and more columns: number, tally, and what stands behind."""
        keys = self._tables.keys
        columns = ", ".join(("n", *(f"{table}.{key}" for key in keys), *more))
        rows = self._relation.rows(
            f"SELECT {columns}, {sums} FROM {table} WHERE {where} GROUP BY {columns}", **steps
        )
        behind = 1 + len(keys)
        for row in rows:
            if self._place_at is not None:
                self._note_stage(self._places[row[1 + self._place_at]])
            yield row[0], self.found[row[0], self._values(row[1:behind])], row[behind:]

    def _note_stage(self, place: Place) -> None:
        """Where a stage stands that groups are named by, in the first of its processes."""
        stands = (place.process, place.order)
        self.stages[place.stage] = min(stands, self.stages.get(place.stage, stands))

    def _count(self, table: str, names: Sequence[str], sums: str, **steps: str) -> None:
        for _, tally, row in self._rows(table, sums, **steps):
            tally.counts.update(_counted(names, row))

    def _fresh(self) -> str:
        return f"count(*), {self._with_status(Status.WON, Status.LOST, Status.VOIDED)}"

    def _with_status(self, *statuses: Status) -> str:
        counts = (f"count_if(now IN {self._tables.status(one)})" for one in statuses)
        return ", ".join(counts)

    def _decided(self) -> None:
        """Of all that was decided in the periods; amounts at the rates of the day."""
        relation, tables = self._relation, self._tables
        relation.hold("decided", tables.decided())
        [(first, last)] = relation.rows("SELECT min(opened_at), max(closed_at) FROM decided")
        if first is None:
            return
        days = Days.between(self._worth.zone, first, last)
        opened, closed = days.sql("opened_at"), days.sql("closed_at")
        dated = f"SELECT *, {closed} AS day, {closed} - {opened} AS days FROM decided"
        rates = hold_rates(relation, self._worth, dated, f"now IN {tables.status(Status.WON)}")
        steps = {
            "dated": dated,
            "valued": f"SELECT dated.*, {rates.columns} FROM dated {rates.join}",
        }
        sums = f"{self._outcomes()}, {self._won_amounts(rates)}"
        for _, tally, row in self._rows("valued", sums, "coin", "rated", **steps):
            coin, is_rated, *found = row
            counts = _counted(DECIDED, found[: len(DECIDED)])
            tally.counts.update(counts)
            if counts["won"]:
                target, unit = rates.unit(self._coins[coin], is_rated=is_rated)
                amounts = [unit * one for one in rates.whole(found[len(DECIDED) :])]
                tally.money[target].add(_won(counts, amounts))

    def _outcomes(self) -> str:
        won, lost = self._tables.status(Status.WON), self._tables.status(Status.LOST)
        return f"""
            {self._with_status(Status.WON, Status.LOST, Status.VOIDED)},
            count_if(now IN {lost} AND outcome = {self._tables.competitor}),
            coalesce(sum(days) FILTER (now IN {won}), 0),
            coalesce(sum(days) FILTER (now IN {won} OR now IN {lost}), 0),
            count_if(now IN {won} AND priced = 1),
            count_if(now IN {won} AND listed IS NOT NULL)
            """

    def _won_amounts(self, rates: Rates) -> str:
        won = self._tables.status(Status.WON)
        return ", ".join(
            f"coalesce(sum({name}::HUGEINT * {limb}) FILTER (now IN {won}), 0)"
            for name in ("amount", "listed", "quoted")
            for limb in rates.limbs
        )

    def _active(self) -> None:
        """Of the deals that ran in the periods, and of those that were open at their ends."""
        self._count("moving", ACTIVE, _ACTIVE, **self._tables.moving())
        ends = {span.number: self._day(span.until) for span in self._tables.spans}
        opened = self._statuses(Status.OPEN)
        columns = ", ".join(("begun", "ended", *self._tables.keys, "coin", "status"))
        # Counted before each is told for its periods: they last for many.
        counted = f"SELECT {columns}, count(*) AS deals FROM lasting GROUP BY {columns}"
        ending = f"SELECT *, unnest(range(begun, ended)) AS n FROM ({counted})"
        for number, tally, (coin, status, deals) in self._rows(
            "ending", "sum(deals)", "coin", "status", ending=ending
        ):
            count = int(deals)
            tally.counts["active"] += count
            if status in opened:
                tally.counts["open"] += count
                currency = self._worth.into(self._coins[coin], ends[number])
                tally.money[currency].open += count

    def _day(self, instant: int) -> date:
        return instant_of(instant).astimezone(self._worth.zone).date()

    def _departures(self) -> None:
        places = self._places
        won, running = self._statuses(Status.WON), self._statuses(Status.OPEN, Status.SUSPENDED)
        moved = f"(to_status IN {self._tables.closed} OR (to_runs AND to_place <> left_place))"
        where = f"left_runs AND {moved} AND {self._tables.wanted('steps')}"
        columns = ("left_place", "to_place", "to_status")
        for _, tally, (left, to, status, count) in self._rows(
            "steps", "count(*)", *columns, where=where
        ):
            here, there = places[left], places[to]
            departures = tally.stages[Stage(here.process, here.order, here.stage)]
            if status in won:
                departures.forward += count
            elif status not in running:
                departures.ended += count
            elif there.process != here.process:
                departures.elsewhere += count
            elif there.order > here.order:
                departures.forward += count
            elif there.order < here.order:
                departures.back += count

    def _statuses(self, *statuses: Status) -> set[int]:
        return {self._relation.code("status", one.value) for one in statuses}


def _won(counts: Mapping[str, int], amounts: Sequence[Fraction]) -> Money:
    amount, listed, quoted = amounts
    return Money(counts["won_priced"], amount, 0, counts["won_quoted"], listed, quoted)


_ACTIVE = "sum(gone), count_if(expected), count_if(pushed_out), sum(pushes)"


def _counted(names: Sequence[str], row: Sequence[Any]) -> Mapping[str, int]:
    return {name: int(value) for name, value in zip(names, row, strict=True)}
