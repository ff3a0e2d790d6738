"""Every operation of the OpenAPI document answers as the document says, whoever asks.

schemathesis makes requests from the document, those that it allows and those that it forbids,
and checks each answer: no failure of the server, no status, header, media type or shape that is
not documented, nothing accepted that is forbidden. A few requests of each kind with every change,
as somebody else each time but in continuous integration; many by the drills.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random, SystemRandom

import pytest
from hypothesis import settings

from api.app import create_app
from api.routes import common
from api.settings import Settings
from store.location import Location
from tests.api.conformance.asking import Asking, Effort, Found, listening
from tests.api.conformance.known import make_store

ROLES = ("seller", "mei", "analyst", "auditor", "admin", "first", "idle", "record")
PARTS = 3
"""Into which the operations are divided, so that no drill takes longer than some minutes."""

ONE = Effort(allowed=1, forbidden=0, covering=0)
BOUNDS = Effort(allowed=0, forbidden=0, covering=4)
MANY = Effort(allowed=40, forbidden=20, covering=60)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most events that the document lets one wait for never come."""
    monkeypatch.setattr(common, "WAIT_SECONDS", 0.02)


def test_a_few_requests(tmp_path: Path) -> None:
    """Each operation once: as the document allows, or at the bounds of what it takes."""
    number = a_seed()
    chosen = Random(number)
    role, first = chosen.choice(ROLES), chosen.randrange(2)
    with asking(tmp_path, role, number) as one:
        one.ask(ONE, slice(first, None, 2))
        one.ask(BOUNDS, slice(1 - first, None, 2))
    require_kept(one.found, role, number)


def a_seed() -> int:
    """Of the requests: another one each time, but for continuous integration."""
    return 1 if settings().derandomize else SystemRandom().getrandbits(32)


@pytest.mark.drill
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("role", ROLES)
def test_many_requests(tmp_path: Path, role: str, part: int) -> None:
    number = a_seed()
    with asking(tmp_path, role, number) as one:
        found = one.ask(MANY, slice(part, None, PARTS))
    require_kept(found, role, number)
    done = sum(times for status, times in found.statuses.items() if status < 400)
    assert role == "idle" or done > found.statuses.total() / 50, found.statuses


@contextmanager
def asking(folder: Path, role: str, number: int) -> Iterator[Asking]:
    location = Location.beside(folder / "deals.db")
    sent = make_store(location)
    chosen = Settings(db=str(location), worker=False, rate_per_second=0, stream_seconds=0)
    app = create_app(chosen)
    with listening(app) as url:
        # One of the checks sends tokens that are good for nothing, which are counted by address.
        forgive = app.state.authenticate._attempts._left.clear
        yield Asking(url, app.openapi(), sent[role], number, forgive)


def require_kept(found: Found, role: str, number: int) -> None:
    told = [f"{where}\n    {what}" for where, what in found.failures.items()]
    assert not told, "\n".join([f"{len(told)} failures as {role}, seed {number}", *told])
