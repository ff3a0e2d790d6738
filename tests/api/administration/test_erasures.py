"""Forgetting people over HTTP: once for each key, by ids alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.app import create_app
from api.settings import Settings
from api.wire.forgetting import Erased, FoundPersons
from api.wire.keeping import ErasureReport
from store.location import Location
from store.log import DealLog
from tests.api.auth.everybody import everybody
from tests.api.serving import serving

NAME = "Ewa Jankowska"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    location = Location.beside(tmp_path / "deals.db")
    DealLog.create(location).close()
    with serving(str(location)) as client:
        opening = {"name": "Press line", "owner": "anna", "currency": "EUR"}
        for deal_id in ("d-1", "d-2"):
            assert client.post(f"/v1/deals?id={deal_id}", json=opening).status_code == 201
            _identify(client, deal_id)
        yield client


def _identify(client: TestClient, deal_id: str, stakeholder: str = "cfo") -> None:
    person = {"id": stakeholder, "person": "p-17", "name": NAME, "level": "top"}
    path = f"/v1/deals/{deal_id}/identify-stakeholder"
    assert client.post(path, json=person).status_code == 200


def _post(client: TestClient, path: str, body: Any, key: str | None = None) -> Response:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/v1/erasures{path}", json=body, headers=headers)


def _survey(client: TestClient) -> ErasureReport:
    answer = _post(client, "/survey", {"persons": ["p-17"]})
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=ErasureReport)


@pytest.mark.parametrize("name", [" ", "a", "an", ". a . n .", "李", "%%%", "   "])
def test_too_little_of_a_name_finds_nobody(client: TestClient, name: str) -> None:
    answer = _post(client, "/lookup", {"name": name})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-parameter")
    assert answer.json()["errors"][0]["parameter"] == "name"


@pytest.mark.parametrize("name", ["ewa", "a J", "a Ja", "李娜", "O2 X"])
def test_so_much_of_a_name_is_enough(client: TestClient, name: str) -> None:
    enough = sum(one.isalnum() for one in name) > 2 or name == "李娜"
    assert (_post(client, "/lookup", {"name": name}).status_code == 200) is enough


def test_twenty_people_are_told_at_once(client: TestClient) -> None:
    for number in range(20):
        person = {"id": f"s-{number:02}", "name": f"Kim {number:02}", "level": "top"}
        assert client.post("/v1/deals/d-1/identify-stakeholder", json=person).status_code == 200
    for name, count, more in (("kim", 20, False), ("kim 0", 10, False)):
        found = msgspec.json.decode(
            _post(client, "/lookup", {"name": name}).content, type=FoundPersons
        )
        assert (len(found.found), found.more) == (count, more)
    person = {"id": "s-20", "name": "Kim 20", "level": "top"}
    assert client.post("/v1/deals/d-1/identify-stakeholder", json=person).status_code == 200
    found = msgspec.json.decode(
        _post(client, "/lookup", {"name": "kim"}).content, type=FoundPersons
    )
    assert ([one.name for one in found.found], found.more) == (
        [f"Kim {number:02}" for number in range(20)],
        True,
    )


def test_that_people_were_looked_up_is_recorded_once_a_day(tmp_path: Path) -> None:
    location = Location.beside(tmp_path / "deals.db")
    keys = everybody(location)
    app = create_app(Settings(db=str(location), worker=False))
    with TestClient(app, base_url="http://127.0.0.1") as client:

        def bearer(user: str) -> dict[str, str]:
            return {"Authorization": f"Bearer {keys[user]}"}

        for name in ("x", "nobody", "somebody"):
            client.post("/v1/erasures/lookup", json={"name": name}, headers=bearer("admin"))
        (entry,) = client.get("/v1/accesses", headers=bearer("auditor")).json()["entries"]
    assert (entry["actor"]["id"], entry["stream"]) == ("admin", "export:people")
    assert entry["what"] == "looked for people by name: POST /v1/erasures/lookup"
    # The name itself is nowhere in it.
    assert "body" not in str(entry)


def test_somebody_is_looked_up_surveyed_and_erased(client: TestClient) -> None:
    found = _post(client, "/lookup", {"name": "jankow"})
    (person,) = msgspec.json.decode(found.content, type=FoundPersons).found
    assert (person.name, person.persons) == (NAME, ["p-17"])
    before = _survey(client)
    assert not before.carried_out
    assert {one.deal for one in before.gone} == {"d-1", "d-2"}
    answer = _post(client, "", {"persons": person.persons, "reason": "asked by letter"})
    erased = msgspec.json.decode(answer.content, type=Erased)
    assert [(event.stream, event.version) for event in erased.events] == [
        ("deal:d-1", 3),
        ("deal:d-2", 3),
    ]
    assert _survey(client).gone == []
    assert NAME not in client.get("/v1/deals/d-1/map").text
    assert _post(client, "/lookup", {"name": "jankow"}).json() == {"found": [], "more": False}


def test_a_repeated_erasure_is_told_word_for_word_and_takes_no_more(client: TestClient) -> None:
    first = _post(client, "", {"persons": ["p-17"]}, "k-1")
    opening = {"name": "Mill", "owner": "anna", "currency": "EUR"}
    client.post("/v1/deals?id=d-3", json=opening)
    again = _post(client, "", {"persons": ["p-17"]}, "k-1")
    assert first.status_code == 200, first.text
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert client.get("/v1/deals/d-1").json()["deal"]["version"] == 3
    other = _post(client, "", {"persons": ["d-1/cfo"]}, "k-1")
    assert (other.status_code, other.json()["code"]) == (422, "command-id-reused")


@pytest.mark.parametrize("path", ["", "/survey"])
def test_names_are_not_taken(client: TestClient, path: str) -> None:
    refused = _post(client, path, {"persons": [NAME]})
    assert (refused.status_code, refused.json()["code"]) == (422, "person-not-found")
    assert NAME not in refused.text


def test_a_reason_that_names_them_is_refused(client: TestClient) -> None:
    refused = _post(client, "", {"persons": ["p-17"], "reason": f"{NAME} asked"}, "k-1")
    assert refused.status_code in {409, 422}
    assert NAME not in refused.text
    assert _survey(client).gone
