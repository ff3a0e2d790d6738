"""Full names in texts, as runs of words that can be compared without knowing the names.

Theory of operation. Once somebody is erased their name is known no more, only a keyed
hash of it. So a name is brought into one form, its words in order, and a text gives
each run of as many words in the same form, to be hashed and compared. Where writing
has no blanks (kana, Hanzi, Hangul) each character counts as a word. Upper and lower
case are the same, but for a name of one word: "Will" is somebody, "will" is not.
"""

import re
from collections.abc import Collection
from unicodedata import normalize

from domain.subjects import JOINED

LONGEST_RUN = 8
"""Of a longer name so many words are compared, the first ones."""

_WORD = re.compile(rf"[^\W\d_{JOINED}]+|[{JOINED}]")
_JOINED = re.compile(rf"[{JOINED}]")
_LEAST_WEIGHT = 4


def run_of(name: str) -> tuple[int, str] | None:
    """How many words the name has, and its form; None: too short to tell anybody by."""
    words = _words(name)[:LONGEST_RUN]
    if len(words) == 1:
        return (1, words[0]) if len(words[0]) > 1 else None
    weight = sum(2 if _JOINED.match(word) else len(word) for word in words)
    return (len(words), _form(words)) if weight >= _LEAST_WEIGHT else None


def runs_in(text: str, lengths: Collection[int]) -> set[str]:
    """The forms of all runs of so many words in a text."""
    words = _words(text)
    return {
        _form(words[start : start + length])
        for length in lengths
        for start in range(len(words) - length + 1)
    }


def _words(text: str) -> list[str]:
    return _WORD.findall(normalize("NFC", text))


def _form(words: list[str]) -> str:
    return words[0] if len(words) == 1 else " ".join(words).casefold()
