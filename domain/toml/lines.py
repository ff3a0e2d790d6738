"""Where in a TOML text each key stands: the standard parser gives values without lines.

The text has been accepted by `tomllib` before, so this reads structure only:
headers, keys, lists and inline tables, never what a value means.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

KeyPath = tuple[str | int, ...]
"""Keys and 0-based positions in lists, from the top of the text down."""

_TOKEN = re.compile(
    r"""
    \#[^\n]*
  | (?P<string> \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*' )
  | (?P<newline> \n )
  | (?P<mark> [\[\]{},=] )
  | (?P<bare> [^\s\[\]{},=\#"']+ )
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


class LineIndex:
    """The 1-based line of every key and list element of a valid TOML text.

    Raises RecursionError where lists are nested too deeply, as the parser does.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[KeyPath, int] = {}
        self._last_element: dict[KeyPath, int] = {}
        self._table: KeyPath = ()
        self._tokens = list(_tokens(text))
        position = 0
        while position < len(self._tokens):
            position = self._read_statement(position)

    def line(self, path: KeyPath) -> int | None:
        """Where `path` stands, or else the nearest table around it; None for the whole text."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)

    def _read_statement(self, position: int) -> int:
        """Read one header, pair or empty line; return the position after it, as all readers do."""
        token = self._tokens[position]
        if token.kind == "newline":
            return position + 1
        if token.text != "[":
            return self._read_pair(position, self._table)
        brackets = 2 if self._tokens[position + 1].text == "[" else 1
        closing = self._next("]", position)
        parts = _key_parts(self._tokens[position + brackets : closing])
        self._enter(parts, token.line, is_element=brackets == 2)
        return closing + brackets

    def _enter(self, parts: list[str], line: int, *, is_element: bool) -> None:
        """Follow a header to its table; a name that is a list of tables means its last element."""
        path: KeyPath = ()
        for part in parts:
            path = (*self._latest(path), part)
            self._lines.setdefault(path, line)
        if is_element:
            self._last_element[path] = self._last_element.get(path, -1) + 1
        self._table = self._latest(path)
        self._lines.setdefault(self._table, line)

    def _latest(self, path: KeyPath) -> KeyPath:
        return (*path, self._last_element[path]) if path in self._last_element else path

    def _read_pair(self, position: int, table: KeyPath) -> int:
        equals = self._next("=", position)
        path = table
        for part in _key_parts(self._tokens[position:equals]):
            path = (*path, part)
            self._lines.setdefault(path, self._tokens[position].line)
        return self._read_value(equals + 1, path)

    def _read_value(self, position: int, path: KeyPath) -> int:
        opening = self._tokens[position].text
        if opening == "[":
            return self._read_list(position + 1, path)
        if opening == "{":
            return self._read_inline_table(position + 1, path)
        # A date and a time with a space between them are one value in two tokens.
        while position < len(self._tokens) and self._tokens[position].kind in ("string", "bare"):
            position += 1
        return position

    def _read_list(self, position: int, path: KeyPath) -> int:
        index = 0
        while (token := self._tokens[position]).text != "]":
            if token.text in ("\n", ","):
                position += 1
                continue
            element = (*path, index)
            self._lines[element] = token.line
            position = self._read_value(position, element)
            index += 1
        return position + 1

    def _read_inline_table(self, position: int, path: KeyPath) -> int:
        while (token := self._tokens[position]).text != "}":
            if token.text in ("\n", ","):
                position += 1
            else:
                position = self._read_pair(position, path)
        return position + 1

    def _next(self, mark: str, position: int) -> int:
        while self._tokens[position].text != mark:
            position += 1
        return position


def _tokens(text: str) -> Iterator[_Token]:
    line, counted = 1, 0
    for match in _TOKEN.finditer(text):
        if match.lastgroup is None:
            continue
        line += text.count("\n", counted, match.start())
        counted = match.start()
        yield _Token(match.lastgroup, match.group(), line)


def _key_parts(tokens: list[_Token]) -> list[str]:
    """The parts of a dotted key, quoted ones without their quotes."""
    parts: list[str] = []
    for token in tokens:
        if token.kind == "string":
            parts.append(tomllib.loads(f"key = {token.text}")["key"])
        else:
            parts += [part for part in token.text.split(".") if part]
    return parts
