"""A witness cosigns what extends what it cosigned before, and answers all else as C2SP says."""

import json
import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from store.seals import tiles, witness
from store.seals.merkle import EMPTY_ROOT
from store.seals.notes import (
    Checkpoint,
    Note,
    SigningKey,
    parse_note,
    parse_signatures,
    sign,
    verify,
)
from store.seals.proofs import write_add_checkpoint
from store.seals.witness import (
    Cosigned,
    Refused,
    SizeConflict,
    Witness,
    WitnessError,
    create_key_file,
    read_key_file,
)
from tests.store.seals.made import (
    EVENTS,
    LOG,
    LOG_KEY,
    ORIGIN,
    OTHER_LOG_KEY,
    WITNESS_A,
    checkpoint_note,
    event,
    log_of_events,
)

NOW = 1_790_000_000


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "witness.json"


def witness_at(state: Path) -> Witness:
    return Witness(WITNESS_A, [LOG_KEY.verifier], state, now=lambda: NOW + 0.75)


def request(old: int, new: int, hashes: Sequence[bytes] | None = None) -> bytes:
    """The request to extend what was seen at size `old` to LOG's checkpoint of size `new`."""
    if hashes is None:
        hashes = tiles.consistency_proof(LOG, old, new) if 0 < old < new else []
    return write_add_checkpoint(old, hashes, checkpoint_note(LOG, new)).encode()


def test_a_checkpoint_that_extends_the_last_is_cosigned(state: Path) -> None:
    for old, new in ((0, 10), (10, 10), (10, 256), (256, 300)):
        answer = witness_at(state).add_checkpoint(request(old, new))
        assert isinstance(answer, Cosigned)
        assert answer.status == 200
        text = parse_note(checkpoint_note(LOG, new)).text
        note = Note(text, parse_signatures(answer.body))
        (verified,) = verify(note, [WITNESS_A.verifier])
        assert verified.time == NOW
        root = Checkpoint(ORIGIN, new, tiles.root(LOG, new))
        assert json.loads(state.read_bytes()) == {
            ORIGIN: {"size": new, "root": root.text().split("\n")[2]}
        }


def test_another_size_than_the_last_is_a_conflict_that_tells_it(state: Path) -> None:
    witness_at(state).add_checkpoint(request(0, 100))
    for old, new in ((0, 100), (0, 200), (50, 100), (99, 200), (101, 200)):
        answer = witness_at(state).add_checkpoint(request(old, new))
        assert isinstance(answer, SizeConflict)
        assert (answer.status, answer.body, answer.media_type) == (
            409,
            "100\n",
            "text/x.tlog.size",
        )
    first = Witness(WITNESS_A, [LOG_KEY.verifier], state.with_name("new")).add_checkpoint(
        request(5, 10)
    )
    assert isinstance(first, SizeConflict)
    assert first.body == "0\n"


def test_another_history_is_not_cosigned(state: Path) -> None:
    witness_at(state).add_checkpoint(request(0, 100))
    before = state.read_bytes()
    forked = log_of_events([*EVENTS[:50], event(51, actor="user:u2"), *EVENTS[51:]])
    proof = tiles.consistency_proof(forked, 100, 300)
    forgery = write_add_checkpoint(100, proof, checkpoint_note(forked, 300)).encode()
    answer = witness_at(state).add_checkpoint(forgery)
    assert isinstance(answer, Refused)
    assert answer.status == 422
    same_size = write_add_checkpoint(100, [], checkpoint_note(forked, 100)).encode()
    assert witness_at(state).add_checkpoint(same_size).status == 409
    assert state.read_bytes() == before


@pytest.mark.parametrize(
    ("old", "new", "hashes"),
    [(100, 200, []), (100, 200, [b"h" * 32]), (100, 100, [b"h" * 32])],
)
def test_a_proof_that_shows_nothing_is_unprocessable(
    state: Path, old: int, new: int, hashes: list[bytes]
) -> None:
    witness_at(state).add_checkpoint(request(0, 100))
    answer = witness_at(state).add_checkpoint(request(old, new, hashes=hashes))
    assert isinstance(answer, Refused)
    assert answer.status == 422


def test_a_first_request_carries_no_proof(state: Path) -> None:
    assert witness_at(state).add_checkpoint(request(0, 9, hashes=[b"h" * 32])).status == 422
    assert not state.exists()


def test_an_empty_log_may_begin(state: Path) -> None:
    note = sign(Checkpoint(ORIGIN, 0, EMPTY_ROOT).text(), [LOG_KEY])
    body = write_add_checkpoint(0, [], note).encode()
    assert witness_at(state).add_checkpoint(body).status == 200
    assert witness_at(state).add_checkpoint(request(0, 9)).status == 200
    wrong = sign(Checkpoint(ORIGIN, 0, b"r" * 32).text(), [LOG_KEY])
    fresh = witness_at(state.with_name("fresh"))
    assert fresh.add_checkpoint(write_add_checkpoint(0, [], wrong).encode()).status == 409


