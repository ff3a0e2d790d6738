"""The values that operating figures are grouped by, and how they are told from one another."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

import msgspec

from api.wire.values import Names, User
from projections.operating.asking import TEAM
from projections.operating.teams import units_in


class TeamUnit(msgspec.Struct, frozen=True):
    """One of the units that a team is. `name` is null where the directory does not tell it."""

    id: str
    name: str | None


GroupValue: TypeAlias = str | User | list[TeamUnit] | None
"""An owner is a user, a team the units that somebody sells in, any other dimension a text."""


class GroupNames(NamedTuple):
    """What people and units are called."""

    users: Names
    unit: Callable[[str], str | None]

    def value(self, dimension: str, value: str | None) -> GroupValue:
        """What stands in answers for the value of a dimension."""
        if value is None or dimension not in {"owner", TEAM}:
            return value
        if dimension == "owner":
            return self.users.user(value)
        units = (TeamUnit(one, self.unit(one)) for one in units_in(value))
        return sorted(units, key=lambda one: (one.name or one.id, one.id))

    def called(self, dimension: str, value: str) -> str:
        """The name of the value of a dimension, else its id."""
        return name_of(self.value(dimension, value))


def name_of(value: GroupValue) -> str:
    """What a value is called: a team by the names of its units."""
    match value:
        case None:
            return "(none)"
        case User():
            return value.name or value.id
        case list():
            return " + ".join(unit.name or unit.id for unit in value)
        case str():
            return value


def id_of(value: GroupValue) -> str | None:
    """The id of a value: of a team those of its units."""
    match value:
        case User():
            return value.id
        case list():
            return " + ".join(unit.id for unit in value)
        case _:
            return value


def labels_of(
    values: Iterable[GroupValue], stages: Mapping[str, str] | None = None
) -> Callable[[GroupValue], str]:
    """What tells each of these values: the name, and the id too where others have that name.

    `stages` are the names of stages, for a dimension whose values they are.
    """
    names = stages or {}

    def called(value: GroupValue) -> str:
        return names.get(value, value) if isinstance(value, str) else name_of(value)

    ids = {id_of(value): called(value) for value in values}
    unlike = dict(zip(ids, told_apart(list(ids.items())), strict=True))
    return lambda value: unlike[id_of(value)]


K = TypeVar("K", bound=Hashable)


def told_apart(named: Sequence[tuple[K, str]]) -> list[str]:
    """The names of these keys, with the key behind those that another key has too."""
    keys: defaultdict[str, set[K]] = defaultdict(set)
    for key, name in named:
        keys[name].add(key)
    return [
        f"{name} ({key})" if len(keys[name]) > 1 and key is not None else name
        for key, name in named
    ]
