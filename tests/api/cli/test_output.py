"""Tables: on a terminal they fit its width, elsewhere they are as wide as they need to be."""

import sys
from collections.abc import Callable

import pytest
from rich.cells import cell_len

from api.cli.output import Column, plain, print_table
from api.plain import clean

Lines = Callable[[int | None], list[str]]

COLUMNS = [
    Column("id"),
    Column("words", wraps=True),
    Column("count", right=True),
    Column("spare one", spare=True),
    Column("spare two", spare=True),
]
ROWS = [
    ["a-1", "one two three four five six seven eight", "1,000", "x" * 12, "y" * 12],
    ["a-2", "华北重工 压机", "–", "x", "y"],
]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lines:
    """The lines of the table on a terminal of some width, or without a terminal."""

    def lines(width: int | None) -> list[str]:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: width is not None)
        monkeypatch.setenv("COLUMNS", str(width or 80))
        monkeypatch.setenv("NO_COLOR", "1")
        print_table(COLUMNS, ROWS, totals=[["total", "", "1,000", "", ""]])
        return capsys.readouterr().out.splitlines()

    return lines


def test_without_a_terminal_nothing_is_cut_or_wrapped(printed: Lines) -> None:
    header, rule, first, second, below, total = printed(None)
    assert header.split()[:3] == ["id", "words", "count"]
    assert set(rule) == set(below) == {"-"}
    assert "one two three four five six seven eight" in first
    assert first.endswith("y" * 12)
    assert second.startswith("a-2")
    assert total.startswith("total")


def test_numbers_are_right_aligned_also_beside_wide_characters(printed: Lines) -> None:
    lines = printed(None)
    end = lines[0].index("count") + len("count")
    assert lines[2][:end].endswith("1,000")
    cut = lines[3].index("–") + 1
    assert cell_len(lines[3][:cut]) == end


@pytest.mark.parametrize("width", [200, 70, 60, 45])
def test_on_a_terminal_lines_fit(printed: Lines, width: int) -> None:
    lines = printed(width)
    assert max(cell_len(_unstyled(line)) for line in lines) <= width
    text = " ".join(lines)
    assert "1,000" in text
    assert all(word in text for word in ROWS[0][1].split())


def test_spare_columns_go_first_from_the_right(
    printed: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "spare two" in printed(200)[0]
    assert "spare two" not in printed(60)[0]
    assert "spare one" in printed(60)[0]
    assert "spare" not in printed(45)[0]


def _unstyled(line: str) -> str:
    import re

    return re.sub(r"\x1b\[[0-9;]*m", "", line)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\nlines\r\nof text", "plain lines of text"),
        ("\x1b[2J", "�[2J"),
        ("a\x00b\x7f\x9b", "a�b��"),
        ("\u202eabc\u2066", "�abc�"),
        ("नि\u200dर 👩\u200d🔧", "नि\u200dर 👩\u200d🔧"),
        ("压机\u3000一", "压机\u3000一"),
    ],
)
def test_clean_text_commands_no_terminal(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), (True, "true"), (0, 0), ("", ""), (1.5, 1.5), (["a", 1], '["a",1]'), ({}, "{}")],
)
def test_values_as_cells_of_csv(value: object, cell: object) -> None:
    assert plain(value) == cell
