"""Stage visits: who entered a stage, from where, who left it, to where, and after how many days."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from domain.lifecycle import Status
from projections.columns.relation import Place, Relation
from projections.flow.asking import Asked, Progress, Slice, untold


class Came(StrEnum):
    """How a stage was entered."""

    OPENED = "opened"
    FORWARD = "forward"
    BACK = "back"
    REOPENED = "reopened"
    """After an outcome."""
    PROCESS = "process"
    """From another process, or another version of the same one."""


class Went(StrEnum):
    """How a stage was left, if it was."""

    FORWARD = "forward"
    BACK = "back"
    WON = "won"
    LOST = "lost"
    VOIDED = "voided"
    MERGED = "merged"
    """The deal turned out to be a duplicate of another one."""
    PROCESS = "process"
    OPEN = "open"
    """It has not been left."""
    SUSPENDED = "suspended"
    """It has not been left, and the deal is suspended."""


LEFT = (Went.FORWARD, Went.BACK, Went.WON, Went.LOST, Went.VOIDED)
"""How a visit is completed. Merging and changing the process cut it short."""
STILL_THERE = (Went.OPEN, Went.SUSPENDED)


class Exit(msgspec.Struct, frozen=True, order=True):
    """How a stage was left."""

    how: Went
    position: int = -1
    """Of the stage that was entered instead; -1: none."""
    stage: str | None = None
    process: str | None = None
    """Of that stage, where it is another one."""
    outcome: str | None = None
    """Of a loss."""


class Lasted(NamedTuple):
    """What some visits have in common."""

    completed: bool
    won: bool
    """The deal was won at the moment asked for."""
    days: int


class Quartiles(msgspec.Struct, frozen=True):
    """Days after which at least a quarter, half and three quarters had left."""

    lower: int
    median: int
    upper: int


class StageVisits(msgspec.Struct, frozen=True):
    """All visits to one stage of one process, by deals with one value of a dimension."""

    place: Place
    value: str | None
    entered: dict[Came, int]
    again: int
    """Visits by deals that had been in the stage before."""
    exits: dict[Exit, int]
    """How many visits ended so, or have not; they add up to those that were entered."""
    suspended: int
    """Visits during which the deal was suspended for a time."""
    suspended_days: int
    """Days of all visits on which the deal was suspended."""
    lasted: dict[Lasted, int]
    """How many visits took how many days, up to the moment asked for where they go on."""

    @property
    def visits(self) -> int:
        return sum(self.entered.values())

    @property
    def deals(self) -> int:
        return self.visits - self.again

    @property
    def completed(self) -> dict[int, int]:
        """How many of the completed visits took how many days."""
        return _by_days(self.lasted, lambda one: one.completed)

    @property
    def of_won_deals(self) -> dict[int, int]:
        """How many visits of deals that were won took how many days."""
        return _by_days(self.lasted, lambda one: one.won)

    def count(self, *how: Went) -> int:
        """How many visits ended in one of these ways."""
        return sum(visits for exit_, visits in self.exits.items() if exit_.how in how)


def _by_days(lasted: Mapping[Lasted, int], wanted: Callable[[Lasted], bool]) -> dict[int, int]:
    found: Counter[int] = Counter()
    for one, visits in lasted.items():
        if wanted(one):
            found[one.days] += visits
    return dict(sorted(found.items()))


def percentile(by_days: Mapping[int, int], percent: int) -> int | None:
    """The smallest number of days within which so many per cent had ended; None of nothing."""
    visits = sum(by_days.values())
    ended = 0
    for days in sorted(by_days):
        ended += by_days[days]
        if ended * 100 >= visits * percent:
            return days
    return None


def quartiles(by_days: Mapping[int, int]) -> Quartiles | None:
    """Those of some days; None of nothing."""
    lower, median, upper = (percentile(by_days, percent) for percent in (25, 50, 75))
    if lower is None or median is None or upper is None:
        return None
    return Quartiles(lower, median, upper)


def stage_visits(
    relation: Relation, asked: Asked, progress: Progress = untold
) -> list[StageVisits]:
    """The visits of every stage, in order of value, process and stage.

    Raises ValueError for an unknown dimension.
    """
    part = Slice(relation, asked)
    places = relation.places
    found: defaultdict[tuple[Place, str | None], _Collected] = defaultdict(_Collected)
    for some in part.portions(progress):
        for row in map(_Row._make, relation.rows(_TALLY, **_steps(part, some))):
            place = places[row.place]
            found[place, part.value_of(row.value)].add(row, place, relation)
    return [found[key].told(*key) for key in sorted(found, key=_order)]


def in_order(place: Place) -> tuple[object, ...]:
    """Sorts stages by process, and by their position in it."""
    return (place.process, place.order, place.stage)


def _order(key: tuple[Place, str | None]) -> tuple[object, ...]:
    place, value = key
    return (value is None, value or "", *in_order(place))


class _Row(NamedTuple):
    """A row of `_TALLY`: of one way in and out, or of one number of days."""

    place: int
    value: int
    before: int | None
    before_ran: bool | None
    again: bool | None
    beyond: int | None
    beyond_status: int | None
    beyond_outcome: int | None
    paused: bool | None
    completed: bool | None
    won: bool | None
    days: int | None
    visits: int
    suspended: int
    suspended_days: int


_WAYS = "before, before_ran, again, beyond, beyond_status, beyond_outcome, paused"
_LENGTHS = "completed, won, days"

_TALLY = f"""
SELECT place, value, {_WAYS}, {_LENGTHS},
    count(*), count(*) FILTER (suspended), sum(suspended_days)::BIGINT
