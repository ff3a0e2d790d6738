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
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import msgspec

from domain.buying.facts import (
    BuyingPhaseObserved,
    CriteriaStatusObserved,
    DecisionCriterionSet,
    OurPartObserved,
)
from domain.competition.facts import CompetitorIdentified, CompetitorMoved, PositionAssessed
from domain.corrections import EventWithdrawn
from domain.deal import NOBODY, Deal, DealEvent
from domain.history import Fact
from domain.lifecycle import Status
from domain.lifecycle.facts import LeadQualified, NextStepPlanned
from domain.needs.facts import FactRecorded, NeedUncovered, ValueConfirmed
from domain.organisation import Organisation
from domain.people.facts import (
    ContactMade,
    MinutesSent,
    StakeholderAssessed,
    StakeholderIdentified,
)
from domain.process import BuyingPhase, ProcessBook, SalesProcess, Stage
from domain.values import END_OF_TIME, ProcessRef
from projections.findings.finding import Firing, Kind, Weight
from projections.findings.pauses import Pause, pause_of
from projections.findings.settings import DEFAULTS, Settings
from projections.frames import Frame

PHASES = tuple(BuyingPhase)
"""The decision cycle in order: the stage P<n> of `key-account` assumes `PHASES[n]`."""
_SELECTION = PHASES.index(BuyingPhase.SELECTION)

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
    Kind.PART: (OurPartObserved,),
}
"""By what on record a deal shows that such things are put on record."""


class Moment(msgspec.Struct, frozen=True, eq=False):
    """One frame of a case, and the deal as it stands behind it.

    What rules ask for again and again is a field, which is read faster than a property.
    """

    case: "Case"
    index: int
    frame: Frame
    at: datetime
    event: DealEvent
    fact: Any
    before: Deal
    deal: Deal
    """Behind the event."""
    stage: Stage | None
    phase: int | None
    """Which phase of the decision cycle the stage assumes, 0 to 7; None: it tells none."""
    runs: bool
    """Behind the event the deal is open, or rests."""
    until: datetime
    """Where the next moment is; `END_OF_TIME` for the last."""

    @classmethod
    def of(cls, case: "Case", index: int) -> "Moment":
        frame, last = case.frames[index], index + 1 == len(case.frames)
        return cls(
            case=case,
            index=index,
            frame=frame,
            at=frame.at,
            event=frame.event,
            fact=frame.event.fact,
            before=frame.before,
            deal=frame.after,
            stage=case.stage_of(frame.after),
            phase=case.phase_of(frame.after),
            runs=runs(frame.after),
            until=END_OF_TIME if last else case.frames[index + 1].at,
        )

    @property
    def settings(self) -> Settings:
        return self.case.settings

    @property
    def process(self) -> SalesProcess | None:
        return self.case.process_of(self.deal)

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
    reads: frozenset[type[Fact]] | None = None
    """The types of the events that bear on the rule that looks at it; None: all."""

    def read_by(self, reads: Iterable[type[Fact]]) -> "Case":
        """The same case for a rule that reads no others: `lasting` asks it there alone."""
        self.turns  # noqa: B018 (worked out once, for all)
        seen = msgspec.structs.replace(self, reads=frozenset(reads))
        vars(seen).update(vars(self))
        return seen

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        return tuple(Moment.of(self, index) for index in range(len(self.frames)))

    @cached_property
    def closings(self) -> tuple[Moment, ...]:
        """Those at which the deal was won, lost or void."""
        return tuple(one for one in self.moments if runs(one.before) and not runs(one.deal))

    @cached_property
    def withdrawals(self) -> tuple[Moment, ...]:
        """Those at which events were withdrawn, which only what was known has."""
        return tuple(one for one in self.moments if isinstance(one.fact, EventWithdrawn))

    def standing_at(self, at: datetime) -> Moment | None:
        """The last at or before an instant, behind which the deal stands then."""
        index = bisect_right(self.moments, at, key=lambda one: one.at)
        return self.moments[index - 1] if index else None

    def of(self, *types: type[Fact]) -> Iterator[Moment]:
        """The moments of events of these types that met a deal that was open, or rested."""
        return (one for one in self.moments if isinstance(one.fact, types) and runs(one.before))

    def process_of(self, deal: Deal) -> SalesProcess | None:
        return self.processes.get(deal.life.process) if deal.life.process else None

    def stage_of(self, deal: Deal) -> Stage | None:
        return self._place_of(deal)[0]

    def phase_of(self, deal: Deal) -> int | None:
        return self._place_of(deal)[1]

    def _place_of(self, deal: Deal) -> "_Place":
        """Looked up once for each stage: every rule asks at every moment."""
        key = (deal.life.process, deal.stages.stage)
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = _placed(self.process_of(deal), deal.stages.stage)
        return found

    @cached_property
    def _places(self) -> "dict[tuple[ProcessRef | None, str | None], _Place]":
        return {}

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
    def pauses(self) -> tuple[Pause, ...]:
        """From when until when the deal rested, or was closed, or waited for an award."""
        found: list[Pause] = []
        for moment in self.moments:
            selecting = moment.phase is not None and moment.phase >= _SELECTION
            pause = pause_of(moment.deal, self.settings.award_days, selecting=selecting)
            if pause is None:
                continue
            start, end = max(pause[0], moment.at), min(pause[1], moment.until)
            if start < end:
                if found and found[-1][1] == start:
                    start = found.pop()[0]
                found.append((start, end))
        return tuple(found)

    @cached_property
    def turns(self) -> tuple[Moment, ...]:
        """The moments; one in whose time a pause ends, with no event, a second time from there."""
        found: list[Moment] = []
        for moment in self.moments:
            ends = [end for _, end in self.pauses if moment.at < end < moment.until]
            if not ends:
                found.append(moment)
            for start, stop in pairwise((moment.at, *ends, moment.until) if ends else ()):
                found.append(msgspec.structs.replace(moment, at=start, until=stop))
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


