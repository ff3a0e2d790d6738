"""A writer that is killed loses nothing that was acknowledged, and leaves nothing half done."""

import time

import pytest

from domain.access import PUBLIC_ONLY
from domain.history import StreamKind
from store.location import Location
from store.log import DealLog
from tests.contract.worker import EVENTS_PER_STREAM, STREAMS_PER_APPEND, workers

DELAYS_SECONDS = (0.0, 0.001, 0.002, 0.004, 0.008)


def kill_a_writer(location: Location, name: str, acknowledgements: int, delay: float) -> int:
    """Kill a writer `delay` seconds after so many appends. Gives the last one acknowledged."""
    with workers(location, ("append_until_killed", name)) as (writer,):
        assert writer.stdout is not None
        for _ in range(acknowledgements):
            writer.stdout.readline()
        time.sleep(delay)
        writer.kill()
        rest = writer.communicate()[0].split("\n")[:-1]
    return acknowledgements + len(rest)


def check(location: Location, acknowledged: dict[str, int]) -> None:
    """Every acknowledged append is there, whole, and at most one more of each writer."""
    with DealLog.open(location) as log:
        streams = log.streams(StreamKind.DEAL)
        events = log.events_of(streams, PUBLIC_ONLY)
        positions = [found.position for found in log.feed(0, log.head() + 1)]
    assert positions == list(range(1, len(streams) * EVENTS_PER_STREAM + 1))
    for found in events.values():
        assert [event.version for event in found] == list(range(1, EVENTS_PER_STREAM + 1))
    for name, last in acknowledged.items():
        appends = [int(stream.split("-")[1]) for stream in streams if f":{name}-" in stream]
        whole = sorted(set(appends))
        assert whole in (list(range(1, last + 1)), list(range(1, last + 2)))
        assert {appends.count(number) for number in whole} == {STREAMS_PER_APPEND}


def kill_writers(location: Location, times: int) -> None:
    DealLog.create(location).close()
    acknowledged: dict[str, int] = {}
    for number in range(times):
        delay = DELAYS_SECONDS[number % len(DELAYS_SECONDS)]
        name = f"w{number}"
        acknowledged[name] = kill_a_writer(location, name, 2 + number % 7, delay)
        check(location, acknowledged)


def test_a_killed_writer_loses_nothing_acknowledged(location: Location) -> None:
    kill_writers(location, 3)


@pytest.mark.drill
def test_writers_killed_again_and_again_lose_nothing_acknowledged(location: Location) -> None:
    kill_writers(location, 60)
