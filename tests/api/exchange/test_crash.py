"""An import that is killed leaves whole deals; the next run completes it, without doubles."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from domain.history import StreamKind
from tests.api.exchange.importing import HEADER, LOST, MAP, OPEN, WON, Importer, types
from tests.api.exchange.worker import DEALS_PER_TRANSACTION, an_import

if TYPE_CHECKING:
    from store.location import Location

DEALS = 600
EVENTS = {"Offer": 3, "Won": 4, "Lost": 4}


def rows() -> list[str]:
    kinds = (OPEN, WON, LOST)
    return [f"D{number}," + kinds[number % 3].split(",", 1)[1] for number in range(DEALS)]


def kill_after(location: Location, importer: Importer, lines: int, delay_seconds: float) -> int:
    """Kill an import after so many transactions and a little more; the deals it told of."""
    with an_import(location, importer.folder) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(lines)]
        time.sleep(delay_seconds)
        process.kill()
        rest = process.communicate()[0].split("\n")[:-1]
    told = [line for line in (*acknowledged, *rest) if line]
    return int(told[-1]) if told else 0


def check_whole(importer: Importer, at_least: int) -> int:
    """Every deal that is there is there in full; the number of deals."""
    histories = importer.histories()
    assert len(histories) >= at_least
    assert len(histories) % DEALS_PER_TRANSACTION == 0
    for reference, history in histories.items():
        phase = rows()[int(reference[1:])].split(",")[6]
        assert history.version == EVENTS[phase], types(history.events)
    return len(histories)


def prepare(importer: Importer) -> Location:
    importer.write("deals.csv", "\n".join([HEADER, *rows(), ""]))
    importer.write("map.toml", MAP)
    return importer.log.location


def complete(importer: Importer, there: int) -> None:
    report = importer.csv(*rows())
    assert (report.counts.deals, report.counts.deals_unchanged) == (DEALS - there, there)
    assert len(importer.log.streams(StreamKind.DEAL)) == DEALS
    check_whole(importer, DEALS)
    assert len(importer.log.users()) == 3
    assert importer.csv(*rows()).counts.events == 0


def test_a_killed_import_is_completed_by_the_next_run(importer: Importer) -> None:
    location = prepare(importer)
    told = kill_after(location, importer, lines=3, delay_seconds=0.005)
    there = check_whole(importer, told)
    assert 0 < there < DEALS
    complete(importer, there)


def test_an_import_killed_before_its_first_transaction_leaves_nothing_wrong(
    importer: Importer,
) -> None:
    location = prepare(importer)
    told = kill_after(location, importer, lines=0, delay_seconds=0.02)
    complete(importer, check_whole(importer, told))


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(12))
def test_however_often_it_is_killed(importer: Importer, seed: int) -> None:
    chance = random.Random(seed)
    location = prepare(importer)
    there = 0
    for _ in range(6):
        delay = chance.uniform(0, 0.03)
        told = kill_after(location, importer, chance.randrange(4), delay)
        there = check_whole(importer, max(there, told))
        if there == DEALS:
            break
    complete(importer, there)
