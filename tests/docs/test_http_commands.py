"""The examples of docs/http-commands.md, one after the other, against one store."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.commands import BY_NAME
from store.location import Location
from tests.api.commands.asking import HOLDER, as_, new_store
from tests.docs.console import matches

PAGE = (Path(__file__).parents[2] / "docs" / "http-commands.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```http\n(.*?)\n\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = _BLOCK.findall(PAGE)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    location = new_store(Location.beside(tmp_path_factory.mktemp("commands") / "deals.db"))
    with as_(HOLDER, location) as client:
        yield client


def test_the_examples_are_as_they_are_answered(client: TestClient) -> None:
    assert len(EXAMPLES) > 7
    for asked, told in EXAMPLES:
        request, *sent = asked.splitlines()
        method, address = request.split(" ")
        body = sent.pop() if method == "POST" else None
        headers = dict(line.split(": ", 1) for line in sent)
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = client.request(method, address, headers=headers, content=body)
        status, *named, text = told.splitlines()
        assert answer.status_code == int(status), (asked, answer.text)
        assert matches(text, answer.text), (asked, answer.text)
        for line in named:
            name, value = line.split(": ", 1)
            assert answer.headers[name] == value, asked


def test_the_page_names_all_that_replace() -> None:
    listed = PAGE.partition("<!-- replaces -->")[2].partition("<!-- /replaces -->")[0]
    replacing = {name for name, command in BY_NAME.items() if command.replaces}
    assert set(re.findall(r"`([a-z-]+)`", listed)) == replacing
