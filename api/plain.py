"""Text from the store as people may see it: without characters that command or reorder."""

import unicodedata


def clean(text: str) -> str:
    """The text on one line, without characters that command a terminal or reorder what it shows."""
    return clean_lines(" ".join(text.splitlines()))


def clean_lines(text: str) -> str:
    """The same, its lines kept."""
    return "".join(c if c == "\n" or _is_shown(c) else "�" for c in text)


_JOINERS = "\u200c\u200d"
"""Without them some scripts cannot be written; they move nothing."""


def _is_shown(character: str) -> bool:
    shown = character.isprintable() or character in _JOINERS
    return shown or unicodedata.category(character) == "Zs"
