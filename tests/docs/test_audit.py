"""The guide to proofs: its examples run as shown, and it names every kind of finding."""

import re
from pathlib import Path

from store.fsck.findings import Kind
from tests.docs.console import examples, matches, run
from tests.house.measures import REPOSITORY

PAGE = REPOSITORY / "docs" / "audit.md"


def test_the_examples_run_as_shown(tmp_path: Path) -> None:
    commands = examples(PAGE)
    assert len(commands) > 12
    for example in commands:
        printed = run(example, tmp_path)
        assert matches(example.expected, printed), f"{example.line} $ {example.command}\n{printed}"


def test_every_kind_of_finding_is_explained() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert told == list(Kind)
