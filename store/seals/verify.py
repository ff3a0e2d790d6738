"""Verification of proof files: offline, and without the store.

It needs the standard library and the package `cryptography`, so that whoever
is handed a receipt can run it, and read it, without the rest of the project.
What it says is what the signatures and hashes show, given the keys that the
caller trusts:

- a checkpoint: the log signed this size and root; which witnesses cosigned it;
- a receipt: these bytes are the event at this index of the log; for disclosed
  fields, that this value was committed to when the event was recorded;
- a consistency file: the log at the new checkpoint begins with that at the old.

    python -m store.seals.verify --key KEY FILE…

Exit code 0: all files verified, 3: one did not, 2: used wrongly.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from store.seals.commitments import commitment, context
from store.seals.merkle import ProofError, leaf_hash, verify_consistency, verify_inclusion
from store.seals.notes import (
    Checkpoint,
    NoteError,
    SignatureType,
    Verified,
    VerifierKey,
    decode_base64,
    encode_base64,
    parse_verifier_key,
    verify,
)
from store.seals.proofs import (
    MAX_FILE_CHARACTERS,
    Consistency,
    Disclosure,
    Receipt,
    SignedCheckpoint,
    parse_file,
)

VERIFIED = 0
MISUSED = 2
FAILED = 3


class VerificationFailed(Exception):
    """A file does not show what it should. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The keys of logs and witnesses that are believed, and how many witnesses must have signed.

    A log's key counts for the checkpoints whose origin is the key's name, and no others.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: tuple[VerifierKey, ...] = ()
    cosignatures: int = 0

    def __post_init__(self) -> None:
        if any(key.type is not SignatureType.ED25519 for key in self.logs):
            raise NoteError("the key of a log is one of type 0x01")
        if any(key.type is not SignatureType.COSIGNATURE for key in self.witnesses):
            raise NoteError("the key of a witness is one of type 0x04")
        if not 0 <= self.cosignatures <= len({key.public for key in self.witnesses}):
            raise NoteError("there are fewer witnesses than must have signed")


@dataclass(frozen=True, slots=True)
class CheckpointFinding:
    """A checkpoint that its log signed, and the witnesses that cosigned it."""

    checkpoint: Checkpoint
    signed_by: tuple[Verified, ...]
    cosigned_by: tuple[Verified, ...]


@dataclass(frozen=True, slots=True)
class EventShown:
    """The envelope of an event, read from its stored bytes. Times are in UTC, as written."""

    stream: str
    version: int
    type: str
    occurred_at: str
    known_at: str
    recorded_at: str
    actor: str


@dataclass(frozen=True, slots=True)
class ReceiptFinding:
    """An event that is in the log, and those of its encrypted fields that were disclosed."""

    event: EventShown
    stored: bytes
    index: int
    disclosed: tuple[Disclosure, ...]
    under: CheckpointFinding


@dataclass(frozen=True, slots=True)
class ConsistencyFinding:
    """Two checkpoints of one log, the old a beginning of the new."""

    old: CheckpointFinding
    new: CheckpointFinding


Finding: TypeAlias = ReceiptFinding | ConsistencyFinding | CheckpointFinding


def verify_text(text: str, trust: Trust) -> Finding:
    """What the text of a proof file shows. Raises VerificationFailed where it does not."""
    try:
        match parse_file(text):
            case Receipt() as receipt:
                return _verify_receipt(receipt, trust)
            case Consistency() as consistency:
                return _verify_consistency(consistency, trust)
            case SignedCheckpoint() as signed:
                return _verify_checkpoint(signed, trust, trust.cosignatures)
    except ProofError as error:
        raise VerificationFailed(str(error)) from error


