"""The page about the forecast: its examples print what they say, and it explains every part."""

from pathlib import Path

from api.cli.calibration import _WITHOUT
from tests.docs.console import examples, matches, run
from tests.house.measures import REPOSITORY

PAGE = REPOSITORY / "docs" / "forecast.md"
GUIDE = PAGE.read_text(encoding="utf-8")


def test_the_examples_print_what_the_page_says(tmp_path: Path) -> None:
    shown = examples(PAGE)
    assert len(shown) == 5
    for example in shown:
        printed = run(example, tmp_path)
        assert matches(example.expected, printed), f"{example.line} $ {example.command}\n{printed}"


def test_every_reason_for_having_no_probability_is_explained() -> None:
    assert [title for title in _WITHOUT.values() if f"| {title} |" not in GUIDE] == []
