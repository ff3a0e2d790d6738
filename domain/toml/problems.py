"""The faults of a TOML file, each with its place, what is wrong and what is allowed."""

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property

import msgspec

from domain.toml.lines import KeyPath, LineIndex


class Severity(StrEnum):
    """Whether a problem keeps a file from being used."""

    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True):
    """One fault of a file."""

    where: str
    """The file, as the caller named it."""
    line: int | None
    """1-based; None where the fault is of the file as a whole."""
    path: str
    """Such as `stages[3].gate[1].evidence`, lists counted from 0; empty for the whole file."""
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = self.where if self.line is None else f"{self.where}:{self.line}"
        subject = f"{self.path} {self.message}" if self.path else self.message
        return f"{place}: {self.severity}: {subject}"


class Report:
    """The problems found in one text so far."""

    def __init__(self, where: str, text: str) -> None:
        self._where = where
        self._text = text
        self._problems: list[Problem] = []

    @cached_property
    def _lines(self) -> LineIndex | None:
        """Made for the first problem, since most files have none."""
        try:
            return LineIndex(self._text)
        except RecursionError:
            return None

    @property
    def problems(self) -> list[Problem]:
        """In the order of the text."""
        return sorted(self._problems, key=lambda problem: problem.line or 0)

    @property
    def has_errors(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self._problems)

    def error(self, path: KeyPath, message: str) -> None:
        self._add(self.line(path), path, message, Severity.ERROR)

    def warning(self, path: KeyPath, message: str) -> None:
        self._add(self.line(path), path, message, Severity.WARNING)

    def unreadable(self, line: int | None, message: str) -> None:
        """The text as a whole cannot be read."""
        self._add(line, (), message, Severity.ERROR)

    def line(self, path: KeyPath) -> int | None:
        """Where `path` stands; None for the whole text, or one nested too deeply to follow."""
        return None if self._lines is None else self._lines.line(path)

    def _add(self, line: int | None, path: KeyPath, message: str, severity: Severity) -> None:
        self._problems.append(Problem(self._where, line, path_text(path), message, severity))


def path_text(path: KeyPath) -> str:
    """`stages[3].gate[1].evidence`; a key that needs it is quoted."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else shown(part)
            text += f".{key}" if text else key
    return text


def shown(value: object) -> str:
    """A value of a TOML file as messages quote it, shortened."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = value if len(value) <= 60 else f"{value[:60]}…"
            return msgspec.json.encode(text).decode()
        case list():
            return "a list"
        case dict():
            return "a table"
        case int() if abs(value) >= 2**63:
            return "a number of more than 64 bits"
        case _:
            return str(value)


def listed(words: Collection[str]) -> str:
    """Words as messages enumerate them."""
    return ", ".join(shown(word) for word in words)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    matches = get_close_matches(word[:100], sorted(known), n=1)
    return matches[0] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean "…"?`, or nothing where no known word is near."""
    meant = nearest(word, known)
    return "" if meant is None else f" Did you mean {shown(meant)}?"
