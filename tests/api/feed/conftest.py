"""A store of each kind with people and deals, served, for all tests of the feed.

They share it, so each makes the deals and people that it writes to.
"""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from api.auth.keys import make_key
from domain.access import Role
from domain.lifecycle.commands import AddNote, OpenOpportunity
from domain.organisation import (
    AnyOrganisationCommand,
    GrantMembership,
    IssueApiKey,
    RegisterUnit,
    RegisterUser,
)
from store.handled import Handled
from store.location import Location
from store.log import DealLog
from tests.api.feed.streaming import Served, served
from tests.conftest import NewLocation
from tests.contract.asking import intent

UNIT = "west"
_NUMBERS = count(1)


class World:
    """A served store, into which another process writes."""

    def __init__(self, log: DealLog, service: Served) -> None:
        self.log = log
        self.service = service
        self.keys: dict[str, str] = {}
        """Ids of the keys of users."""

    def configure(self, command: AnyOrganisationCommand) -> Handled:
        return self.log.configure(command, intent(f"c-{next(_NUMBERS)}"))

    def record(self, deal_id: str, command: Any) -> Handled:
        return self.log.handle(deal_id, command, intent(f"c-{next(_NUMBERS)}"))

    def note(self, deal_id: str, text: str | None = None) -> int:
        """Add a note to a deal. Answers its position."""
        done = self.record(deal_id, AddNote(text or f"Words {next(_NUMBERS)}."))
        return self.log.positions(done.stream)[done.version]

    def deal(self, owner: str) -> str:
        """A new deal."""
        deal_id = f"d-{next(_NUMBERS)}"
        self.record(deal_id, OpenOpportunity("Press", owner, "USD"))
        return deal_id

    def user(self, role: Role, *, unit: str | None = None) -> tuple[str, str]:
        """A new user of that role: their id, and a key of theirs."""
        user = f"u-{next(_NUMBERS)}"
        made = make_key()
        self.configure(RegisterUser(user, user.title()))
        self.configure(GrantMembership(user, role, unit))
        self.configure(IssueApiKey(user, made.id, made.digest, "test"))
        self.keys[user] = made.id
        return user, made.token


@pytest.fixture(scope="package")
def location(new_location: NewLocation) -> Location:
    return new_location()


@pytest.fixture(scope="package")
def world(location: Location) -> Iterator[World]:
    with DealLog.create(location) as log:
        settings = {"stream_keep_alive_seconds": 0.2, "streams_per_caller": 3, "most_streams": 8}
        with served(location, **settings) as service:
            found = World(log, service)
            found.configure(RegisterUnit(UNIT, "West"))
            yield found


@pytest.fixture(scope="package")
def auditor(world: World) -> str:
    """A key of somebody who reads everything."""
    return world.user(Role.AUDITOR)[1]


@pytest.fixture
def seller(world: World) -> tuple[str, str]:
    """Somebody who has no deal yet, and a key of theirs."""
    return world.user(Role.SELLER, unit=UNIT)
