"""Proof files: the receipt of one event, and the proof that one checkpoint extends another.

Each is a text, recognised by its first line; a text that begins otherwise is a
bare checkpoint. `docs/proofs.md` describes them field by field.

A receipt is a C2SP tlog-proof. Its `extra` line is the base64 of a compact JSON
object: `event` is the base64 of the event's stored bytes, and `fields`, where
encrypted fields are disclosed, a list of objects with `field` (its name),
`salt` (base64, 32 bytes) and `value` (the field's JSON text, exactly as
committed to).

    c2sp.org/tlog-proof@v1
    extra <base64>
    index <index of the event>
    <hash in base64, from the leaf's sibling up>  (none or more)
    <empty line>
    <checkpoint, a signed note>

A consistency file is a first line of its own, then what a C2SP tlog-witness is
sent to add a checkpoint, an empty line, and the old checkpoint:

    dealstate/consistency@v1
    old <size of the old checkpoint>
    <hash in base64>  (none or more)
    <empty line>
    <new checkpoint, a signed note>
    <empty line>
    <old checkpoint, a signed note>

Parsing checks form alone: nothing that it returns is proven.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from store.seals.commitments import SALT_BYTES
from store.seals.merkle import ProofError
from store.seals.notes import (
    Checkpoint,
    Note,
    decode_base64,
    decode_hash,
    encode_base64,
    parse_checkpoint,
    parse_note,
    parse_number,
)

RECEIPT_LINE = "c2sp.org/tlog-proof@v1"
CONSISTENCY_LINE = "dealstate/consistency@v1"
MAX_PROOF_HASHES = 63
MAX_FILE_CHARACTERS = 6_000_000
"""Room for an event of 1 MB with all its fields disclosed, twice in base64."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The value of one encrypted field, as JSON text, with the salt of its commitment."""

    field: str
    salt: bytes
    value: str


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with the note that it was read from."""

    note: Note
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Receipt:
    """That one event, given by its stored bytes, is in the log at `index`."""

    event: bytes
    disclosures: tuple[Disclosure, ...]
    index: int
    hashes: tuple[bytes, ...]
    signed: SignedCheckpoint


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the log at the new checkpoint begins with the log at the old one."""

    hashes: tuple[bytes, ...]
    new: SignedCheckpoint
    old: SignedCheckpoint


ProofFile: TypeAlias = Receipt | Consistency | SignedCheckpoint


def write_receipt(
    event: bytes,
    index: int,
    hashes: Sequence[bytes],
    checkpoint_note: str,
    disclosures: Sequence[Disclosure] = (),
) -> str:
    """The receipt of an event under a signed checkpoint. Raises ProofError where it is unfit."""
    extra = encode_base64(_to_json(_extra(event, disclosures)))
    lines = [RECEIPT_LINE, f"extra {extra}", f"index {index}", *map(encode_base64, hashes)]
    text = "\n".join(lines) + "\n\n" + checkpoint_note
    parse_file(text)
    return text


def write_add_checkpoint(old_size: int, hashes: Sequence[bytes], checkpoint_note: str) -> str:
    """The body of an add-checkpoint request of C2SP tlog-witness."""
    lines = [f"old {old_size}", *map(encode_base64, hashes)]
    return "\n".join(lines) + "\n\n" + checkpoint_note


def write_consistency(hashes: Sequence[bytes], new_note: str, old_note: str) -> str:
    """The consistency file of two signed checkpoints. Raises ProofError where it is unfit."""
    old_size = _signed_checkpoint(old_note).checkpoint.size
    body = write_add_checkpoint(old_size, hashes, new_note)
    text = f"{CONSISTENCY_LINE}\n{body}\n{old_note}"
    parse_file(text)
    return text


def _believed(signed: SignedCheckpoint) -> None: ...


