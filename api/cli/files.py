"""Files that commands write: whole or not at all."""

import os
from collections.abc import Mapping
from pathlib import Path

from api.cli.failures import fail
from api.cli.output import note
from store.keys.durability import sync_folder


def write_whole(path: Path, content: str | bytes) -> None:
    """Write the file in place of what is there, all of it or nothing, on disk when this returns.

    Raises OSError.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    sync_folder(path)


def write_all(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files into a folder, which is made where it is not there. None may be there yet."""
    there = [name for name in texts if (folder / name).exists()]
    if there:
        fail(
            "file-not-written",
            f"{folder / there[0]} is there already",
            "Name another folder, or remove it.",
        )
    try:
        folder.mkdir(exist_ok=True)
        for name, text in texts.items():
            write_whole(folder / name, text)
    except OSError as error:
        fail("file-not-written", f"{folder} cannot be written: {error.strerror}")
    note(f"Wrote {len(texts)} files to {folder}.")


def hand_over(text: str, path: Path | None) -> None:
    """Print the text, or write it to a file that is not there yet."""
    if path is None:
        print(text, end="")
    else:
        hand_over_file(text, path)


def hand_over_file(content: str | bytes, path: Path) -> None:
    """Write to a file that is not there yet, and say so."""
    if path.exists():
        fail("file-not-written", f"{path} is there already", "Name another file, or remove it.")
    try:
        write_whole(path, content)
    except OSError as error:
        fail("file-not-written", f"{path} cannot be written: {error.strerror}")
    note(f"Wrote {path}.")
