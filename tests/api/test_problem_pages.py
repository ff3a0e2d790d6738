"""The documentation of the service: every route, every schema, a page for every problem."""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.problem_pages import problem_pages, told
from api.problems import MEANINGS, failure_of
from api.wire.problems import Problem
from domain.refusals import every_refusal
from store.disclosure import FieldErased, FieldNotEncrypted
from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable
from store.notary import LogContradicted, UnknownCheckpoint, UnknownEvent, WitnessRefused
from tests.api.serving import serving

CODES = {*MEANINGS, *(refusal.code for refusal in every_refusal())}


@pytest.fixture(scope="module")
def client(small_store: str) -> Iterator[TestClient]:
    with serving(small_store) as found:
        yield found


def test_every_code_has_a_text_and_no_text_lacks_a_code() -> None:
    assert set(told()) == CODES


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_a_page_that_says_what_to_do(client: TestClient, code: str) -> None:
    found = problem_pages()[code]
    page = client.get(f"/docs/problems/{code}")
    assert page.status_code == 200
    assert found.example.type == f"/docs/problems/{code}"
    shown = re.search("<pre[^>]*><code>(.*?)</code>", page.text, re.DOTALL)
    assert shown is not None
    example = shown[1].replace("&quot;", '"').replace("&#x27;", "'").replace("&lt;", "<")
    assert msgspec.json.decode(example, type=Problem) == found.example
    assert f"Status {found.example.status} " in page.text
    for words in (found.meaning, found.why, found.do):
        assert words.endswith((".", ":")), words
        assert words.split()[0].strip(".,") in page.text


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_what_is_no_refusal_names_its_status(code: str) -> None:
    assert HTTPStatus(told()[code].status or 0) >= HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "kind",
    [
        StoreBusy,
        StoreFull,
        StoreUnavailable,
        StoreError,
        UnknownEvent,
        UnknownCheckpoint,
        FieldNotEncrypted,
        FieldErased,
        LogContradicted,
        WitnessRefused,
    ],
)
def test_the_status_of_a_page_is_the_one_that_is_answered(kind: type[StoreError]) -> None:
    failure = failure_of(kind("what", "Do."))
    assert failure is not None
    assert problem_pages()[failure.code].example.status == failure.status


def test_a_refusal_has_no_status_in_the_file() -> None:
    assert [one.code for one in every_refusal() if told()[one.code].status is not None] == []


def test_the_documentation_lists_every_route_and_schema_without_scripts(
    client: TestClient,
) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    document = client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in page.text
            assert f'id="{operation["operationId"]}"' in page.text
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in page.text
    assert "<script" not in page.text
    assert not re.search(r'(src|href)="(https?:)?//', page.text)


def test_the_documentation_shows_what_is_sent(client: TestClient) -> None:
    text = client.get("/docs").text
    document = client.get("/openapi.json").json()
    example = document["paths"]["/v1/deals"]["post"]["requestBody"]["content"]["application/json"]
    first = next(iter(example["example"]))
    assert f"&quot;{first}&quot;" in text
    assert "Takes <a" in text


def test_links_of_the_documentation_lead_somewhere(client: TestClient) -> None:
    pages: dict[str, str] = {}

    def text_of(address: str) -> str:
        if address not in pages:
            answer = client.get(address)
            assert answer.status_code == 200, address
            pages[address] = answer.text
        return pages[address]

    for start in ("/docs", "/docs/problems", "/docs/problems/gate-not-met"):
        for link in set(re.findall(r'href="([^"]+)"', text_of(start))):
            page, _, anchor = link.partition("#")
            assert not anchor or f'id="{anchor}"' in text_of(page or start), link
            text_of(page or start)


def test_the_documentation_may_be_kept_for_a_while(client: TestClient) -> None:
    for address in ("/docs", "/docs/style.css", "/docs/problems", "/openapi.json"):
        first = client.get(address)
        assert first.headers["cache-control"] == "public, max-age=300"
        again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]


def test_the_document_is_the_one_of_the_service(client: TestClient) -> None:
    answer = client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == json.loads(json.dumps(client.app.openapi()))  # type: ignore[attr-defined]
