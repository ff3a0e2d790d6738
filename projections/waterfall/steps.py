"""What a transition of a deal means for the pipeline: the steps from one state to the next.

Theory of operation. A deal is in the pipeline while it is open and its expected close lies in
the window that is asked about. At each instant at which something of a deal changes it goes from
one state to another. Such a transition is taken apart into steps, in a fixed order, each of which
adds to or takes from one group a count of deals and an amount. The steps of a transition add up
to what the deal is in its groups afterwards less what it was before, so those of all transitions
add up to the end less the start, in every group:

- It enters: by what it was before. It brings the amount that it had then, and a change of amount
  follows inside. What was not there before brings the amount that it has.
- It leaves: a change of amount comes first, then what it leaves for, with the amount that it has.
- It stays: it moves to another group with the amount that it had, then the amount changes there.
- It is in the pipeline neither before nor after, but ended or rested meanwhile: it enters and
  leaves at that instant, through the open state with the facts that it has afterwards.
"""

from collections.abc import Iterator
from datetime import date
from enum import Enum, IntEnum
from typing import NamedTuple

from domain.lifecycle import Status
from domain.lifecycle.facts import LostOutcome
from projections.figures import Values


class Side(IntEnum):
    """Where an expected close lies, seen from the window that is asked about."""

    WITHIN = 0
    EARLIER = 1
    LATER = 2
    UNDATED = 3

    @classmethod
    def of(cls, close: date | None, window: tuple[date, date] | None) -> "Side":
        """Of an expected close; `window` is its first and its last day, None: any, and none."""
        if window is None:
            return cls.WITHIN
        if close is None:
            return cls.UNDATED
        return cls.EARLIER if close < window[0] else cls.LATER if close > window[1] else cls.WITHIN


class State(NamedTuple):
    """What counts of a deal at one moment."""

    status: Status
    outcome: str | None
    side: Side
    group: Values
    kept: bool
    """Whether it has the values that are asked for."""

    @property
    def within(self) -> bool:
        """Whether it is in the pipeline of its group."""
        return self.status is Status.OPEN and self.side is Side.WITHIN


class Line(NamedTuple):
    """A line of the waterfall, or one of the lines that it consists of."""

    name: str
    kind: str | None = None

    def __str__(self) -> str:
        return self.name if self.kind is None else f"{self.name}:{self.kind}"


class Share(Enum):
    """Which amount a step brings or takes."""

    BEFORE = 1
    AFTER = 2
    RISE = 3
    FALL = 4
    CHANGE = 5
    """Of what is known of the same moment, up or down."""


class Step(NamedTuple):
    """What a transition adds to one group, or takes from it."""

    line: Line
    state: State
    """Whose group it is."""
    deals: int
    """1, -1, or 0 where only the amount changes."""
    share: Share


START, END = Line("start"), Line("end")
CREATED, REOPENED, RESUMED = Line("created"), Line("reopened"), Line("resumed")
MOVED_IN, MOVED_OUT = Line("moved-in"), Line("moved-out")
INCREASED, DECREASED = Line("increased"), Line("decreased")
WON, MERGED, SUSPENDED = Line("won"), Line("merged"), Line("suspended")
REVALUED, CORRECTED = Line("revalued"), Line("corrected")

_PULLED_IN = {
    Side.LATER: Line("pulled-in", "from-later"),
    Side.EARLIER: Line("pulled-in", "from-earlier"),
    Side.UNDATED: Line("pulled-in", "undated"),
}
_PUSHED_OUT = {
    Side.LATER: Line("pushed-out", "to-later"),
    Side.EARLIER: Line("pushed-out", "to-earlier"),
    Side.UNDATED: Line("pushed-out", "undated"),
}
_LOST = {
    outcome.value: Line("lost", outcome.value)
    for outcome in (
        LostOutcome.LOST_TO_COMPETITOR,
        LostOutcome.NO_DECISION,
        LostOutcome.WITHDRAWN,
        LostOutcome.DISQUALIFIED,
        LostOutcome.UNKNOWN,
        LostOutcome.VOIDED,
    )
}

LINES = (
    *(CREATED, REOPENED, RESUMED),
    *_PULLED_IN.values(),
    *(MOVED_IN, INCREASED, DECREASED, MOVED_OUT),
    *_PUSHED_OUT.values(),
    WON,
    *_LOST.values(),
    *(MERGED, SUSPENDED, REVALUED, CORRECTED),
)
"""All lines between start and end, in their order. They add up: a name with kinds has no other."""

