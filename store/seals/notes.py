"""Signed notes and checkpoints, after C2SP signed-note, tlog-checkpoint and tlog-cosignature.

Theory of operation. A note is a text, an empty line, and signature lines. Two
kinds of signature are known: Ed25519 over the text (type 0x01, the log's own),
and timestamped Ed25519 cosignatures (type 0x04, a witness's), which sign the
time with the text. A key is known by its name together with its key id, four
bytes derived from name, type and public key. Signatures of unknown keys are
ignored; a signature of a known key that does not verify spoils the whole note.

A checkpoint is a note whose text is origin, size and root hash, a line each,
and possibly lines of extension.

There is one way to write each of these, and every other is refused, so that
two texts that mean the same are the same.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from store.seals.merkle import HASH_BYTES, ProofError

MAX_NOTE_BYTES = 250_000
MAX_SIGNATURES = 100
MAX_NUMBER = 2**63 - 1
"""Of sizes, indices and POSIX times."""

KEY_BYTES = 32
_KEY_ID_BYTES = 4
_TIME_BYTES = 8
_DASH = "\N{EM DASH} "
_SIGNING_PREFIX = "PRIVATE+KEY+"
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(ProofError):
    """A note, checkpoint or key is malformed, or is not signed as it must be."""


class SignatureType(IntEnum):
    """The signature types of C2SP signed-note that are known here."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name under which it signs."""

    name: str
    type: SignatureType
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public) != KEY_BYTES:
            raise NoteError(f"the public key of {self.name} does not have {KEY_BYTES} bytes")

    @property
    def id(self) -> bytes:
        """The four bytes that stand for the key in signature lines."""
        typed = self.name.encode() + b"\n" + bytes([self.type]) + self.public
        return sha256(typed).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """The key as text: name, key id in hexadecimal, base64 of type and key, joined by +."""
        return f"{self.name}+{self.id.hex()}+{encode_base64(bytes([self.type]) + self.public)}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the name under which it signs."""

    name: str
    type: SignatureType
    private: Ed25519PrivateKey

    @classmethod
    def from_seed(cls, name: str, kind: SignatureType, seed: bytes) -> "SigningKey":
        """The key with a private key of 32 bytes, as in RFC 8032."""
        _check_name(name)
        if len(seed) != KEY_BYTES:
            raise NoteError(f"the private key of {name} does not have {KEY_BYTES} bytes")
        return cls(name, kind, Ed25519PrivateKey.from_private_bytes(seed))

    @property
    def verifier(self) -> VerifierKey:
        return VerifierKey(self.name, self.type, self.private.public_key().public_bytes_raw())

    def secret_text(self) -> str:
        """The private key as text, to be kept in a file that its owner alone can read."""
        material = encode_base64(bytes([self.type]) + self.private.private_bytes_raw())
        return f"{_SIGNING_PREFIX}{self.name}+{self.verifier.id.hex()}+{material}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: whose it says it is, and the bytes after the key id."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart. Nothing is verified yet. `text` ends in a newline."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(signature.line() for signature in self.signatures)}"


@dataclass(frozen=True, slots=True)
class Verified:
    """A key that signed. `time` is the POSIX time of a cosignature, and None for others."""

    key: VerifierKey
    time: int | None
    signature: Signature


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: its first `size` entries have this root hash."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or "\n" in line or _CONTROL.search(line):
                raise NoteError("a line of the checkpoint is empty or holds control characters")
        if not 0 <= self.size <= MAX_NUMBER:
            raise NoteError(f"a checkpoint cannot have size {self.size}")
        if len(self.root) != HASH_BYTES:
            raise NoteError(f"the root hash of the checkpoint does not have {HASH_BYTES} bytes")

    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), encode_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


Keys: TypeAlias = Sequence[VerifierKey]


