"""The page on access: its table is the one that decides, and its examples run as shown."""

import re
from pathlib import Path

from domain.access import EVERYTHING, NOTHING, PUBLIC_ONLY, TABLE, Action
from tests.docs.console import examples, matches, run
from tests.house.measures import REPOSITORY

PAGE = REPOSITORY / "docs" / "access.md"
TEXT = PAGE.read_text(encoding="utf-8")

SEES = {EVERYTHING: "everything", PUBLIC_ONLY: "public", NOTHING: "nothing of a deal"}


def rows(header: str) -> list[list[str]]:
    """The cells of the table with this header."""
    _, _, table = TEXT.partition(f"| {header} |\n")
    lines = re.match(r"(?:\|.*\|\n)+", table)
    assert lines is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in
            lines.group().splitlines()[1:]]  # fmt: skip


def test_the_table_is_the_one_that_decides() -> None:
    told = [
        [
            right.role.value,
            right.reach.value,
            "all actions" if right.actions == set(Action) else ", ".join(sorted(right.actions)),
            SEES[right.visible],
        ]
        for right in TABLE
    ]
    assert rows("role | where | may | sees") == told


def test_every_action_is_explained() -> None:
    assert [name for name, _ in rows("action | means")] == [action.value for action in Action]


def test_the_examples_run_as_shown(tmp_path: Path) -> None:
    (limits,) = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (tmp_path / "limits.toml").write_text(limits, encoding="utf-8")
    commands = examples(PAGE)
    assert len(commands) > 12
    for example in commands:
        printed = run(example, tmp_path)
        assert matches(example.expected, printed), f"{example.line} $ {example.command}\n{printed}"
