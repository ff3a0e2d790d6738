"""The team of an owner: the unit in which they sell, as the directory knew it at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    """The names of these units, joined where there are several; None without any."""
    names = sorted(_name(directory, unit) for unit in units_of(directory, owner))
    return " + ".join(names) or None


def _name(directory: Directory, unit: str) -> str:
    registered = directory.units.get(unit)
    return unit if registered is None else registered.name


def owners_in(directory: Directory, unit: str) -> frozenset[str]:
    """The users whose team is this unit, or one below it."""
    return frozenset(
        owner
        for owner in directory.users
        if any(unit in directory.with_above(one) for one in units_of(directory, owner))
    )
