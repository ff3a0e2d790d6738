"""Variations over HTTP: the answers of the command line, and problems for what cannot be varied."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.settings import Settings
from api.wire.whatif import WhatIf
from tests.api.cli.conftest import run_command
from tests.api.serving import app_of

URL = "/v1/deals/d-press/whatif"
NOTE = {"type": "note-added", "text": "A call.", "occurred_at": "2026-03-02"}


@pytest.fixture(scope="module")
def client(small_store: str) -> Iterator[TestClient]:
    app = app_of(Settings(db=small_store, timezone="UTC"))
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        yield client


def test_it_answers_as_the_command_line_does(client: TestClient, small_store: str) -> None:
    body = {
        "at": 5,
        "drop": [10],
        "set": {"5": {"probability": 60}},
        "insert": [NOTE],
        "strict": True,
    }
    moment = "as_of=2026-05-31&known_at=2026-05-31"
    response = client.post(f"{URL}?{moment}", json=body)
    assert response.status_code == 200, response.text
    decoded = msgspec.json.decode(response.content, type=WhatIf)
    assert msgspec.json.encode(decoded) == response.content
    args = ["--at", "5", "--drop", "10", "--set", "5", '{"probability": 60}', "--strict"]
    inserted = msgspec.json.encode(NOTE).decode()
    printed = run_command(
        "--db", small_store, "whatif", "P-1", *args, "--insert", inserted,
        "--as-of", "2026-05-31", "--known-at", "2026-05-31", "--format", "json",
    ).stdout  # fmt: skip
    # Whoever asks is who would have recorded what is inserted.
    answer, told = response.text, msgspec.json.encode(msgspec.json.decode(printed)).decode()
    acting = next(one for one in decoded.frames if one.edit == "inserted").variation
    assert acting is not None
    assert acting.actor.id == "http"
    user = next(
        one["variation"]["actor"]["id"]
        for one in msgspec.json.decode(told)["frames"]
        if one["edit"] == "inserted"
    )
    assert answer.replace('"id":"http"', f'"id":"{user}"') == told


def test_nothing_is_stored(client: TestClient) -> None:
    before = client.get("/v1/deals/d-press/audit").json()
    assert client.post(URL, json={"at": 1, "insert": [NOTE]}).status_code == 200
    assert client.get("/v1/deals/d-press/audit").json() == before


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"at": 99}, "at"),
        ({}, "at"),
        ({"at": "four"}, "at"),
        ({"at": 5, "drop": [99]}, "drop"),
        ({"at": 5, "drop": [3]}, "drop"),
        ({"at": 5, "drop": [0]}, "drop.0"),
        ({"at": 5, "set": {"5": {"probability": 101}}}, "set"),
        ({"at": 5, "set": {"5": {"colour": "red"}}}, "set"),
        ({"at": 5, "set": {"5": 3}}, "set.5"),
        ({"at": 5, "insert": [{"type": "note-added", "text": "x"}]}, "insert"),
        ({"at": 5, "insert": [{**NOTE, "type": "none"}]}, "insert"),
        ({"at": 5, "insert": [{**NOTE, "occurred_at": "2999-01-01"}]}, "insert"),
        ({"at": 5, "insert": [{**NOTE, "occurred_at": 5}]}, "insert"),
        ({"at": 5, "colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_varied_is_a_problem(
    client: TestClient, body: dict[str, Any], parameter: str
) -> None:
    problem = _problem(client, body, 422)
    assert problem["code"] == "invalid-parameter"
    assert [error["parameter"] for error in problem["errors"]] == [parameter]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"at": 1, "drop": [1]}, 409, "cannot-withdraw"),
        ({"at": 1, "set": {"1": {"currency": "XYZ"}}}, 422, "unknown-currency"),
        ({"at": 1, "set": {"1": {"process": {"id": "x", "version": 1}}}}, 404, "unknown-process"),
        ({"at": 1, "insert": [{**NOTE, "text": " "}]}, 422, "text-not-legible"),
    ],
)
def test_what_the_rules_refuse_is_a_problem(
    client: TestClient, body: dict[str, Any], status: int, code: str
) -> None:
    assert _problem(client, body, status)["code"] == code


def _problem(client: TestClient, body: dict[str, Any], status: int) -> dict[str, Any]:
    # Written by hand: a client would not send half a character.
    content = msgspec.json.encode(_escaped(body)).replace(b"HALF", rb"\ud800")
    response = client.post(URL, content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    return found


def _escaped(value: Any) -> Any:
    match value:
        case dict():
            return {name: _escaped(one) for name, one in value.items()}
        case list():
            return [_escaped(one) for one in value]
        case "\ud800":
            return "HALF"
        case _:
            return value


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"at": 5, "drop": [10] * 1001}, "drop"),
        ({"at": 5, "set": {str(number): {} for number in range(1, 1002)}}, "set"),
        ({"at": 5, "insert": [NOTE] * 1001}, "insert"),
        ({"at": 5, "drop": [10] * 400, "insert": [NOTE] * 601}, "insert"),
    ],
    ids=["drop", "set", "insert", "together"],
)
def test_more_edits_than_a_variation_takes(
    client: TestClient, body: dict[str, Any], parameter: str
) -> None:
    found = _problem(client, body, 422)
    assert [error["parameter"] for error in found["errors"]] == [parameter]


def test_as_many_edits_as_a_variation_takes(client: TestClient) -> None:
    once = client.post(URL, json={"at": 5, "drop": [10]})
    often = client.post(URL, json={"at": 5, "drop": [10] * 1000})
    assert often.status_code == 200, often.text
    assert often.json()["variation"] == once.json()["variation"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"nonsense", b"\xff"])
def test_json_that_is_none_is_a_problem(client: TestClient, content: bytes) -> None:
    response = client.post(URL, content=content, headers={"Content-Type": "application/json"})
    wrong_shape = content == b"[]"
    assert response.status_code == (422 if wrong_shape else 400)
    code = "invalid-parameter" if wrong_shape else "malformed-json"
    assert response.json()["code"] == code


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ('{"at": 1}'.encode("utf-16"), "application/json", 400),
        (b'{"at": 1, "at": 2}', "application/json", 400),
        (
            b'{"at": 1, "insert": [{"type": "note-added", "text": "\\ud800"}]}',
            "application/json",
            400,
        ),
        (b'{"at": 1}', "text/plain", 415),
        (b'{"at": 1}', "application/vnd.x+json", 415),
        (b'{"at": 1}', "application/json; charset=utf-16", 415),
        (b'\xef\xbb\xbf{"at": 1}', "application/json; charset=utf-8", 200),
    ],
)
def test_it_takes_json_as_commands_do(
    client: TestClient, content: bytes, kind: str, status: int
) -> None:
    response = client.post(URL, content=content, headers={"Content-Type": kind})
    assert response.status_code == status, response.text
    codes = {400: "malformed-json", 415: "unsupported-media-type"}
    assert response.json().get("code") == codes.get(status)


def test_a_deal_and_a_moment_that_are_not_there(client: TestClient) -> None:
    missing = client.post("/v1/deals/nope/whatif", json={"at": 1})
    assert (missing.status_code, missing.json()["code"]) == (404, "deal-not-found")
    early = client.post(f"{URL}?as_of=2025-01-01", json={"at": 1})
    assert (early.status_code, early.json()["code"]) == (404, "nothing-then")
    moment = client.post(f"{URL}?as_of=once", json={"at": 1})
    assert (moment.status_code, moment.json()["errors"][0]["parameter"]) == (422, "as_of")
