"""What proof files show, what they do not, and that nothing but their true form verifies."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.seals import tiles
from store.seals.bundle import bundle
from store.seals.notes import NoteError, SignatureType, SigningKey
from store.seals.proofs import Disclosure, write_consistency
from store.seals.verify import (
    CheckpointFinding,
    ConsistencyFinding,
    ReceiptFinding,
    Trust,
    VerificationFailed,
    main,
    report,
    verify_text,
)
from tests.house.measures import REPOSITORY
from tests.store.seals.made import (
    DISCLOSURE,
    EVENTS,
    LOG,
    LOG_KEY,
    ORIGIN,
    OTHER_LOG_KEY,
    SALT,
    VALUE,
    WITNESS_A,
    WITNESS_B,
    checkpoint_note,
    consistency,
    event,
    log_of_events,
    receipt,
    receipt_of,
)

TRUST = Trust((LOG_KEY.verifier,))
WITNESSED = Trust((LOG_KEY.verifier,), (WITNESS_A.verifier, WITNESS_B.verifier), 2)


def test_a_receipt_shows_the_event_its_index_and_the_checkpoint() -> None:
    finding = verify_text(receipt(4, 300), TRUST)
    assert isinstance(finding, ReceiptFinding)
    assert (finding.index, finding.stored, finding.disclosed) == (4, EVENTS[4], ())
    assert (finding.event.stream, finding.event.version) == ("deal:4f1c", 5)
    assert (finding.event.type, finding.event.actor) == ("note-taken", "user:u1")
    assert finding.event.recorded_at == "2026-03-02T10:00:01.000000Z"
    told = finding.under.checkpoint
    assert (told.origin, told.size, told.root) == (ORIGIN, 300, tiles.root(LOG, 300))
    assert [one.key for one in finding.under.signed_by] == [LOG_KEY.verifier]
    assert finding.under.cosigned_by == ()


@pytest.mark.parametrize(("index", "size"), [(0, 1), (0, 2), (255, 256), (256, 257), (299, 300)])
def test_a_receipt_of_any_event_at_any_size_verifies(index: int, size: int) -> None:
    assert isinstance(verify_text(receipt(index, size), TRUST), ReceiptFinding)


def test_witnesses_are_counted_and_named_with_their_times() -> None:
    finding = verify_text(receipt(witnesses=[WITNESS_A, WITNESS_B]), WITNESSED)
    assert isinstance(finding, ReceiptFinding)
    assert [(one.key, one.time) for one in finding.under.cosigned_by] == [
        (WITNESS_A.verifier, 1_790_000_000),
        (WITNESS_B.verifier, 1_790_000_000),
    ]
    for text in (receipt(witnesses=[WITNESS_A]), checkpoint_note(LOG, 300), consistency()):
        with pytest.raises(VerificationFailed, match="where 2 are needed"):
            verify_text(text, WITNESSED)
    one_is_enough = Trust(WITNESSED.logs, WITNESSED.witnesses, 1)
    verify_text(receipt(witnesses=[WITNESS_A]), one_is_enough)


def test_two_names_of_one_witness_count_once() -> None:
    alias = SigningKey.from_seed("c.example/w", SignatureType.COSIGNATURE, b"a" * 32)
    witnesses = (WITNESS_A.verifier, alias.verifier)
    text = receipt(witnesses=[WITNESS_A, WITNESS_B])
    with pytest.raises(NoteError, match="fewer witnesses"):
        Trust(TRUST.logs, witnesses, 2)
    with pytest.raises(VerificationFailed, match="where 2 are needed"):
        verify_text(text, Trust(TRUST.logs, (*witnesses, OTHER_WITNESS.verifier), 2))


OTHER_WITNESS = SigningKey.from_seed("d.example/w", SignatureType.COSIGNATURE, b"d" * 32)


def test_a_consistency_file_shows_both_checkpoints() -> None:
    finding = verify_text(consistency(100, 300, [WITNESS_A, WITNESS_B]), WITNESSED)
    assert isinstance(finding, ConsistencyFinding)
    assert (finding.old.checkpoint.size, finding.new.checkpoint.size) == (100, 300)
    assert len(finding.new.cosigned_by) == 2


def test_a_checkpoint_alone_shows_its_size_and_root() -> None:
    finding = verify_text(checkpoint_note(LOG, 256), TRUST)
    assert isinstance(finding, CheckpointFinding)
    assert finding.checkpoint.size == 256


def test_a_history_that_was_changed_is_not_consistent() -> None:
    changed = log_of_events([*EVENTS[:50], event(51, actor="user:u2"), *EVENTS[51:]])
    hashes = tiles.consistency_proof(changed, 100, 300)
    text = write_consistency(hashes, checkpoint_note(changed, 300), checkpoint_note(LOG, 100))
    with pytest.raises(VerificationFailed, match="not shown to extend"):
        verify_text(text, TRUST)


def test_checkpoints_of_two_logs_do_not_relate() -> None:
    trust = Trust((LOG_KEY.verifier, OTHER_LOG_KEY.verifier))
    other = checkpoint_note(LOG, 100, OTHER_LOG_KEY, origin=OTHER_LOG_KEY.name)
    text = write_consistency(
        tiles.consistency_proof(LOG, 100, 300), checkpoint_note(LOG, 300), other
    )
    with pytest.raises(VerificationFailed, match="different logs"):
        verify_text(text, trust)


def test_a_key_counts_for_its_own_log_alone() -> None:
    with pytest.raises(VerificationFailed, match="no trusted key is for the log"):
        verify_text(receipt(), Trust((OTHER_LOG_KEY.verifier,)))
    forged = checkpoint_note(LOG, 300, OTHER_LOG_KEY)
    with pytest.raises(VerificationFailed, match="not signed by a trusted key"):
        verify_text(forged, Trust((LOG_KEY.verifier, OTHER_LOG_KEY.verifier)))
    cosigned_only = checkpoint_note(LOG, 300, OTHER_LOG_KEY, [WITNESS_A, WITNESS_B])
    with pytest.raises(VerificationFailed, match="not signed by the log"):
        verify_text(cosigned_only, WITNESSED)


def test_trust_takes_keys_in_their_own_roles() -> None:
    with pytest.raises(NoteError):
        Trust((WITNESS_A.verifier,))
    with pytest.raises(NoteError):
        Trust((LOG_KEY.verifier,), (LOG_KEY.verifier,))
    with pytest.raises(NoteError):
        Trust((LOG_KEY.verifier,), (WITNESS_A.verifier,), -1)


def test_another_event_under_the_same_proof_is_refused() -> None:
    mine, other = receipt(4, 300).split("\n"), receipt(5, 300).split("\n")
    mine[1] = other[1]
    with pytest.raises(VerificationFailed, match="does not lead from leaf 4"):
        verify_text("\n".join(mine), TRUST)


def test_a_disclosed_field_is_the_one_that_was_recorded() -> None:
    finding = verify_text(receipt(4, 300, [DISCLOSURE]), TRUST)
    assert isinstance(finding, ReceiptFinding)
    assert finding.disclosed == (DISCLOSURE,)


@pytest.mark.parametrize(
    "false",
    [
        Disclosure("text", SALT, VALUE.replace("Friday", "Monday")),
        Disclosure("text", SALT, VALUE + " "),
        Disclosure("text", SALT[::-1], VALUE),
        Disclosure("words", SALT, VALUE),
        Disclosure("type", SALT, VALUE),
    ],
)
def test_a_false_disclosure_is_refused(false: Disclosure) -> None:
    with pytest.raises(VerificationFailed, match="not the one that was recorded"):
        verify_text(receipt(4, 300, [DISCLOSURE, false]), TRUST)


def stored_with(**changed: object) -> bytes:
    """The event of version 2 with what is given in place of what it holds."""
    return json.dumps({**json.loads(event(2)), **changed}, separators=(",", ":")).encode()


ENCRYPTED = json.loads(event(2))["encrypted"]["text"]


@pytest.mark.parametrize(
    "stored",
    [
        stored_with(stream="deal:other"),
        stored_with(version=3),
        stored_with(fact={"type": "note-withdrawn"}),
        stored_with(encrypted={"text": {**ENCRYPTED, "keys": ["deal:other"]}}),
        stored_with(encrypted={"text": {**ENCRYPTED, "keys": []}}),
        stored_with(encrypted={"words": ENCRYPTED}),
        stored_with(encrypted={}),
    ],
)
def test_a_disclosure_holds_at_its_own_place_alone(stored: bytes) -> None:
    with pytest.raises(VerificationFailed, match="not the one that was recorded"):
        verify_text(receipt_of(stored, [DISCLOSURE]), TRUST)


def test_the_place_is_the_only_reason_in_the_test_above() -> None:
    verify_text(receipt_of(stored_with(), [DISCLOSURE]), TRUST)


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"no json",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        stored_with(version="2"),
        stored_with(version=True),
        stored_with(version=2.0),
        stored_with(stream=2),
        stored_with(fact=None),
        stored_with(fact={}),
        stored_with(actor=None),
        stored_with(encrypted=None),
        stored_with(encrypted={"text": None}),
        stored_with(encrypted={"text": {**ENCRYPTED, "keys": "deal:4f1c"}}),
        stored_with(encrypted={"text": {**ENCRYPTED, "keys": [1]}}),
        event(2)[:-1] + b',"version":2}',
    ],
)
def test_a_sealed_event_of_another_form_is_told_so(stored: bytes) -> None:
    with pytest.raises(VerificationFailed, match="not of a form known here"):
        verify_text(receipt_of(stored, [DISCLOSURE]), TRUST)


FILES = [
    receipt(4, 11, [DISCLOSURE], [WITNESS_A, WITNESS_B]),
    consistency(7, 11, [WITNESS_A, WITNESS_B]),
    checkpoint_note(LOG, 11, witnesses=[WITNESS_A, WITNESS_B]),
]


def verifies(content: bytes, trust: Trust) -> bool:
    try:
        verify_text(content.decode(), trust)
    except (UnicodeDecodeError, VerificationFailed):
        return False
    return True


@pytest.mark.parametrize("text", FILES, ids=["receipt", "consistency", "checkpoint"])
def test_a_file_with_any_byte_changed_does_not_verify(text: str) -> None:
    content = text.encode()
    assert verifies(content, WITNESSED)
    for place in range(len(content)):
        for flip in (0x01, 0x20):
            changed = bytearray(content)
            changed[place] ^= flip
            assert not verifies(bytes(changed), WITNESSED), (place, content[place], flip)


@given(which=st.sampled_from(FILES), data=st.data())
def test_a_file_with_bytes_put_in_or_taken_out_does_not_verify(
    which: str, data: st.DataObject
) -> None:
    content = which.encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(start + 100, len(content))))
    changed = content[:start] + data.draw(st.binary(max_size=4)) + content[end:]
    assert verifies(changed, WITNESSED) == (changed == content)


def test_the_report_names_what_was_shown() -> None:
    text = receipt(4, 300, [DISCLOSURE], [WITNESS_A])
    trust = Trust(TRUST.logs, (WITNESS_A.verifier,), 1)
    shown = "\n".join(report(verify_text(text, trust)))
    for word in ("note-taken, version 5 of deal:4f1c", "position    5 in the log", "user:u1", VALUE,
                 "2026-03-02T09:00:00.000000Z", f"{ORIGIN}, 300 events", str(LOG_KEY.verifier),
                 f"{WITNESS_A.verifier} at 2026-09-21T14:13:20Z"):  # fmt: skip
        assert word in shown
    both = "\n".join(report(verify_text(consistency(), TRUST)))
    assert f"extends     {ORIGIN}, 100 events" in both
    assert f"checkpoint  {ORIGIN}, 300 events" in both


def test_the_report_does_not_steer_a_terminal() -> None:
    stored = stored_with(actor="u\x1b[2J\u202e\n  signed by  someone")
    finding = verify_text(receipt_of(stored), TRUST)
    (line,) = [line for line in report(finding) if "actor" in line]
    assert line == "  actor       u\\x1b[2J\\u202e\\n  signed by  someone"


def test_the_command_says_what_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, latin = (tmp_path / name for name in ("good", "bad", "latin"))
    good.write_text(receipt(), encoding="utf-8")
    bad.write_text(receipt().replace("index 4", "index 5"), encoding="utf-8")
    latin.write_bytes(b"\xe9")
    keys = tmp_path / "keys"
    keys.write_text(f"# keys of logs\n\n{OTHER_LOG_KEY.verifier}\n{LOG_KEY.verifier}\n")
    assert main(["--key", str(LOG_KEY.verifier), str(good)]) == 0
    assert main(["--key", str(keys), str(good), str(bad), str(latin)]) == 3
    printed = capsys.readouterr().out
    assert printed.count(f"{good}: verified") == 2
    assert f"{bad}: NOT VERIFIED: the inclusion proof does not lead" in printed
    assert f"{latin}: NOT VERIFIED: the file is not UTF-8 text" in printed
    assert main(["--key", str(OTHER_LOG_KEY.verifier), str(good)]) == 3


def test_the_command_asks_for_cosignatures(tmp_path: Path) -> None:
    none, one = tmp_path / "none", tmp_path / "one"
    none.write_text(receipt(), encoding="utf-8")
    one.write_text(receipt(witnesses=[WITNESS_A]), encoding="utf-8")
    key = ["--key", str(LOG_KEY.verifier)]
    witnesses = ["--witness-key", str(WITNESS_A.verifier), "--witness-key", str(WITNESS_B.verifier)]
    assert main([*key, *witnesses, str(one)]) == 0
    assert main([*key, *witnesses, str(none)]) == 3
    assert main([*key, *witnesses, "--witnesses", "0", str(none)]) == 0
    assert main([*key, *witnesses, "--witnesses", "2", str(one)]) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["FILE"],
        ["--key", "KEY"],
        ["--key", "nothing", "FILE"],
        ["--key", "KEY", "missing"],
        ["--key", "missing.vkey", "FILE"],
        ["--key", "WITNESS", "FILE"],
        ["--key", "KEY", "--witness-key", "KEY", "FILE"],
        ["--key", "KEY", "--witnesses", "1", "FILE"],
        ["--key", "KEY", "--witnesses", "one", "FILE"],
    ],
)
def test_wrong_use_is_told_apart_from_failure(tmp_path: Path, arguments: Sequence[str]) -> None:
    (tmp_path / "FILE").write_text(receipt(), encoding="utf-8")
    meant = {
        "FILE": str(tmp_path / "FILE"),
        "KEY": str(LOG_KEY.verifier),
        "WITNESS": str(WITNESS_A.verifier),
    }
    with pytest.raises(SystemExit) as caught:
        main([meant.get(one, one) for one in arguments])
    assert caught.value.code == 2


# Run before the verifier: refuses every module that is neither the standard library's, nor
# `cryptography` or what that needs, nor one of the verifier's own.
GUARD = """
import sys