def encode_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def decode_base64(text: str) -> bytes:
    """The bytes of standard base64 (RFC 4648 section 4), in its one canonical form.

    Raises NoteError for any other, which b64decode would partly let through.
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError("what should be base64 is not") from None
    if encode_base64(content) != text:
        raise NoteError("base64 is not in its canonical form")
    return content


def decode_hash(text: str) -> bytes:
    """The 32 bytes of a hash in base64. Raises NoteError where they are not."""
    content = decode_base64(text)
    if len(content) != HASH_BYTES:
        raise NoteError(f"a hash does not have {HASH_BYTES} bytes")
    return content


def parse_number(text: str) -> int:
    """A size, index or time in ASCII digits without leading zeroes. Raises NoteError."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_NUMBER:
        raise NoteError("what should be a decimal number below 2^63 is not")
    return int(text)


def parse_verifier_key(text: str) -> VerifierKey:
    """The key that `str` of a VerifierKey wrote. Raises NoteError for malformed or unknown ones."""
    name, key_id, kind, material = _parse_key(text)
    key = VerifierKey(name, kind, material)
    _check_key_id(key, key_id)
    try:
        Ed25519PublicKey.from_public_bytes(material)
    except ValueError:
        raise NoteError(f"the public key of {name} is not an Ed25519 key") from None
    return key


def parse_signing_key(text: str) -> SigningKey:
    """The key that `secret_text` wrote. Raises NoteError, which never shows key bytes."""
    if not text.startswith(_SIGNING_PREFIX):
        raise NoteError("what should be a signing key is not")
    name, key_id, kind, material = _parse_key(text.removeprefix(_SIGNING_PREFIX))
    key = SigningKey.from_seed(name, kind, material)
    _check_key_id(key.verifier, key_id)
    return key


def _parse_key(text: str) -> tuple[str, str, SignatureType, bytes]:
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    if not _KEY_ID.fullmatch(key_id):
        raise NoteError("what should be a key is not name+id+base64")
    _check_name(name)
    material = decode_base64(encoded)
    if not material or material[0] not in set(SignatureType):
        raise NoteError(f"the key of {name} is of a type that is not known here")
    return name, key_id, SignatureType(material[0]), material[1:]


def _check_key_id(key: VerifierKey, told: str) -> None:
    if key.id.hex() != told:
        raise NoteError(f"the key of {key.name} has id {key.id.hex()}, not {told}")


def _check_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() for c in name) or _CONTROL.search(name):
        raise NoteError("a key name is empty, or holds a space, a plus or a control character")


def parse_note(text: str) -> Note:
    """A note taken apart. Raises NoteError where anything is not as C2SP signed-note has it."""
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        raise NoteError("the note is not Unicode text") from None
    if size_bytes > MAX_NOTE_BYTES:
        raise NoteError(f"the note is longer than {MAX_NOTE_BYTES} bytes")
    if _CONTROL.search(text):
        raise NoteError("the note holds control characters")
    body, separator, signed = text.rpartition("\n\n")
    if not separator or not signed.endswith("\n"):
        raise NoteError("the note does not end in signature lines after an empty line")
    return Note(body + "\n", parse_signatures(signed))


def parse_signatures(text: str) -> tuple[Signature, ...]:
    """Signature lines, each ending in a newline. Raises NoteError for anything else."""
    *lines, rest = text.split("\n")
    if rest or not lines:
        raise NoteError("the signature lines do not end in a newline")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError(f"the note has more than {MAX_SIGNATURES} signatures")
    return tuple(_parse_signature(line) for line in lines)


def _parse_signature(line: str) -> Signature:
    dash, name_and_value = line[: len(_DASH)], line[len(_DASH) :]
    name, space, encoded = name_and_value.partition(" ")
    if dash != _DASH or not space:
        raise NoteError("a signature line is not a dash, a name and base64")
    _check_name(name)
    content = decode_base64(encoded)
    if len(content) <= _KEY_ID_BYTES:
        raise NoteError(f"the signature of {name} is too short")
    return Signature(name, content[:_KEY_ID_BYTES], content[_KEY_ID_BYTES:])


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint in a note's text. Raises NoteError where it holds none."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise NoteError("a checkpoint does not have lines for origin, size and root hash")
    return Checkpoint(lines[0], parse_number(lines[1]), decode_hash(lines[2]), tuple(lines[3:]))


