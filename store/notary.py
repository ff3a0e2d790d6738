"""The log proves itself: checkpoints, receipts, proofs of consistency.

Every event is sealed when it is appended: its leaf is in the Merkle log. A
checkpoint is a signed statement of how many events there are and what root
hash they have; a receipt proves of one event that it is under a checkpoint, a
consistency proof of two checkpoints that nothing under the older one has
changed. The texts are those of C2SP; docs/proofs.md describes them.

What a log says of itself proves little while nobody else has heard it: so
checkpoints are to be kept elsewhere, and countersigned by witnesses.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeAlias

from store.errors import StoreError
from store.keys.ring import KeyRing
from store.keys.signing import SigningKey
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
from store.seals.tiles import TILE_WIDTH, MissingHashes

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
        self.origin = recorder.properties()["origin"]

    def verifier_keys(self) -> list[VerifierKey]:
        """The public keys that have signed checkpoints, the newest last."""
        return verifier_keys(self._keys)

    # Checkpoints.

    def checkpoint(self) -> str:
        """A signed checkpoint of the log as it is; the last one where it still holds.

        A kept one of the same size that another key signed is signed by the newest
        key too, and keeps its signatures. Raises LogContradicted.
        """
        size = self._recorder.head()
        kept = self._kept(size)
        text = Checkpoint(self.origin, size, self._root(size)).text()
        before = () if kept is None else parse_note(kept).signatures
        if kept is None:
            self._require_extended()
        elif parse_note(kept).text != text:
            raise _contradicted(size)
        elif any(one.key_id == self.verifier_keys()[-1].id for one in before):
            return kept
        signed = self._keys.sign(text.encode())
        key = verifier_key(signed.key)
        note = str(Note(text, (*before, Signature(key.name, key.id, signed.value))))
        self.keep(note)
        return note

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
        """Keep a checkpoint with the log, such as one that a witness has countersigned."""
        size = parse_checkpoint(parse_note(note).text).size
        made_at = f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        self._recorder.keep_checkpoint(CheckpointRow(size, note, made_at))

    def checkpoints(self) -> list[CheckpointRow]:
        """All checkpoints kept with the log, the smallest first."""
        return self._recorder.checkpoints()

    def require_begins_with(self, told: Checkpoint) -> None:
        """Raise LogContradicted unless the log begins as a checkpoint of it says."""
        if told.size > self._recorder.head() or self._root(told.size) != told.root:
            raise _contradicted(told.size)

    def cosigned(self, note: str, witness: VerifierKey, ask: Callable[[str], WitnessAnswer]) -> str:
        """A checkpoint of this log with a witness's cosignature; it is kept so.

        `ask` sends the body of an add-checkpoint request (C2SP tlog-witness) and
        gives the answer. Raises WitnessRefused.
        """
        parsed = parse_note(note)
        size = parse_checkpoint(parsed.text).size
        answer = ask(self._request(self._last_cosigned(witness), size, note))
        if isinstance(answer, int):
            if answer > size:
                raise WitnessRefused(
                    f"the witness {witness.name} has cosigned {answer} events of this log,"
                    f" and it has {size}",
                    "Events were removed, or an older backup was restored: run dealstate audit"
                    " fsck.",
                )
            answer = ask(self._request(answer, size, note))
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
        return cosigned

    def _request(self, old: int, size: int, note: str) -> str:
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
                    for one in parse_note(row.note).signatures
                )
            ),
            0,
        )

    # Proofs.

    def receipt(self, stream: str, version: int, disclosures: tuple[Disclosure, ...] = ()) -> str:
        """The receipt of one event under the last checkpoint, a new one where it is not covered.

        Raises UnknownEvent.
        """
        rows = self._recorder.rows(stream, version - 1)
        if version < 1 or not rows:
            raise UnknownEvent(
                f"{stream} has no version {version}", "Look its versions up in the audit trail."
            )
        index = self._recorder.positions(stream)[version] - 1
        note = self._covering(index + 1)
        checkpoint = parse_checkpoint(parse_note(note).text)
        try:
            proof = tiles.inclusion_proof(self._recorder, index, checkpoint.size)
            leaf = leaf_hash(rows[0][3])
            verify_inclusion(index, checkpoint.size, leaf, proof, checkpoint.root)
        except ProofError as error:
            raise _contradicted(checkpoint.size) from error
        return write_receipt(rows[0][3], index, proof, note, disclosures)

    def consistency(self, old: int, new: int) -> str:
        """The proof that the checkpoint of `new` events extends that of `old`.

        Raises UnknownCheckpoint.
        """
        old_note, new_note = self._known(old), self._known(new)
        if not 0 < old <= new:
            raise UnknownCheckpoint(
                f"a checkpoint of {new} events does not extend one of {old}",
                "Give the sizes of two checkpoints, the older one, of at least one event, first.",
            )
        proof = tiles.consistency_proof(self._recorder, old, new)
        return write_consistency(proof, new_note, old_note)

    def leaves(self, positions: Iterable[int]) -> dict[int, bytes]:
        """The leaf hashes of the events at these positions of the feed."""
        by_tile: dict[int, list[int]] = {}
        for position in positions:
            by_tile.setdefault((position - 1) // TILE_WIDTH, []).append(position)
        found: dict[int, bytes] = {}
        for number, some in by_tile.items():
            first = number * TILE_WIDTH
            leaves = self._recorder.leaves(first, max(some))
            found.update((position, leaves[position - 1 - first]) for position in some)
        return found

    def _covering(self, size: int) -> str:
        kept = self._recorder.checkpoints()
        return kept[-1].note if kept and kept[-1].size >= size else self.checkpoint()

    def _root(self, size: int) -> bytes:
        try:
            return tiles.root(self._recorder, size)
        except MissingHashes as error:
            raise LogContradicted(
                f"the hash tree of the log is damaged: {error}", _CHECK_IT
            ) from error

    def _require_extended(self) -> None:
        """Nothing is signed that contradicts what was signed before."""
        kept = self._recorder.checkpoints()
        if kept:
            self.require_begins_with(parse_checkpoint(parse_note(kept[-1].note).text))

    def _kept(self, size: int) -> str | None:
        return next((row.note for row in self._recorder.checkpoints() if row.size == size), None)

    def _known(self, size: int) -> str:
        note = self._kept(size)
        if note is None:
            sizes = ", ".join(str(row.size) for row in self._recorder.checkpoints()[-10:])
            raise UnknownCheckpoint(
                f"there is no checkpoint of {size} events", f"The last ones are of {sizes} events."
            )
        return note


def verifier_key(key: SigningKey) -> VerifierKey:
    """A signing key of the key ring as those see it who verify."""
    return VerifierKey(key.name, SignatureType.ED25519, key.public)


def verifier_keys(keys: KeyRing) -> list[VerifierKey]:
    """The public keys of a ring that sign or have signed checkpoints, the newest last."""
    return [verifier_key(key) for key in keys.signing_keys()]


def _contradicted(size: int) -> LogContradicted:
    return LogContradicted(
        f"the log does not begin with the {size} events of a checkpoint that it has signed",
        _CHECK_IT,
    )
