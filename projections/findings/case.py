"""A deal as the rules read it: its frames, and what it takes to judge them.

Theory of operation. Between two frames the state stays the same, and only time passes. A rule
about a state that lasts is therefore asked once for each frame (`lasting`): from when on does the
condition hold, if nothing more happens? What it answers counts until the next frame, is joined
with what the frames before said of the same subject, and ends where the condition does. So a
deadline needs no event to pass.

A rule looks at a frame, at what came before it, and at no frame behind it, save to tell when what
it found ended. That makes findings causal: those that began by some moment are the same, whatever
happens after it.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import Any, TypeAlias

import msgspec

from domain.buying.facts import (
    BuyingPhaseObserved,
    CriteriaStatusObserved,
    DecisionCriterionSet,
    OurPartObserved,
    VendorStatus,
)
from domain.competition.facts import CompetitorIdentified, CompetitorMoved, PositionAssessed
from domain.deal import NOBODY, Deal, DealEvent
from domain.history import Fact
from domain.lifecycle import Status
from domain.lifecycle.facts import LeadQualified, NextStepPlanned, StrategyChosen
from domain.needs.facts import FactRecorded, NeedUncovered, ValueConfirmed
from domain.organisation import Organisation
from domain.people.facts import (
    ContactMade,
    MinutesSent,
    StakeholderAssessed,
    StakeholderIdentified,
)
from domain.process import BuyingPhase, ProcessBook, SalesProcess, Stage
from domain.values import END_OF_TIME
from projections.findings.finding import Firing, Kind, Weight
from projections.findings.settings import DEFAULTS, Settings
from projections.frames import Frame

PHASES = tuple(BuyingPhase)
"""The decision cycle in order: the stage P<n> of `key-account` assumes `PHASES[n]`."""

_SHOWN_BY: dict[Kind, tuple[type[Fact], ...]] = {
    Kind.PEOPLE: (StakeholderIdentified,),
    Kind.CONTACTS: (ContactMade,),
    Kind.ATTITUDES: (StakeholderAssessed,),
    Kind.MINUTES: (MinutesSent,),
    Kind.NEEDS: (NeedUncovered,),
    Kind.CRITERIA: (DecisionCriterionSet, CriteriaStatusObserved),
    Kind.COMPETITORS: (CompetitorIdentified, CompetitorMoved, PositionAssessed),
    Kind.QUALIFICATION: (LeadQualified,),
    Kind.STEPS: (NextStepPlanned,),
    Kind.INFORMATION: (FactRecorded,),
    Kind.VALUES: (ValueConfirmed,),
    Kind.PHASES: (BuyingPhaseObserved,),
    Kind.STRATEGY: (StrategyChosen,),
    Kind.PART: (OurPartObserved,),
}
"""By what on record a deal shows that such things are put on record."""


class Moment(msgspec.Struct, frozen=True):
    """One frame of a case, and the deal as it stands behind it."""

    case: "Case"
    index: int

    @property
    def frame(self) -> Frame:
        return self.case.frames[self.index]

    @property
    def event(self) -> DealEvent:
        return self.frame.event

    @property
    def fact(self) -> Any:
        return self.frame.event.fact

    @property
    def at(self) -> datetime:
        return self.frame.at

    @property
    def before(self) -> Deal:
        return self.frame.before

    @property
    def deal(self) -> Deal:
        """Behind the event."""
        return self.frame.after

    @property
    def settings(self) -> Settings:
        return self.case.settings

    @property
    def process(self) -> SalesProcess | None:
        return self.case.process_of(self.deal)

    @property
    def stage(self) -> Stage | None:
        return self.case.stage_of(self.deal)

    @property
    def phase(self) -> int | None:
        """Which phase of the decision cycle the stage assumes, 0 to 7; None: it tells none."""
        return self.case.phase_of(self.deal)

    def entered(self, phase: int) -> bool:
        """The event took the deal from before this phase into it, or past it."""
        before, after = self.case.phase_of(self.before), self.phase
        return before is not None and after is not None and before < phase <= after

    def left(self, phase: int) -> bool:
        """The event took the deal from this phase, or one before it, to one behind it."""
        return self.entered(phase + 1)


Judge: TypeAlias = Callable[[Moment], Iterable[Firing]]
"""What holds from a moment on if nothing more happens; `since` may lie before or behind it."""


class Case(msgspec.Struct, frozen=True, dict=True):
    """One deal, up to one moment."""

    frames: Sequence[Frame]
    """In order of their moments: those of what was true, or of what was known."""
    processes: ProcessBook
    until: datetime
    """Up to here time has passed; no frame stands behind it."""
    settings: Settings = DEFAULTS
    organisation: Organisation = NOBODY
    """Whose limits and roles say how far somebody may go alone: those of today."""

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(Moment(self, index) for index in range(len(self.frames)))

    def of(self, *types: type[Fact]) -> Iterator[Moment]:
        """The moments of events of these types that met a deal that was open, or rested."""
        return (one for one in self.moments if isinstance(one.fact, types) and runs(one.before))

    def process_of(self, deal: Deal) -> SalesProcess | None:
        return self.processes.get(deal.life.process) if deal.life.process else None

    def stage_of(self, deal: Deal) -> Stage | None:
        process = self.process_of(deal)
        return process.stage(deal.stages.stage or "") if process else None

    def phase_of(self, deal: Deal) -> int | None:
        stage = self.stage_of(deal)
        return PHASES.index(stage.decision_phase) if stage and stage.decision_phase else None

    def first(self, behind: Moment, found: Callable[[Moment], bool]) -> datetime | None:
        """When it is first so behind a moment; None: not up to now."""
        later = self.moments[behind.index + 1 :]
        return next((one.at for one in later if found(one)), None)

    def recorded_from(self, kind: Kind) -> Moment | None:
        """From where on something missing of this kind means something; None: not up to now."""
        if kind in self.settings.records.get(self._source, ()):
            return self.moments[0]
        return self._shown_from.get(kind)

    @cached_property
    def _source(self) -> str:
        return self.frames[0].event.source if self.frames else ""

    @cached_property
    def _shown_from(self) -> dict[Kind, Moment]:
        first: dict[type[Fact], Moment] = {}
        for moment in self.moments:
            first.setdefault(type(moment.fact), moment)
        return {
            kind: min((first[one] for one in types if one in first), key=lambda one: one.index)
            for kind, types in _SHOWN_BY.items()
            if any(one in first for one in types)
        }

    # Times in which silence is no fault.

    @cached_property
    def pauses(self) -> tuple[tuple[datetime, datetime], ...]:
        """From when until when the deal rested, or waited from a bid's deadline for the award.

        A pause that lasts ends at `END_OF_TIME`.
        """
        found: list[tuple[datetime, datetime]] = []
        for index, frame in enumerate(self.frames):
            last = index + 1 == len(self.frames)
            end = END_OF_TIME if last else self.frames[index + 1].at
            since = _pauses_from(frame.after)
            if since is not None and max(since, frame.at) < end:
                start = max(since, frame.at)
                if found and found[-1][1] == start:
                    start = found.pop()[0]
                found.append((start, end))
        return tuple(found)

    def clock(self, since: datetime, now: Moment) -> tuple[datetime, datetime] | None:
        """From when time counts that runs since `since`, and until when, as seen from a moment.

        It begins anew at the end of a pause. None: it does not count in the moment itself.
        """
        index = bisect_right(self.pauses, now.at, key=lambda pause: pause[0]) - 1
        if index >= 0:
            ended = self.pauses[index][1]
            if now.at < ended:
                return None
            since = max(since, ended)
        following = self.pauses[index + 1 :]
        return since, following[0][0] if following else END_OF_TIME


def runs(deal: Deal) -> bool:
    """Open, or resting."""
    return deal.life.status in (Status.OPEN, Status.SUSPENDED)


def _pauses_from(deal: Deal) -> datetime | None:
    """From when on silence is no fault while the deal stands so; None: it is one."""
    if deal.life.status is Status.SUSPENDED:
        assert deal.life.suspension is not None
        return deal.life.suspension.occurred_at
    mode = deal.purchase.mode
    if not deal.purchase.tender or mode is None or mode.fact.deadline is None:
        return None
    if any(one.fact.status is VendorStatus.FIRST_CHOICE for one in deal.purchase.vendor_statuses):
        return None
    if any(bid.rank == 1 for one in deal.purchase.openings for bid in one.fact.bids):
        return None
    return datetime.combine(mode.fact.deadline, time(), UTC) + timedelta(days=1)


def lasting(case: Case, judge: Judge) -> Iterator[Firing]:
    """What `judge` says of each moment, joined over the moments that say the same on end."""
    held: dict[_Key, Firing] = {}
    for moment in case.moments:
        said = judge(moment) if runs(moment.deal) else ()
        still: dict[_Key, Firing] = {}
        for firing in said:
            key = (firing.subject, firing.weight, firing.wording)
            goes_on = _in_the_time_of(moment, firing, held.get(key))
            if goes_on is not None:
                still[key] = goes_on
        for key, before in held.items():
            if key not in still or still[key].since != before.since:
                yield from _ended(before, moment.at)
        held = still
    yield from (one for one in held.values() if one.since <= case.until)


_Key: TypeAlias = tuple[str, Weight | None, str]


def _in_the_time_of(moment: Moment, firing: Firing, before: Firing | None) -> Firing | None:
    """The firing as it holds between this frame and the next; None: it does not hold there.

    Where it goes on from the time before, it stays what it was as it began.
    """
    case = moment.case
    end = case.frames[moment.index + 1].at if moment.index + 1 < len(case.frames) else END_OF_TIME
    start, stop = max(firing.since, moment.at), firing.until
    if (start > moment.at and start >= end) or (stop is not None and stop <= start):
        return None
    until = stop if stop is not None and stop < end else None
    if before is not None and before.until is None and start == moment.at:
        return msgspec.structs.replace(before, until=until)
    trigger = moment.event.version if start == moment.at else None
    return msgspec.structs.replace(firing, since=start, until=until, trigger=trigger)


def _ended(firing: Firing, at: datetime) -> Iterator[Firing]:
    ended = firing if firing.until else msgspec.structs.replace(firing, until=at)
    assert ended.until is not None
    if ended.since < ended.until:
        yield ended
