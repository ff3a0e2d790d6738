"""The guide to the waterfall: its examples run as shown, and it explains every line."""

import re
from pathlib import Path

from projections.waterfall.steps import LINES
from tests.docs.console import examples, matches, run
from tests.house.measures import REPOSITORY

PAGE = REPOSITORY / "docs" / "waterfall.md"
GUIDE = PAGE.read_text(encoding="utf-8")


def test_the_examples_run_as_shown(tmp_path: Path) -> None:
    for language, name in (("csv", "changes.csv"), ("toml", "map.toml")):
        [block] = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
        (tmp_path / name).write_text(block, encoding="utf-8")
    commands = examples(PAGE)
    assert len(commands) == 6
    for example in commands:
        printed = run(example, tmp_path)
        assert matches(example.expected, printed), f"{example.line} $ {example.command}\n{printed}"


def test_every_line_is_explained_in_order_with_its_kinds() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \|", GUIDE, re.MULTILINE)
    assert told == list(dict.fromkeys(line.name for line in LINES))
    assert [line.kind for line in LINES if line.kind and f"`{line.kind}`" not in GUIDE] == []