OURS = {"store", "store.seals"} | {
    "store.seals." + name
    for name in ("commitments", "compare", "merkle", "notes", "proofs", "shown", "verify")
}

class Guard:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in {"__main__", "cryptography", "_cffi_backend"}:
            return None
        if name in OURS:
            return None
        raise ImportError(f"{name} must not be needed")

sys.meta_path.insert(0, Guard())
"""
AS_MODULE = f"{GUARD}\nimport runpy\nrunpy.run_module('store.seals.verify', run_name='__main__')"
AS_ARCHIVE = f"""{GUARD}
import runpy
archive = sys.argv.pop(1)
try:
    runpy.run_path(archive, run_name="__main__")
finally:
    assert sys.modules["store"].__file__.startswith(archive), "the project's own files were used"
"""


def run(code: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C", "PYTHONUTF8": "0"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_verifier_needs_nothing_but_cryptography(tmp_path: Path) -> None:
    file = tmp_path / "receipt"
    file.write_text(receipt(4, 300, [DISCLOSURE]), encoding="utf-8")
    key = str(LOG_KEY.verifier)
    done = run(AS_MODULE, "--key", key, str(file), folder=REPOSITORY)
    assert (done.returncode, done.stderr) == (0, "")
    assert "verified" in done.stdout
    # The terminal of this run shows ASCII alone.
    assert "Zo\\xeb calls on Friday" in done.stdout
    archive = tmp_path / "verify.pyz"
    bundle(archive)
    again = run(AS_ARCHIVE, str(archive), "--key", key, str(file), folder=tmp_path)
    assert (again.returncode, again.stdout, again.stderr) == (0, done.stdout, "")


def test_the_guard_would_notice(tmp_path: Path) -> None:
    for name in ("msgspec", "domain", "store.errors", "store.seals.tiles"):
        done = run(f"{GUARD}\nimport {name}", folder=REPOSITORY)
        assert f"{name} must not be needed" in done.stderr


def test_a_key_file_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "FILE").write_text(receipt(), encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["--key", "nothere.vkey", str(tmp_path / "FILE")])
    assert "there is no file nothere.vkey" in capsys.readouterr().err


def test_the_report_says_what_the_event_says() -> None:
    fact = {"type": "note-taken", "reference": "D-0042", "amount": {"amount": "5", "at": None}}
    encrypted = {"text": ENCRYPTED, "other": ENCRYPTED}
    shown = report(verify_text(receipt_of(stored_with(fact=fact, encrypted=encrypted)), TRUST))
    assert [line for line in shown if line.startswith("  says")] == [
        '  says        reference = "D-0042"',
        '  says        amount = {"amount": "5", "at": null}',
        "  says        text = [encrypted]",
        "  says        other = [encrypted]",
    ]
    opened = report(verify_text(receipt(4, 300, [DISCLOSURE]), TRUST))
    assert f"  disclosed   text = {VALUE}" in opened
    assert not any("[encrypted]" in line for line in opened)
