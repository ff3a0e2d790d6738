"""Conversion by cohort: of the deals opened in a period, how far they came, and how they ended."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from domain.lifecycle import Status
from domain.lifecycle.facts import LostOutcome
from domain.process import ProcessBook
from projections.calendar import Grain, Period
from projections.columns.relation import Relation
from projections.flow.asking import Asked, Progress, Slice, untold


class Reached(msgspec.Struct, frozen=True):
    """A stage, and how many deals of a cohort came so far, or further."""

    stage: str
    deals: int


class Cohort(msgspec.Struct, frozen=True):
    """The deals that were opened in one period, and go by one process at the moment asked for."""

    period: Period
    process: str
    reached: list[Reached]
    """Of every stage of the process, in its order."""
    outcomes: dict[tuple[Status, str | None], int]
    """How many deals have which status, and which outcome; merged ones are among them."""

    def count(self, *statuses: Status) -> int:
        """How many deals have one of these statuses."""
        return sum(deals for (status, _), deals in self.outcomes.items() if status in statuses)

    def lost_as(self, *outcomes: LostOutcome) -> int:
        """How many deals were lost with one of these outcomes."""
        return sum(self.outcomes.get((Status.LOST, one.value), 0) for one in outcomes)

    @property
    def opened(self) -> int:
        """How many deals there are, without those that turned out to be duplicates."""
        return sum(self.outcomes.values()) - self.count(Status.MERGED)


class _Row(NamedTuple):
    cohort: int
    process: int
    final: int
    outcome: int
    furthest: int
    deals: int


def cohorts(
    relation: Relation,
    asked: Asked,
    grain: Grain,
    processes: ProcessBook,
    progress: Progress = untold,
) -> list[Cohort]:
    """The cohorts in order of time, then of their process.

    Raises ValueError for an unknown dimension, PeriodError for openings far off in time.
    """
    part = Slice(relation, asked)
    periods = part.cohorts(grain)
    names = list(dict.fromkeys(place.process for place in relation.places))
    found: defaultdict[tuple[int, str], _Collected] = defaultdict(_Collected)
    for some in part.portions(progress):
        for row in map(_Row._make, relation.rows(_TALLY, **_steps(part, grain, some))):
            found[row.cohort, names[row.process]].add(row, relation)
    stages = {str(process.ref): [stage.id for stage in process.stages] for process in processes}
    return [found[key].told(periods[key[0]], key[1], stages[key[1]]) for key in sorted(found)]


_TALLY = """
SELECT cohort, process, final, outcome, furthest, count(*) FROM deal_rows GROUP BY ALL
"""


def _steps(part: Slice, grain: Grain, some: str) -> dict[str, str]:
    process, position = part.process_of("place"), part.position_of("place")
    of_final = f"outcome AS final_outcome, {process} AS final_process"
    of_final += f", {part.cohort_of(grain)} AS cohort"
    return {
        "stood": part.stood(some, of_final),
        "course": part.course(some, more=", final, final_outcome, final_process, cohort"),
        "deal_rows": f"""
            SELECT deal, min(cohort) AS cohort, min(final_process) AS process, min(final) AS final,
                min(final_outcome) AS outcome, max({position}) AS furthest
            FROM course WHERE {process} = final_process GROUP BY deal
        """,
    }


class _Collected:
    """The deals of one cohort, as rows come in."""

    def __init__(self) -> None:
        self.furthest: Counter[int] = Counter()
        self.outcomes: Counter[tuple[Status, str | None]] = Counter()

    def add(self, row: _Row, relation: Relation) -> None:
        status = Status(relation.texts("status")[row.final])
        outcome = relation.texts("outcome")[row.outcome] if status.closed else None
        self.outcomes[status, outcome] += row.deals
        if status is not Status.MERGED:
            self.furthest[row.furthest] += row.deals

    def told(self, period: Period, process: str, stages: Sequence[str]) -> Cohort:
        reached = [
            Reached(stage, sum(n for furthest, n in self.furthest.items() if furthest >= position))
            for position, stage in enumerate(stages)
        ]
        outcomes = dict(sorted(self.outcomes.items(), key=lambda item: str(item[0])))
        return Cohort(period, process, reached, outcomes)
