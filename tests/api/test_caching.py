"""Answers that are there already, HEAD, compression, and what may be kept."""

import gzip
import re
import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from api.around.delivery import COMPRESSED, COMPRESSED_BELOW, Heads, holds_public_alone
from api.routes.answering import tag_of
from domain.access import Principal, Role
from tests.api.serving import serving
from tests.golden.openapi import document

ONE_DEAL = [
    "/v1/deals/d-press",
    "/v1/deals/d-press/gate",
    "/v1/deals/d-press/map",
    "/v1/deals/d-press/negotiation",
    "/v1/deals/d-press/replay",
    "/v1/deals/d-press/audit",
]
LISTS = ["/v1/deals", "/v1/processes", "/v1/pipeline", "/v1/accounts"]


DOCUMENT = document()


@pytest.fixture(scope="module")
def client(small_store: str) -> Iterator[TestClient]:
    with serving(small_store) as found:
        yield found


@pytest.mark.parametrize("url", [*ONE_DEAL, *LISTS])
def test_what_is_there_already_is_not_sent_again(client: TestClient, url: str) -> None:
    first = client.get(url)
    assert first.status_code == 200, first.text
    time.sleep(0.001)  # so that the moment of asking is another one
    tag = first.headers["etag"]
    again = client.get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    assert again.headers["cache-control"] == "no-store"
    assert "content-type" not in again.headers
    assert client.get(url, headers={"If-None-Match": '"other", W/"one"'}).status_code == 200


@pytest.mark.parametrize("known", ['"x", {tag}', "*", "W/{tag}", '{tag} , "y"'])
def test_tags_are_given_in_a_list(client: TestClient, known: str) -> None:
    tag = client.get("/v1/deals/d-press").headers["etag"]
    headers = {"If-None-Match": known.format(tag=tag)}
    assert client.get("/v1/deals/d-press", headers=headers).status_code == 304


def test_the_tag_of_a_deal_begins_with_its_version(client: TestClient) -> None:
    answer = client.get("/v1/deals/d-press")
    version = answer.json()["deal"]["version"]
    assert answer.headers["etag"].startswith(f'"{version}.')


@pytest.mark.parametrize("moment", ["as_of=2026-03-01", "known_at=2026-03-01", "as_of=now"])
def test_the_tag_of_a_deal_in_the_past_has_no_version(client: TestClient, moment: str) -> None:
    url = f"/v1/deals/d-press?{moment}"
    tag = client.get(url).headers["etag"]
    assert re.fullmatch(r'W/"[\w-]+"', tag, re.ASCII)
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    note = client.post("/v1/deals/d-press/add-note", json={"text": "x"}, headers={"If-Match": tag})
    assert (note.status_code, note.json()["code"]) == (400, "invalid-header")
    assert "past" in note.json()["detail"]


def test_another_answer_has_another_tag(client: TestClient) -> None:
    urls = [f"/v1/deals/d-press{more}" for more in ("", "?fields=deal", "?fields=team")]
    tags = [client.get(url).headers["etag"] for url in urls]
    assert len(set(tags)) == len(urls)
    assert tag_of(b"a") != tag_of(b"b")


def test_who_sees_less_has_another_tag_that_tells_nothing_of_the_rest(small_store: str) -> None:
    analyst = Principal("ana", frozenset({Role.ANALYST}))
    with serving(small_store) as whole, serving(small_store, analyst) as less:
        url = "/v1/deals/d-press/audit"
        everything, public = whole.get(url), less.get(url)
        assert everything.text != public.text
        assert "as_of" not in everything.text
        assert everything.headers["etag"] != public.headers["etag"]


def test_a_problem_has_no_tag(client: TestClient) -> None:
    headers = {"If-None-Match": "*"}
    answer = client.get("/v1/deals/d-none", headers=headers)
    assert answer.status_code == 404
    assert "etag" not in answer.headers


def test_a_question_that_is_posted_is_always_answered(client: TestClient) -> None:
    url, body = "/v1/deals/d-press/whatif", {"at": 1}
    answer = client.post(url, json=body, headers={"If-None-Match": "*"})
    assert answer.status_code == 200
    assert "etag" not in answer.headers


def test_the_description_tells_of_tags() -> None:
    operation = DOCUMENT["paths"]["/v1/deals"]["get"]
    assert "If-None-Match" in {one["name"] for one in operation["parameters"]}
    assert "ETag" in operation["responses"]["200"]["headers"]
    assert "304" in operation["responses"]
    assert "x-shape" not in str(DOCUMENT)


# HEAD.


@pytest.mark.parametrize("url", ["/v1/deals", "/v1/deals/d-press", "/livez", "/docs", "/nope"])
def test_head_is_get_without_a_body(client: TestClient, url: str) -> None:
    headers = {"Accept-Encoding": "identity"}
    whole, head = client.get(url, headers=headers), client.head(url, headers=headers)
    assert head.content == b""
    assert head.status_code == whole.status_code
    kept = {name for name in whole.headers if name not in {"ratelimit", "x-request-id"}}
    assert {name: head.headers[name] for name in kept} == {n: whole.headers[n] for n in kept}


def test_head_of_what_is_there_already(client: TestClient) -> None:
    tag = client.get("/v1/deals").headers["etag"]
    assert client.head("/v1/deals", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.anyio
async def test_head_of_a_stream_ends() -> None:
    sent: list[Message] = []
    gone: list[str] = []

    async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["method"] == "GET"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                gone.append((await receive())["type"])
        finally:
            gone.append("ended")

    async def nothing() -> Message:
        raise AssertionError("nobody reads the request any more")

    async def collect(message: Message) -> None:
        sent.append(message)

    await Heads(streaming)({"type": "http", "method": "HEAD"}, nothing, collect)
    assert [one["type"] for one in sent] == ["http.response.start", "http.response.body"]
    assert sent[1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert gone == ["http.disconnect", "ended"]


@pytest.mark.anyio
async def test_a_fault_before_the_answer_is_not_hidden_by_head() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("before the answer")

    async def never(*_: object) -> Message:
        raise AssertionError

    with pytest.raises(RuntimeError, match="before the answer"):
        await Heads(failing)({"type": "http", "method": "HEAD"}, never, never)  # type: ignore[arg-type]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


# Compression.


def test_what_is_public_is_compressed(client: TestClient) -> None:
    with client.stream("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in answer.headers["vary"]
    plain = client.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    assert gzip.decompress(raw) == plain.content
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize("url", ONE_DEAL)
def test_what_may_hold_secrets_is_not(client: TestClient, url: str) -> None:
    answer = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers


def test_only_lists_and_figures_are_compressed() -> None:
    """Every route is one or the other; a new one is not compressed until it is named."""
    compressed = {
        path
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
        if holds_public_alone(method.upper(), path)
    }
    assert not [path for path in compressed if "{deal_id}" in path or "/audit" in path]
    assert not [path for path in compressed if path.startswith(("/v1/events", "/v1/webhooks"))]
    assert not [path for path in compressed if path.startswith(("/v1/users", "/v1/accounts"))]
    named = {*COMPRESSED, *COMPRESSED_BELOW} - {"/openapi.json", "/docs"}
    assert {one for one in named if not any(path.startswith(one) for path in compressed)} == set()
    assert not holds_public_alone("POST", "/v1/deals")
    assert not holds_public_alone("GET", "/v1/deals/d-1")
    assert not holds_public_alone("GET", "/v1/warningsx")
