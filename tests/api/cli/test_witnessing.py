"""`dealstate audit witness` and `checkpoint --witness`, over a real socket."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from api.wire.proofs import CheckpointMade, Verification
from tests.api.cli.conftest import Run, run_command


class Running(NamedTuple):
    """A witness that answers."""

    key: str
    address: str


@contextmanager
def witness(folder: Path, log_key: str, *more: str) -> Iterator[Running]:
    """A witness of one log in a process of its own."""
    command: list[str | Path] = [Path(sys.executable).with_name("dealstate"), "audit", "witness"]
    files: list[str | Path] = ["--key", folder / "witness.key", "--state", folder / "witness.json"]
    options = ["--log-key", log_key, *files, "--listen", "127.0.0.1:0", *more]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    with process:
        try:
            assert process.stdout is not None
            key = process.stdout.readline().removeprefix("Witness ").strip()
            found = re.search(r"http://[0-9.:]+", process.stdout.readline())
            assert found is not None
            yield Running(key, found[0])
        finally:
            process.terminate()


def public_key(run: Run) -> str:
    return run("keys", "show", "--public").lines[-1]


def test_a_witness_cosigns_what_extends_and_refuses_a_fork(
    own_store: str, write: Run, tmp_path: Path
) -> None:
    log_key = public_key(write)
    fork = _copied(own_store, tmp_path / "fork")
    with witness(tmp_path, log_key, "--name", "witness/one") as one:
        asked = ("--witness", one.address, "--witness-key", one.key)
        first = write("audit", "checkpoint", *asked)
        assert first.exit_code == 0, first.stderr
        assert "Cosigned by witness/one." in first.stderr
        write("users", "add", "new", "New")
        again = write("audit", "checkpoint", *asked, "-f", "json").read(CheckpointMade)
        assert again.signers == [again.origin, "witness/one"]
        assert write("audit", "checkpoint").stdout == again.note
        run_command("--db", fork, "users", "add", "other", "Other")
        refused = run_command("--db", fork, "audit", "checkpoint", *asked)
        assert refused.exit_code == 3
        assert "has cosigned another history of this log" in refused.stderr
        run_command("--db", fork, "users", "add", "more", "More")
        refused = run_command("--db", fork, "audit", "checkpoint", *asked)
        assert refused.exit_code == 3
        assert "has cosigned another history of this log" in refused.stderr
    with witness(tmp_path, log_key) as same:
        assert same.key == one.key
        refused = run_command(
            *("--db", fork, "audit", "checkpoint"),
            *("--witness", same.address, "--witness-key", same.key),
        )
        assert refused.exit_code == 3
    file = tmp_path / "cosigned"
    file.write_text(again.note, encoding="utf-8")
    verify = ("audit", "verify", str(file), "--key", log_key, "--witness-key", one.key)
    checkpoint = run_command(*verify, "-f", "json").read(Verification).files[0].checkpoint
    assert checkpoint is not None
    assert checkpoint.cosigned_by == [one.key]
    file.write_text(run_command("--db", fork, "audit", "checkpoint").stdout, encoding="utf-8")
    assert run_command(*verify).exit_code == 3
    assert run_command(*verify, "--witnesses", "0").exit_code == 0


def _copied(store: str, folder: Path) -> str:
    log = Path(store.removeprefix("sqlite:///"))
    folder.mkdir()
    for file in log.parent.glob("deals.*"):
        shutil.copy(file, folder / file.name)
    return f"sqlite:///{folder / log.name}"


def test_a_log_that_lost_events_is_told_by_the_witness(
    own_store: str, write: Run, tmp_path: Path
) -> None:
    older = _copied(own_store, tmp_path / "older")
    write("users", "add", "new", "New")
    with witness(tmp_path, public_key(write)) as one:
        asked = ("audit", "checkpoint", "--witness", one.address, "--witness-key", one.key)
        assert write(*asked).exit_code == 0
        result = run_command("--db", older, *asked)
    assert result.exit_code == 3
    assert "Events were removed, or an older backup was restored" in result.stderr


def test_a_witness_that_does_not_know_the_log_is_told(write: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    run_command("--db", f"sqlite:///{other}", "init")
    key = run_command("--db", f"sqlite:///{other}", "keys", "show", "--public").lines[-1]
    with witness(tmp_path, key) as one:
        result = write("audit", "checkpoint", "--witness", one.address, "--witness-key", one.key)
    assert result.exit_code == 1
    assert "answers 404: the log is not known to this witness" in result.stderr
    gone = write("audit", "checkpoint", "--witness", one.address, "--witness-key", one.key)
    assert gone.exit_code == 1
    assert "gave no answer" in gone.stderr


def test_the_key_of_a_witness_is_its_own(write: Run, tmp_path: Path) -> None:
    with witness(tmp_path, public_key(write)) as one:
        assert (tmp_path / "witness.key").stat().st_mode & 0o777 == 0o600
        other = public_key(write)
        wrong = write("audit", "checkpoint", "--witness", one.address, "--witness-key", other)
        assert wrong.exit_code == 2


@pytest.mark.parametrize(
    "options",
    [
        ["--listen", "nowhere"],
        ["--listen", "127.0.0.1:99999"],
        ["--log-key", "no key"],
        ["--name", "two words"],
    ],
)
def test_careless_options_are_usage_errors(write: Run, tmp_path: Path, options: list[str]) -> None:
    files = ["--key", str(tmp_path / "key"), "--state", str(tmp_path / "state")]
    logs = [] if "--log-key" in options else ["--log-key", public_key(write)]
    assert run_command("audit", "witness", *logs, *files, *options).exit_code == 2


def test_a_file_that_is_no_key_is_told(write: Run, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("no key\n", encoding="utf-8")
    file.chmod(0o600)
    files = ["--key", str(file), "--state", str(tmp_path / "state")]
    result = run_command("audit", "witness", "--log-key", public_key(write), *files)
    assert result.exit_code == 1
    assert "witness-unusable" in result.stderr


def test_its_verifier_key_is_written_for_others(write: Run, tmp_path: Path) -> None:
    file, log_key = tmp_path / "witness.vkey", public_key(write)
    for _ in range(2):
        with witness(tmp_path, log_key, "-o", str(file)) as one:
            assert file.read_text(encoding="utf-8") == f"{one.key}\n"
            asked = ("--witness", one.address, "--witness-key", str(file))
            assert write("audit", "checkpoint", *asked).exit_code == 0
    files = ["--key", str(tmp_path / "other.key"), "--state", str(tmp_path / "state")]
    other = run_command("audit", "witness", "--log-key", log_key, *files, "-o", str(file))
    assert (other.exit_code, "file-not-written" in other.stderr) == (1, True)
