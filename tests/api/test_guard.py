"""The limit on the size of requests, announced by their header or met while reading."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.around.guard import LARGEST_BODY, read_within_limit
from tests.api.serving import serving

URL = "/v1/deals/d-press/whatif"


@pytest.fixture(scope="module")
def client(small_store: str) -> Iterator[TestClient]:
    with serving(small_store) as client:
        yield client


def padded(size: int) -> bytes:
    """A variation of so many bytes."""
    return b'{"at": 5}'.ljust(size)


def in_parts(content: bytes) -> Iterator[bytes]:
    """Sent in parts, so that no header tells how long it is."""
    for start in range(0, len(content), 1 << 16):
        yield content[start : start + (1 << 16)]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused(client: TestClient, *, chunked: bool) -> None:
    content = padded(LARGEST_BODY + 1)
    response = client.post(URL, content=in_parts(content) if chunked else content)
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "1,048,576 bytes" in response.json()["detail"]


@pytest.mark.parametrize("chunked", [False, True])
def test_the_largest_body_is_read(client: TestClient, *, chunked: bool) -> None:
    content = padded(LARGEST_BODY)
    response = client.post(
        URL,
        content=in_parts(content) if chunked else content,
        headers={"Content-Type": "application/json"},
    )
    assert response.status_code == 200, response.text


def test_what_is_announced_is_not_waited_for(client: TestClient) -> None:
    headers = {"Content-Length": str(LARGEST_BODY + 1)}
    response = client.post(URL, content=in_parts(padded(10)), headers=headers)
    assert response.status_code == 413


def test_other_names_are_refused_before_the_body(client: TestClient) -> None:
    response = client.post(URL, content=padded(LARGEST_BODY + 1), headers={"Host": "evil.example"})
    assert response.status_code == 421


@pytest.mark.anyio
async def test_nothing_is_read_behind_the_limit() -> None:
    parts = [{"type": "http.request", "body": b"x" * LARGEST_BODY, "more_body": True}] * 9
    left = iter(parts)

    async def receive() -> dict[str, object]:
        return next(left)

    assert await read_within_limit(receive) is None
    assert len(list(left)) == 7


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
