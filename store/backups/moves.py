"""Several files put in place as one: a note of what goes where, then the renames.

Theory of operation. What takes the place of a store is built beside it. Then a
note of all renames is written, made durable and renamed into its place: before
that moment the store is the old one, after it the new one, since whoever opens
the store first carries out what a note says. A rename is carried out where its
source is there and its target is not, so doing it again changes nothing.
"""

import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from store.errors import StoreError
from store.keys.durability import sync_folder


class Move(msgspec.Struct, frozen=True):
    """A file of one folder gets another name in it."""

    source: str
    target: str


_decode = msgspec.json.Decoder(tuple[Move, ...]).decode


def _quiet() -> None: ...


def commit(keys: Path, moves: Sequence[Move], at: Callable[[], None] = _quiet) -> None:
    """Carry out all moves, beside the key store of a store, or none.

    `at` is called after each step.
    """
    note = _note_of(keys)
    draft = note.with_name(f"{note.name}.new")
    try:
        with draft.open("wb") as file:
            file.write(msgspec.json.encode(tuple(moves)))
            file.flush()
            os.fsync(file.fileno())
        at()
        draft.replace(note)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(note)
    at()
    settle(keys, at)


def settle(keys: Path, at: Callable[[], None] = _quiet) -> None:
    """Carry out what a note beside the key store says, if there is one."""
    note = _note_of(keys)
    try:
        file = note.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(
            f"{note} cannot be read: {error.strerror}", "Give this user the right to the folder."
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not note.exists():
            return
        for source, target in _read(note, file.read()):
            if source.exists() and not target.exists():
                source.rename(target)
                at()
        sync_folder(note)
        note.unlink()
        sync_folder(note)


def _read(note: Path, content: bytes) -> list[tuple[Path, Path]]:
    try:
        return [
            (note.with_name(one.source), note.with_name(one.target)) for one in _decode(content)
        ]
    except (msgspec.MsgspecError, ValueError):
        raise StoreError(
            f"{note} is damaged: it does not say which files were to change places",
            "A restore was cut short. Move it away, and restore the backup once more.",
        ) from None


def _note_of(keys: Path) -> Path:
    return keys.with_name(f"{keys.name}.moves")
