"""Checkpoints, receipts, and what a check of the log or of a proof file shows."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from api.wire.values import Instant
from store.fsck.findings import Findings, Problem
from store.keys.signing import SigningKey
from store.keys.summary import KeyRingSummary
from store.notary import read_kept, verifier_key
from store.recorder import CheckpointRow
from store.seals.compare import Run
from store.seals.notes import encode_base64, parse_checkpoint, parse_note
from store.seals.verify import (
    CheckpointFinding,
    ConsistencyFinding,
    FileResult,
    Finding,
    ReceiptFinding,
)
from store.times import written


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
    holds: bool
    """Whether the hashes of the log lead to its root. The events are not looked at."""

    @classmethod
    def of(cls, row: CheckpointRow, events: int, *, holds: bool) -> "LastCheckpoint":
        return cls(row.size, row.made_at, events - row.size, holds)


class KeptCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint that is kept with the log."""

    size: int
    made_at: Instant
    root: str
    """Base64."""
    signers: list[str]
    """Names of who signed, the log itself among them."""

    @classmethod
    def of(cls, row: CheckpointRow) -> "KeptCheckpoint":
        note, told = read_kept(row.note)
        root = encode_base64(told.root)
        return cls(row.size, row.made_at, root, [one.name for one in note.signatures])


class KeptCheckpoints(msgspec.Struct, frozen=True):
    """All of them, the smallest first."""

    checkpoints: list[KeptCheckpoint]


class ProofText(msgspec.Struct, frozen=True):
    """A receipt or a proof of consistency, as the text that `audit verify` reads."""

    proof: str


class ProofTexts(msgspec.Struct, frozen=True):
    """The receipts of all events of a deal, in order of version."""

    proofs: list[str]


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

    position: int
    """In the log, from 1."""
    stream: str
    version: int
    type: str
    occurred_at: str
    known_at: str
    recorded_at: str
    actor: str
    fields: dict[str, Any]
    """What is public of the fact, as it is stored."""
    encrypted: list[str]
    """Names of the fields that stay closed."""
    disclosed: list[DisclosedField]


class VerifiedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What one file shows. Where it does not verify, `problem` says why.

    Then all else is null, unless it verifies alone and contradicts another file.
    """

    file: str
    verified: bool
    problem: str | None = None
    event: VerifiedEvent | None = None
    """Of a receipt."""
    checkpoint: SignedCheckpoint | None = None
    extends: SignedCheckpoint | None = None
    """The older checkpoint, of a proof of consistency."""
    agrees_with: list[str] = []
    """Files of the same log that are shown to tell the same history."""
    not_compared_with: list[str] = []
    """Files of the same log of which nothing shows that: a proof of consistency is needed."""

    @classmethod
    def of(cls, result: FileResult) -> "VerifiedFile":
        if result.finding is None:
            return cls(file=result.name, verified=False, problem=result.problem)
        return cls._shown(result, result.finding)

    @classmethod
    def _shown(cls, result: FileResult, finding: Finding) -> "VerifiedFile":
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
            file=result.name,
            verified=result.verified,
            problem=result.problem,
            event=event,
            checkpoint=SignedCheckpoint.of(checkpoint),
            extends=extends,
            agrees_with=list(result.agrees_with),
            not_compared_with=list(result.not_compared_with),
        )


def _event(finding: ReceiptFinding) -> VerifiedEvent:
    shown = finding.event
    opened = {one.field for one in finding.disclosed}
    return VerifiedEvent(
        position=finding.position,
        stream=shown.stream,
        version=shown.version,
        type=shown.type,
        occurred_at=shown.occurred_at,
        known_at=shown.known_at,
        recorded_at=shown.recorded_at,
        actor=shown.actor,
        fields=dict(shown.fields),
        encrypted=[name for name in shown.encrypted if name not in opened],
        disclosed=[DisclosedField(one.field, one.value) for one in finding.disclosed],
    )


class ProvenVersions(msgspec.Struct, frozen=True):
    """Which versions of a stream the files prove. That none came after, no receipt can show."""

    stream: str
    last: int
    missing: list[tuple[int, int]]
    """First and last of each gap between 1 and `last`."""


class Verification(msgspec.Struct, frozen=True):
    """What the files show, each by itself and beside the others."""

    files: list[VerifiedFile]
    versions: list[ProvenVersions]
    """Of streams that several receipts are of, under one checkpoint."""

    @classmethod
    def of(cls, results: Sequence[FileResult], versions: Sequence[Run]) -> "Verification":
        return cls(
            [VerifiedFile.of(one) for one in results],
            [ProvenVersions(one.stream, one.last, list(one.missing)) for one in versions],
        )


class LogProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the log that is not as it was written."""

    kind: str
    position: int | None
    """In the log, from 1, of the first event that it concerns; null where it concerns none."""
    last_position: int | None
    """Of the last event that it may concern; null where the first is known exactly."""
    stream: str | None
    version: int | None
    reference: str | None
    """What a deal is called by, as far as that can be read: its reference, or else its name."""
    what: str

    @classmethod
    def of(cls, problem: Problem, reference: str | None) -> "LogProblem":
        return cls(
            kind=problem.kind.value,
            position=problem.position,
            last_position=problem.last_position,
            stream=problem.stream,
            version=problem.version,
            reference=reference,
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
    signed_until: int
    """So many events are under a checkpoint that holds; nobody has signed the others yet."""
    signatures: str
    """Whose keys the checkpoints had to be signed with: key-store, named-keys or unchecked."""
    fields_opened: int
    fields_erased: int
    fields_lost: int
    """Whose keys were lost, which was accepted when a backup was restored."""
    problems: list[LogProblem]
    """The first ones, in the order of the log."""
    others: int
    """How many there are beyond those."""

    @classmethod
    def of(cls, findings: Findings, called: Callable[[str], str | None]) -> "LogCheck":
        """`called` gives what the deal of a stream is called by."""
        return cls(
            sound=findings.sound,
            events=findings.events,
            root=findings.root,
            checkpoints=findings.checkpoints,
            signed_until=findings.signed_until,
            signatures=findings.signatures.value,
            fields_opened=findings.fields_opened,
            fields_erased=findings.fields_erased,
            fields_lost=findings.fields_lost,
            problems=[
                LogProblem.of(one, None if one.stream is None else called(one.stream))
                for one in findings.problems
            ],
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
    erased_hashes: int
    """What was erased is remembered as hashes; a person has several."""
    erasures_pending: int
    given_up: int
    """Keys that were lost, which was accepted when a backup was restored."""
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
            erased_hashes=told.erased_hashes,
            erasures_pending=told.erasures_pending,
            given_up=told.given_up,
            signing_keys=[PublicKey.of(key) for key in told.signing_keys],
        )
