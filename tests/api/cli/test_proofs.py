"""`dealstate audit receipt`, `consistency`, `verify`, `verifier`, and `disclose`."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from api.wire.proofs import LogCheck, ProofText, ProofTexts, Verification
from api.wire.trails import AuditTrail
from domain.accesses import FieldDisclosed
from store.location import Location
from store.log import DealLog
from store.seals.proofs import Receipt, parse_file
from tests.api.cli.conftest import Run, run_command
from tests.api.small_store import EVENTS


@pytest.fixture
def key(write: Run, tmp_path: Path) -> Path:
    """A file with the verifier key of the store."""
    file = tmp_path / "log.vkey"
    file.write_text(write("keys", "show", "--public").stdout, encoding="utf-8")
    return file


def verified(*args: str | Path) -> Verification:
    return run_command("audit", "verify", *map(str, args), "--format", "json").read(Verification)


# Receipts.


def test_a_receipt_verifies_without_the_store(write: Run, key: Path, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt"
    assert write("audit", "receipt", "P-1", "5", "-o", str(receipt)).exit_code == 0
    (found,) = verified(receipt, "--key", key).files
    assert found.verified
    assert found.event is not None
    assert found.checkpoint is not None
    event = found.event
    assert (event.stream, event.version, event.type) == ("deal:d-press", 5, "forecast-revised")
    assert (event.position, event.disclosed, found.checkpoint.size) == (10, [], EVENTS)
    amount = {"amount": "1000.00", "currency": "USD"}
    assert event.fields == {"amount": amount, "expected_close": "2026-04-30"}
    assert event.encrypted == []
    told = run_command("audit", "verify", str(receipt), "--key", str(key)).stdout
    assert f"{receipt}: verified" in told
    assert "forecast-revised, version 5 of deal:d-press" in told


def test_a_receipt_is_printed_or_written_or_json(write: Run, tmp_path: Path) -> None:
    text = write("audit", "receipt", "P-1", "5").stdout
    assert text.startswith("c2sp.org/tlog-proof@v1\n")
    assert write("audit", "receipt", "P-1", "5", "-f", "json").read(ProofText).proof == text
    target = tmp_path / "receipt"
    target.write_text("mine", encoding="utf-8")
    refused = write("audit", "receipt", "P-1", "5", "-o", str(target))
    assert (refused.exit_code, target.read_text(encoding="utf-8")) == (1, "mine")


@pytest.mark.parametrize(
    ("args", "code"),
    [(("P-1", "99"), "event-not-found"), (("P-9", "1"), "deal-not-found")],
)
def test_there_is_no_receipt_of_nothing(write: Run, args: tuple[str, str], code: str) -> None:
    result = write("audit", "receipt", *args)
    assert result.exit_code == 1
    assert code in result.stderr


def test_who_does_not_see_everything_gets_no_receipt(write: Run) -> None:
    write("users", "grant", "u-anna", "analyst")
    write("users", "grant", "u-mei", "seller")
    refused = write("audit", "receipt", "P-1", "5", "--as", "u-anna")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "not-allowed" in refused.stderr
    assert write("audit", "receipt", "P-1", "5", "--as", "u-mei").exit_code == 0


@pytest.mark.parametrize("version", ["0", "-1", "x"])
def test_a_version_is_a_number_from_one(write: Run, version: str) -> None:
    assert write("audit", "receipt", "P-1", version).exit_code == 2


def test_all_versions_of_a_deal_come_under_one_checkpoint(
    write: Run, key: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "P-1"
    assert write("audit", "receipt", "P-1", "--all", "-o", str(folder)).exit_code == 0
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"{at:02}.receipt" for at in range(1, 11)]
    found = verified(*files, "--key", key)
    assert [one.event.version for one in found.files if one.event] == list(range(1, 11))
    assert {one.checkpoint.size for one in found.files if one.checkpoint} == {EVENTS}
    (told,) = found.versions
    assert (told.stream, told.last, told.missing) == ("deal:d-press", 10, [])
    (gap,) = verified(*files[:3], *files[5:], "--key", key).versions
    assert gap.missing == [(4, 5)]
    again = write("audit", "receipt", "P-1", "--all", "-o", str(folder))
    assert (again.exit_code, "file-not-written" in again.stderr) == (1, True)
    texts = write("audit", "receipt", "P-1", "--all", "-f", "json").read(ProofTexts).proofs
    assert texts == [file.read_text(encoding="utf-8") for file in files]


@pytest.mark.parametrize("args", [(), ("3", "--all", "-o", "x"), ("--all",)])
def test_one_version_or_all_of_them(write: Run, args: tuple[str, ...]) -> None:
    assert write("audit", "receipt", "P-1", *args).exit_code == 2


def test_verify_says_what_the_event_says(write: Run, key: Path, tmp_path: Path) -> None:
    file = tmp_path / "opened"
    write("audit", "receipt", "P-1", "1", "-o", str(file))
    told = run_command("audit", "verify", str(file), "--key", str(key)).stdout
    assert '  says        reference = "P-1"' in told
    write("audit", "receipt", "P-1", "6", "-o", str(tmp_path / "note"))
    (found,) = verified(tmp_path / "note", "--key", key).files
    assert found.event is not None
    assert (found.event.fields, found.event.encrypted) == ({}, ["text"])


# Consistency.


def test_two_checkpoints_are_shown_to_agree(write: Run, key: Path, tmp_path: Path) -> None:
    write("audit", "checkpoint")
    write("users", "add", "new", "New")
    write("audit", "checkpoint")
    file = tmp_path / "consistency"
    sizes = (str(EVENTS), str(EVENTS + 1))
    assert write("audit", "consistency", *sizes, "-o", str(file)).exit_code == 0
    (found,) = verified(file, "--key", key).files
    assert found.extends is not None
    assert found.checkpoint is not None
    assert (found.extends.size, found.checkpoint.size) == (EVENTS, EVENTS + 1)


@pytest.mark.parametrize("sizes", [("3", str(EVENTS)), (str(EVENTS), "3"), ("3", "4")])
def test_only_checkpoints_that_were_made_can_be_compared(
    write: Run, sizes: tuple[str, str]
) -> None:
    write("audit", "checkpoint")
    result = write("audit", "consistency", *sizes)
    assert result.exit_code == 1
    assert "checkpoint-not-found" in result.stderr


# Verifying.


def test_a_receipt_is_held_against_a_kept_checkpoint(
    own_store: str, write: Run, key: Path, tmp_path: Path
) -> None:
    kept, receipt, since = tmp_path / "kept", tmp_path / "receipt", tmp_path / "since"
    write("audit", "checkpoint", "--to", str(kept))
    write("users", "add", "new", "New")
    write("audit", "checkpoint")
    write("audit", "receipt", "P-1", "5", "-o", str(receipt))
    (of_kept, of_receipt) = verified(kept, receipt, "--key", key).files
    assert of_kept.not_compared_with == [str(receipt)]
    assert of_receipt.not_compared_with == [str(kept)]
    write("audit", "consistency", str(EVENTS), str(EVENTS + 1), "-o", str(since))
    linked = verified(kept, receipt, since, "--key", key).files
    assert [len(one.agrees_with) for one in linked] == [2, 2, 2]
    assert not any(one.not_compared_with for one in linked)


def test_a_fork_does_not_verify(own_store: str, write: Run, key: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fork"
    folder.mkdir()
    for file in Path(own_store.removeprefix("sqlite:///")).parent.glob("deals.*"):
        shutil.copy(file, folder / file.name)
    fork = ("--db", f"sqlite:///{folder / 'deals.db'}")
    ours, theirs, receipt = tmp_path / "ours", tmp_path / "theirs", tmp_path / "receipt"
    write("users", "add", "new", "New")
    write("audit", "checkpoint", "--to", str(ours))
    run_command(*fork, "users", "add", "other", "Other")
    run_command(*fork, "audit", "checkpoint", "--to", str(theirs))
    run_command(*fork, "audit", "receipt", "P-1", "5", "-o", str(receipt))
    for other in (theirs, receipt):
        result = run_command("audit", "verify", str(ours), str(other), "--key", str(key))
        assert result.exit_code == 3
        told = f"{ours} and {other} contradict each other: one log, two histories"
        assert f"{ours}: NOT VERIFIED: {told}" in result.stdout


def test_a_key_file_that_is_not_there_is_told(write: Run, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    file.write_text(write("audit", "checkpoint").stdout, encoding="utf-8")
    result = run_command("audit", "verify", str(file), "--key", "nothere.vkey")
    assert result.exit_code == 2
    assert "there is no file nothere.vkey" in result.stderr.replace("\n", " ")


def test_a_changed_file_does_not_verify(write: Run, key: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(write("audit", "receipt", "P-1", "5").stdout, encoding="utf-8")
    bad.write_text(good.read_text("utf-8").replace("index 9", "index 8"), encoding="utf-8")
    result = run_command("audit", "verify", str(good), str(bad), "--key", str(key))
    assert result.exit_code == 3
    assert f"{good}: verified" in result.stdout
    assert f"{bad}: NOT VERIFIED: " in result.stdout


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"c2sp.org/tlog-proof@v1\n\x1b[31m"])
def test_any_other_file_does_not_verify(tmp_path: Path, key: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    result = run_command("audit", "verify", str(file), "--key", str(key))
    assert (result.exit_code, "\x1b" in result.stdout) == (3, False)


def test_a_witness_that_must_have_signed_is_missed(write: Run, key: Path, tmp_path: Path) -> None:
    witness = "witness/x+9ba2c0ff+BGyXJd9CX2vJFnq2V9oGCt3bZ8W2Wg6sVYd2rlb3e3lh"
    file = tmp_path / "checkpoint"
    file.write_text(write("audit", "checkpoint").stdout, encoding="utf-8")
    careless = run_command(
        "audit", "verify", str(file), "--key", str(key), "--witness-key", witness
    )
    assert careless.exit_code == 2
    needed = run_command("audit", "verify", str(file), "--key", str(key), "--witnesses", "1")
    assert needed.exit_code == 2


@pytest.mark.parametrize("named", ["no-key", "dealstate/x+00000000+AbYm", ""])
def test_a_key_that_is_none_is_a_usage_error(write: Run, tmp_path: Path, named: str) -> None:
    file = tmp_path / "checkpoint"
    file.write_text(write("audit", "checkpoint").stdout, encoding="utf-8")
    assert run_command("audit", "verify", str(file), "--key", named).exit_code == 2


def test_without_a_key_or_a_file_nothing_is_verified(key: Path, tmp_path: Path) -> None:
    assert run_command("audit", "verify", str(key)).exit_code == 2
    missing = str(tmp_path / "missing")
    assert run_command("audit", "verify", missing, "--key", str(key)).exit_code == 2


def test_the_verifier_runs_alone(write: Run, key: Path, tmp_path: Path) -> None:
    receipt, program = tmp_path / "receipt", tmp_path / "verify.pyz"
    write("audit", "receipt", "P-1", "5", "-o", str(receipt))
    assert run_command("audit", "verifier", "-o", str(program)).exit_code == 0
    done = subprocess.run(
        [sys.executable, "-I", program, "--key", key, receipt],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "version 5 of deal:d-press" in done.stdout


def test_a_place_where_the_verifier_cannot_go_is_a_usage_error(tmp_path: Path) -> None:
    assert run_command("audit", "verifier", "-o", str(tmp_path / "no" / "x")).exit_code == 2


# One field disclosed.


def test_a_disclosed_field_is_checked_with_the_receipt(
    write: Run, key: Path, tmp_path: Path
) -> None:
    file = tmp_path / "disclosed"
    assert write("disclose", "P-1", "6", "text", "-o", str(file)).exit_code == 0
    (found,) = verified(file, "--key", key).files
    assert found.event is not None
    assert [(one.field, one.value) for one in found.event.disclosed] == [("text", '"Wrong deal."')]
    other = file.read_text("utf-8")
    receipt = write("audit", "receipt", "P-1", "6").stdout
    assert len(other) > len(receipt)
    assert "Wrong deal" not in receipt


def test_a_disclosure_stands_in_the_trail(write: Run) -> None:
    write("disclose", "P-1", "6", "text")
    write("disclose", "P-1", "6", "text")
    entries = write("audit", "trail", "-f", "json").read(AuditTrail).entries[EVENTS:]
    assert [(one.stream, one.version, one.source) for one in entries] == [
        ("access:d-press", 1, "cli"),
        ("access:d-press", 2, "cli"),
    ]
    assert entries[0].fact == FieldDisclosed("d-press", 6, "text")
    assert entries[0].what == "disclosed the field text of version 6 of deal d-press"
    assert len(write("audit", "trail", "P-1", "-f", "json").read(AuditTrail).entries) == 10


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("P-1", "6", "nothing"), "field-not-found"),
        (("P-1", "5", "amount"), "field-not-found"),
        (("P-1", "99", "text"), "event-not-found"),
        (("P-9", "1", "text"), "deal-not-found"),
    ],
)
def test_what_is_not_there_cannot_be_disclosed(
    write: Run, args: tuple[str, str, str], code: str
) -> None:
    result = write("disclose", *args)
    assert result.exit_code == 1
    assert code in result.stderr
    assert len(write("audit", "trail", "-f", "json").read(AuditTrail).entries) == EVENTS


def test_nobody_discloses_what_they_may_not_see(write: Run) -> None:
    write("users", "grant", "u-anna", "analyst")
    write("users", "grant", "u-mei", "seller")
    before = len(write("audit", "trail", "-f", "json").read(AuditTrail).entries)
    for user in ("u-anna", "u-sam-1"):
        result = write("disclose", "P-1", "6", "text", "--as", user)
        assert result.exit_code == 1
        assert "not-allowed" in result.stderr
        assert "Wrong deal" not in result.stdout + result.stderr
    assert write("disclose", "P-1", "6", "text", "--as", "u-mei").exit_code == 0
    entries = write("audit", "trail", "-f", "json").read(AuditTrail).entries
    assert [(one.actor.id, one.type) for one in entries[before:]] == [
        ("u-mei", "secrets-read"),
        ("u-mei", "field-disclosed"),
    ]


def test_everything_of_a_made_up_portfolio_verifies_across_a_new_key(tmp_path: Path) -> None:
    def run(*args: str) -> list[str]:
        return run_command("--db", f"sqlite:///{tmp_path / 'deals.db'}", *args).lines

    run("simulate", "--deals", "4", "--seed", "7", "--months", "6")
    size = len(run("audit", "trail", "--limit", "10000")) - 2
    run("audit", "checkpoint", "--to", str(tmp_path / "first"))
    deal = run("deals", "--format", "csv", "--limit", "1")[1].split(",")[0]
    run("audit", "receipt", deal, "1", "-o", str(tmp_path / "before"))
    run("keys", "rotate", "--signing")
    run("disclose", deal, *_closed_field(run, deal), "-o", str(tmp_path / "after"))
    run("audit", "checkpoint", "--to", str(tmp_path / "second"))
    run("audit", "consistency", str(size), str(size + 1), "-o", str(tmp_path / "between"))
    run("keys", "show", "--public", "-o", str(tmp_path / "keys"))
    run("audit", "verifier", "-o", str(tmp_path / "verify.pyz"))
    files = ["first", "before", "after", "second", "between"]
    done = subprocess.run(
        [sys.executable, "-I", "verify.pyz", "--key", "keys", *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if line.endswith(": verified")] == [
        f"{file}: verified" for file in files
    ]


def _closed_field(run: Callable[..., list[str]], deal: str) -> tuple[str, str]:
    """The first event of the deal with an encrypted field, and the name of that field."""
    for version in map(str, range(1, 100)):
        receipt = parse_file("\n".join(run("audit", "receipt", deal, version)) + "\n")
        assert isinstance(receipt, Receipt)
        for field in json.loads(receipt.event).get("encrypted", {}):
            return version, field
    raise AssertionError("nothing is encrypted")


def test_what_was_erased_cannot_be_disclosed_and_its_receipts_hold(
    own_store: str, write: Run, key: Path, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt"
    write("audit", "receipt", "P-1", "6", "-o", str(receipt))
    again = receipt.read_text(encoding="utf-8")
    with closing(DealLog.open(Location.parse(own_store))) as log:
        log.keys.begin_erasure({"deal:d-press"}, "somebody")
        log.keys.finish_erasure("somebody")
    result = write("disclose", "P-1", "6", "text")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "field-erased" in result.stderr
    assert "was erased" in result.stderr
    assert len(write("audit", "trail", "-f", "json").read(AuditTrail).entries) == EVENTS
    assert verified(receipt, "--key", key).files[0].verified
    assert write("audit", "receipt", "P-1", "6").stdout == again
    found = write("audit", "fsck", "--fields", "-f", "json").read(LogCheck)
    assert found.sound
    assert found.fields_erased > 0
