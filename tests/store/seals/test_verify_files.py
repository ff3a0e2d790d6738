"""The verifier as a command: which files it reads, how much, and what it does with its answer."""

import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.seals import proofs, verify
from store.seals.bundle import bundle
from store.seals.verify import MISUSED, Trust, VerificationFailed, main, verify_files
from tests.store.seals.made import LOG_KEY, OTHER_LOG_KEY, receipt

KEY = ("--key", str(LOG_KEY.verifier))
STRANGER = Trust((OTHER_LOG_KEY.verifier,))


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.receipt"
    path.write_text(receipt())
    return path


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("sink", ["full", "closed"])
def test_an_answer_that_cannot_be_written_is_no_answer(
    tmp_path: Path, good: Path, sink: str, archive: bool
) -> None:
    program = ["-m", "store.seals.verify"]
    if archive:
        bundle(tmp_path / "verify.pyz")
        program = [str(tmp_path / "verify.pyz")]
    reading, writing = os.pipe()
    os.close(reading)
    with Path("/dev/full").open("wb") as full, os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [sys.executable, *program, *KEY, str(good)],
            stdout=full if sink == "full" else closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == MISUSED
    assert done.stderr.startswith("verify: the answer cannot be written: ")
    assert done.stderr.count("\n") == 1


def test_the_name_of_a_file_forges_no_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "bad\nforged.receipt: verified"
    (tmp_path / name).write_text("nothing")
    assert main([*KEY, str(tmp_path / name)]) == 3
    assert capsys.readouterr().out.count("\n") == 1
    with pytest.raises(SystemExit) as ended:
        main([*KEY, str(tmp_path / f"{name}.not-there")])
    assert ended.value.code == MISUSED
    assert "\nforged" not in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_only_regular_files_are_read(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = {"pipe": tmp_path / "pipe", "device": Path("/dev/zero"), "folder": tmp_path}[kind]
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(SystemExit) as ended:
        main([*KEY, str(path)])
    assert ended.value.code == MISUSED
    assert "irectory" in (told := capsys.readouterr().err) or "not a regular file" in told


def test_a_file_that_is_too_long_does_not_verify(
    good: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("store.seals.verify.MAX_FILE_CHARACTERS", len(good.read_bytes()) - 1)
    assert main([*KEY, str(good)]) == 3
    assert "is longer than" in capsys.readouterr().out


def test_what_a_checkpoint_is_to_prove_is_not_read_before_its_signature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read_it(encoded: bytes) -> None:
        raise AssertionError("the event was read")

    text = receipt()
    monkeypatch.setattr(proofs, "_parse_extra", read_it)
    (found,), _ = verify_files([("r", text.encode())], STRANGER)
    assert found.problem is not None
    assert "no trusted key" in found.problem


def test_a_receipt_nobody_signed_takes_little_memory() -> None:
    head, rest = receipt().split("extra ", 1)
    padded = f"{head}extra {'A' * 5_000_000}\n{rest.partition(chr(10))[2]}".encode()
    tracemalloc.start()
    (found,), _ = verify_files([("r", padded)], STRANGER)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not found.verified
    assert peak < 8 * len(padded)


def test_each_file_is_done_with_before_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def one_by_one() -> Iterator[tuple[str, bytes]]:
        for number in range(3):
            done.append(f"read {number}")
            yield "name", str(number).encode()

    def refuse(text: str, _: Trust) -> None:
        done.append(f"verify {text}")
        raise VerificationFailed("no")

    monkeypatch.setattr(verify, "verify_text", refuse)
    verify_files(one_by_one(), STRANGER)
    assert done == ["read 0", "verify 0", "read 1", "verify 1", "read 2", "verify 2"]
