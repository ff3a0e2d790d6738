"""Files that were verified one by one, held against each other.

Theory of operation. A signature shows what its log said once. A log that signs
two histories signs each of them well; only who holds two of its statements
against each other sees it. So everything that a file says of a log becomes
facts: roots of a size, leaves at an index, which checkpoint begins another. Two
files contradict each other where one fact has two values.

Two checkpoints of different size say nothing about each other by themselves.
They agree where consistency files show both to be beginnings of one and the
same checkpoint. That two of them have a beginning in common shows nothing: that
is what two branches of a fork have.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from store.seals.merkle import EMPTY_ROOT
from store.seals.notes import Checkpoint

FactName: TypeAlias = tuple[str, str, int | str, int]
_Root: TypeAlias = tuple[str, int, bytes]


@dataclass(frozen=True, slots=True)
class Statement:
    """What a verified file says of a log."""

    checkpoints: tuple[Checkpoint, ...]
    """Each begins with all before it."""
    event: tuple[int, bytes, str, int] | None = None
    """Index, leaf hash, stream and version of the event that the file proves."""

    @property
    def newest(self) -> Checkpoint:
        return self.checkpoints[-1]

    def facts(self) -> Iterator[tuple[FactName, object]]:
        """What there can be only one of in a log, by name."""
        for one in self.checkpoints:
            yield (one.origin, "root", "", one.size), one.root
        if self.event is not None:
            index, leaf, stream, version = self.event
            yield (self.newest.origin, "leaf", "", index), leaf
            yield (self.newest.origin, "version", stream, version), index


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one file stands to the others, each given by its place among them."""

    contradicts: tuple[int, ...]
    agrees: tuple[int, ...]
    not_compared: tuple[int, ...]
    """Of the same log, but no file shows that one of the two begins the other."""


def compare(statements: Sequence[Statement]) -> list[Comparison]:
    """Each file against all others of the same log."""
    above = _extensions(statements)
    facts = [dict(one.facts()) for one in statements]
    found = []
    for at, one in enumerate(statements):
        contradicts, agrees, not_compared = [], [], []
        for other, its in enumerate(statements):
            if other == at or its.newest.origin != one.newest.origin:
                continue
            if _contradict(facts[at], facts[other]):
                contradicts.append(other)
            elif above[_root(one.newest)] & above[_root(its.newest)]:
                agrees.append(other)
            else:
                not_compared.append(other)
        found.append(Comparison(tuple(contradicts), tuple(agrees), tuple(not_compared)))
    return found


def _contradict(one: Mapping[FactName, object], other: Mapping[FactName, object]) -> bool:
    return any(name in other and other[name] != value for name, value in one.items())


def _root(told: Checkpoint) -> _Root:
    return told.origin, told.size, told.root


def _extensions(statements: Sequence[Statement]) -> dict[_Root, set[_Root]]:
    """For each checkpoint, those that are shown to begin with it, itself among them."""
    roots = {_root(told) for one in statements for told in one.checkpoints}
    direct = {root: _begun_by_nothing(root, roots) for root in roots}
    for one in statements:
        for place, told in enumerate(one.checkpoints):
            direct[_root(told)].update(map(_root, one.checkpoints[place:]))
    # The largest first, so that those above are complete already.
    for root in sorted(roots, key=lambda root: -root[1]):
        direct[root].update(*(direct[above] for above in list(direct[root])))
    return direct


def _begun_by_nothing(root: _Root, roots: set[_Root]) -> set[_Root]:
    """Every log begins with that of no events."""
    origin, size, value = root
    if size or value != EMPTY_ROOT:
        return {root}
    return {one for one in roots if one[0] == origin}


@dataclass(frozen=True, slots=True)
class Run:
    """The versions of one stream that files prove under one checkpoint."""

    stream: str
    last: int
    missing: tuple[tuple[int, int], ...]
    """First and last of each gap between 1 and `last`.

    Whether there are versions behind the last, no receipt can show.
    """


def runs(statements: Sequence[Statement]) -> list[Run]:
    """One for each stream of which the files prove more than one event under one checkpoint."""
    proven: dict[tuple[_Root, str], set[int]] = {}
    for one in statements:
        if one.event is not None:
            _, _, stream, version = one.event
            proven.setdefault((_root(one.newest), stream), set()).add(version)
    return [_run(stream, versions) for (_, stream), versions in proven.items() if len(versions) > 1]


def _run(stream: str, versions: set[int]) -> Run:
    known = sorted(versions)
    missing = tuple(
        (before + 1, version - 1)
        for before, version in pairwise([0, *known])
        if version > before + 1
    )
    return Run(stream, known[-1], missing)
