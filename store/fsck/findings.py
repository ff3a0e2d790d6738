"""What a check of the log finds."""

from enum import StrEnum

import msgspec

MOST_PROBLEMS = 20
"""So many are told, the others counted."""


class Kind(StrEnum):
    """What is wrong at a place of the log."""

    CHANGED = "changed"
    """An event is not the one that was recorded there."""
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TREE = "hash-tree-damaged"
    """A hash does not follow from those below it, or is missing."""
    CHECKPOINT = "checkpoint-does-not-hold"
    FIELD = "field-does-not-open"
    COMMAND = "command-does-not-fit"
    """What is known of a command tells of events that are not there."""
    PROPERTY = "property-changed"
    """What the log says of itself, its id and origin."""
    TABLES = "tables-changed"
    """A table, trigger or function is not one that the log was made with."""
    KEYS = "key-store-damaged"


class Signatures(StrEnum):
    """Whose signatures the checkpoints had to bear."""

    OF_KEY_STORE = "key-store"
    """A signing key of this store's."""
    OF_NAMED_KEYS = "named-keys"
    """Of keys that whoever asked for the check trusts."""
    UNCHECKED = "unchecked"
    """Anybody's: there was no key to check them with."""


class Problem(msgspec.Struct, frozen=True):
    """Something that is not as it was written."""

    index: int | None
    """Of the first leaf that it concerns, from 0; none where it concerns no event."""
    kind: Kind
    what: str
    """A sentence."""
    stream: str | None = None
    version: int | None = None
    last_index: int | None = None
    """Where it is only known to lie between two leaves, the last of them."""

    @property
    def position(self) -> int | None:
        """In the log, from 1."""
        return None if self.index is None else self.index + 1

    @property
    def last_position(self) -> int | None:
        """Where it is only known to lie between two positions, the last of them."""
        return None if self.last_index is None else self.last_index + 1


class Findings(msgspec.Struct, frozen=True):
    """What was checked, and what is wrong."""

    events: int
    root: str | None
    """Of the log, in base64; none where its hashes are damaged."""
    checkpoints: int
    """That hold."""
    signed_until: int
    """So many events are under a checkpoint that holds; the others nobody has signed yet."""
    signatures: Signatures
    fields_opened: int
    fields_erased: int
    fields_lost: int
    problems: tuple[Problem, ...]
    """In the order of the log, at most `MOST_PROBLEMS`."""
    others: int
    """Problems beyond those."""

    @property
    def sound(self) -> bool:
        return not self.problems


class Problems:
    """The first problems, and how many there are."""

    def __init__(self) -> None:
        self._found: dict[str, list[Problem]] = {}
        self.count = 0

    def add(self, problem: Problem, found_by: str = "pass") -> None:
        """Each kind of check finds its problems in the order of the log."""
        self.count += 1
        found = self._found.setdefault(found_by, [])
        if len(found) < MOST_PROBLEMS:
            found.append(problem)

    def in_order(self) -> tuple[Problem, ...]:
        """The first ones in the order of the log; what is about no event comes last.

        What is known exactly comes before what surrounds it.
        """
        found = [problem for some in self._found.values() for problem in some]
        found.sort(key=_place)
        return tuple(found[:MOST_PROBLEMS])


def _place(problem: Problem) -> tuple[bool, int]:
    last = problem.index if problem.last_index is None else problem.last_index
    return problem.index is None, last or 0
