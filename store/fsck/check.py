"""The whole check of a log."""

from collections.abc import Sequence

from store.events.fields import FieldCipher
from store.fsck.beside import check_commands, check_identity, check_tables
from store.fsck.checkpoints import Checkpoints, ClaimedCheckpoint
from store.fsck.events import Opener, Pass, Progress
from store.fsck.findings import Findings, Kind, Problem, Problems, Signatures
from store.fsck.tree import check_ends
from store.keys.errors import KeysDamaged
from store.keys.ring import KeyRing
from store.keys.signing import Signed
from store.notary import verifier_keys
from store.recorder import Recorder
from store.seals import tiles
from store.seals.merkle import ProofError
from store.seals.notes import VerifierKey, encode_base64


def check(
    recorder: Recorder,
    keys: KeyRing,
    *,
    elsewhere: Sequence[ClaimedCheckpoint] = (),
    witnesses: Sequence[VerifierKey] = (),
    trusted: Sequence[VerifierKey] = (),
    whole: bool = True,
    fields: bool = False,
    progress: Progress | None = None,
) -> Findings:
    """Check a whole log; `elsewhere` are checkpoints of it that were kept outside of the store.

    A kept checkpoint counts like one of those where one of `witnesses` has cosigned it.

    Checkpoints have to be signed by one of `trusted`; where none is given, by the keys
    of the store; where these are absent too, signatures are not checked. Unless the
    log is `whole`, as a copy may not be, it may lack what was signed since. With
    `fields`, every encrypted field is decrypted with the keys there are.
    """
    problems = Problems()
    last = _signed_last(keys, problems)
    signers = list(trusted) or _own_signers(keys, problems)
    # Read before the events: whoever signs meanwhile signs more than these.
    kept = [
        ClaimedCheckpoint(
            f"the kept checkpoint of {row.size} events", row.note, row.size, elsewhere=False
        )
        for row in recorder.checkpoints()
    ]
    store_id = check_identity(recorder, keys, problems)
    check_tables(recorder, problems)
    opener = Opener(FieldCipher(keys), problems) if fields else None
    one_pass = Pass(recorder, problems, opener, progress)
    events = one_pass.run()
    check_ends(recorder, events, problems)
    check_commands(recorder, one_pass.versions, problems)
    if last is not None and last.size > events and not whole:
        last = None
    checkpoints = Checkpoints(
        recorder, store_id, signers, witnesses, events=events, problems=problems
    )
    held = checkpoints.check([*kept, *elsewhere], last)
    told = problems.in_order()
    return Findings(
        events=events,
        root=_root(recorder, events),
        checkpoints=held,
        signed_until=checkpoints.signed_until,
        signatures=_whose(trusted, signers),
        fields_opened=opener.opened if opener else 0,
        fields_erased=opener.erased if opener else 0,
        fields_lost=opener.lost if opener else 0,
        problems=told,
        others=problems.count - len(told),
    )


def _root(recorder: Recorder, size: int) -> str | None:
    try:
        return encode_base64(tiles.root(recorder, size))
    except ProofError:
        return None


def _signed_last(keys: KeyRing, problems: Problems) -> Signed | None:
    try:
        keys.pending_erasures()
        return keys.signed_last()
    except KeysDamaged as error:
        problems.add(Problem(None, Kind.KEYS, error.message), Kind.KEYS)
        return None


def _own_signers(keys: KeyRing, problems: Problems) -> list[VerifierKey]:
    try:
        return verifier_keys(keys)
    except KeysDamaged as error:
        problems.add(Problem(None, Kind.KEYS, error.message), Kind.KEYS)
        return []


def _whose(trusted: Sequence[VerifierKey], signers: Sequence[VerifierKey]) -> Signatures:
    if trusted:
        return Signatures.OF_NAMED_KEYS
    return Signatures.OF_KEY_STORE if signers else Signatures.UNCHECKED
