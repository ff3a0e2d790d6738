"""The team of an owner: the unit in which they sell, as the directory knew it at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from domain.access import Role
from domain.directory import Directory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from domain.history import Fact, Recorded


def directory_at(
    streams: Iterable[Iterable[Recorded[Fact]]], as_of: datetime, known_at: datetime
) -> Directory:
    """The directory at (as of, known at), of all events of users and units."""
    return Directory.of(
        [one for one in stream if one.occurred_at <= as_of and one.known_at <= known_at]
        for stream in streams
    )


def units_of(directory: Directory, owner: str) -> list[str]:
    """The units in which somebody sells, else those that they manage, in order of id."""
    user = directory.users.get(owner)
    held = user.memberships if user else ()
    for role in (Role.SELLER, Role.MANAGER):
        if units := {one.unit for one in held if one.role is role and one.unit}:
            return sorted(units)
    return []


def team_of(directory: Directory, owner: str) -> str | None:
    """The key of the team that these units are, which `units_in` reads; None without any.

    By their ids: units of one name, and names with a plus in them, are kept apart.
    """
    units = units_of(directory, owner)
    return msgspec.json.encode(units).decode() if units else None


def units_in(team: str) -> list[str]:
    """The ids of the units of a team, in order, of its key."""
    return msgspec.json.decode(team, type=list[str])


def name_of(directory: Directory, unit: str) -> str | None:
    """What a unit is called; None where the directory does not tell."""
    registered = directory.units.get(unit)
    return None if registered is None else registered.name


def owners_in(directory: Directory, unit: str) -> frozenset[str]:
    """The users whose team is this unit, or one below it."""
    return frozenset(
        owner
        for owner in directory.users
        if any(unit in directory.with_above(one) for one in units_of(directory, owner))
    )
