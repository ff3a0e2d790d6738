"""Structs are read from TOML; what does not fit is told by what would."""

import sys
from enum import StrEnum
from typing import Annotated

import msgspec
import pytest
from msgspec import UNSET, Meta

from domain.toml.problems import Problem, Severity, path_text
from domain.toml.tables import known, read_table


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark-blue"


class Words(msgspec.Struct):
    en: Annotated[str, Meta(min_length=1, max_length=5)]
    zh: str | None = None


class Item(msgspec.Struct):
    id: str
    words: Words
    code: str | None = None
    colour: Colour = Colour.RED
    open: bool = False


class Sheet(msgspec.Struct):
    id: Annotated[str, Meta(min_length=1, max_length=2000)]
    count: Annotated[int, Meta(ge=1, le=9)] = 1
    total: Annotated[int, Meta(ge=0)] = 0
    any_number: int = 0
    notes: tuple[Words, ...] = ()
    items: Annotated[tuple[Item, ...], Meta(max_length=2)] = ()


def told(text: str) -> list[str]:
    _, report = read_table(text, "s.toml", Sheet)
    return [str(problem).removeprefix("s.toml:") for problem in report.problems]


def test_a_text_without_fault_converts_to_its_struct() -> None:
    text = """
id = "s"
count = 9
notes = ["one", { en = "two", zh = "二" }]
[[items]]
id = "i"
words = "hello"
colour = "dark-blue"
open = true
"""
    table, report = read_table(text, "s.toml", Sheet)
    assert report.problems == []
    assert not report.has_errors
    assert msgspec.convert(table, Sheet) == Sheet(
        id="s",
        count=9,
        notes=(Words("one"), Words("two", "二")),
        items=(Item("i", Words("hello"), colour=Colour.DARK_BLUE, open=True),),
    )


ITEMS_KEYS = "id, words, code, colour, open"
SHEET_KEYS = "id, count, total, any_number, notes, items"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [" error: id is missing; write a text of 1 to 2000 characters."]),
        ("id = 3", ["1: error: id is 3; allowed is a text of 1 to 2000 characters."]),
        ("id = ' '", ["1: error: id is empty; allowed is a text of 1 to 2000 characters."]),
        ("id = []", ["1: error: id is a list; allowed is a text of 1 to 2000 characters."]),
        (
            "id = 2026-01-31",
            ["1: error: id is 2026-01-31; allowed is a text of 1 to 2000 characters."],
        ),
        (
            f"id = '{'x' * 2001}'",
            ["1: error: id has 2,001 characters; allowed is a text of 1 to 2000 characters."],
        ),
        ("id = 's'\ncount = 0", ["2: error: count is 0; allowed is a whole number, 1 to 9."]),
        ("id = 's'\ncount = 10", ["2: error: count is 10; allowed is a whole number, 1 to 9."]),
        ("id = 's'\ncount = true", ["2: error: count is true; allowed is a whole number, 1 to 9."]),
        ("id = 's'\ncount = 5.0", ["2: error: count is 5.0; allowed is a whole number, 1 to 9."]),
        (
            "id = 's'\ntotal = nan",
            ["2: error: total is nan; allowed is a whole number, 0 or more."],
        ),
        (
            "id = 's'\ntotal = 9223372036854775808",
            [
                (
                    "2: error: total is a number of more than 64 bits;"
                    " allowed is a whole number, 0 or more."
                )
            ],
        ),
        (
            "id = 's'\nany_number = 'many'",
            ['2: error: any_number is "many"; allowed is a whole number.'],
        ),
        (
            "id = 's'\nnotes = 'one'",
            [
                (
                    '2: error: notes is "one"; allowed is a list, each element a text,'
                    " or a table with the keys en, zh."
                )
            ],
        ),
        (
            "id = 's'\nnotes = [\n'one',\n'longer']",
            ["4: error: notes[1] has 6 characters; allowed is a text of 1 to 5 characters."],
        ),
        (
            "id = 's'\nnotes = [4]",
            ["2: error: notes[0] is 4; allowed is a text, or a table with the keys en, zh."],
        ),
        (
            "id = 's'\n[[items]]\nid = 'i'\nwords = 'w'\ncode = 1",
            ["5: error: items[0].code is 1; allowed is a text."],
        ),
        (
            "id = 's'\n[items]\nid = 'i'",
            ["2: error: items is a table; allowed is 0 to 2 tables, each under [[items]]."],
        ),
        (
            "id = 's'\nitems = ['i']",
            [f'2: error: items[0] is "i"; allowed is a table with the keys {ITEMS_KEYS}.'],
        ),
        (
            "id = 's'\n" + "[[items]]\nid = 'i'\nwords = 'w'\n" * 3,
            ["2: error: items has 3 elements; allowed is 0 to 2 tables, each under [[items]]."],
        ),
        (
            "id = 's'\n[[items]]\nid = 'i'\nwords = { zh = '二' }\ncolour = 'darkblue'\nopen = 1",
            [
                "4: error: items[0].words.en is missing; write a text of 1 to 5 characters.",
                (
                    '5: error: items[0].colour is "darkblue"; allowed is one of "red", "dark-blue".'
                    ' Did you mean "dark-blue"?'
                ),
                "6: error: items[0].open is 1; allowed is true or false.",
            ],
        ),
        (
            "id = 's'\n[[items]]\nid = 'i'\nwords = 'w'\ncolour = 7",
            ['5: error: items[0].colour is 7; allowed is one of "red", "dark-blue".'],
        ),
        (
            "id = 's'\nsize = 2",
            [f"2: error: size is not a known key; allowed are {SHEET_KEYS}."],
        ),
        (
            "idd = 's'",
            [f'1: error: idd is not a known key; allowed are {SHEET_KEYS}. Did you mean "id"?'],
        ),
        (
            "id = 's'\nidd = 't'",
            [f"2: error: idd is not a known key; allowed are {SHEET_KEYS}."],
        ),
        (
            f"id = 's'\ncount = '{'x' * 61}'",
            [f'2: error: count is "{"x" * 60}…"; allowed is a whole number, 1 to 9.'],
        ),
        (
            "id = 's'\n'the count' = 2",
            [
                (
                    f'2: error: "the count" is not a known key; allowed are {SHEET_KEYS}.'
                    ' Did you mean "count"?'
                )
            ],
        ),
    ],
)
def test_what_is_wrong_and_what_is_allowed(text: str, expected: list[str]) -> None:
    assert told(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id = 's'\ncount = \n", "2: error: The text is not valid TOML: Invalid value."),
        ("id = 's'\n\n[[items", "3: error: The text is not valid TOML: Expected ']]' at the end"),
        ("id = 's'\nid = 't'", "2: error: The text is not valid TOML: Cannot overwrite a value."),
        (
            "['x (at line 9)']\n['x (at line 9)']",
            "2: error: The text is not valid TOML: Cannot declare ('x (at line 9)',) twice.",
        ),
        ("id = 's'\n# \ud800", "2: error: The text is not Unicode; allowed is UTF-8."),
        ("id = " + "[" * 100_000, " error: Lists or tables are nested too deeply to be read."),
        ("count = " + "9" * 5000, " error: A value cannot be read: "),
    ],
)
def test_a_text_that_is_not_toml_is_told_in_the_same_form(text: str, expected: str) -> None:
    table, report = read_table(text, "s.toml", Sheet)
    assert table == {}
    assert report.has_errors
    assert len(report.problems) == 1
    assert str(report.problems[0]).startswith(f"s.toml:{expected}")


