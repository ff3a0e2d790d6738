"""Every command of the domain over HTTP, in the story that its examples make up."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from functools import cache
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from msgspec.structs import asdict

from api.app import create_app
from api.commands import BY_NAME, decode_command
from api.examples import Step, story
from api.recording import NOT_ALONE, ON_A_DEAL
from api.settings import Settings
from domain.deal import COMMAND_TYPES
from domain.history import Fact, Recorded
from domain.intent import Intent, command_name
from domain.people.commands import EraseSubject
from store.location import Location
from tests.api.commands.asking import HOLDER, OPENING, as_, give, new_store, open_deal, told
from tests.docs.reference.played import played

DEAL = "D-0114"


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Location:
    return new_store(Location.beside(tmp_path_factory.mktemp("story") / "deals.db"))


class Told:
    """A step of the story, what was sent and answered."""

    def __init__(self, number: int, step: Step, version: int, answer: Response) -> None:
        self.number, self.step, self.version, self.answer = number, step, version, answer

    def again(self, client: TestClient) -> Response:
        return send(client, self.number, self.step, self.version)


def send(client: TestClient, number: int, step: Step, version: int) -> Response:
    at, key = f"{step.on}T09:00Z", f"step-{number}"
    if step.command == "open-opportunity":
        return open_deal(client, step.data, key, id=DEAL, occurred_at=at)
    return give(client, DEAL, step.command, step.data, key, version=version, occurred_at=at)


@pytest.fixture(scope="module")
def course(location: Location) -> list[Told]:
    """The story as it was sent, each step for the version that it met."""
    found = []
    version = 0
    with _afterwards(location) as client:
        told(open_deal(client, OPENING, id="D-0042", occurred_at="2026-03-01"), 201)
        for number, step in enumerate(story(), start=1):
            if step.command == "erase-subject":
                version = _erase(client, number, step)
                continue
            answer = send(client, number, step, version)
            found.append(Told(number, step, version, answer))
            assert answer.is_success, (step, answer.text)
            version = answer.json()["version"]
    return found


@contextmanager
def _afterwards(location: Location) -> Iterator[TestClient]:
    """The service by a clock that is past the story."""
    with as_(HOLDER, location) as client:
        end = datetime.combine(story()[-1].on, time(12), tzinfo=UTC)
        client.app.state.store.now = lambda: end  # type: ignore[attr-defined]
        yield client


def _erase(client: TestClient, number: int, step: Step) -> int:
    """What is not given on one deal alone."""
    store = client.app.state.store  # type: ignore[attr-defined]
    command = decode_command(step.command, msgspec.json.encode(step.data))
    assert isinstance(command, EraseSubject)
    now = store.now()
    version: int = store.log.handle(
        DEAL, command, Intent(f"step-{number}", HOLDER, "cli", now, now)
    ).version
    return version


def test_each_is_recorded_as_the_domain_decides(course: list[Told]) -> None:
    expected = [
        (step, events) for step, events in played(story()) if step.command != "erase-subject"
    ]
    assert len(expected) == len(course)
    for one, (step, events) in zip(course, expected, strict=True):
        answer = told(one.answer, 201 if step.command == "open-opportunity" else 200)
        assert answer.deal_id == DEAL
        assert [event.type for event in answer.events] == [event.type for event in events]
        assert [event.fact for event in answer.events] == [event.fact for event in events]
        assert answer.version == events[-1].version
        assert answer.token == f"deal:{DEAL}@{answer.version}"
        for event in answer.events:
            assert (event.actor, event.source, event.command_id) == (
                "op",
                "http",
                f"step-{one.number}",
            )
            assert event.occurred_at == f"{step.on}T09:00:00.000000Z"


def test_every_command_was_sent(course: list[Told]) -> None:
    sent = {one.step.command for one in course}
    assert sent == set(ON_A_DEAL) | {"open-opportunity"}
    assert sent | {command_name(one) for one in NOT_ALONE} == set(BY_NAME)


def test_repeated_after_a_restart_each_has_the_same_answer(
    course: list[Told], location: Location
) -> None:
    """But for what was erased meanwhile, which nobody can be told any more."""
    with _afterwards(location) as client:
        before = client.get(f"/v1/deals/{DEAL}/audit?limit=500").json()
        for one in course:
            again = one.again(client)
            assert again.headers["idempotency-replayed"] == "true"
            assert (again.status_code, again.headers["etag"]) == (
                one.answer.status_code,
                one.answer.headers["etag"],
            )
            if b"[erased]" not in again.content:
                assert again.content == one.answer.content, one.step.command
            assert again.headers.get("location") == one.answer.headers.get("location")
        assert client.get(f"/v1/deals/{DEAL}/audit?limit=500").json() == before
    assert "idempotency-replayed" not in course[0].answer.headers


def test_a_read_includes_what_was_recorded(course: list[Told], location: Location) -> None:
    token = told(course[-1].answer).token
    with as_(HOLDER, location) as client:
        response = client.get(f"/v1/deals/{DEAL}", headers={"Dealstate-Wait-For": token})
        assert response.status_code == 200


@pytest.mark.parametrize("kind", COMMAND_TYPES)
def test_every_command_says_whether_it_replaces(kind: type) -> None:
    assert "replaces" in kind.__dict__


@cache
def document() -> dict[str, Any]:
    return create_app(Settings(db="sqlite:///none.db")).openapi()


@pytest.mark.parametrize("name", ON_A_DEAL)
def test_every_command_is_described(name: str) -> None:
    kind = ON_A_DEAL[name]
    route = document()["paths"][f"/v1/deals/{{deal_id}}/{name}"]["post"]
    assert route["description"]
    body = route["requestBody"]["content"]["application/json"]
    schema = document()["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
    assert set(schema["properties"]) == set(kind.__struct_encode_fields__)
    assert set(body["example"]) <= set(schema["properties"])
    assert set(schema["required"]) <= set(body["example"])
    assert all(field.get("description") for field in schema["properties"].values())
    headers = {one["name"]: one["required"] for one in route["parameters"] if one["in"] == "header"}
    assert headers["If-Match"] is kind.replaces
    assert headers["Idempotency-Key"] is False


def test_an_event_is_told_as_it_is_stored(course: list[Told], location: Location) -> None:
    answer = told(course[0].answer, 201)
    with as_(HOLDER, location) as client:
        store = client.app.state.store  # type: ignore[attr-defined]
        stored: Recorded[Fact] = store.log.history(DEAL).events[0]
    for name in ("version", "actor", "source", "command_id", "correlation_id"):
        assert asdict(answer.events[0])[name] == getattr(stored, name)
