"""The checkpoints against the log: what was signed about it still has to hold."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from store.fsck.findings import Kind, Problem, Problems
from store.keys.ring import KeyRing
from store.notary import verifier_keys
from store.recorder import Recorder
from store.seals import tiles
from store.seals.merkle import ProofError
from store.seals.notes import Checkpoint, parse_checkpoint, parse_note, verify


class ClaimedCheckpoint(NamedTuple):
    """A checkpoint that has to hold, and how it is called in a finding."""

    called: str
    note: str
    size: int | None = None
    """As it is kept under; none where it stands for itself."""


class Checkpoints:
    """What was signed about the log: size and root."""

    def __init__(self, recorder: Recorder, keys: KeyRing, events: int, problems: Problems) -> None:
        self._recorder = recorder
        self._origin = recorder.properties()["origin"]
        self._keys = verifier_keys(keys)
        self._events = events
        self._problems = problems

    def check(self, claimed: Iterable[ClaimedCheckpoint]) -> int:
        """Answers how many hold."""
        signed = sorted(self._signed(claimed), key=lambda one: one[1].size)
        held = 0
        sound_until = 0
        for called, told in signed:
            reason = self._reason(told, sound_until)
            if reason is None:
                held += 1
                sound_until = told.size
            else:
                first = min(sound_until, self._events)
                self._fail(called, reason, first, max(first, told.size - 1))
        return held

    def _signed(self, claimed: Iterable[ClaimedCheckpoint]) -> Iterator[tuple[str, Checkpoint]]:
        """The claimed checkpoints that are of this log and signed by it."""
        for claim in claimed:
            try:
                note = parse_note(claim.note)
                told = parse_checkpoint(note.text)
                if told.origin != self._origin:
                    raise ProofError(f"it is of {told.origin}, not of {self._origin}")
                verify(note, self._keys)
                if claim.size not in {None, told.size}:
                    raise ProofError(f"it is one of {told.size} events")
            except ProofError as error:
                self._fail(claim.called, str(error))
            else:
                yield claim.called, told

    def _reason(self, told: Checkpoint, sound_until: int) -> str | None:
        """Why a checkpoint does not hold; None where it holds."""
        if told.size > self._events:
            return f"the log has {self._events} events only"
        try:
            root = tiles.root(self._recorder, told.size)
        except ProofError as error:
            return str(error)
        if root == told.root:
            return None
        return (
            f"the root of the first {told.size} events is another one; what was changed is among"
            f" the events {sound_until + 1} to {told.size}"
        )

    def _fail(
        self, called: str, reason: str, first: int | None = None, last: int | None = None
    ) -> None:
        what = f"{called} does not hold: {reason}"
        problem = Problem(first, Kind.CHECKPOINT, what, last_index=last)
        self._problems.add(problem, "checkpoints")