def _verify_checkpoint(
    signed: SignedCheckpoint, trust: Trust, cosignatures: int
) -> CheckpointFinding:
    origin = signed.checkpoint.origin
    own = [key for key in trust.logs if key.name == origin]
    if not own:
        raise VerificationFailed(f"no trusted key is for the log {origin}")
    verified = verify(signed.note, [*own, *trust.witnesses])
    logs = tuple(one for one in verified if one.time is None)
    witnesses = tuple(one for one in verified if one.time is not None)
    if not logs:
        raise VerificationFailed(f"the checkpoint is not signed by the log {origin}")
    if len({one.key.public for one in witnesses}) < cosignatures:
        raise VerificationFailed(
            f"the checkpoint has {len(witnesses)} trusted cosignatures"
            f" where {cosignatures} are needed"
        )
    return CheckpointFinding(signed.checkpoint, logs, witnesses)


def _verify_consistency(consistency: Consistency, trust: Trust) -> ConsistencyFinding:
    """The witnesses of the new checkpoint vouch for the old one too, as its beginning."""
    new = _verify_checkpoint(consistency.new, trust, trust.cosignatures)
    old = _verify_checkpoint(consistency.old, trust, 0)
    if old.checkpoint.origin != new.checkpoint.origin:
        raise VerificationFailed("the two checkpoints are of different logs")
    verify_consistency(
        old.checkpoint.size,
        new.checkpoint.size,
        consistency.hashes,
        old.checkpoint.root,
        new.checkpoint.root,
    )
    return ConsistencyFinding(old, new)


def _verify_receipt(receipt: Receipt, trust: Trust) -> ReceiptFinding:
    under = _verify_checkpoint(receipt.signed, trust, trust.cosignatures)
    verify_inclusion(
        receipt.index,
        under.checkpoint.size,
        leaf_hash(receipt.event),
        receipt.hashes,
        under.checkpoint.root,
    )
    try:
        content = json.loads(receipt.event, object_pairs_hook=_without_repetition)
        event = _envelope(content)
        matches = [_is_committed(one, event, content) for one in receipt.disclosures]
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise VerificationFailed("the event is in the log, but not of a form known here") from None
    for disclosure, matched in zip(receipt.disclosures, matches, strict=True):
        if not matched:
            raise VerificationFailed(
                f"the value given for {disclosure.field} is not the one that was recorded"
            )
    return ReceiptFinding(event, receipt.event, receipt.index, receipt.disclosures, under)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name is given twice")
    return content


def _envelope(content: dict[str, Any]) -> EventShown:
    texts = [content["stream"], content["fact"]["type"], content["occurred_at"],
             content["known_at"], content["recorded_at"], content["actor"]]  # fmt: skip
    version = content["version"]
    if type(version) is not int or any(not isinstance(text, str) for text in texts):
        raise TypeError("the envelope holds values of other types")
    stream, event_type, occurred_at, known_at, recorded_at, actor = texts
    return EventShown(stream, version, event_type, occurred_at, known_at, recorded_at, actor)


def _is_committed(disclosure: Disclosure, event: EventShown, content: dict[str, Any]) -> bool:
    """Whether the event holds the commitment to this value for this field."""
    if disclosure.field not in content.get("encrypted", {}):
        return False
    encrypted = content["encrypted"][disclosure.field]
    keys = encrypted["keys"]
    if not isinstance(keys, list) or any(not isinstance(key, str) for key in keys):
        raise TypeError("the names of keys are not texts")
    place = context(event.stream, event.version, event.type, disclosure.field, keys)
    found = commitment(disclosure.salt, place, disclosure.value.encode())
    return found == decode_base64(encrypted["commitment"])


def report(finding: Finding) -> list[str]:
    """The finding in words, a line each. Control characters from files are escaped."""
    match finding:
        case ReceiptFinding():
            return [*_event_lines(finding), *_checkpoint_lines("checkpoint", finding.under)]
        case ConsistencyFinding():
            return [
                *_checkpoint_lines("extends", finding.old),
                *_checkpoint_lines("checkpoint", finding.new),
            ]
        case CheckpointFinding():
            return _checkpoint_lines("checkpoint", finding)


