"""The checkpoints against the log: what was signed about it still has to hold.

Where one does not hold, what was changed lies before its end, and behind the last
one that does hold and that whoever has this store and its keys cannot have made:
one that was kept elsewhere, or that a known witness has cosigned. All others tell
nothing of where it lies; they may have been signed anew after the change.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from store.fsck.findings import Kind, Problem, Problems
from store.identity import origin_of
from store.keys.signing import Signed
from store.recorder import Recorder
from store.seals import tiles
from store.seals.merkle import ProofError
from store.seals.notes import Checkpoint, Note, VerifierKey, parse_checkpoint, parse_note, verify


class ClaimedCheckpoint(NamedTuple):
    """A checkpoint that has to hold, and how it is called in a finding."""

    called: str
    note: str
    size: int | None = None
    """As it is kept under; none where it stands for itself."""
    elsewhere: bool = True
    """Whether it was kept where who has this store could not replace it."""


class _Signed(NamedTuple):
    """A claimed checkpoint that this log has signed."""

    called: str
    told: Checkpoint
    vouched: bool
    """Whether somebody else stands for its being as old as it says."""


class Checkpoints:
    """What was signed about the log: size and root."""

    def __init__(
        self,
        recorder: Recorder,
        store_id: str | None,
        keys: Sequence[VerifierKey],
        witnesses: Sequence[VerifierKey],
        *,
        events: int,
        problems: Problems,
    ) -> None:
        self._recorder = recorder
        self._origin = None if store_id is None else origin_of(store_id)
        self._keys = keys
        self._witnesses = witnesses
        self._events = events
        self._problems = problems
        self.signed_until = 0
        """So many events are under a checkpoint that holds."""

    def check(self, claimed: Iterable[ClaimedCheckpoint], last: Signed | None) -> int:
        """Answers how many hold; beside them, what the key store says was signed last has to."""
        signed = list(self._signed(claimed))
        also = [] if last is None else self._also(last, signed)
        sound = {0}
        """Sizes up to which the log is as somebody else has seen it."""
        held = 0
        for one in sorted((*signed, *also), key=lambda one: one.told.size):
            called, told, vouched = one
            if told.size > self._events:
                missing = f"the log has {self._events} events only"
                self._fail(called, missing, self._events, told.size - 1)
                continue
            reason = self._reason(told)
            if reason is None:
                held += one not in also
                self.signed_until = told.size
                sound.update({told.size} if vouched else ())
                continue
            first = max((size for size in sound if size < told.size), default=None)
            self._fail(called, reason, first, None if first is None else told.size - 1)
        return held

    def _also(self, last: Signed, signed: Sequence[_Signed]) -> list[_Signed]:
        """What was signed last, where no checkpoint says the same."""
        if any((one.told.size, one.told.root) == (last.size, last.root) for one in signed):
            return []
        told = Checkpoint(self._origin or "unknown", last.size, last.root)
        called = f"the checkpoint of {last.size} events that the keys know to be signed last"
        return [_Signed(called, told, vouched=False)]

    def _signed(self, claimed: Iterable[ClaimedCheckpoint]) -> Iterator[_Signed]:
        """The claimed checkpoints that are of this log and signed by it."""
        for claim in claimed:
            try:
                note = parse_note(claim.note)
                told = parse_checkpoint(note.text)
                if self._origin not in {None, told.origin}:
                    raise ProofError(f"it is of {told.origin}, not of {self._origin}")
                if self._keys:
                    verify(note, self._keys)
                cosigned = bool(self._witnesses) and _cosigned(note, self._witnesses)
                if claim.size not in {None, told.size}:
                    raise ProofError(f"it is one of {told.size} events")
            except ProofError as error:
                self._fail(claim.called, str(error))
            else:
                yield _Signed(claim.called, told, claim.elsewhere or cosigned)

    def _reason(self, told: Checkpoint) -> str | None:
        """Why a checkpoint of the events there are does not hold; None where it holds."""
        try:
            root = tiles.root(self._recorder, told.size)
        except ProofError as error:
            return str(error)
        if root == told.root:
            return None
        return f"the root of the first {told.size} events is another one"

    def _fail(
        self, called: str, reason: str, first: int | None = None, last: int | None = None
    ) -> None:
        what = f"{called} does not hold: {reason}"
        problem = Problem(first, Kind.CHECKPOINT, what, last_index=last)
        self._problems.add(problem, "checkpoints")


def _cosigned(note: Note, witnesses: Sequence[VerifierKey]) -> bool:
    """Whether one of the witnesses has; a cosignature that does not verify is none."""
    try:
        return bool(verify(note, witnesses))
    except ProofError:
        return False
