"""The key-encryption key in a file of its own, and how it is replaced without ever being lost.

Theory of operation. The file holds a line that says what it is and the key in
base64, and nobody but its owner may read it. A rotation writes the new key
beside it as `<name>.next`, makes that durable, wraps all keys anew in one
transaction, and only then renames it over the old one. So at every moment the
key that the store is wrapped under is in one of the two files, and the store
says which. Whoever settles this, after a rotation or after a crash in one,
does so while holding the write lock of the key store: two rotations at once
cannot take the files from each other. So a key file belongs to one store alone.
"""

import base64
import binascii
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import StoreError
from store.keys.durability import sync_folder
from store.keys.errors import KeyEncryptionMissing, WrongKeyEncryption
from store.keys.rotation import Progress, silent
from store.keys.wrapping import KEY_BYTES, AesKeyEncryption, KeyEncryption

if TYPE_CHECKING:
    from store.keys.ring import KeyRing

_FIRST_LINE = (
    "# The key-encryption key of a dealstate store: opens its personal and secret fields."
    " Keep a copy, apart from the store."
)
_LONGEST_BYTES = 4_096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def create_key_file(path: Path) -> AesKeyEncryption:
    """Make a file with a new key, durably. Raises StoreError where a file is there already."""
    key = os.urandom(KEY_BYTES)
    _write_new(path, f"{_FIRST_LINE}\n{encoded(key)}\n".encode())
    return AesKeyEncryption(key)


def encoded(key: bytes) -> str:
    """The key as a key file and an environment variable hold it: base64."""
    return base64.b64encode(key).decode()


def _write_new(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise StoreError(
            f"{path} is there already", "It may be the key of a store: keep it, or name another."
        ) from None
    except OSError as error:
        raise StoreError(
            f"{path} cannot be made: {error.strerror}", "Name a file in a folder you may write to."
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path)


def read_key_file(path: Path) -> AesKeyEncryption:
    """The key in the file.

    Raises KeyEncryptionMissing when there is none; StoreError when others than
    its owner may read it, or it is not a key file.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_mode & _OTHERS:
                raise StoreError(
                    f"others than its owner may read the key file {path}",
                    f"Take the right from them: chmod 600 {path}",
                )
            content = file.read(_LONGEST_BYTES)
    except FileNotFoundError:
        raise KeyEncryptionMissing(
            f"there is no key file {path}",
            "Restore the key file from its backup; without it the personal and secret fields"
            " cannot be read.",
        ) from None
    except OSError as error:
        raise StoreError(
            f"the key file {path} cannot be read: {error.strerror}", "Give its owner the right."
        ) from None
    return AesKeyEncryption(_key_of(content, path))


def key_of(text: str, where: str) -> bytes:
    """The key that a base64 text is. Raises StoreError, without the text."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise StoreError(
            f"{where} does not hold a key: {KEY_BYTES} bytes in base64",
            "Restore it from its backup; if no store was made with it yet, make it anew.",
        )
    return key


def _key_of(content: bytes, path: Path) -> bytes:
    lines = content.decode("utf-8", "replace").splitlines()
    return key_of("".join(line for line in lines if not line.startswith("#")), f"{path}")


def find_in_files(path: Path, wanted: str | None) -> AesKeyEncryption:
    """The key of that id, from the file or from the one beside it; any id: the file's own.

    Raises WrongKeyEncryption when it is in neither, and what `read_key_file` raises.
    """
    if wanted is None:
        return read_key_file(path)
    # Whoever rotates may rename the second over the first meanwhile, so the first is read again.
    for place in (path, next_to(path), path):
        candidate = _whole(place)
        if candidate is not None and candidate.id == wanted:
            return candidate
    raise WrongKeyEncryption(wanted, read_key_file(path).id)


def next_to(path: Path) -> Path:
    """Where a rotation writes the new key."""
    return path.with_name(f"{path.name}.next")


def rotate_key_file(
    ring: "KeyRing", path: Path, progress: Progress = silent, keep_old: Path | None = None
) -> str:
    """Put a new key in the file and wrap all keys of `ring` under it; the id of the new key.

    Copies of the key store made before need the key of before. It is overwritten,
    unless `keep_old` names a new file for it.
    Raises WrongKeyEncryption when the ring is not wrapped under the file's key, StoreError.
    """
    place = path.resolve()

    def make(current: str) -> KeyEncryption:
        _settle(place, current)
        if keep_old is not None:
            _write_new(keep_old, place.read_bytes())
        return create_key_file(next_to(place))

    ring.rotate_to(make, progress)
    settle_key_file(ring, place)
    return ring.encryption_id


def settle_key_file(ring: "KeyRing", path: Path) -> None:
    """Finish what a rotation left: rename the new file, or remove one that wraps nothing.

    Raises WrongKeyEncryption when the key of the ring is in neither file.
    """
    place = path.resolve()
    ring.while_locked(lambda current: _settle(place, current))


def _settle(path: Path, current: str) -> None:
    """Only to be called under the write lock of the key store that is wrapped under `current`."""
    find_in_files(path, current)
    following = next_to(path)
    candidate = _whole(following)
    if candidate is not None and candidate.id == current:
        following.replace(path)
    else:
        following.unlink(missing_ok=True)
    sync_folder(path)


def _whole(path: Path) -> AesKeyEncryption | None:
    """The key in the file; none where there is no file, or a crash left a part of one."""
    try:
        return read_key_file(path)
    except StoreError:
        return None
