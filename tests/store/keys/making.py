"""Key stores to test with: at a fixed time, under a key-encryption key made up here."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from store.keys.ring import KeyRing
from store.keys.signing import Signature, Signed
from store.keys.sources import EncryptionSource, GivenEncryption
from store.keys.wrapping import AesKeyEncryption

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
ENCRYPTION = AesKeyEncryption(bytes(range(32)))
OTHER = AesKeyEncryption(bytes(range(1, 33)))
REPOSITORY = Path(__file__).resolve().parents[3]


def clock() -> datetime:
    return NOON


def given(encryption: AesKeyEncryption = ENCRYPTION) -> GivenEncryption:
    return GivenEncryption(encryption)


def create(path: Path, source: EncryptionSource | None = None) -> KeyRing:
    return KeyRing.create(path, source or given(), clock)


def reopen(path: Path, source: EncryptionSource | None = None) -> KeyRing:
    return KeyRing.open(path, source or given(), clock)


def sign(ring: KeyRing, text: str, size: int = 0) -> Signature:
    """A text signed as the checkpoint of so many events; what it follows is not asked."""
    return ring.sign_checkpoint(Signed(size, bytes(32)), text, lambda last: None)


def raw(path: Path) -> "closing[sqlite3.Connection]":
    """A plain connection, as another program would have it."""
    return closing(sqlite3.connect(path, isolation_level=None, timeout=0))


def ask(path: Path, query: str) -> list[tuple[Any, ...]]:
    with raw(path) as other:
        return other.execute(query).fetchall()


def bytes_of_all_files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


class Crash(BaseException):
    """Nothing catches it: what follows is as after a crash."""


def crash(*_: object, **__: object) -> None:
    raise Crash


@contextmanager
def crash_at(owner: object, name: str, instead: Callable[..., object] = crash) -> Iterator[None]:
    """The process comes to its end where it calls `name`; goes on with the next process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, instead)
        with pytest.raises(Crash):
            yield


def start(program: str, *arguments: str) -> "subprocess.Popen[str]":
    """A Python process that knows these helpers and talks through pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
