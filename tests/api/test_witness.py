"""The witness over HTTP: what it answers, and what it does not tell of itself."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.witness import create_witness
from store.seals.merkle import EMPTY_ROOT
from store.seals.notes import Checkpoint, SignatureType, SigningKey, sign
from store.seals.proofs import write_add_checkpoint
from store.seals.witness import MAX_REQUEST_BYTES, Witness

LOG = SigningKey.from_seed("log", SignatureType.ED25519, bytes(32))
OWN = SigningKey.from_seed("witness", SignatureType.COSIGNATURE, bytes(32))
REQUEST = write_add_checkpoint(0, [], sign(Checkpoint("log", 0, EMPTY_ROOT).text(), [LOG]))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


@pytest.fixture
def client(state: Path) -> TestClient:
    return TestClient(create_witness(Witness(OWN, [LOG.verifier], state)))


def test_a_checkpoint_is_cosigned(client: TestClient) -> None:
    answer = client.post("/add-checkpoint", content=REQUEST)
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        "text/plain; charset=utf-8",
    )
    assert answer.text.startswith("— witness ")


def test_another_old_size_is_a_conflict_that_tells_the_size(client: TestClient) -> None:
    other = sign(Checkpoint("log", 5, bytes(32)).text(), [LOG])
    answer = client.post("/add-checkpoint", content=write_add_checkpoint(3, [], other))
    assert (answer.status_code, answer.text) == (409, "0\n")
    assert answer.headers["content-type"] == "text/x.tlog.size"


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 400), (b"\xff", 400), (b"x" * (MAX_REQUEST_BYTES + 1), 413)],
)
def test_what_is_no_request_is_refused(client: TestClient, content: bytes, status: int) -> None:
    assert client.post("/add-checkpoint", content=content).status_code == status


def test_there_is_nothing_else(client: TestClient) -> None:
    assert client.get("/add-checkpoint").status_code == 405
    assert client.get("/openapi.json").status_code == 404


def test_a_fault_of_its_own_is_not_told_outside(client: TestClient, state: Path) -> None:
    state.write_text("no json", encoding="utf-8")
    answer = client.post("/add-checkpoint", content=REQUEST)
    assert (answer.status_code, answer.text) == (500, "the witness cannot work at the moment\n")
