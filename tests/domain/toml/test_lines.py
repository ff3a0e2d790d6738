"""Each key of a TOML text is found on its line, however it is written."""

import tomllib
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from domain.toml.lines import KeyPath, LineIndex

TEXT = '''\
# A comment with [brackets] and key = 1.
id = "a [b] # c"
dotted.name = 1 # "
"quoted.key" = { en = "x", 'z"h' = [1, 2] }

[table]
long = """
[not.a.header]
key = 1 \\""" still""""
raw = \'\'\'
[[neither]]'\'\'\'
after = 1979-05-27 07:32:00

[[stages]]
id = "first"
list = [
  "one", # comment, with ] and ,
  { en = "two", zh = ["x",
     "y"] },
]

  [[stages.gate]]
  id = "g"

  [[stages.gate]]
  id = "h"
[[stages]]
gate = [ { id = "i" } ]
[stages.words]
en = "later"
[[stages."gate of".inner]]
id = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("id",), 2),
        (("dotted",), 3),
        (("dotted", "name"), 3),
        (("quoted.key",), 4),
        (("quoted.key", 'z"h', 1), 4),
        (("table",), 6),
        (("table", "long"), 7),
        (("table", "raw"), 10),
        (("table", "after"), 12),
        (("stages",), 14),
        (("stages", 0), 14),
        (("stages", 0, "id"), 15),
        (("stages", 0, "list"), 16),
        (("stages", 0, "list", 0), 17),
        (("stages", 0, "list", 1), 18),
        (("stages", 0, "list", 1, "zh", 0), 18),
        (("stages", 0, "list", 1, "zh", 1), 19),
        (("stages", 0, "gate"), 22),
        (("stages", 0, "gate", 0, "id"), 23),
        (("stages", 0, "gate", 1), 25),
        (("stages", 0, "gate", 1, "id"), 26),
        (("stages", 1), 27),
        (("stages", 1, "gate", 0, "id"), 28),
        (("stages", 1, "words", "en"), 30),
        (("stages", 1, "gate of"), 31),
        (("stages", 1, "gate of", "inner", 0, "id"), 32),
    ],
)
def test_a_key_is_found_on_its_line(path: KeyPath, line: int) -> None:
    assert LineIndex(TEXT).line(path) == line


def test_the_text_is_valid() -> None:
    assert tomllib.loads(TEXT)["stages"][1]["gate of"] == {"inner": [{"id": 2}]}


def test_a_key_that_is_absent_stands_at_the_table_around_it() -> None:
    index = LineIndex(TEXT)
    assert index.line(("stages", 1, "probability")) == 27
    assert index.line(("stages", 0, "gate", 1, "text", "en")) == 25


def test_what_stands_nowhere_has_no_line() -> None:
    assert LineIndex(TEXT).line(("absent",)) is None
    assert LineIndex("").line(()) is None


def test_a_long_string_may_end_in_quotes_of_its_own() -> None:
    text = """a = [\"\"\"x\"\"\"\", "y]"]\nb = ['''x'''', 'y]']\nc = 1\n"""
    assert tomllib.loads(text) == {"a": ['x"', "y]"], "b": ["x'", "y]"], "c": 1}
    index = LineIndex(text)
    assert [index.line(path) for path in (("a", 1), ("b", 1), ("c",))] == [1, 2, 3]


def test_windows_line_ends_count_once() -> None:
    assert LineIndex("a = 1\r\n[b]\r\nc = 2\r\n").line(("b", "c")) == 3


def paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        yield (*path, key)
        if isinstance(child, dict | list):
            yield from paths(child, (*path, key))


@pytest.mark.parametrize("name", ["key-account", "four-phase", "five-step"])
def test_every_key_of_a_real_file_is_named_on_its_own_line(name: str) -> None:
    file = resources.files("domain").joinpath("processes", f"{name}.toml")
    text = file.read_text("utf-8")
    index, lines = LineIndex(text), text.splitlines()
    for path in paths(tomllib.loads(text)):
        line = index.line(path)
        assert line is not None
        if isinstance(path[-1], str):
            assert path[-1] in lines[line - 1]