_Place: TypeAlias = tuple[Stage | None, int | None]
"""A stage, and the phase that it assumes."""


def _placed(process: SalesProcess | None, stage_id: str | None) -> _Place:
    stage = process.stage(stage_id or "") if process else None
    phase = stage.decision_phase if stage else None
    return stage, PHASES.index(phase) if phase else None


def runs(deal: Deal) -> bool:
    """Open, or resting."""
    return deal.life.status in (Status.OPEN, Status.SUSPENDED)


def lasting(case: Case, judge: Judge) -> Iterator[Firing]:
    """What `judge` says of each moment, joined over the moments that say the same on end."""
    held: dict[_Key, Firing] = {}
    turns = _turns_read(case)
    ends = (*(one.at for one in turns[1:]), END_OF_TIME)
    for moment, end in zip(turns, ends, strict=False):
        said = tuple(judge(moment)) if moment.runs else ()
        if not said and not held:
            continue
        still: dict[_Key, Firing] = {}
        for firing in said:
            key = (firing.subject, firing.weight, firing.wording)
            goes_on = _in_the_time_of(moment, end, firing, held.get(key))
            if goes_on is not None:
                still[key] = goes_on
        for key, before in held.items():
            if key not in still or still[key].since != before.since:
                yield from _ended(before, moment.at)
        held = still
    yield from (one for one in held.values() if one.since <= case.until)


_Key: TypeAlias = tuple[str, Weight | None, str]


def _turns_read(case: Case) -> Sequence[Moment]:
    """The turns at which what a rule says can change: at the others it would say the same."""
    reads = case.reads
    if reads is None:
        return case.turns
    return [one for one in case.turns if type(one.fact) in reads or one.at != one.frame.at]


def _in_the_time_of(
    moment: Moment, end: datetime, firing: Firing, before: Firing | None
) -> Firing | None:
    """The firing as it holds from this turn to `end`; None: it does not hold there.

    Where it goes on from the time before, it stays what it was as it began.
    """
    start, stop = max(firing.since, moment.at), firing.until
    if (start > moment.at and start >= end) or (stop is not None and stop <= start):
        return None
    until = stop if stop is not None and stop < end else None
    if before is not None and before.until is None and start == moment.at:
        return msgspec.structs.replace(before, until=until)
    trigger = moment.event.version if start == moment.frame.at else None
    return msgspec.structs.replace(firing, since=start, until=until, trigger=trigger, lasts=True)


def _ended(firing: Firing, at: datetime) -> Iterator[Firing]:
    ended = firing if firing.until else msgspec.structs.replace(firing, until=at)
    assert ended.until is not None
    if ended.since < ended.until:
        yield ended
