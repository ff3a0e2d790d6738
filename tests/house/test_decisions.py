"""Each architecture decision is one page in docs/adr, with the same five headings."""

import re

from tests.house.measures import REPOSITORY, headings, relative

HEADINGS = ["Context", "Decision", "Consequences", "Alternatives", "Confirmed by"]
PAGES = sorted((REPOSITORY / "docs" / "adr").glob("*.md"))


def test_there_are_decisions() -> None:
    assert PAGES


def test_each_decision_has_the_five_headings_in_order() -> None:
    found = {
        relative(page): [
            name for name in headings(page.read_text(encoding="utf-8")) if name in HEADINGS
        ]
        for page in PAGES
    }
    assert {page: names for page, names in found.items() if names != HEADINGS} == {}


def test_decisions_are_numbered_without_gaps() -> None:
    names = [page.name for page in PAGES]
    assert [name for name in names if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name)] == []
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_headings_are_read_in_order() -> None:
    assert headings("# Title\n\n## Context\ntext\n### Aside\n## Decision  \n") == [
        "Context",
        "Decision",
    ]
