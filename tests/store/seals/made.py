"""A small log with keys, checkpoints and proof files, as the store makes them."""

import json
from collections.abc import Sequence

from store.seals import tiles
from store.seals.commitments import commitment, context
from store.seals.merkle import leaf_hash
from store.seals.notes import (
    Checkpoint,
    SignatureType,
    SigningKey,
    cosign,
    encode_base64,
    parse_note,
    sign,
    with_cosignatures,
)
from store.seals.proofs import Disclosure, write_consistency, write_receipt
from tests.store.seals.reference import MemoryLog, log_of

ORIGIN = "dealstate/4f1c2d"
LOG_KEY = SigningKey.from_seed(ORIGIN, SignatureType.ED25519, b"l" * 32)
OTHER_LOG_KEY = SigningKey.from_seed("dealstate/other", SignatureType.ED25519, b"o" * 32)
WITNESS_A = SigningKey.from_seed("a.example/w", SignatureType.COSIGNATURE, b"a" * 32)
WITNESS_B = SigningKey.from_seed("b.example/w", SignatureType.COSIGNATURE, b"b" * 32)

SALT = bytes(range(32))
VALUE = '"Zoë calls on Friday"'
STREAM = "deal:4f1c"
KEYS = ["deal:4f1c"]


def event(version: int, **changed: object) -> bytes:
    """The stored bytes of an event with an encrypted field `text`."""
    place = context(STREAM, version, "note-taken", "text", KEYS)
    content = {
        "stream": STREAM,
        "version": version,
        "schema": 1,
        "occurred_at": "2026-03-02T09:00:00.000000Z",
        "known_at": "2026-03-02T10:00:00.000000Z",
        "recorded_at": "2026-03-02T10:00:01.000000Z",
        "actor": "user:u1",
        "source": "cli",
        "fact": {"type": "note-taken"},
        "encrypted": {
            "text": {
                "keys": KEYS,
                "commitment": encode_base64(commitment(SALT, place, VALUE.encode())),
                "ciphertext": "AAAA",
            }
        },
        **changed,
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


EVENTS = [event(version) for version in range(1, 301)]
DISCLOSURE = Disclosure("text", SALT, VALUE)


def checkpoint_note(
    log: MemoryLog,
    size: int,
    key: SigningKey = LOG_KEY,
    witnesses: Sequence[SigningKey] = (),
    origin: str = ORIGIN,
) -> str:
    """A checkpoint of the log at a size, signed by `key` and cosigned by `witnesses`."""
    note = sign(Checkpoint(origin, size, tiles.root(log, size)).text(), [key])
    if not witnesses:
        return note
    lines = "".join(cosign(parse_note(note).text, one, 1_790_000_000).line() for one in witnesses)
    return str(with_cosignatures(parse_note(note), lines, [one.verifier for one in witnesses]))


def log_of_events(events: Sequence[bytes] = EVENTS) -> MemoryLog:
    return log_of([leaf_hash(one) for one in events])


LOG = log_of_events()


def receipt(
    index: int = 4,
    size: int = 300,
    disclosures: Sequence[Disclosure] = (),
    witnesses: Sequence[SigningKey] = (),
) -> str:
    """The receipt of one of EVENTS under the checkpoint of `size` of them."""
    hashes = tiles.inclusion_proof(LOG, index, size)
    note = checkpoint_note(LOG, size, witnesses=witnesses)
    return write_receipt(EVENTS[index], index, hashes, note, disclosures)


def receipt_of(stored: bytes, disclosures: Sequence[Disclosure] = ()) -> str:
    """The receipt of an event in a log of two."""
    log = log_of_events([EVENTS[0], stored])
    hashes = tiles.inclusion_proof(log, 1, 2)
    return write_receipt(stored, 1, hashes, checkpoint_note(log, 2), disclosures)


def consistency(old: int = 100, new: int = 300, witnesses: Sequence[SigningKey] = ()) -> str:
    """The consistency file between two checkpoints of LOG; the new one is cosigned."""
    hashes = tiles.consistency_proof(LOG, old, new)
    new_note = checkpoint_note(LOG, new, witnesses=witnesses)
    return write_consistency(hashes, new_note, checkpoint_note(LOG, old))
