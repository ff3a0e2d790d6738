"""The whole check of a log."""

from collections.abc import Sequence

from store.fields import FieldCipher
from store.fsck.checkpoints import Checkpoints, ClaimedCheckpoint
from store.fsck.events import Opener, Pass, Progress
from store.fsck.findings import Findings, Problems
from store.fsck.tree import check_ends
from store.keys.ring import KeyRing
from store.recorder import Recorder
from store.seals import tiles
from store.seals.merkle import ProofError
from store.seals.notes import encode_base64


def check(
    recorder: Recorder,
    keys: KeyRing,
    *,
    elsewhere: Sequence[ClaimedCheckpoint] = (),
    fields: bool = False,
    progress: Progress | None = None,
) -> Findings:
    """Check a whole log; `elsewhere` are checkpoints of it that were kept outside of the store.

    With `fields`, every encrypted field is decrypted with the keys there are.
    """
    problems = Problems()
    opener = Opener(FieldCipher(keys), problems) if fields else None
    events = Pass(recorder, problems, opener, progress).run()
    check_ends(recorder, events, problems)
    kept = [
        ClaimedCheckpoint(f"the kept checkpoint of {row.size} events", row.note, row.size)
        for row in recorder.checkpoints()
    ]
    held = Checkpoints(recorder, keys, events, problems).check([*kept, *elsewhere])
    told = problems.in_order()
    return Findings(
        events=events,
        root=_root(recorder, events),
        checkpoints=held,
        fields_opened=opener.opened if opener else 0,
        fields_erased=opener.erased if opener else 0,
        problems=told,
        others=problems.count - len(told),
    )


def _root(recorder: Recorder, size: int) -> str | None:
    try:
        return encode_base64(tiles.root(recorder, size))
    except ProofError:
        return None
