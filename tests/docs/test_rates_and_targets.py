"""The guide to exchange rates and targets: its examples run as shown, on the files shown."""

import re
from pathlib import Path

from tests.docs.console import examples, matches, run
from tests.house.measures import REPOSITORY

PAGE = REPOSITORY / "docs" / "rates-and-targets.md"
FILES = ("eurofxref.csv", "others.csv", "targets.csv")


def test_the_examples_run_as_shown(tmp_path: Path) -> None:
    shown = re.findall(
        r"^```csv\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    for name, content in zip(FILES, shown, strict=True):
        (tmp_path / name).write_text(content, encoding="utf-8")
    commands = examples(PAGE)
    assert len(commands) > 12
    for example in commands:
        printed = run(example, tmp_path)
        assert matches(example.expected, printed), f"{example.line} $ {example.command}\n{printed}"
