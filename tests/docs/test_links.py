"""Links between pages of the project lead somewhere."""

import re
from pathlib import Path

import pytest

from tests.house.measures import project_files, relative

_LINK = re.compile(r"\]\(([^)\s]+)\)")

PAGES = [path for path in project_files() if path.suffix == ".md"]


def broken_links(page: Path) -> list[str]:
    """The links of a page to files that are not there; links to the web are left alone."""
    targets = [str(target) for target in _LINK.findall(page.read_text(encoding="utf-8"))]
    files = [target.partition("#")[0] for target in targets if "://" not in target]
    return [file for file in files if file and not (page.parent / file).exists()]


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[here](page.md#top) [web](https://example.org/a) [gone](gone.md)", "utf-8")
    assert broken_links(page) == ["gone.md"]
