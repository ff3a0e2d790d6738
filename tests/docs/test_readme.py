"""The README's tour and other pages print what they say, from an empty directory on."""

from pathlib import Path

import pytest

from tests.docs.console import examples, matches, run
from tests.house.measures import REPOSITORY

PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "docs" / "story.md",
    REPOSITORY / "docs" / "read-models.md",
    REPOSITORY / "docs" / "post-mortem.md",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(REPOSITORY / "docs")
    shown = examples(page)
    assert len(shown) >= 3
    for example in shown:
        printed = run(example, tmp_path)
        assert matches(example.expected, printed), (
            f"{page.name}:{example.line} $ {example.command}\n{printed}"
        )
