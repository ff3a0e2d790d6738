"""Commands beside the deals over HTTP: offered, with one effect for each key, told alike."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.administration import ROOMS, example, story
from api.app import create_app
from api.auth.keys import holder_of
from api.openapi import field_docs
from api.settings import Settings
from api.wire.administration import IssuedKey, LimitsInForce, NewApiKey
from api.wire.recorded import Recording
from domain.access import Action, Principal, Role
from domain.intent import command_name
from domain.organisation import (
    AnyOrganisationCommand,
    EndMembership,
    GrantMembership,
    IssueApiKey,
    RegisterUser,
)
from domain.process_files import built_in_processes
from domain.refusals import NotAllowed
from store.location import Location
from store.log import DealLog
from tests.api.auth.everybody import everybody
from tests.api.serving import read, serving
from tests.contract.asking import intent

COMMANDS = [(room.name, kind) for room in ROOMS for kind in room.commands]


@pytest.fixture
def location(tmp_path: Path) -> Location:
    found = Location.beside(tmp_path / "deals.db")
    DealLog.create(found).close()
    return found


@pytest.fixture
def client(location: Location) -> Iterator[TestClient]:
    with serving(str(location)) as client:
        yield client


def _post(client: TestClient, path: str, body: Any, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"/v1/{path}", json=msgspec.to_builtins(body), headers=named)


def _room(name: str) -> str:
    return next(room for room, kind in COMMANDS if command_name(kind) == name)


def test_every_command_is_offered_with_its_example(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert set(get_args(AnyOrganisationCommand)) < {kind for _, kind in COMMANDS}
    for room, kind in COMMANDS:
        told = document["paths"][f"/v1/{room}/{command_name(kind)}"]["post"]
        body = told["requestBody"]["content"]["application/json"]
        assert body["example"] == example(kind)
        assert told["description"]


def test_the_story_is_accepted_and_repeats_word_for_word(client: TestClient) -> None:
    issued = ""
    for number, step in enumerate(story()):
        data = step.data | ({"key": issued} if step.command == "revoke-api-key" else {})
        path = f"{_room(step.command)}/{step.command}"
        headers = {"Idempotency_Key": f"step-{number}", "If_Match": '"0"'}
        if step.command != "set-authority-limits":
            del headers["If_Match"]
        first, again = (_post(client, path, data, **headers) for _ in range(2))
        assert first.status_code == 200, (step, first.text)
        assert "Idempotency-Replayed" not in first.headers
        assert again.headers["Idempotency-Replayed"] == "true"
        assert (again.content, again.headers["ETag"]) == (first.content, first.headers["ETag"])
        if step.command == "issue-api-key":
            issued = first.json()["id"]
            continue
        told = msgspec.json.decode(first.content, type=Recording)
        assert told.events
        assert told.token == f"{told.stream}@{told.version}"
        assert {event.source for event in told.events} == {"http"}


def test_a_command_that_changes_nothing_records_nothing(client: TestClient) -> None:
    unit = {"unit": "west", "name": "West"}
    first, second = (_post(client, "organisation/register-unit", unit) for _ in range(2))
    assert len(first.json()["events"]) == 1
    assert second.json()["events"] == []
    assert second.headers["ETag"] == first.headers["ETag"] == '"1"'


def test_another_payload_under_a_known_key_is_refused(client: TestClient) -> None:
    path, key = "organisation/register-user", {"Idempotency_Key": "k-1"}
    _post(client, path, {"user": "anna", "name": "Anna"}, **key)
    refused = _post(client, path, {"user": "anna", "name": "Anne"}, **key)
    assert (refused.status_code, refused.json()["code"]) == (422, "command-id-reused")
    assert read(client, "/v1/users/anna", dict[str, Any])["name"] == "Anna"


def test_who_ends_their_own_role_may_repeat_that(tmp_path: Path) -> None:
    location = Location.beside(tmp_path / "deals.db")
    keys = everybody(location)
    app = create_app(Settings(db=str(location), worker=False))

    with TestClient(app, base_url="http://127.0.0.1") as client:

        def end(by: str, key: str, user: str = "admin", role: str = "admin") -> Response:
            told = {"Authorization": f"Bearer {keys[by]}", "Idempotency-Key": key}
            body = {"user": user, "role": role}
            return client.post("/v1/organisation/end-membership", json=body, headers=told)

        assert end("admin", "k-1", "auditor", "auditor").status_code == 200
        first, again = end("admin", "k-2"), end("admin", "k-2")
        assert msgspec.json.decode(first.content, type=Recording).events
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["Idempotency-Replayed"] == "true"
        # What they recorded before that, and all that is new, takes the role.
        assert end("admin", "k-1", "auditor", "auditor").status_code == 403
        assert end("admin", "k-2", "analyst", "analyst").status_code == 403
        assert end("admin", "k-3").status_code == 403
        assert end("analyst", "k-2").status_code == 403


def test_whose_role_somebody_else_ended_may_not_repeat(tmp_path: Path) -> None:
    location = Location.beside(tmp_path / "deals.db")
    DealLog.create(location).close()
    ended = EndMembership("ann", Role.ADMIN)
    ann = Principal("ann", frozenset({Role.ADMIN}))
    with DealLog.open(location) as log:
        log.configure(RegisterUser("ann", "Ann"), intent("k-1"))
        log.configure(GrantMembership("ann", Role.ADMIN), intent("k-2"))
        log.configure(ended, intent("k-3"))
        # It is ended already, so this changed nothing.
        log.configure(ended, intent("k-4", ann))
        with pytest.raises(NotAllowed):
            log.configure(ended, intent("k-4", Principal("ann")))


# A key for a program.


def test_a_key_lets_its_program_in_and_is_recorded_as_a_hash(
    client: TestClient, location: Location
) -> None:
    _post(client, "organisation/register-user", {"user": "anna", "name": "Anna"})
    wanted = {"user": "anna", "name": "export", "actions": ["read"]}
    answer = _post(client, "organisation/issue-api-key", wanted, Idempotency_Key="k-1")
    again = _post(client, "organisation/issue-api-key", wanted, Idempotency_Key="k-1")
    assert again.content == answer.content
    issued = msgspec.json.decode(answer.content, type=IssuedKey)
    with DealLog.open(location) as log:
        holder = holder_of(issued.secret, log.organisation().directory, log.now())
        rows = log.records.rows("user:anna")
    assert holder is not None
    assert (holder.id, holder.limited_to) == ("anna", frozenset({Action.READ}))
    secret = issued.secret.rpartition("_")[2].encode()
    assert not any(secret in row[3] for row in rows)
    assert issued.secret not in client.get("/v1/keys").text


def test_keys_differ_by_who_asks_and_by_the_key_of_the_request(client: TestClient) -> None:
    _post(client, "organisation/register-user", {"user": "anna", "name": "Anna"})
    wanted = {"user": "anna", "name": "export"}
    keys: list[dict[str, str]] = [
        {"Idempotency_Key": "a"}, {"Idempotency_Key": "b"}, {}, {}
    ]  # fmt: skip
    made = [_post(client, "organisation/issue-api-key", wanted, **key) for key in keys]
    assert len({one.json()["secret"] for one in made}) == 4
    assert len({one.json()["id"] for one in made}) == 4


def test_a_limited_key_is_not_told_again_what_an_unlimited_one_was_issued(
    tmp_path: Path,
) -> None:
    location = Location.beside(tmp_path / "deals.db")
    keys = everybody(location)
    app = create_app(Settings(db=str(location), worker=False))
    with TestClient(app, base_url="http://127.0.0.1") as client:

        def issued(by: str, key: str, **more: Any) -> Response:
            told = {"Authorization": f"Bearer {by}", "Idempotency-Key": key}
            body = {"user": "first", "name": "laptop", **more}
            answer: Response = client.post(
                "/v1/organisation/issue-api-key", json=body, headers=told
            )
            return answer

        assert issued(keys["first"], "k-1").status_code == 200
        limited = issued(keys["first"], "k-2", actions=["configure"]).json()["secret"]
        for key in ("k-1", "k-3"):
            answer = issued(limited, key)
            assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")
        assert issued(limited, "k-3", actions=["configure"]).status_code == 200


def test_a_key_that_is_good_for_nothing_is_not_one_that_is_good_for_everything(
    client: TestClient, location: Location
) -> None:
    _post(client, "organisation/register-user", {"user": "anna", "name": "Anna"})
    wanted: dict[str, Any] = {"user": "anna", "name": "export"}
    answer = _post(client, "organisation/issue-api-key", wanted | {"actions": []})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-parameter")
    for unlimited in (wanted, wanted | {"actions": None}):
        assert _post(client, "organisation/issue-api-key", unlimited).status_code == 200
    with DealLog.open(location) as log:
        user = log.organisation().directory.users["anna"]
    assert [key.actions for key in user.keys] == [(), ()]


def test_the_body_of_a_key_is_the_command_without_what_the_server_makes() -> None:
    command, body = (
        {field.name: (field.type, field.default) for field in msgspec.structs.fields(kind)}
        for kind in (IssueApiKey, NewApiKey)
    )
    assert set(body) == set(command) - {"key", "digest"}
    # No limit is null over HTTP, where none of all actions would be taken for a key good for none.
    assert {name for name in body if body[name] != command[name]} == {"actions"}
    assert set(field_docs(NewApiKey)) == set(body)


# What replaces.

LIMITS = {"limits": {"roles": [{"role": "seller", "discount_percent": "5"}]}}


def test_replacing_limits_names_the_version_that_was_seen(client: TestClient) -> None:
    path = "organisation/set-authority-limits"
    missing = _post(client, path, LIMITS)
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition-required")
    seen = client.get("/v1/limits").headers["ETag"]
    assert _post(client, path, LIMITS, If_Match=seen).status_code == 200
    stale = _post(client, path, {"limits": {"roles": []}}, If_Match=seen)
    assert (stale.status_code, stale.json()["code"]) == (412, "version-conflict")
    assert len(read(client, "/v1/limits", LimitsInForce).roles) == 1
    now = client.get("/v1/limits").headers["ETag"]
    assert _post(client, path, {"limits": {"roles": []}}, If_Match=now).status_code == 200


@pytest.mark.parametrize("path", ["organisation/register-unit", "rates/publish-rates"])
def test_of_writers_that_saw_one_version_one_wins(
    new_location: Callable[[], Location], path: str
) -> None:
    def body(number: int) -> dict[str, Any]:
        if path == "organisation/register-unit":
            return {"unit": "west", "name": f"West {number}"}
        rates = [{"currency": "USD", "rate": f"1.{number + 1}"}]
        return {"base": "EUR", "day": "2026-01-02", "rates": rates}

    def write(writer: TestClient, number: int) -> int:
        return _post(writer, path, body(number), If_Match='"0"').status_code

    location = new_location()
    DealLog.create(location).close()
    with serving(str(location)) as writer, ThreadPoolExecutor(4) as pool:
        found = sorted(pool.map(partial(write, writer), range(8)))
    assert found == [200] + [412] * 7


def test_the_first_of_a_target_and_a_stale_one(client: TestClient) -> None:
    aim = {"first": "2026-01-01", "last": "2026-03-31"}
    amounts = [{"amount": amount, "currency": "EUR"} for amount in ("1.00", "2.00")]
    first = _post(client, "targets/set-target", aim | {"amount": amounts[0]}, If_Match='"0"')
    stale = _post(client, "targets/set-target", aim | {"amount": amounts[1]}, If_Match='"0"')
    assert (first.status_code, stale.status_code) == (200, 412)


# Processes.

PROCESS = """
id = "pilot"
version = 1
name = "Pilot"

