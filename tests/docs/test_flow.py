"""The guide to the flow of deals: its examples run as shown, on one store."""

from pathlib import Path

from tests.docs.console import examples, matches, run
from tests.house.measures import REPOSITORY

PAGE = REPOSITORY / "docs" / "flow.md"


def test_the_examples_run_as_shown(tmp_path: Path) -> None:
    commands = examples(PAGE)
    assert len(commands) > 6
    for example in commands:
        printed = run(example, tmp_path)
        assert matches(example.expected, printed), f"{example.line} $ {example.command}\n{printed}"
    for name in ("cohorts.svg", "time-in-stage.svg"):
        assert (tmp_path / name).read_text(encoding="utf-8").startswith("<svg")