FROM visits GROUP BY GROUPING SETS ((place, value, {_WAYS}), (place, value, {_LENGTHS}))
"""


def _steps(part: Slice, some: str) -> dict[str, str]:
    """From the rows of deals to their visits, one step after the other."""
    ran = f"coalesce(before_status IN {part.running}, false)"
    went_on = f"(beyond_status IN {part.running} AND"
    went_on += f" {part.process_of('beyond')} = {part.process_of('place')})"
    outcomes = (Status.WON.value, Status.LOST.value, Status.VOIDED.value)
    ended = f"beyond_status IN {part.relation.codes('status', outcomes)}"
    day_until = f"CASE WHEN until IS NULL THEN {part.today} ELSE {part.days.sql('until')} END"
    pause_end = part.day_until("paused_until")
    return {
        "stood": part.stood(some),
        "course": part.course(some, more=", final, value"),
        "rows_and_before": """
            SELECT *, lag(place) OVER along AS before, lag(status) OVER along AS before_status
            FROM course WINDOW along AS (PARTITION BY deal ORDER BY occurred_from)
        """,
        "turns": f"""
            SELECT *, status IN {part.running} AS runs, {ran} AS before_ran
            FROM rows_and_before
            WHERE CASE WHEN status IN {part.running} THEN NOT ({ran} AND before = place)
                ELSE {ran} END
        """,
        "segments": """
            SELECT *, lead(occurred_from) OVER along AS until, lead(place) OVER along AS beyond,
                lead(status) OVER along AS beyond_status, lead(outcome) OVER along AS beyond_outcome
            FROM turns WINDOW along AS (PARTITION BY deal ORDER BY occurred_from)
        """,
        "pauses": f"""
            SELECT segments.deal AS deal, segments.occurred_from AS since,
                sum({pause_end} - {part.days.sql("paused_from")}) AS suspended_days
            FROM segments JOIN (
                SELECT deal, occurred_from AS paused_from, occurred_until AS paused_until
                FROM course
                WHERE status = {part.suspended}
            ) AS paused ON segments.deal = paused.deal AND runs
                AND paused_from >= segments.occurred_from AND (until IS NULL OR paused_from < until)
            GROUP BY ALL
        """,
        "visits": f"""
            SELECT segments.*, final = {part.won} AS won,
                until IS NULL AND final = {part.suspended} AS paused,
                pauses.deal IS NOT NULL AS suspended,
                coalesce(suspended_days, 0) AS suspended_days,
                row_number() OVER (PARTITION BY segments.deal, place ORDER BY occurred_from) > 1
                    AS again,
                {day_until} - {part.days.sql("occurred_from")} AS days,
                coalesce({ended} OR {went_on}, false) AS completed
            FROM segments LEFT JOIN pauses
                ON segments.deal = pauses.deal AND occurred_from = since
            WHERE runs
        """,
    }


class _Collected:
    """The visits to one stage, as rows come in."""

    def __init__(self) -> None:
        self.entered: Counter[Came] = Counter()
        self.exits: Counter[Exit] = Counter()
        self.lasted: Counter[Lasted] = Counter()
        self.again = self.suspended = self.suspended_days = 0

    def add(self, row: _Row, place: Place, relation: Relation) -> None:
        if row.days is not None:
            lasted = Lasted(bool(row.completed), bool(row.won), row.days)
            self.lasted[lasted] += row.visits
            return
        self.entered[_came(row, place, relation)] += row.visits
        self.exits[_went(row, place, relation)] += row.visits
        self.again += row.visits if row.again else 0
        self.suspended += row.suspended
        self.suspended_days += row.suspended_days

    def told(self, place: Place, value: str | None) -> StageVisits:
        return StageVisits(
            place=place,
            value=value,
            entered=dict(sorted(self.entered.items())),
            again=self.again,
            exits=dict(sorted(self.exits.items(), key=_exit_order)),
            suspended=self.suspended,
            suspended_days=self.suspended_days,
            lasted=dict(sorted(self.lasted.items())),
        )


def _exit_order(item: tuple[Exit, int]) -> tuple[object, ...]:
    one = item[0]
    texts = (one.process or "", one.stage or "", one.outcome or "")
    return (list(Went).index(one.how), texts[0], one.position, *texts[1:])


def _came(row: _Row, place: Place, relation: Relation) -> Came:
    if row.before is None:
        return Came.OPENED
    if not row.before_ran:
        return Came.REOPENED
    before = relation.places[row.before]
    if before.process != place.process:
        return Came.PROCESS
    return Came.FORWARD if before.order < place.order else Came.BACK


def _went(row: _Row, place: Place, relation: Relation) -> Exit:
    if row.beyond is None:
        return Exit(Went.SUSPENDED if row.paused else Went.OPEN)
    assert row.beyond_status is not None
    status = Status(relation.texts("status")[row.beyond_status])
    match status:
        case Status.WON | Status.VOIDED | Status.MERGED:
            return Exit(Went(status.value))
        case Status.LOST:
            outcomes = relation.texts("outcome")
            return Exit(Went.LOST, outcome=outcomes[row.beyond_outcome or 0])
        case _:
            return _moved(place, relation.places[row.beyond])


def _moved(place: Place, to: Place) -> Exit:
    if to.process != place.process:
        return Exit(Went.PROCESS, to.order, to.stage, to.process)
    return Exit(Went.FORWARD if place.order < to.order else Went.BACK, to.order, to.stage)
