"""What is new in a folder survives a power failure: the file is synced, then its folder."""

import os
import stat
from pathlib import Path

import pytest

from store.keys.key_file import create_key_file, rotate_key_file
from store.keys.ring import KeyRing
from store.keys.sources import FileSource
from tests.store.keys.making import create


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Python has synced, in order: files and folders. SQLite syncs its own."""
    found: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        kind = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        found.append("folder" if kind else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    return found


def test_a_key_file_is_synced_with_its_folder(tmp_path: Path, synced: list[str]) -> None:
    create_key_file(tmp_path / "x.key")
    assert synced == ["file", "folder"]


def test_a_key_store_is_synced_with_its_folder(path: Path, synced: list[str]) -> None:
    create(path).close()
    assert synced == ["folder"]


def test_a_copy_is_synced_with_its_folder(ring: KeyRing, path: Path, synced: list[str]) -> None:
    ring.copy_to(path.with_name("copy.db"))
    assert synced == ["file", "folder"]


def test_a_rotation_syncs_the_new_file_before_and_the_folder_after(
    path: Path, synced: list[str]
) -> None:
    file = path.with_name("x.key")
    create_key_file(file)
    with create(path, FileSource(file)) as ring:
        synced.clear()
        seen: list[list[str]] = []
        rotate_key_file(ring, file, lambda done, total: seen.append(list(synced)))
    # The first folder: what an earlier rotation may have left is settled.
    assert seen[0] == ["folder", "file", "folder"]
    assert synced == [*seen[0], "folder"]
