"""The reference is what the code says: command line, HTTP, refusals."""

import pytest

from api.cli.root import COMMANDS
from api.problems import MEANINGS, ON_THE_COMMAND_LINE
from domain.refusals import every_refusal
from tests.docs.reference import PAGES, page
from tests.golden.openapi import document


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_says(name: str) -> None:
    written = page(name).read_text(encoding="utf-8")
    assert written == PAGES[name](), "renew it with: python -m tests.docs.reference"


def test_every_command_is_documented() -> None:
    written = page("cli.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"\n## {name}\n" not in written] == []
    assert "\n## audit trail\n" in written
    assert "\n## process check\n" in written


def test_every_route_is_documented() -> None:
    written = page("http.md").read_text(encoding="utf-8")
    assert [path for path in document()["paths"] if f"\n## GET {path}\n" not in written] == []


def test_every_code_is_documented_once() -> None:
    written = page("refusals.md").read_text(encoding="utf-8")
    codes = [refusal.code for refusal in every_refusal()]
    codes += [*MEANINGS, *ON_THE_COMMAND_LINE]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if written.count(f"| `{code}` |") != 1] == []
