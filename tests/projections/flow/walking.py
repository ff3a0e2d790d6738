"""The flow of deals by a plain walk over the frames of each, for the laws to compare with."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.deal import Deal, DealEvent
from domain.lifecycle import Status
from projections.columns.relation import Place
from projections.flow.conversion import Cohort
from projections.flow.survival import Ending
from projections.flow.visits import Came, Exit, Lasted, StageVisits, Went
from projections.frames import frames_of
from projections.reported import reported
from tests.scenario import BOOK

RUNNING = (Status.OPEN, Status.SUSPENDED)


class Stood(NamedTuple):
    """How a deal stood from an instant on."""

    at: datetime
    place: Place
    status: Status
    outcome: str | None
    deal: Deal


class Visit(NamedTuple):
    """A deal in a stage."""

    place: Place
    came: Came
    again: bool
    went: Exit
    days: int
    paused: bool
    """The deal was suspended for a time."""
    paused_days: int
    since: datetime


def course(events: Sequence[DealEvent], as_of: datetime, known_at: datetime) -> list[Stood]:
    """How a deal stood behind each instant at which something happened."""
    behind: dict[datetime, Deal] = {}
    for frame in frames_of(events, as_of, known_at):
        behind[frame.event.occurred_at] = frame.after
    found = []
    for at, deal in behind.items():
        facts = reported(deal, BOOK, at)
        if facts is not None:
            place = Place(facts.process, facts.stage, facts.stage_order)
            found.append(Stood(at, place, facts.status, facts.outcome, deal))
    return found


def days_between(one: datetime, other: datetime, zone: ZoneInfo) -> int:
    return (other.astimezone(zone).date() - one.astimezone(zone).date()).days


def visits_of(stood: Sequence[Stood], as_of: datetime, zone: ZoneInfo) -> list[Visit]:
    """The visits of one deal."""
    found: list[Visit] = []
    number = 0
    while number < len(stood):
        first = number
        while number < len(stood) and _stays(stood[first], stood[number]):
            number += 1
        if number == first:
            number += 1
            continue
        during = stood[first:number]
        behind = stood[number] if number < len(stood) else None
        end = behind.at if behind else as_of
        ends = [one.at for one in during[1:]] + [end]
        found.append(
            Visit(
                place=stood[first].place,
                came=_came(stood[first - 1] if first else None, stood[first]),
                again=any(one.place == stood[first].place for one in found),
                went=_went(during[-1], behind),
                days=days_between(stood[first].at, end, zone),
                paused=any(one.status is Status.SUSPENDED for one in during),
                paused_days=sum(
                    days_between(one.at, until, zone)
                    for one, until in zip(during, ends, strict=True)
                    if one.status is Status.SUSPENDED
                ),
                since=stood[first].at,
            )
        )
    return found


def _stays(first: Stood, one: Stood) -> bool:
    return one.status in RUNNING and one.place == first.place


def _came(before: Stood | None, first: Stood) -> Came:
    if before is None:
        return Came.OPENED
    if before.status not in RUNNING:
        return Came.REOPENED
    if before.place.process != first.place.process:
        return Came.PROCESS
    return Came.FORWARD if before.place.order < first.place.order else Came.BACK


def _went(last: Stood, behind: Stood | None) -> Exit:
    if behind is None:
        return Exit(Went.SUSPENDED if last.status is Status.SUSPENDED else Went.OPEN)
    if behind.status is Status.LOST:
        return Exit(Went.LOST, outcome=behind.outcome)
    if behind.status not in RUNNING:
        return Exit(Went(behind.status.value))
    to = behind.place
    if to.process != last.place.process:
        return Exit(Went.PROCESS, to.order, to.stage, to.process)
    how = Went.FORWARD if last.place.order < to.order else Went.BACK
    return Exit(how, to.order, to.stage)


CUT_SHORT = (Went.OPEN, Went.SUSPENDED, Went.MERGED, Went.PROCESS)


def stage_visits_of(
    courses: Sequence[Sequence[Stood]],
    values: Sequence[str | None],
    as_of: datetime,
    zone: ZoneInfo,
) -> list[StageVisits]:
    """The visits of all stages; `values` tells the deals apart."""
    groups: defaultdict[tuple[Place, str | None], list[tuple[Visit, bool]]] = defaultdict(list)
    for stood, value in zip(courses, values, strict=True):
        won = bool(stood) and stood[-1].status is Status.WON
        for visit in visits_of(stood, as_of, zone):
            groups[visit.place, value].append((visit, won))
    return [
        StageVisits(
            place=place,
            value=value,
            entered=dict(Counter(visit.came for visit, _ in group)),
            again=sum(visit.again for visit, _ in group),
            exits=dict(Counter(visit.went for visit, _ in group)),
            suspended=sum(visit.paused for visit, _ in group),
            suspended_days=sum(visit.paused_days for visit, _ in group),
            lasted=dict(
                Counter(
                    Lasted(visit.went.how not in CUT_SHORT, won, visit.days) for visit, won in group
                )
            ),
        )
        for (place, value), group in groups.items()
    ]


def outcomes_of(
    courses: Sequence[Sequence[Stood]], as_of: datetime, zone: ZoneInfo
) -> dict[tuple[int, Ending | None], int]:
    """How many deals came to what after how many days."""
    found: Counter[tuple[int, Ending | None]] = Counter()
    for stood in courses:
        if not stood:
            continue
        last = stood[-1]
        # What closed it last: a merge of what was merged already is its own moment.
        end = last.deal.life.closed_at if last.status.closed else as_of
        assert end is not None
        end = max(stood[0].at, end)
        found[days_between(stood[0].at, end, zone), _ending(last)] += 1
    return dict(found)


def _ending(last: Stood) -> Ending | None:
    if last.status is Status.WON:
        return Ending.WON
    if last.status is Status.VOIDED:
        return Ending.OTHER
    if last.status is not Status.LOST:
        return None
    names = {"lost-to-competitor": Ending.LOST, "no-decision": Ending.NO_DECISION}
    return names.get(last.outcome or "", Ending.OTHER)


class Counted(NamedTuple):
    """What a cohort comes to."""

    opened: int
    outcomes: Mapping[tuple[Status, str | None], int]
    reached: Sequence[int]
    """How many came to each stage of the process, or further."""


def counted(cohort: Cohort) -> Counted:
    return Counted(cohort.opened, cohort.outcomes, [one.deals for one in cohort.reached])


def cohorts_of(
    courses: Sequence[Sequence[Stood]], labels: Sequence[str]
) -> dict[tuple[str, str], Counted]:
    """By the label of the period of opening, and process."""
    groups: defaultdict[tuple[str, str], list[Sequence[Stood]]] = defaultdict(list)
    for stood, label in zip(courses, labels, strict=True):
        if stood:
            groups[label, stood[-1].place.process].append(stood)
    return {key: _counted(group, key[1]) for key, group in groups.items()}


def _counted(group: Sequence[Sequence[Stood]], process: str) -> Counted:
    ends = [stood[-1] for stood in group]
    furthest = [
        max(one.place.order for one in stood if one.place.process == process)
        for stood in group
        if stood[-1].status is not Status.MERGED
    ]
    [stages] = [one.stages for one in BOOK if str(one.ref) == process]
    return Counted(
        opened=len(furthest),
        outcomes=dict(
            Counter((end.status, end.outcome if end.status.closed else None) for end in ends)
        ),
        reached=[sum(one >= order for one in furthest) for order in range(len(stages))],
    )