def test_unknown_logs_and_keys_are_told_apart(state: Path) -> None:
    unknown_log = checkpoint_note(LOG, 10, OTHER_LOG_KEY, origin=OTHER_LOG_KEY.name)
    unknown_key = checkpoint_note(LOG, 10, OTHER_LOG_KEY)
    bad_signature = checkpoint_note(LOG, 10).replace("\n10\n", "\n11\n")
    for note, status in ((unknown_log, 404), (unknown_key, 403), (bad_signature, 403)):
        answer = witness_at(state).add_checkpoint(write_add_checkpoint(0, [], note).encode())
        assert isinstance(answer, Refused)
        assert answer.status == status
        assert answer.body.endswith("\n")
    assert not state.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        request(0, 10).replace(b"old 0", b"old 00"),
        request(0, 10).replace(b"old 0", b"old -1"),
        request(0, 10).replace(b"old 0\n", b""),
        request(0, 10).replace(b"old 0\n", b"old 0\nAAAA\n"),
        request(0, 10).replace(b"old 0\n", b"old 0\n" + 64 * (b"A" * 43 + b"=\n")),
        request(0, 10).replace(b"\n", b"\r\n"),
        request(0, 10)[:-1],
        request(0, 10) + b"\n",
        request(11, 10),
        request(0, 10) + b" " * witness.MAX_REQUEST_BYTES,
    ],
)
def test_a_malformed_request_is_bad(state: Path, body: bytes) -> None:
    answer = witness_at(state).add_checkpoint(body)
    assert isinstance(answer, Refused)
    assert answer.status == 400
    assert not state.exists()


def test_signatures_of_others_on_the_checkpoint_are_ignored(state: Path) -> None:
    note = checkpoint_note(LOG, 10, witnesses=[WITNESS_A])
    answer = witness_at(state).add_checkpoint(write_add_checkpoint(0, [], note).encode())
    assert answer.status == 200


def test_logs_are_remembered_apart(state: Path) -> None:
    both = Witness(WITNESS_A, [LOG_KEY.verifier, OTHER_LOG_KEY.verifier], state)
    other = checkpoint_note(LOG, 7, OTHER_LOG_KEY, origin=OTHER_LOG_KEY.name)
    assert both.add_checkpoint(request(0, 10)).status == 200
    assert both.add_checkpoint(write_add_checkpoint(0, [], other).encode()).status == 200
    assert both.add_checkpoint(request(10, 11)).status == 200
    assert {seen["size"] for seen in json.loads(state.read_bytes()).values()} == {7, 11}


def test_of_requests_at_once_none_goes_back(state: Path) -> None:
    """All extend size 10; one is first, and the others conflict with what it left."""
    witness_at(state).add_checkpoint(request(0, 10))
    bodies = [request(10, size) for size in range(11, 27)]
    answers: list[object] = []
    start = threading.Barrier(len(bodies))

    def ask(body: bytes) -> None:
        one = witness_at(state)
        start.wait()
        answers.append(one.add_checkpoint(body))

    threads = [threading.Thread(target=ask, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, Cosigned) for one in answers) == 1
    size = json.loads(state.read_bytes())[ORIGIN]["size"]
    assert {one.size for one in answers if isinstance(one, SizeConflict)} == {size}
    assert len(answers) == len(bodies)


def test_nothing_is_cosigned_that_is_not_on_disk(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness_at(state).add_checkpoint(request(0, 10))
    before = state.read_bytes()

    def fail(_: int) -> None:
        raise OSError("no sync")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="no sync"):
            witness_at(state).add_checkpoint(request(10, 20))
    assert state.read_bytes() == before
    assert witness_at(state).add_checkpoint(request(10, 20)).status == 200


def test_the_state_is_synced_before_it_takes_its_place(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, replace = os.fsync, Path.replace

    def noted_sync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def noted_replace(path: Path, target: Path) -> Path:
        steps.append("replace")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    witness_at(state).add_checkpoint(request(0, 10))
    assert steps == ["file", "replace", "folder"]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"a":1}', b'{"a":{"size":1}}', b'{"a":{"size":1,"root":"AAAA"}}', b"\xff"],
)
def test_a_damaged_state_stops_the_witness(state: Path, content: bytes) -> None:
    state.write_bytes(content)
    with pytest.raises(WitnessError, match="cannot be read"):
        witness_at(state).add_checkpoint(request(0, 10))
    assert state.read_bytes() == content


def test_a_witness_signs_with_a_witness_key(state: Path) -> None:
    with pytest.raises(WitnessError, match="0x04"):
        Witness(LOG_KEY, [LOG_KEY.verifier], state)


def test_a_key_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    create_key_file(path, WITNESS_A)
    assert path.stat().st_mode & 0o777 == 0o600
    read: SigningKey = read_key_file(path)
    assert read.verifier == WITNESS_A.verifier
    with pytest.raises(WitnessError, match="there already"):
        create_key_file(path, WITNESS_A)
    path.chmod(0o640)
    with pytest.raises(WitnessError, match="0600"):
        read_key_file(path)
    path.chmod(0o600)
    path.write_text(WITNESS_A.secret_text()[:-6])
    with pytest.raises(WitnessError, match="does not hold a signing key") as caught:
        read_key_file(path)
    assert WITNESS_A.secret_text()[-30:-10] not in str(caught.value)
