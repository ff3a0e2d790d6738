"""The examples of docs/http-queries.md, against a small store."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.api.serving import serving
from tests.api.small_store import make_small_store
from tests.docs.console import matches

PAGE = Path(__file__).parents[2] / "docs" / "http-queries.md"
_BLOCK = re.compile(r"^```http\n(.*?)\n\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADER = re.compile(r"[A-Z][A-Za-z-]*: ")
EXAMPLES = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with serving(make_small_store(tmp_path_factory.mktemp("queries"))) as found:
        yield found


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 5


@pytest.mark.parametrize(("asked", "told"), EXAMPLES)
def test_the_example_is_as_it_is_answered(client: TestClient, asked: str, told: str) -> None:
    request, *sent = asked.splitlines()
    method, address = request.split(" ")
    headers = dict(line.split(": ", 1) for line in sent)
    answer = client.request(method, address, headers=headers)
    status, *lines = told.splitlines()
    assert answer.status_code == int(status)
    named = [line for line in lines if _HEADER.match(line)]
    for line in named:
        name = line.partition(": ")[0]
        assert matches(line, f"{name}: {answer.headers[name]}"), answer.headers[name]
    [body] = [line for line in lines if line not in named]
    assert matches(body, answer.text), answer.text
