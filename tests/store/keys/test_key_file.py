"""The key file: for its owner alone, and never without the key that wraps the store."""

import base64
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from store.errors import StoreError
from store.keys import key_file
from store.keys.errors import KeyEncryptionMissing, WrongKeyEncryption
from store.keys.key_file import (
    create_key_file,
    next_to,
    read_key_file,
    rotate_key_file,
    settle_key_file,
)
from store.keys.ring import KeyRing
from store.keys.sources import FileSource
from store.keys.vault import Vault
from tests.store.keys.making import clock, crash, crash_at, create, reopen

NAMES = ["person:a", "deal:d"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.key"


def test_a_new_file_is_its_owners_alone_and_says_what_it_is(file: Path) -> None:
    before = os.umask(0)
    try:
        made = create_key_file(file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    title, text = file.read_text().splitlines()
    assert title.startswith("# The key-encryption key of a dealstate store")
    assert len(base64.b64decode(text, validate=True)) == 32
    assert read_key_file(file).id == made.id


def test_two_new_files_have_different_keys(tmp_path: Path) -> None:
    assert create_key_file(tmp_path / "a").id != create_key_file(tmp_path / "b").id


def test_a_file_is_never_written_over(file: Path) -> None:
    file.write_text("x")
    with pytest.raises(StoreError, match="is there already"):
        create_key_file(file)
    assert file.read_text() == "x"


def test_a_file_needs_its_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be made"):
        create_key_file(tmp_path / "nowhere" / "x.key")


def test_a_missing_file_says_what_follows(file: Path) -> None:
    with pytest.raises(
        KeyEncryptionMissing,
        match=r"Restore the key file from its backup; without it the personal and secret fields"
        " cannot be read",
    ):
        read_key_file(file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601, 0o644])
def test_a_file_that_others_may_read_is_refused(file: Path, mode: int) -> None:
    create_key_file(file)
    file.chmod(mode)
    with pytest.raises(StoreError, match=r"others than its owner.*chmod 600"):
        read_key_file(file)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_its_owner_alone_is_read(file: Path, mode: int) -> None:
    made = create_key_file(file)
    file.chmod(mode)
    assert read_key_file(file).id == made.id


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# only a title\n",
        b"c2hvcnQ=\n",
        b"\xff\xfe\x00",
        b"QUJD" * 2000,
        b"A" * 44 + b"\nQQ==",
    ],
)
def test_another_file_is_refused_and_not_repeated(file: Path, content: bytes) -> None:
    file.touch(0o600)
    file.write_bytes(content)
    with pytest.raises(StoreError, match="does not hold a key") as caught:
        read_key_file(file)
    assert "QUJD" not in str(caught.value)


def test_a_folder_is_not_a_key_file(tmp_path: Path) -> None:
    (tmp_path / "x.key").mkdir(0o700)
    with pytest.raises(StoreError, match="cannot be read"):
        read_key_file(tmp_path / "x.key")


# Rotation.


@pytest.fixture
def kept(file: Path, path: Path) -> dict[str, bytes]:
    """The keys of a store whose key file is `file`."""
    create_key_file(file)
    with create(path, FileSource(file)) as ring:
        return ring.ensure(NAMES)


def test_a_rotation_replaces_the_file_and_keeps_the_keys(
    file: Path, path: Path, kept: dict[str, bytes]
) -> None:
    before = read_key_file(file).id
    with reopen(path, FileSource(file)) as ring:
        after = rotate_key_file(ring, file)
        assert after == ring.encryption_id == read_key_file(file).id != before
        assert ring.find(NAMES) == kept
    assert not next_to(file).exists()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with reopen(path, FileSource(file)) as ring:
        assert ring.find(NAMES) == kept