def test_no_depth_of_nesting_breaks_the_report() -> None:
    for depth in range(sys.getrecursionlimit() // 4, sys.getrecursionlimit() // 2 + 20):
        text = "id = 's'\nsize = " + "[" * depth + "]" * depth
        assert len(told(text)) == 1


def test_an_unfinished_text_is_faulty_on_its_last_line() -> None:
    assert told("id = 's'\ncount = 1\nnotes = [\n\n")[0].startswith("3: error: The text is not")


def test_what_cannot_be_read_is_told_apart_from_what_is_absent() -> None:
    table, _ = read_table("count = 99\ntotl = 3\n[[items]]\nid = 'i'", "s.toml", Sheet)
    assert table == {
        "id": UNSET,
        "count": UNSET,
        "total": UNSET,
        "items": [{"id": "i", "words": UNSET}],
    }
    assert known(table, "count", 1) is None
    assert known(table, "any_number", 1) == 1
    assert known(table["items"][0], "id") == "i"


def test_problems_come_in_the_order_of_the_text() -> None:
    problems = read_table("[[items]]\nid = 4\n[[items]]\nid = 5", "s.toml", Sheet)[1].problems
    assert [problem.line for problem in problems] == [None, 1, 2, 3, 4]


def test_a_problem_names_its_place_and_severity() -> None:
    problem = Problem("f.toml", 3, "a[0].b", "is odd.", Severity.WARNING)
    assert str(problem) == "f.toml:3: warning: a[0].b is odd."
    assert str(Problem("f.toml", None, "", "It is empty.")) == "f.toml: error: It is empty."


def test_a_path_is_written_as_in_toml() -> None:
    assert path_text(("stages", 3, "gate", 1, "a b", "c-d_e")) == 'stages[3].gate[1]."a b".c-d_e'


class Shelf(msgspec.Struct):
    counts: dict[str, Annotated[int, Meta(ge=1)]] = msgspec.field(default_factory=dict)
    nested: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)


def test_a_table_can_have_keys_of_its_own() -> None:
    text = '[counts]\n"a b" = 1\nc = 2\n[nested.x]\ny = 3'
    table, report = read_table(text, "s.toml", Shelf)
    assert report.problems == []
    assert msgspec.convert(table, Shelf) == Shelf({"a b": 1, "c": 2}, {"x": {"y": 3}})


def test_a_fault_under_a_key_of_its_own_is_told_with_its_path() -> None:
    _, report = read_table('nested = 1\n[counts]\n"a b" = 0', "s.toml", Shelf)
    assert [str(problem) for problem in report.problems] == [
        (
            "s.toml:1: error: nested is 1; allowed is a table with keys of your own, each value"
            " a table with keys of your own, each value a whole number."
        ),
        's.toml:3: error: counts."a b" is 0; allowed is a whole number, 1 or more.',
    ]