def parse_file(text: str, check: Callable[[SignedCheckpoint], object] = _believed) -> ProofFile:
    """A proof file of any kind. Raises ProofError where it is malformed.

    `check` is called with the checkpoint of a receipt, and may raise, before anything
    of what it is to prove is read.
    """
    if len(text) > MAX_FILE_CHARACTERS:
        raise ProofError(f"the file is longer than {MAX_FILE_CHARACTERS} characters")
    first_line, _, rest = text.partition("\n")
    if first_line == RECEIPT_LINE:
        return _parse_receipt(rest, check)
    if first_line == CONSISTENCY_LINE:
        return _parse_consistency(rest)
    return _signed_checkpoint(text)


def parse_add_checkpoint(text: str) -> tuple[int, tuple[bytes, ...], SignedCheckpoint]:
    """Old size, hashes and checkpoint of an add-checkpoint request. Raises ProofError."""
    head, note = _split(text)
    old_line, *hash_lines = head
    return parse_number(_after("old", old_line)), _hashes(hash_lines), _signed_checkpoint(note)


def _parse_receipt(text: str, check: Callable[[SignedCheckpoint], object]) -> Receipt:
    head, note = _split(text)
    if len(head) < 2:
        raise ProofError("the receipt does not carry the event and its index")
    extra_line, index_line, *hash_lines = head
    index, hashes = parse_number(_after("index", index_line)), _hashes(hash_lines)
    signed = _signed_checkpoint(note)
    check(signed)
    event, disclosures = _parse_extra(decode_base64(_after("extra", extra_line)))
    return Receipt(event, disclosures, index, hashes, signed)


def _parse_consistency(text: str) -> Consistency:
    parts = text.split("\n\n")
    if len(parts) != 5:
        raise ProofError("the file does not hold a proof and two signed checkpoints")
    old_size, hashes, new = parse_add_checkpoint("\n\n".join(parts[:3]) + "\n")
    old = _signed_checkpoint("\n\n".join(parts[3:]))
    if old.checkpoint.size != old_size:
        raise ProofError(f"the proof is from size {old_size}, not from that of the old checkpoint")
    return Consistency(hashes, new, old)


def _split(text: str) -> tuple[list[str], str]:
    """The lines up to the first empty line, and the text behind it."""
    head, separator, note = text.partition("\n\n")
    if not separator:
        raise ProofError("there is no empty line before the checkpoint")
    return head.split("\n"), note


def _after(word: str, line: str) -> str:
    found, _, rest = line.partition(" ")
    if found != word:
        raise ProofError(f"the file has no line {word!r} where one must be")
    return rest


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_PROOF_HASHES:
        raise ProofError(f"the proof has more than {MAX_PROOF_HASHES} hashes")
    return tuple(decode_hash(line) for line in lines)


def _signed_checkpoint(text: str) -> SignedCheckpoint:
    note = parse_note(text)
    return SignedCheckpoint(note, parse_checkpoint(note.text))


def _extra(event: bytes, disclosures: Sequence[Disclosure]) -> dict[str, Any]:
    content: dict[str, Any] = {"event": encode_base64(event)}
    if disclosures:
        content["fields"] = [
            {"field": one.field, "salt": encode_base64(one.salt), "value": one.value}
            for one in disclosures
        ]
    return content


def _to_json(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def _parse_extra(encoded: bytes) -> tuple[bytes, tuple[Disclosure, ...]]:
    """The event and the disclosures. Only what `write_receipt` would write is let through."""
    try:
        content = json.loads(encoded)
        event = decode_base64(content["event"])
        disclosures = tuple(_disclosure(one) for one in content.get("fields", []))
        canonical = _to_json(_extra(event, disclosures))
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        raise ProofError("the extra line does not hold an event as it must") from None
    if canonical != encoded:
        raise ProofError("the extra line is not in its canonical form")
    return event, disclosures


def _disclosure(content: dict[str, Any]) -> Disclosure:
    field, value = content["field"], content["value"]
    if not isinstance(field, str) or not isinstance(value, str):
        raise ProofError("a disclosed field or its value is not a text")
    found = Disclosure(field, decode_base64(content["salt"]), value)
    if len(found.salt) != SALT_BYTES:
        raise ProofError(f"the salt of {found.field} does not have {SALT_BYTES} bytes")
    return found
