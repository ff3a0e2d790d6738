"""Text from the store inside Markdown: it stays text, on one line.

Escapes are those of https://spec.commonmark.org/0.31.2/#backslash-escapes; what makes a link of a
bare address is described in https://github.github.com/gfm/#autolinks-extension-.
"""

import re

from domain.history import ERASED, HIDDEN

_READABLE = {ERASED: "(erased)", HIDDEN: "(hidden)"}
"""Brackets would have to be escaped, which reads badly where nothing renders the Markdown."""
_MARKUP = re.compile(r"[\\`*_\[\]<>|~&]")
_ADDRESS = re.compile(r":(?=//)|(?<=www)\.|(?<=mailto):|(?<=xmpp):|@", re.IGNORECASE)
_AT_THE_START = re.compile(r"^(?:#|[+=-](?=[\s+=-]|$)|\d+(?=[.)](?:\s|$)))")


def escaped(text: str) -> str:
    """The text on one line, without anything that Markdown takes for markup or for a link."""
    line = " ".join(text.split())
    for stored, shown in _READABLE.items():
        line = line.replace(stored, shown)
    # In one pass, so that no escape is escaped again.
    line = _MARKUP.sub(lambda found: "&lt;" if found.group() == "<" else f"\\{found.group()}", line)
    line = _ADDRESS.sub(r"\\\g<0>", line)
    return _AT_THE_START.sub(_guarded, line)


def _guarded(start: re.Match[str]) -> str:
    """A heading, a list or a line under a heading begins so: `#`, `-`, `1.`."""
    found = start.group()
    return f"{found}\\" if found[0].isdigit() else f"\\{found}"
