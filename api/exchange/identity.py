"""Ids of what a source brings: derived from its name and its own ids, so the same every time."""

from __future__ import annotations

import re
from uuid import UUID, uuid5

from api.exchange.report import ImportFailure

_NAMESPACE = UUID("0f5f1c0e-6a37-5d0b-9f43-5c1d6f9b7a21")
"""Never changes: every imported deal would be imported once more."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 60


class Identity:
    """The ids of one source, such as one organisation's Salesforce. Two sources share none."""

    def __init__(self, source: str) -> None:
        """Raises ImportFailure for a name that does not fit."""
        if not _NAME.fullmatch(source) or len(source) > _LONGEST_NAME:
            raise ImportFailure(
                f"{source!r} is not a name for a source",
                "Use lower-case letters, digits and hyphens, such as crm-europe.",
            )
        self.name = source
        self.stamp = f"import:{source}"
        """The source in the envelope of every event of this import."""

    def deal(self, reference: str) -> str:
        return self._id("deal", reference)

    def user(self, reference: str) -> str:
        return self._id("user", reference)

    def account(self, reference: str) -> str:
        return self._id("account", reference)

    def person(self, reference: str) -> str:
        """The same human being on every deal of this source; whoever is erased is known by it."""
        return self._id("person", reference)

    def command(self, row: str, fact: str = "") -> str:
        """The command id of one fact that one row leads to; without a fact, the row's own id."""
        return self._id("command", row, fact)

    def _id(self, *parts: str) -> str:
        return str(uuid5(_NAMESPACE, "\x1f".join((self.name, *parts))))


def again(command_id: str) -> str:
    """The command id under which a fact is recorded once more, after it was withdrawn."""
    return str(uuid5(_NAMESPACE, command_id))