def sign(text: str, keys: Sequence[SigningKey]) -> str:
    """The note of `text`, which ends in a newline, signed by Ed25519 keys. Raises NoteError."""
    if not text.endswith("\n") or any(key.type is not SignatureType.ED25519 for key in keys):
        raise NoteError("a note's text ends in a newline and is signed by keys of type 0x01")
    signatures = [_signed(key, key.private.sign(text.encode())) for key in keys]
    note = str(Note(text, tuple(signatures)))
    parse_note(note)
    return note


def cosign(text: str, key: SigningKey, time: int) -> Signature:
    """A witness's cosignature/v1 of a checkpoint's text at a POSIX time in seconds."""
    if key.type is not SignatureType.COSIGNATURE or not 0 <= time <= MAX_NUMBER:
        raise NoteError("cosignatures are made by keys of type 0x04, at a time below 2^63")
    stamp = time.to_bytes(_TIME_BYTES, "big")
    return _signed(key, stamp + key.private.sign(_cosigned(text, time)))


def _signed(key: SigningKey, value: bytes) -> Signature:
    return Signature(key.name, key.verifier.id, value)


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def verify(note: Note, keys: Keys) -> tuple[Verified, ...]:
    """Which of `keys` signed the note; a key that signed twice counts once, by its first.

    Raises NoteError where none did, and where a signature in the name of one of
    them does not verify.
    """
    known = _by_name_and_id(keys)
    found: dict[bytes, Verified] = {}
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is not None:
            verified = Verified(key, _verified_time(note.text, signature, key), signature)
            found.setdefault(key.public + bytes([key.type]), verified)
    if not found:
        raise NoteError("the note is not signed by a trusted key")
    return tuple(found.values())


def _by_name_and_id(keys: Keys) -> dict[tuple[str, bytes], VerifierKey]:
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.id), key) != key:
            raise NoteError(f"two different keys of {key.name} have the same id")
    return known


def _verified_time(text: str, signature: Signature, key: VerifierKey) -> int | None:
    match key.type:
        case SignatureType.ED25519:
            time, message, value = None, text.encode(), signature.value
        case SignatureType.COSIGNATURE:
            time = int.from_bytes(signature.value[:_TIME_BYTES], "big")
            message, value = _cosigned(text, time), signature.value[_TIME_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, message)
    except (InvalidSignature, ValueError):
        raise NoteError(f"the signature of {key.name} does not verify") from None
    if time is not None and time > MAX_NUMBER:
        raise NoteError(f"the cosignature of {key.name} bears an impossible time")
    return time


def merged_notes(kept: str, added: str) -> str | None:
    """The note that was added, with those signatures of the kept one that it has no newer of.

    None where they are of different texts. Nothing is verified. Raises NoteError.
    """
    first, second = parse_note(kept), parse_note(added)
    if first.text != second.text:
        return None
    signed = {(one.name, one.key_id): one for one in (*first.signatures, *second.signatures)}
    return str(Note(second.text, tuple(signed.values())))


def with_cosignatures(note: Note, answer: str, witnesses: Keys) -> Note:
    """The note with those cosignatures of a witness's answer that verify by `witnesses`.

    Older cosignatures of the same witnesses make room for the new.
    Raises NoteError for a malformed answer, or one without such a cosignature.
    """
    added = verify(Note(note.text, parse_signatures(answer)), witnesses)
    renewed = {(one.key.name, one.key.id) for one in added}
    kept = [one for one in note.signatures if (one.name, one.key_id) not in renewed]
    return Note(note.text, (*kept, *(one.signature for one in added)))
