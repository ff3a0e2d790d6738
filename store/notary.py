"""The log proves itself: checkpoints, receipts, proofs of consistency.

Every event is sealed when it is appended: its leaf is in the Merkle log. A
checkpoint is a signed statement of how many events there are and what root
hash they have; a receipt proves of one event that it is under a checkpoint, a
consistency proof of two checkpoints that nothing under the older one has
changed. The texts are those of C2SP; docs/proofs.md describes them.

Nothing is signed that contradicts what was signed last: the key store remembers
it, apart from the log. Who can write the log and its keys is not stopped by that.
What a log says of itself proves little while nobody else has heard it: so
checkpoints are to be kept elsewhere, and countersigned by witnesses.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeAlias

from store.errors import StoreError
from store.identity import origin_of, store_id_of
from store.keys.ring import KeyRing
from store.keys.signing import Signed, SigningKey
from store.keys.wrapping import damaged
from store.recorder import CheckpointRow, Recorder
from store.seals import tiles
from store.seals.merkle import ProofError, leaf_hash, verify_inclusion
from store.seals.notes import (
    Checkpoint,
    Note,
    NoteError,
    Signature,
    SignatureType,
    VerifierKey,
    parse_checkpoint,
    parse_note,
    with_cosignatures,
)
from store.seals.proofs import (
    Disclosure,
    write_add_checkpoint,
    write_consistency,
    write_receipt,
)
from store.seals.tiles import TILE_WIDTH
from store.times import written

WitnessAnswer: TypeAlias = str | int
"""The cosignature lines, or the size that the witness knows of the log (409)."""

_CHECK_IT = "Run dealstate audit fsck, which tells what was changed; then restore a backup."


class UnknownEvent(StoreError):
    """The log holds no such event."""


class UnknownCheckpoint(StoreError):
    """The log has made no such checkpoint."""


class LogContradicted(StoreError):
    """The log is not what one of its own checkpoints says; nothing more is signed."""


class WitnessRefused(StoreError):
    """A witness has not cosigned a checkpoint."""


class Notary:
    """Makes the proofs of one log."""

    def __init__(self, recorder: Recorder, keys: KeyRing, clock: Callable[[], datetime]) -> None:
        self._recorder = recorder
        self._keys = keys
        self._clock = clock

    @property
    def origin(self) -> str:
        """What the log is called in its checkpoints. Raises StoreError where it does not say."""
        return origin_of(store_id_of(self._recorder))

    def verifier_keys(self) -> list[VerifierKey]:
        """The public keys that have signed checkpoints, the newest last."""
        return verifier_keys(self._keys)

    # Checkpoints.

    def checkpoint(self, size: int | None = None) -> str:
        """A signed checkpoint of the log as it is, or of its first `size` events.

        It is the kept one of that size where it still holds. One that another key
        signed is signed by the newest key too, and keeps its signatures. Raises
        LogContradicted; KeysAbsent where it has to be signed and there are no keys.
        """
        if size is None:
            size = self._recorder.head()
        kept = self._kept(size)
        told = Signed(size, self.root(size))
        text = Checkpoint(self.origin, size, told.root).text()
        before: tuple[Signature, ...] = ()
        if kept is None:
            self._require_extended()
        else:
            note, _ = read_kept(kept)
            before = note.signatures
            if note.text != text:
                raise _contradicted(size)
            if {one.key_id for one in before} & {key.id for key in self.verifier_keys()[-1:]}:
                self._require_signed(self._keys.signed_last())
                return kept
        signed = self._keys.sign_checkpoint(told, text, self._require_signed)
        key = verifier_key(signed.key)
        self.keep(str(Note(text, (*before, Signature(key.name, key.id, signed.value)))))
        return self._known(size)

    def add_signing_key(self) -> VerifierKey:
        """A new key, which signs from now on.

        The log as it is gets a checkpoint that both keys sign, so that who trusts
        the old key sees the new one vouch for the same history.
        """
        self.checkpoint()
        added = self._keys.add_signing_key(self.origin)
        self.checkpoint()
        return verifier_key(added)

    def keep(self, note: str) -> None:
        """Keep a checkpoint with the log, such as one that a witness has countersigned.

        It keeps the signatures that one of the same size had.
        """
        _, told = read_kept(note)
        self._recorder.keep_checkpoint(CheckpointRow(told.size, note, written(self._clock())))

    def checkpoints(self) -> list[CheckpointRow]:
        """All checkpoints kept with the log, the smallest first."""
        return self._recorder.checkpoints()

    def last_checkpoint(self) -> CheckpointRow | None:
        """The last checkpoint kept with the log; None where none was made."""
        return self._recorder.last_checkpoint()

    def require_begins_with(self, told: Checkpoint) -> None:
        """Raise LogContradicted unless the log begins as a checkpoint of it says."""
        self._require_signed(Signed(told.size, told.root))

    def _require_signed(self, told: Signed | None) -> None:
        """Raise LogContradicted unless the log goes on from there; None: from anywhere."""
        if told is None:
            return
        if told.size > self._recorder.head() or self.root(told.size) != told.root:
            raise _contradicted(told.size)

    def cosigned(self, note: str, witness: VerifierKey, ask: Callable[[str], WitnessAnswer]) -> str:
        """A checkpoint of this log with a witness's cosignature; it is kept so.

        `ask` sends the body of an add-checkpoint request (C2SP tlog-witness) and
        gives the answer. Raises WitnessRefused; LogContradicted where the witness has
        cosigned what this log is not a continuation of.
        """
        parsed, told = read_kept(note)
        size = told.size
        answer = ask(self._request(self._last_cosigned(witness), size, note))
        if isinstance(answer, int):
            if answer > size:
                raise LogContradicted(
                    f"the witness {witness.name} has cosigned {answer} events of this log,"
                    f" and it has {size}",
                    "Events were removed, or an older backup was restored: run dealstate audit"
                    " fsck.",
                )
            asked_from, answer = answer, ask(self._request(answer, size, note))
            if answer == asked_from == size:
                raise another_history(witness)
        if isinstance(answer, int):
            raise WitnessRefused(
                f"the witness {witness.name} has another checkpoint of {answer} events",
                "If others ask it for the same log, try again; else run dealstate audit fsck.",
            )
        try:
            cosigned = str(with_cosignatures(parsed, answer, [witness]))
        except NoteError as error:
            raise WitnessRefused(
                f"the answer of the witness {witness.name} is not its cosignature: {error}",
                "Check its address and its verifier key.",
            ) from error
        self.keep(cosigned)
        return self._known(size)

    def _request(self, old: int, size: int, note: str) -> str:
        with _damage_told():
            proof = tiles.consistency_proof(self._recorder, old, size) if old else []
        return write_add_checkpoint(old, proof, note)

    def _last_cosigned(self, witness: VerifierKey) -> int:
        """The size of the last kept checkpoint that bears the cosignature of a witness."""
        return next(
            (
                row.size
                for row in reversed(self._recorder.checkpoints())
                if any(
                    (one.name, one.key_id) == (witness.name, witness.id)
                    for one in read_kept(row.note)[0].signatures
                )
            ),
            0,
        )

    # Proofs.

    def receipt(self, stream: str, version: int, disclosures: tuple[Disclosure, ...] = ()) -> str:
        """The receipt of one event under the last checkpoint, a new one where it is not covered.

        Raises UnknownEvent, LogContradicted.
        """
        position, stored = stored_event(self._recorder, stream, version)
        return self._receipt(position - 1, stored, self._covering(position), disclosures)

    def receipts(self, stream: str) -> list[str]:
        """The receipts of all events of a stream in order of version, under one checkpoint.

        They show that each of these is in the log and none of them left out; that none
        came after, no receipt can show. Raises LogContradicted.
        """
        positions = self._recorder.positions(stream)
        if not positions:
            return []
        note = self._covering(max(positions.values()))
        return [
            self._receipt(positions[version] - 1, stored, note)
            for _, version, _, stored in self._recorder.rows(stream)
            if version in positions
        ]

    def _receipt(
        self, index: int, stored: bytes, note: str, disclosures: tuple[Disclosure, ...] = ()
    ) -> str:
        _, checkpoint = read_kept(note)
        try:
            proof = tiles.inclusion_proof(self._recorder, index, checkpoint.size)
            verify_inclusion(index, checkpoint.size, leaf_hash(stored), proof, checkpoint.root)
        except ProofError as error:
            raise _contradicted(checkpoint.size) from error
        return write_receipt(stored, index, proof, note, disclosures)

    def consistency(self, old: int, new: int) -> str:
        """The proof that the checkpoint of `new` events extends that of `old`.

        Raises UnknownCheckpoint, LogContradicted.
        """
        old_note, new_note = self._known(old), self._known(new)
        if not 0 < old <= new:
            raise UnknownCheckpoint(
                f"a checkpoint of {new} events does not extend one of {old}",
                "Give the sizes of two checkpoints, the older one, of at least one event, first.",
            )
        with _damage_told():
            proof = tiles.consistency_proof(self._recorder, old, new)
            return write_consistency(proof, new_note, old_note)

    def leaves(self, positions: Iterable[int]) -> dict[int, bytes]:
        """The leaf hashes of the events at these positions of the feed. Raises LogContradicted."""
        by_tile: dict[int, list[int]] = {}
        for position in positions:
            by_tile.setdefault((position - 1) // TILE_WIDTH, []).append(position)
        found: dict[int, bytes] = {}
        for number, some in by_tile.items():
            first = number * TILE_WIDTH
            leaves = self._recorder.leaves(first, max(some))
            if len(leaves) != max(some) - first:
                raise LogContradicted("the hash tree of the log lacks leaves", _CHECK_IT)
            found.update((position, leaves[position - 1 - first]) for position in some)
        return found

    def _covering(self, size: int) -> str:
        last = self._recorder.last_checkpoint()
        return last.note if last is not None and last.size >= size else self.checkpoint()

    def root(self, size: int) -> bytes:
        """The root hash of the first `size` events. Raises LogContradicted."""
        with _damage_told():
            return tiles.root(self._recorder, size)

    def _require_extended(self) -> None:
        """Nothing is signed that contradicts what was signed before."""
        last = self._recorder.last_checkpoint()
        if last is not None:
            self.require_begins_with(read_kept(last.note)[1])

    def _kept(self, size: int) -> str | None:
        row = self._recorder.checkpoint(size)
        return None if row is None else row.note

    def _known(self, size: int) -> str:
        note = self._kept(size)
        if note is None:
            sizes = ", ".join(str(row.size) for row in self._recorder.checkpoints()[-10:])
            raise UnknownCheckpoint(
                f"there is no checkpoint of {size} events", f"The last ones are of {sizes} events."
            )
        return note


@contextmanager
def _damage_told() -> Iterator[None]:
    """What of the hash tree cannot be read, as an error of ours."""
    try:
        yield
    except ProofError as error:
        raise LogContradicted(f"the hash tree of the log is damaged: {error}", _CHECK_IT) from error


def read_kept(note: str) -> tuple[Note, Checkpoint]:
    """A checkpoint that is kept with the log. Raises LogContradicted where it is damaged."""
    try:
        parsed = parse_note(note)
        return parsed, parse_checkpoint(parsed.text)
    except NoteError as error:
        raise LogContradicted(
            f"a checkpoint that is kept with the log is damaged: {error}", _CHECK_IT
        ) from error


def verifier_key(key: SigningKey) -> VerifierKey:
    """A signing key of the key ring as those see it who verify. Raises KeysDamaged."""
    try:
        return VerifierKey(key.name, SignatureType.ED25519, key.public)
    except NoteError as error:
        raise damaged(f"a signing key is not one: {error}") from error


def verifier_keys(keys: KeyRing) -> list[VerifierKey]:
    """The public keys of a ring that sign or have signed checkpoints, the newest last."""
    return [verifier_key(key) for key in keys.signing_keys()]


def stored_event(recorder: Recorder, stream: str, version: int) -> tuple[int, bytes]:
    """Position in the log and stored bytes of an event. Raises UnknownEvent."""
    found = recorder.event(stream, version)
    if found is None:
        raise UnknownEvent(
            f"{stream} has no version {version}", "Look its versions up in the audit trail."
        )
    return found


def another_history(witness: VerifierKey) -> LogContradicted:
    """A witness has cosigned what this log is not a continuation of."""
    return LogContradicted(
        f"the witness {witness.name} has cosigned another history of this log",
        "Events were changed or removed since then: run dealstate audit fsck.",
    )


def _contradicted(size: int) -> LogContradicted:
    return LogContradicted(
        f"the log does not begin with the {size} events of a checkpoint that it has signed",
        _CHECK_IT,
    )
