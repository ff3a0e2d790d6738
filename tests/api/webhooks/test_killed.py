"""Programs that deliver, killed while they do: nothing is lost, and another goes on."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from store.outbox.rows import State
from tests.api.webhooks.receiving import Got, Receiver
from tests.api.webhooks.selling import Selling
from tests.conftest import NewLocation

PATIENCE_SECONDS = 40.0
PROGRAM = "tests.api.webhooks.sending_process"


@pytest.fixture
def selling(new_location: NewLocation) -> Iterator[Selling]:
    """On each database, with the clock of this machine."""
    selling = Selling(new_location(), lambda: datetime.now(UTC))
    yield selling
    selling.store.close()


@pytest.mark.drill
def test_a_program_that_is_killed_while_another_stands_by(
    selling: Selling, receiver: Receiver
) -> None:
    selling.register(receiver.url)
    ids = selling.notes("d-1", 4)
    command = [sys.executable, "-m", PROGRAM, str(selling.store.location)]
    programs = [subprocess.Popen(command)]

    def killing(got: Got) -> int:
        """It is killed while it waits for the answer to the second event."""
        if got.id == ids[1] and receiver.ids.count(ids[1]) == 1:
            programs.append(subprocess.Popen(command))
            programs[0].kill()
            programs[0].wait()
        return 200

    receiver.answer = killing
    give_up = time.monotonic() + PATIENCE_SECONDS
    try:
        while {one.state for one in selling.deliveries()} != {State.DELIVERED} or (
            set(receiver.ids) != set(ids)
        ):
            assert time.monotonic() < give_up, receiver.ids
            time.sleep(0.05)
    finally:
        for program in programs:
            program.kill()
            program.wait()
    assert receiver.ids == [ids[0], ids[1], ids[1], ids[2], ids[3]]
    assert receiver.got[1].message == receiver.got[2].message
