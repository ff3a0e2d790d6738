"""Checkpoints, receipts, and what a check of the log or of a proof file shows."""

import msgspec

from api.times import written
from api.wire.values import Instant
from store.fsck.findings import Findings, Problem
from store.keys.ring import KeyRingSummary
from store.keys.signing import SigningKey
from store.notary import verifier_key
from store.recorder import CheckpointRow
from store.seals.notes import encode_base64, parse_checkpoint, parse_note
from store.seals.verify import (
    CheckpointFinding,
    ConsistencyFinding,
    Finding,
    ReceiptFinding,
)


class CheckpointMade(msgspec.Struct, frozen=True, kw_only=True):
    """A signed statement of how many events the log has and what their root hash is."""

    origin: str
    size: int
    root: str
    """Base64."""
    note: str
    """The text to hand out (C2SP tlog-checkpoint)."""
    signers: list[str]
    """Names of who signed, the log itself among them."""
    written_to: list[str]
    """Files and addresses."""

    @classmethod
    def of(cls, text: str, written_to: list[str]) -> "CheckpointMade":
        note = parse_note(text)
        told = parse_checkpoint(note.text)
        return cls(
            origin=told.origin,
            size=told.size,
            root=encode_base64(told.root),
            note=text,
            signers=[one.name for one in note.signatures],
            written_to=written_to,
        )


class LastCheckpoint(msgspec.Struct, frozen=True):
    """The last checkpoint that is kept with the log."""

    size: int
    made_at: Instant
    events_after: int
    """Recorded since then."""

    @classmethod
    def of(cls, row: CheckpointRow, events: int) -> "LastCheckpoint":
        return cls(row.size, row.made_at, events - row.size)


class ProofText(msgspec.Struct, frozen=True):
    """A receipt or a proof of consistency, as the text that `audit verify` reads."""

    proof: str


class SignedCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint that was verified."""

    origin: str
    size: int
    root: str
    signed_by: list[str]
    """Verifier keys of the log."""
    cosigned_by: list[str]
    """Verifier keys of witnesses."""

    @classmethod
    def of(cls, finding: CheckpointFinding) -> "SignedCheckpoint":
        return cls(
            origin=finding.checkpoint.origin,
            size=finding.checkpoint.size,
            root=encode_base64(finding.checkpoint.root),
            signed_by=[str(one.key) for one in finding.signed_by],
            cosigned_by=[str(one.key) for one in finding.cosigned_by],
        )


class DisclosedField(msgspec.Struct, frozen=True):
    """The value of one encrypted field, which was committed to when it was recorded."""

    field: str
    value: str
    """JSON."""


class VerifiedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is in the log."""

    index: int
    """Of its leaf, from 0."""
    stream: str
    version: int
    type: str
    occurred_at: str
    known_at: str
    recorded_at: str
    actor: str
    disclosed: list[DisclosedField]


class VerifiedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What one file shows. Where it does not verify, `problem` says why, and all else is null."""

    file: str
    verified: bool
    problem: str | None = None
    event: VerifiedEvent | None = None
    """Of a receipt."""
    checkpoint: SignedCheckpoint | None = None
    extends: SignedCheckpoint | None = None
    """The older checkpoint, of a proof of consistency."""

    @classmethod
    def of(cls, file: str, finding: Finding) -> "VerifiedFile":
        event: VerifiedEvent | None = None
        extends: SignedCheckpoint | None = None
        match finding:
            case ReceiptFinding(under=under):
                event, checkpoint = _event(finding), under
            case ConsistencyFinding(old=old, new=checkpoint):
                extends = SignedCheckpoint.of(old)
            case CheckpointFinding():
                checkpoint = finding
        return cls(
            file=file,
            verified=True,
            event=event,
            checkpoint=SignedCheckpoint.of(checkpoint),
            extends=extends,
        )


def _event(finding: ReceiptFinding) -> VerifiedEvent:
    shown = finding.event
    return VerifiedEvent(
        index=finding.index,
        stream=shown.stream,
        version=shown.version,
        type=shown.type,
        occurred_at=shown.occurred_at,
        known_at=shown.known_at,
        recorded_at=shown.recorded_at,
        actor=shown.actor,
        disclosed=[DisclosedField(one.field, one.value) for one in finding.disclosed],
    )


class Verification(msgspec.Struct, frozen=True):
    """What each file shows."""

    files: list[VerifiedFile]


class LogProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the log that is not as it was written."""

    kind: str
    index: int | None
    """Of the first leaf that it concerns, from 0; null where it concerns no event."""
    last_index: int | None
    """Of the last leaf that it may concern; null where the first is known exactly."""
    position: int | None
    """Place of that event in the log, from 1."""
    stream: str | None
    version: int | None
    what: str

    @classmethod
    def of(cls, problem: Problem) -> "LogProblem":
        return cls(
            kind=problem.kind.value,
            index=problem.index,
            last_index=problem.last_index,
            position=problem.position,
            stream=problem.stream,
            version=problem.version,
            what=problem.what,
        )


class LogCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of the whole log found."""

    sound: bool
    events: int
    root: str | None
    """Base64; null where the hashes are damaged."""
    checkpoints: int
    """That hold."""
    fields_opened: int
    fields_erased: int
    problems: list[LogProblem]
    """The first ones, in the order of the log."""
    others: int
    """How many there are beyond those."""

    @classmethod
    def of(cls, findings: Findings) -> "LogCheck":
        return cls(
            sound=findings.sound,
            events=findings.events,
            root=findings.root,
            checkpoints=findings.checkpoints,
            fields_opened=findings.fields_opened,
            fields_erased=findings.fields_erased,
            problems=[LogProblem.of(problem) for problem in findings.problems],
            others=findings.others,
        )


class PublicKey(msgspec.Struct, frozen=True):
    """A key that signs checkpoints, or has signed some, as others see it."""

    verifier_key: str
    since: Instant
    until: Instant | None
    """Null for the one that signs now."""

    @classmethod
    def of(cls, key: SigningKey) -> "PublicKey":
        until = None if key.until is None else written(key.until)
        return cls(str(verifier_key(key)), written(key.since), until)


class KeyStore(msgspec.Struct, frozen=True, kw_only=True):
    """What the key store holds, without any key."""

    file: str
    store_id: str
    created_at: Instant
    encryption: str
    """Where the key-encryption key comes from."""
    encryption_id: str
    """Names the key-encryption key; it tells nothing about it."""
    keys: dict[str, int]
    """How many by kind."""
    erasures_finished: int
    erasures_pending: int
    signing_keys: list[PublicKey]

    @classmethod
    def of(cls, file: str, encryption: str, told: KeyRingSummary) -> "KeyStore":
        return cls(
            file=file,
            store_id=told.store_id,
            created_at=written(told.created_at),
            encryption=encryption,
            encryption_id=told.encryption_id,
            keys=told.keys,
            erasures_finished=told.erasures_finished,
            erasures_pending=told.erasures_pending,
            signing_keys=[PublicKey.of(key) for key in told.signing_keys],
        )