[[stages]]
id = "S1"
name = "Try"
probability = 50
expected_days = 10
forecast = "pipeline"

[[stages]]
id = "S2"
name = "Done"
probability = 100
expected_days = 10
forecast = "closed"
after_win = true
"""


def test_a_process_is_published_once(client: TestClient) -> None:
    first, again = (_post(client, "processes", {"toml": PROCESS}) for _ in range(2))
    assert [one.status_code for one in (first, again)] == [200, 200], first.text
    assert (len(first.json()["events"]), again.json()["events"]) == (1, [])
    assert client.get("/v1/processes/pilot/1").json()["stages"][0]["id"] == "S1"
    other = _post(client, "processes", {"toml": PROCESS.replace("Try", "Prove")})
    assert (other.status_code, other.json()["code"]) == (409, "id-taken")
    next_one = _post(client, "processes", {"toml": PROCESS.replace("version = 1", "version = 2")})
    assert next_one.headers["ETag"] == '"2"'
    assert "pilot" not in {process.id for process in built_in_processes()}


def test_errors_of_a_process_are_told_with_their_lines(client: TestClient) -> None:
    wrong = PROCESS.replace("probability = 50", "probability = 500")
    answer = _post(client, "processes", {"toml": wrong})
    assert answer.status_code == 422
    assert any("toml:9:" in error["detail"] for error in answer.json()["errors"])
    assert client.get("/v1/processes/pilot/1").status_code == 404
