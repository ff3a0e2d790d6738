"""`dealstate audit checkpoint`: made, repeated, kept elsewhere, refused where events were lost."""

import http.server
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from api.wire.proofs import CheckpointMade, KeptCheckpoints
from store.seals.notes import (
    SignatureType,
    SigningKey,
    parse_checkpoint,
    parse_note,
    parse_verifier_key,
)
from store.seals.verify import CheckpointFinding, Trust, verify_text
from tests.api.cli.conftest import Run
from tests.api.small_store import EVENTS


def keys_of(run: Run) -> Trust:
    lines = run("keys", "show", "--public").lines
    return Trust(tuple(parse_verifier_key(line) for line in lines))


def test_it_is_signed_and_says_how_many_events_there_are(write: Run) -> None:
    text = write("audit", "checkpoint").stdout
    found = verify_text(text, keys_of(write))
    assert isinstance(found, CheckpointFinding)
    assert found.checkpoint.size == EVENTS


def test_where_nothing_was_recorded_it_is_the_same_again(write: Run) -> None:
    first = write("audit", "checkpoint").stdout
    assert write("audit", "checkpoint").stdout == first
    write("users", "add", "new", "New")
    assert parse_checkpoint(parse_note(write("audit", "checkpoint").stdout).text).size == EVENTS + 1


def test_json_names_what_was_signed(write: Run, tmp_path: Path) -> None:
    target = str(tmp_path / "kept")
    made = write("audit", "checkpoint", "--to", target, "--format", "json").read(CheckpointMade)
    assert (made.size, made.written_to) == (EVENTS, [target])
    assert made.signers == [made.origin]
    assert Path(target).read_text(encoding="utf-8") == made.note


