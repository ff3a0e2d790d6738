"""A witness: the logic of add-checkpoint of C2SP tlog-witness, without the HTTP around it.

Theory of operation. A witness cosigns a checkpoint of a log it knows where the
log extends what the witness cosigned before; so a log that shows different
people different histories cannot have both cosigned. All it remembers is the
latest size and root per log, in a JSON file. From reading that state to having
the new one on disk, a request holds a lock that other threads and processes
wait for; a cosignature is made only then. So no two requests can take the
witness back to a smaller tree, and no crash can make it forget what it signed.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

from store.seals.merkle import EMPTY_ROOT, ProofError, verify_consistency
from store.seals.notes import (
    Checkpoint,
    NoteError,
    SignatureType,
    SigningKey,
    VerifierKey,
    cosign,
    decode_hash,
    encode_base64,
    parse_signing_key,
    verify,
)
from store.seals.proofs import SignedCheckpoint, parse_add_checkpoint

MAX_REQUEST_BYTES = 300_000


class WitnessError(Exception):
    """The witness cannot work: its key or its state is not as it must be."""


@dataclass(frozen=True, slots=True)
class Cosigned:
    """200: the checkpoint extends what was cosigned before. `body` holds the signature lines."""

    body: str
    status: int = 200
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class SizeConflict:
    """409: the request does not start from the latest cosigned size, which `body` tells."""

    size: int
    status: int = 409
    media_type: str = "text/x.tlog.size"

    @property
    def body(self) -> str:
        return f"{self.size}\n"


@dataclass(frozen=True, slots=True)
class Refused:
    """400 malformed, 403 signed by no known key of the log, 404 unknown log, 422 unproven."""

    status: int
    reason: str
    media_type: str = "text/plain; charset=utf-8"

    @property
    def body(self) -> str:
        return f"{self.reason}\n"


Answer: TypeAlias = Cosigned | SizeConflict | Refused


class _Seen(NamedTuple):
    """The latest checkpoint of a log that was cosigned."""

    size: int
    root: bytes


_NOTHING_SEEN = _Seen(0, EMPTY_ROOT)


class Witness:
    """Cosigns the checkpoints of the logs it knows, as long as each extends the one before.

    `logs` are verifier keys, each for the log whose origin is the key's name.
    `state` is a file that is made with the first cosignature; a file beside it
    with the ending `.lock` holds the lock. `now` gives POSIX seconds.
    """

    def __init__(
        self,
        key: SigningKey,
        logs: Sequence[VerifierKey],
        state: Path,
        now: Callable[[], float] = time.time,
    ) -> None:
        if key.type is not SignatureType.COSIGNATURE:
            raise WitnessError("a witness signs with a key of type 0x04; make one for it")
        self._key = key
        self._logs = tuple(logs)
        self._state = state
        self._now = now

    def add_checkpoint(self, request: bytes) -> Answer:
        """The answer to the body of an add-checkpoint request.

        Raises WitnessError where the state cannot be read, OSError where it
        cannot be written; nothing is cosigned then.
        """
        try:
            if len(request) > MAX_REQUEST_BYTES:
                raise ProofError(f"the request is longer than {MAX_REQUEST_BYTES} bytes")
            old_size, hashes, signed = parse_add_checkpoint(request.decode())
        except (ProofError, UnicodeDecodeError) as error:
            return Refused(400, str(error))
        refusal = self._unknown(signed)
        if refusal is not None:
            return refusal
        if old_size > signed.checkpoint.size:
            return Refused(400, "the old size is greater than that of the checkpoint")
        with self._locked():
            return self._extended(old_size, hashes, signed)

    def _unknown(self, signed: SignedCheckpoint) -> Refused | None:
        """The refusal of a checkpoint that is not signed by a known log."""
        keys = [key for key in self._logs if key.name == signed.checkpoint.origin]
        if not keys:
            return Refused(404, "the log is not known to this witness")
        try:
            verify(signed.note, keys)
        except NoteError as error:
            return Refused(403, str(error))
        return None

    def _extended(
        self, old_size: int, hashes: Sequence[bytes], signed: SignedCheckpoint
    ) -> Cosigned | SizeConflict | Refused:
        """The cosignature, once the new state is on disk. The lock is held."""
        states = _read_states(self._state)
        told = signed.checkpoint
        seen = states.get(told.origin, _NOTHING_SEEN)
        if old_size != seen.size or (told.size == seen.size and told.root != seen.root):
            return SizeConflict(seen.size)
        try:
            _check_extends(seen, told, hashes)
        except ProofError as error:
            return Refused(422, str(error))
        states[told.origin] = _Seen(told.size, told.root)
        _write_states(self._state, states)
        return Cosigned(cosign(signed.note.text, self._key, int(self._now())).line())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One request at a time. Each opens the file itself, so threads wait for each other too."""
        lock = os.open(f"{self._state}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _check_extends(seen: _Seen, told: Checkpoint, hashes: Sequence[bytes]) -> None:
    if seen.size:
        verify_consistency(seen.size, told.size, hashes, seen.root, told.root)
    elif hashes:
        raise ProofError("the proof from size 0 is not empty")


def _read_states(path: Path) -> dict[str, _Seen]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_bytes())
        return {
            origin: _Seen(int(seen["size"]), decode_hash(seen["root"]))
            for origin, seen in content.items()
        }
    except (AttributeError, LookupError, ProofError, TypeError, ValueError):
        raise WitnessError(
            f"the state in {path} cannot be read; restore it, or retire this witness's key"
        ) from None


def _write_states(path: Path, states: Mapping[str, _Seen]) -> None:
    """Put the states in place of the old, on disk when this returns."""
    content = {
        origin: {"size": seen.size, "root": encode_base64(seen.root)}
        for origin, seen in states.items()
    }
    _write_durably(path, json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file that its owner alone can read, all of it or nothing."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def create_key_file(path: Path, key: SigningKey) -> None:
    """Keep a signing key in a new file with mode 0600. Raises WitnessError where there is one."""
    if path.exists():
        raise WitnessError(f"{path} is there already; name another file")
    _write_durably(path, key.secret_text().encode() + b"\n")


def read_key_file(path: Path) -> SigningKey:
    """The key in a file made by `create_key_file`. Raises WitnessError where others can read it."""
    if path.stat().st_mode & 0o077:
        raise WitnessError(f"{path} can be read by others; give it mode 0600")
    try:
        return parse_signing_key(path.read_text(encoding="utf-8").removesuffix("\n"))
    except (NoteError, UnicodeDecodeError):
        raise WitnessError(f"{path} does not hold a signing key; restore it") from None