def test_a_link_to_the_file_stays_a_link(
    file: Path, path: Path, kept: dict[str, bytes], tmp_path: Path
) -> None:
    link = tmp_path / "folder" / "link.key"
    link.parent.mkdir()
    link.symlink_to(file)
    with reopen(path, FileSource(link)) as ring:
        after = rotate_key_file(ring, link)
    assert link.is_symlink()
    assert read_key_file(file).id == after
    with reopen(path, FileSource(link)) as ring:
        assert ring.find(NAMES) == kept


def crash_after(function: Callable[..., object]) -> Callable[..., None]:
    def crashing(*arguments: object, **options: object) -> None:
        function(*arguments, **options)
        crash()

    return crashing


CRASHES: dict[str, tuple[object, str, Callable[..., object]]] = {
    "before the new file": (key_file, "create_key_file", crash),
    "after the new file": (key_file, "create_key_file", crash_after(create_key_file)),
    "in the transaction": (Vault, "mark_unscrubbed", crash),
    "after the commit": (Vault, "scrub_everything", crash),
    "before the rename": (key_file, "settle_key_file", crash),
    "after the rename": (Path, "replace", crash_after(Path.replace)),
}


@pytest.mark.parametrize("point", CRASHES)
def test_a_crash_in_a_rotation_loses_no_key(
    point: str,
    file: Path,
    path: Path,
    kept: dict[str, bytes],
) -> None:
    with reopen(path, FileSource(file)) as ring, crash_at(*CRASHES[point]):
        rotate_key_file(ring, file)
    with reopen(path, FileSource(file)) as ring:
        assert ring.find(NAMES) == kept
        assert ring.encryption_id == read_key_file(file).id
        assert not next_to(file).exists()
        rotate_key_file(ring, file)
        assert ring.find(NAMES) == kept


def test_a_new_file_written_in_part_is_removed(
    file: Path, path: Path, kept: dict[str, bytes]
) -> None:
    next_to(file).touch(0o600)
    next_to(file).write_text("# The key-encr")
    with reopen(path, FileSource(file)) as ring:
        assert ring.find(NAMES) == kept
    assert not next_to(file).exists()


def test_nothing_is_removed_where_neither_file_has_the_key(
    file: Path, path: Path, kept: dict[str, bytes]
) -> None:
    with reopen(path, FileSource(file)) as ring:
        file.unlink()
        others = create_key_file(file), create_key_file(next_to(file))
        with pytest.raises(WrongKeyEncryption):
            settle_key_file(ring, file)
        with pytest.raises(WrongKeyEncryption):
            rotate_key_file(ring, file)
        assert ring.find(NAMES) == kept
    assert (read_key_file(file).id, read_key_file(next_to(file)).id) == (others[0].id, others[1].id)
    with pytest.raises(WrongKeyEncryption):
        reopen(path, FileSource(file))


def test_the_new_file_alone_is_enough(file: Path, path: Path, kept: dict[str, bytes]) -> None:
    file.rename(next_to(file))
    with reopen(path, FileSource(file)) as ring:
        assert ring.find(NAMES) == kept
    assert file.exists()
    assert not next_to(file).exists()


def test_another_ring_goes_on_after_a_rotation(
    file: Path, path: Path, kept: dict[str, bytes]
) -> None:
    with (
        KeyRing.open(path, FileSource(file), clock) as ring,
        KeyRing.open(path, FileSource(file), clock) as other,
    ):
        before = other.generation
        rotate_key_file(ring, file)
        assert other.generation > before
        assert other.find(NAMES) == kept
        made = other.ensure(["person:new"])
        assert ring.find(["person:new"]) == made


def test_a_ring_may_find_the_new_key_before_the_file_is_renamed(
    file: Path, path: Path, kept: dict[str, bytes]
) -> None:
    with reopen(path, FileSource(file)) as ring, reopen(path, FileSource(file)) as other:
        with crash_at(key_file, "settle_key_file"):
            rotate_key_file(ring, file)
        assert next_to(file).exists()
        assert other.find(NAMES) == kept
        assert other.encryption_id == read_key_file(next_to(file)).id
        settle_key_file(other, file)
        settle_key_file(ring, file)
    assert not next_to(file).exists()
