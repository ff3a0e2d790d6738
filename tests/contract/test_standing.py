"""What a command is decided on is read at once, and is what single reads give."""

import pytest
from msgspec.structs import replace

from domain.history import StreamKind
from domain.lifecycle.commands import AddNote
from domain.process_files import built_in_processes
from domain.refusals import UnknownProcess
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.recorder import Recorder, Standing
from tests.contract.asking import OPEN, intent, notes

KINDS = (StreamKind.PROCESS, StreamKind.USER)


def standing(
    records: Recorder, command_id: str, after: int = 0, known: int = 0, stream: str = "deal:d-1"
) -> Standing:
    return records.standing("ann", command_id, stream, after, kinds=KINDS, known=known)


def test_a_standing_is_what_single_reads_give(log: DealLog) -> None:
    records = log.records
    assert standing(records, "c") == Standing(None, "deal:d-1", 0, [], 0, 0, changed=False)
    log.handle("d-1", OPEN, intent("open"))
    log.append([Batch("deal:d-2", 0, notes(12)), Batch("deal:d-1", 1, notes(11))])
    for command_id in ("open", "other"):
        for after in (0, 1, 11, 12, 13):
            found = standing(records, command_id, after)
            assert found.command == records.command("ann", command_id)
            assert found.rows == records.rows("deal:d-1", after)
            assert (found.stream, found.after, found.head) == ("deal:d-1", after, 24)
    assert standing(records, "open", stream="deal:none").rows == []
    command = standing(records, "open").command
    assert command is not None
    assert (command.stream, command.first_version, command.last_version) == ("deal:d-1", 1, 1)


def test_a_standing_tells_whether_kinds_have_changed(log: DealLog) -> None:
    log.append([Batch("deal:d-1", 0, notes(2)), Batch("unit:x", 0, notes(1))])
    assert not standing(log.records, "c", known=1).changed
    log.append([Batch("process:made-up", 0, notes(1)), Batch("deal:d-1", 2, notes(1))])
    told = [standing(log.records, "c", known=known).changed for known in range(1, 6)]
    assert told == [True, True, True, False, False]
    # Nothing is known as of position 0, so there is nothing to compare with.
    assert not standing(log.records, "c", known=0).changed


@pytest.mark.parametrize("is_ahead", [True, False])
def test_what_another_process_published_counts_at_once(location: Location, is_ahead: bool) -> None:
    made = replace(built_in_processes().latest("key-account"), id="made-up", version=1)
    opening = replace(OPEN, process=made.ref)
    with DealLog.create(location) as ours, DealLog.open(location) as theirs:
        ours.handle("d-1", OPEN, intent("open"))
        with pytest.raises(UnknownProcess):
            ours.handle("d-2", opening, intent("refused"))
        theirs.publish(made, intent("publish"))
        if is_ahead:
            theirs.handle("d-1", AddNote("later"), intent("later"))
        assert ours.handle("d-2", opening, intent("second")).version == 1
