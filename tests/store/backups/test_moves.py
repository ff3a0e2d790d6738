"""Renames as one: all or none, whenever a crash comes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from store.backups.moves import Move, commit, settle
from store.errors import StoreError

MOVES = (
    Move("x.db", "x.db.before"),
    Move("x.keys.db", "x.keys.db.before"),
    Move("x.db.new", "x.db"),
    Move("x.keys.db.new", "x.keys.db"),
)
OLD = {"x.db": "old log", "x.keys.db": "old keys"}
BUILT = OLD | {"x.db.new": "new log", "x.keys.db.new": "new keys"}
NEW = {
    "x.db": "new log",
    "x.keys.db": "new keys",
    "x.db.before": "old log",
    "x.keys.db.before": "old keys",
}


class Killed(BaseException):
    """Ends it where a crash would."""


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    for name, content in BUILT.items():
        (tmp_path / name).write_text(content)
    return tmp_path / "x.keys.db"


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def after(steps: int) -> Callable[[], None]:
    left = iter(range(steps))

    def at() -> None:
        if next(left, None) is None:
            raise Killed

    return at


def test_all_moves_are_carried_out(keys: Path) -> None:
    commit(keys, MOVES)
    assert contents(keys.parent) == NEW


def test_without_a_note_nothing_is_moved(keys: Path) -> None:
    settle(keys)
    assert contents(keys.parent) == BUILT


def test_settling_again_changes_nothing(keys: Path) -> None:
    commit(keys, MOVES)
    settle(keys)
    assert contents(keys.parent) == NEW


@pytest.mark.parametrize("steps", range(6))
def test_whatever_the_moment_of_a_crash_it_is_the_old_or_the_new(keys: Path, steps: int) -> None:
    with pytest.raises(Killed):
        commit(keys, MOVES, after(steps))
    settle(keys)
    assert contents(keys.parent) == (NEW if steps else BUILT)


def test_a_crash_while_settling_is_settled(keys: Path) -> None:
    with pytest.raises(Killed):
        commit(keys, MOVES, after(1))
    for steps in range(3):
        with pytest.raises(Killed):
            settle(keys, after(0))
        assert steps < 3
    settle(keys)
    assert contents(keys.parent) == NEW


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"{}", b'[{"source":"x"}]', b'[{"source":"../x","target":"y"}]'],
)
def test_a_note_that_cannot_be_read_is_told(keys: Path, content: bytes) -> None:
    note = keys.with_name(f"{keys.name}.moves")
    note.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        settle(keys)
    assert note.read_bytes() == content