assert len(_LOST) == len(LostOutcome)

NAMES = tuple(dict.fromkeys(line.name for line in (START, *LINES, END)))


class NoSuchLine(ValueError):
    """A text names no line, or the question has none of that name."""


class NothingRevalued(NoSuchLine):
    """The question has no currency to report in."""


class NothingCorrected(NoSuchLine):
    """The question does not see each moment with the knowledge of its own."""


def lines_named(text: str) -> list[Line]:
    """The lines that a text names: `won`, all kinds of `lost`, or one as in `lost:no-decision`.

    Raises NoSuchLine.
    """
    wanted = text.strip().replace("_", "-")
    found = [line for line in (START, *LINES, END) if wanted in (line.name, str(line))]
    if not found:
        raise NoSuchLine(
            f"there is no line {text!r}; use {', '.join(NAMES)}, or one with its kind,"
            f" as in {_LOST[LostOutcome.NO_DECISION.value]}"
        )
    return found


def steps_of(before: State | None, after: State, *, anew: bool = False) -> Iterator[Step]:
    """The steps of a transition, in order. `before` is None at the opening.

    `anew` tells that a deal which ended before has ended again: its end is another instant.
    """
    was = before is not None and before.within
    if was and after.within:
        assert before is not None
        yield from _staying(before, after)
    elif was:
        assert before is not None
        yield from _changing(before)
        yield Step(_exit(after), before, -1, Share.AFTER)
    elif after.within:
        yield from _entering(before, after)
    elif _passes(before, after, anew=anew):
        yield from _entering(before, after)
        yield Step(_exit(after), after, -1, Share.AFTER)


def corrections_of(before: State | None, after: State) -> Iterator[Step]:
    """The steps from what was known of a moment to what is known of it later.

    `before` is None where nothing was known yet. What was open once stays known: an opening is
    never withdrawn.
    """
    was = before if before is not None and before.within else None
    now = after if after.within else None
    if was is not None and now is not None and _place(was) == _place(now):
        yield Step(CORRECTED, now, 0, Share.CHANGE)
        return
    if was is not None:
        yield Step(CORRECTED, was, -1, Share.BEFORE)
    if now is not None:
        yield Step(CORRECTED, now, 1, Share.AFTER)


def _place(state: State) -> tuple[Values, bool]:
    return state.group, state.kept


def _staying(before: State, after: State) -> Iterator[Step]:
    if _place(before) != _place(after):
        yield Step(MOVED_OUT, before, -1, Share.BEFORE)
        yield Step(MOVED_IN, after, 1, Share.BEFORE)
    yield from _changing(after)


def _changing(state: State) -> Iterator[Step]:
    yield Step(INCREASED, state, 0, Share.RISE)
    yield Step(DECREASED, state, 0, Share.FALL)


def _entering(before: State | None, after: State) -> Iterator[Step]:
    if before is None:
        yield Step(CREATED, after, 1, Share.AFTER)
        return
    yield Step(_entry(before), after, 1, Share.BEFORE)
    yield from _changing(after)


def _passes(before: State | None, after: State, *, anew: bool) -> bool:
    """Whether a deal outside the pipeline was in it for the instant at which it ended or rested.

    A duplicate of what had ended or rested before leaves nothing.
    """
    if after.status is Status.OPEN or after.side is not Side.WITHIN:
        return False
    if before is None:
        return True
    if after.status is Status.MERGED:
        return before.status is Status.OPEN
    if (before.status, before.outcome) != (after.status, after.outcome):
        return True
    return anew and after.status.closed


def _entry(before: State) -> Line:
    """Why a deal comes into the pipeline."""
    match before.status:
        case Status.OPEN:
            return _PULLED_IN[before.side]
        case Status.SUSPENDED:
            return RESUMED
        case _:
            return REOPENED


def _exit(after: State) -> Line:
    """Why a deal goes out of the pipeline."""
    match after.status:
        case Status.OPEN:
            return _PUSHED_OUT[after.side]
        case Status.SUSPENDED:
            return SUSPENDED
        case Status.MERGED:
            return MERGED
        case Status.WON:
            return WON
        case _:
            return _LOST.get(after.outcome or "", _LOST[LostOutcome.UNKNOWN.value])