def test_a_file_is_replaced_by_a_newer_checkpoint(write: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    write("audit", "checkpoint", "--to", str(kept))
    older = kept.read_text(encoding="utf-8")
    write("users", "add", "new", "New")
    result = write("audit", "checkpoint", "--to", str(kept))
    assert (result.exit_code, kept.read_text(encoding="utf-8")) == (0, result.stdout)
    assert result.stdout != older
    assert sorted(path.name for path in tmp_path.glob("*kept*")) == ["kept"]


def _lose_the_last_event(store: str) -> None:
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as log:
        for table in ("stored_events", "edge"):
            log.execute(f"DELETE FROM {table} WHERE position = (SELECT max(position) FROM {table})")
        log.execute("DELETE FROM checkpoints")
        log.commit()
    _forget_what_was_signed(store)


def _forget_what_was_signed(store: str) -> None:
    """As whoever can write the keys too."""
    path = store.removeprefix("sqlite:///").replace("deals.db", "deals.keys.db")
    with closing(sqlite3.connect(path)) as keys:
        keys.execute("DELETE FROM properties WHERE name = 'signed'")
        keys.commit()


def test_a_newer_checkpoint_is_not_replaced(own_store: str, write: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    before = write("audit", "checkpoint", "--to", str(kept)).stdout
    _lose_the_last_event(own_store)
    result = write("audit", "checkpoint", "--to", str(kept))
    assert (result.exit_code, kept.read_text(encoding="utf-8")) == (1, before)
    assert f"newer checkpoint, of {EVENTS} events" in result.stderr
    assert "fsck --checkpoint" in result.stderr


def test_a_log_that_contradicts_the_kept_checkpoint_is_told(
    own_store: str, write: Run, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    before = write("audit", "checkpoint", "--to", str(kept)).stdout
    _lose_the_last_event(own_store)
    write("users", "add", "other", "Other")
    write("users", "add", "more", "More")
    result = write("audit", "checkpoint", "--to", str(kept))
    assert (result.exit_code, kept.read_text(encoding="utf-8")) == (3, before)
    assert "log-contradicted" in result.stderr


@pytest.mark.parametrize("content", ["", "shopping list\n", "other\n3\nAAAA\n\n— x AAAAAAAA\n"])
def test_a_file_of_another_kind_is_left_alone(write: Run, tmp_path: Path, content: str) -> None:
    kept = tmp_path / "kept"
    kept.write_text(content, encoding="utf-8")
    result = write("audit", "checkpoint", "--to", str(kept))
    assert (result.exit_code, kept.read_text(encoding="utf-8")) == (1, content)
    assert "checkpoint-not-kept" in result.stderr


def test_a_place_that_cannot_be_written_is_told(write: Run, tmp_path: Path) -> None:
    result = write("audit", "checkpoint", "--to", str(tmp_path / "nowhere" / "kept"))
    assert result.exit_code == 1
    assert "checkpoint-not-kept" in result.stderr


class _Keeper(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted to it."""

    posted: list[tuple[str, str, bytes]]
    status: int

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posted.append((self.path, self.headers["Content-Type"], body))
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def keeper(status: int) -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """An address that answers so, and what was posted to it."""
    posted: list[tuple[str, str, bytes]] = []
    handler = type("Handler", (_Keeper,), {"posted": posted, "status": status})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", posted
        finally:
            server.shutdown()
            thread.join()


def test_it_is_posted_as_it_is(write: Run) -> None:
    with keeper(204) as (address, posted):
        result = write("audit", "checkpoint", "--to", f"{address}/keep?log=1")
    assert result.exit_code == 0
    assert posted == [("/keep?log=1", "text/plain; charset=utf-8", result.stdout.encode())]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_an_address_that_does_not_keep_it_is_told(write: Run, status: int) -> None:
    with keeper(status) as (address, _):
        result = write("audit", "checkpoint", "--to", address)
    assert result.exit_code == 1
    assert f"answers {status}" in result.stderr


def test_an_address_that_nobody_answers_at_is_told(write: Run) -> None:
    with keeper(200) as (address, _):
        pass
    result = write("audit", "checkpoint", "--to", address)
    assert result.exit_code == 1
    assert "cannot be reached" in result.stderr


def test_every_place_is_tried_and_told(write: Run, tmp_path: Path) -> None:
    nowhere, kept = tmp_path / "nowhere" / "kept", tmp_path / "kept"
    with keeper(500) as (address, _):
        targets = (str(nowhere), address, str(kept))
        to = [word for target in targets for word in ("--to", target)]
        result = write("audit", "checkpoint", *to, "-f", "json")
    assert result.exit_code == 1
    assert f"{nowhere} cannot be written" in result.stderr
    assert "answers 500" in result.stderr
    assert f"Kept at {kept}." in result.stderr
    made = msgspec.json.decode(result.stdout, type=CheckpointMade)
    assert made.written_to == [str(kept)]
    assert kept.read_text(encoding="utf-8") == made.note


def test_a_witness_that_is_away_keeps_it_from_no_place(write: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    witness = SigningKey.from_seed("witness/w", SignatureType.COSIGNATURE, bytes(32)).verifier
    with keeper(200) as (address, _):
        pass
    asked = ("--witness", address, "--witness-key", str(witness))
    result = write("audit", "checkpoint", *asked, "--to", str(kept))
    assert (result.exit_code, kept.read_text(encoding="utf-8")) == (1, result.stdout)
    assert "witness-refused" in result.stderr


def test_the_kept_ones_are_listed(write: Run) -> None:
    assert "None was made yet" in write("audit", "checkpoints").stderr
    first = write("audit", "checkpoint", "-f", "json").read(CheckpointMade)
    write("users", "add", "new", "New")
    write("audit", "checkpoint")
    listed = write("audit", "checkpoints", "-f", "json").read(KeptCheckpoints).checkpoints
    assert [one.size for one in listed] == [EVENTS, EVENTS + 1]
    assert (listed[0].root, listed[0].signers) == (first.root, [first.origin])
    text = write("audit", "checkpoints").stdout
    assert first.root in text
    write("users", "grant", "u-anna", "seller")
    assert write("audit", "checkpoints", "--as", "u-anna").exit_code == 1


@pytest.mark.parametrize(
    "args",
    [
        ["--to", "ftp://example.org/x"],
        ["--to", "https://ann:word@example.org/x"],
        ["--to", "http://example.org:port/"],
        ["--witness", "https://example.org"],
        ["--witness", "https://example.org", "--witness-key", "no key"],
        ["--witness", "mailto:w", "--witness-key", "no key"],
    ],
)
def test_careless_options_are_usage_errors(write: Run, args: list[str]) -> None:
    assert write("audit", "checkpoint", *args).exit_code == 2


def test_it_takes_the_right_to_audit(write: Run) -> None:
    write("users", "grant", "u-anna", "seller")
    write("users", "grant", "u-ben", "auditor")
    refused = write("audit", "checkpoint", "--as", "u-anna")
    assert refused.exit_code == 1
    assert "not-allowed" in refused.stderr
    assert write("audit", "checkpoint", "--as", "u-ben").exit_code == 0
