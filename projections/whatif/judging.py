"""Which events of a variation the rules would refuse, though they let them pass before.

Structural rules are those that deciding asks, by the same function. Beside them stands the rule of
the gate: it binds commands and not histories, so it is asked here of every move without an
override, and a move that no gate let pass in the original either is left alone.
"""

from collections.abc import Mapping
from functools import cached_property

import msgspec

from domain.deal import Deal, admissible
from domain.gates import gate_state
from domain.process import ProcessBook, SalesProcess
from domain.refusals import GateNotMet, Refusal, StagesSkipped
from domain.stages.facts import StageAdvanced
from projections.frames import Frame, frames_of
from projections.whatif.editing import Bounds, Edited


class Refused(msgspec.Struct, frozen=True):
    """An event that the rules would refuse where it stands in the variation."""

    frame: Frame
    """Where it stands, or stood when it was dropped."""
    refusal: Refusal
    dropped: bool
    """It was dropped for it."""


class Played(msgspec.Struct, frozen=True, dict=True):
    """A history folded, and what the rules say of each of its events."""

    history: Edited
    bounds: Bounds
    processes: ProcessBook

    @cached_property
    def frames(self) -> list[Frame]:
        return frames_of(self.history.remaining, self.bounds.as_of, self.bounds.known_at)

    @cached_property
    def refusals(self) -> Mapping[int, Refusal]:
        """By version, of the events at the fork and behind it: why they would be refused."""
        whole = self.frames[-1].after if self.frames else Deal()
        found = {}
        for frame in self.frames:
            if self.history.behind_fork(frame.event):
                refusal = self._refusal(frame, whole)
                if refusal is not None:
                    found[frame.event.version] = refusal
        return found

    def _refusal(self, frame: Frame, whole: Deal) -> Refusal | None:
        fact = frame.event.fact
        before = msgspec.structs.replace(frame.before, whole=whole)
        try:
            admissible(fact, before, self.processes, self.history.events)
        except Refusal as refusal:
            return refusal
        if isinstance(fact, StageAdvanced) and fact.override is None:
            assert frame.before.life.process is not None
            return _refused_move(fact, frame, self.processes.get(frame.before.life.process))
        return None


def _refused_move(fact: StageAdvanced, frame: Frame, process: SalesProcess) -> Refusal | None:
    """Why a move that is structurally sound would need an override; None: it would not."""
    here, there = process.position(fact.from_), process.position(fact.to)
    assert here is not None
    assert there is not None
    skipped = [stage.id for stage in process.stages[here + 1 : there]]
    if skipped:
        return StagesSkipped(
            f"the move skips {', '.join(skipped)}", "Move stage by stage, or override."
        )
    gate = gate_state(frame.before, process.stages[here], frame.at)
    if gate.missing:
        wanting = "; ".join(f"{one.id}: {one.text.en}" for one in gate.missing_criteria())
        return GateNotMet(
            f"the gate of {gate.stage} is not met, missing are {wanting}",
            f"What meets them: {gate.advice()}.",
        )
    return None


def played_on(original: Played, varied: Edited) -> tuple[Played, list[Refused]]:
    """The variation, and its events that became inadmissible, in order of occurrence.

    They stay; `played_strictly` drops them.
    """
    play = Played(varied, original.bounds, original.processes)
    newly = _newly(original, play)
    return play, [
        Refused(frame, newly[frame.event.version], dropped=False)
        for frame in play.frames
        if frame.event.version in newly
    ]


def played_strictly(original: Played, varied: Edited) -> tuple[Played, list[Refused]]:
    """The same, but the first inadmissible command is dropped, until there is none.

    Each is judged without those dropped before it.
    """
    refused: list[Refused] = []
    while True:
        play = Played(varied, original.bounds, original.processes)
        newly = _newly(original, play)
        first = next((one.event for one in play.frames if one.event.version in newly), None)
        if first is None:
            return play, refused
        less = varied.without(first)
        refused += [
            Refused(frame, newly.get(frame.event.version, newly[first.version]), dropped=True)
            for frame in play.frames
            if frame.event.version in less.dropped
        ]
        varied = less


def _newly(original: Played, play: Played) -> dict[int, Refusal]:
    """What the rules refuse in the variation and did not refuse in the original."""
    return {
        version: refusal
        for version, refusal in play.refusals.items()
        if version not in original.refusals
    }
