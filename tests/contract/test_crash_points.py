"""A process killed at any point of a write leaves a log that is whole, and sealed at once."""

import time

import pytest

from store.events.writing import Batch
from store.fsck.check import check
from store.location import Location
from store.log import DealLog
from store.notary import Notary
from store.seals.notes import parse_checkpoint, parse_note
from tests.contract.asking import notes
from tests.contract.crashing import Point, kill_at

BEFORE = 250
"""So many events are there before, so that a few more fill a tile."""
PATIENCE_SECONDS = 10


def checkpoint_sizes(log: DealLog) -> list[int]:
    return [row.size for row in log.records.checkpoints()]


def covered(log: DealLog) -> int:
    """How many events a checkpoint made now covers; each of them is as it was recorded."""
    note = Notary(log.records, log.keys, log.now).checkpoint()
    findings = check(log.records, log.keys, fields=True)
    assert findings.sound, findings
    assert findings.events == log.head()
    return parse_checkpoint(parse_note(note).text).size


@pytest.mark.parametrize("count", [10, 300])
@pytest.mark.parametrize("point", Point, ids=lambda point: point.name.lower())
def test_a_process_killed_leaves_the_log_whole(
    location: Location, point: Point, count: int
) -> None:
    with DealLog.create(location) as log:
        log.append([Batch("deal:a", 0, notes(BEFORE))])
        assert covered(log) == BEFORE
    kill_at(location, point, count)
    reopened_at = time.monotonic()
    with DealLog.open(location) as log:
        expected = BEFORE if point == Point.BEFORE_COMMIT else BEFORE + count
        assert checkpoint_sizes(log) == [BEFORE]
        assert covered(log) == expected == log.head()
        assert time.monotonic() - reopened_at < PATIENCE_SECONDS
        assert log.positions("deal:a") == {at: at for at in range(1, expected + 1)}
        assert [one.position for one in log.feed(0, 1_000)] == list(range(1, expected + 1))
        assert log.append([Batch("deal:a", expected, notes(600))]) == expected + 600
        assert covered(log) == expected + 600
