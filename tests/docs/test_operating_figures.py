"""The guide to operating figures: its examples run as shown."""

from pathlib import Path

from tests.docs.console import examples, matches, run
from tests.house.measures import REPOSITORY

PAGE = REPOSITORY / "docs" / "operating-figures.md"


def test_the_examples_run_as_shown(tmp_path: Path) -> None:
    commands = examples(PAGE)
    assert len(commands) > 4
    for example in commands:
        printed = run(example, tmp_path)
        assert matches(example.expected, printed), f"{example.line} $ {example.command}\n{printed}"