def _event_lines(finding: ReceiptFinding) -> list[str]:
    event = finding.event
    return [
        _line("event", f"{event.type}, version {event.version} of {event.stream}"),
        _line("index", str(finding.index)),
        _line("occurred", event.occurred_at),
        _line("known", event.known_at),
        _line("recorded", event.recorded_at),
        _line("actor", event.actor),
        *(_line("disclosed", f"{one.field} = {one.value}") for one in finding.disclosed),
    ]


def _checkpoint_lines(name: str, finding: CheckpointFinding) -> list[str]:
    told = finding.checkpoint
    return [
        _line(name, f"{told.origin}, {told.size} events, root {encode_base64(told.root)}"),
        *(_line("signed by", str(one.key)) for one in finding.signed_by),
        *(_line("cosigned by", f"{one.key} at {_moment(one.time)}") for one in finding.cosigned_by),
    ]


def _line(name: str, value: str) -> str:
    return f"  {name:12}{_shown(value)}"


def _shown(text: str) -> str:
    """The text without what would steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _moment(posix_seconds: int | None) -> str:
    assert posix_seconds is not None, "only cosignatures are shown with a time"
    try:
        return datetime.fromtimestamp(posix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"POSIX time {posix_seconds}"


def read_keys(named: str) -> list[VerifierKey]:
    """A verifier key given as text, or those in the lines of the file of that name.

    Empty lines and lines that begin with # say nothing. Raises NoteError, OSError.
    """
    try:
        return [parse_verifier_key(named)]
    except NoteError:
        if not Path(named).is_file():
            raise
    lines = Path(named).read_text(encoding="utf-8").splitlines()
    return [parse_verifier_key(line) for line in lines if line and not line.startswith("#")]


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns 0 where all files verified, 3 where one did not; exits with 2."""
    parser = _parser()
    options = parser.parse_args(argv)
    try:
        trust = _trust(options)
        contents = [(name, _read(Path(name))) for name in options.files]
    except (NoteError, OSError, UnicodeDecodeError) as error:
        parser.error(str(error))
    results = [_verify_file(name, content, trust) for name, content in contents]
    return VERIFIED if all(results) else FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="verify", description="Verify receipts, consistency files and checkpoints, offline."
    )
    parser.add_argument(
        "--key", action="append", required=True, help="a log's verifier key, or a file of such keys"
    )
    parser.add_argument(
        "--witness", action="append", default=[], help="a witness's verifier key, or a file of them"
    )
    parser.add_argument(
        "--cosignatures",
        type=int,
        help="how many of the witnesses must have cosigned (1 where there are witnesses)",
    )
    parser.add_argument("files", nargs="+", metavar="FILE")
    return parser


def _trust(options: argparse.Namespace) -> Trust:
    logs = tuple(key for named in options.key for key in read_keys(named))
    witnesses = tuple(key for named in options.witness for key in read_keys(named))
    needed = options.cosignatures
    return Trust(logs, witnesses, min(1, len(witnesses)) if needed is None else needed)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4 * MAX_FILE_CHARACTERS + 1)


def _verify_file(name: str, content: bytes, trust: Trust) -> bool:
    try:
        lines = report(verify_text(content.decode(), trust))
    except UnicodeDecodeError:
        _say([f"{name}: NOT VERIFIED: the file is not UTF-8 text"])
        return False
    except VerificationFailed as error:
        _say([f"{name}: NOT VERIFIED: {_shown(str(error))}"])
        return False
    _say([f"{name}: verified", *lines])
    return True


def _say(lines: Sequence[str]) -> None:
    """Print, also on a terminal that cannot show every character."""
    encoding = sys.stdout.encoding or "utf-8"
    for line in lines:
        sys.stdout.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


if __name__ == "__main__":
    sys.exit(main())
