"""What the database counts and sums, by period and group: whole numbers, which add up."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from domain.lifecycle import Status
from projections.columns.coding import PLACE
from projections.instants import instant_of
from projections.operating.asking import TEAM, Tables
from projections.operating.days import day_in
from projections.operating.worth import Worth, hold_rates

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
        self._count("fresh", FRESH, self._fresh())
        self._decided()
        self._count("active", ACTIVE, _ACTIVE)
        self._open_at_the_end()
        self._departures()

    def _rows(
        self, table: str, sums: str, *more: str, where: str = "true"
    ) -> Iterator[tuple[int, Tally, Any]]:
        """Sums by period, group and more columns: number, tally, and what stands behind."""
        keys = self._tables.keys
        columns = ", ".join(("n", *(f"{table}.{key}" for key in keys), *more))
        rows = self._relation.rows(
            f"SELECT {columns}, {sums} FROM {table} WHERE {where} GROUP BY {columns}"
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

    def _count(self, table: str, names: Sequence[str], sums: str) -> None:
        for _, tally, row in self._rows(table, sums):
            tally.counts.update(_counted(names, row))

    def _fresh(self) -> str:
        return f"count(*), {self._with_status(Status.WON, Status.LOST, Status.VOIDED)}"

    def _with_status(self, *statuses: Status) -> str:
        counts = (f"count_if(now IN {self._tables.status(one)})" for one in statuses)
        return ", ".join(counts)

    def _decided(self) -> None:
        """Of all that was decided in the periods; amounts at the rates of the day."""
        relation, tables = self._relation, self._tables
        [(first, last)] = relation.rows("SELECT min(opened_at), max(closed_at) FROM decided")
        if first is None:
            return
        zone, ends = self._worth.zone, (instant_of(first), instant_of(last))
        opened, closed = (day_in(name, zone, *ends) for name in ("opened_at", "closed_at"))
        relation.hold(
            "dated", f"SELECT *, {closed} AS day, {closed} - {opened} AS days FROM decided"
        )
        won, lost = tables.status(Status.WON), tables.status(Status.LOST)
        self._count(
            "dated",
            DECIDED,
            f"""
            {self._with_status(Status.WON, Status.LOST, Status.VOIDED)},
            count_if(now IN {lost} AND outcome = {tables.competitor}),
            coalesce(sum(days) FILTER (now IN {won}), 0),
            coalesce(sum(days) FILTER (now IN {won} OR now IN {lost}), 0),
            count_if(now IN {won} AND priced = 1),
            count_if(now IN {won} AND listed IS NOT NULL)
            """,
        )
        self._won_amounts(won)

    def _won_amounts(self, won: str) -> None:
        rates = hold_rates(self._relation, self._worth, f"now IN {won}")
        self._relation.hold(
            "valued", f"SELECT dated.*, {rates.columns} FROM dated {rates.join} WHERE now IN {won}"
        )
        sums = ", ".join(
            f"coalesce(sum({name}::HUGEINT * {limb}), 0)"
            for name in ("amount", "listed", "quoted")
            for limb in rates.limbs
        )
        counts = "count_if(priced = 1), count_if(listed IS NOT NULL)"
        for _, tally, row in self._rows("valued", f"{counts}, {sums}", "coin", "rated"):
            coin, is_rated, priced, quoted_deals, *limbs = row
            currency = self._coins[coin]
            target, unit = rates.unit(currency, is_rated=is_rated)
            amount, listed, quoted = (unit * one for one in rates.whole(limbs))
            tally.money[target].add(
                Money(int(priced), amount, 0, int(quoted_deals), listed, quoted)
            )

    def _open_at_the_end(self) -> None:
        open_ = f"status IN {self._tables.status(Status.OPEN)}"
        ends = {span.number: self._day(span.until) for span in self._tables.spans}
        rows = self._rows(
            "lasting", "count(*)", "coin", where=f"{open_} AND {self._tables.wanted('lasting')}"
        )
        for number, tally, (coin, count) in rows:
            currency = self._coins[coin]
            tally.counts["open"] += count
            tally.money[self._worth.into(currency, ends[number])].open += count

    def _day(self, instant: int) -> date:
        return instant_of(instant).astimezone(self._worth.zone).date()

    def _departures(self) -> None:
        places = self._places
        won, running = self._statuses(Status.WON), self._statuses(Status.OPEN, Status.SUSPENDED)
        closed, runs = self._tables.closed, self._tables.running
        moved = f"(to_status IN {closed} OR (to_status IN {runs} AND to_place <> left_place))"
        where = f"{moved} AND {self._tables.wanted('steps')}"
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


_ACTIVE = "count(*), count_if(expected), count_if(pushed_out), coalesce(sum(pushes), 0)"


def _counted(names: Sequence[str], row: Sequence[Any]) -> Mapping[str, int]:
    return {name: int(value) for name, value in zip(names, row, strict=True)}
