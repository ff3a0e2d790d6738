"""A process that works on a store until it is killed: `python -m tests.drills.worker URL TASK …`.

Where the server is away it waits, as it would at a user's.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from domain.deal import DealCommand
from domain.lifecycle.commands import AddNote, OpenOpportunity
from domain.refusals import Refusal
from domain.stages.commands import ReviseForecast
from projections.engine.keeping_up import catch_up
from projections.engine.rebuilding import rebuild
from projections.views import Views, open_views
from store.errors import StoreBusy, StoreError
from store.location import Location
from store.log import DealLog
from store.tail import Tail
from tests.contract.asking import intent
from tests.drills.reading import look
from tests.scenario import usd

BATCH_EVENTS = 3
_PAUSE_SECONDS = 0.02


def write(log: DealLog, _: Views, seed: str, per_second: str) -> Iterator[object]:
    """Commands on a few deals, at a pace: gives how many were acknowledged."""
    dice, number, begun = random.Random(seed), 0, time.monotonic()
    while True:
        number += 1
        deal = f"{seed}-{dice.randrange(number // 8 + 1)}"
        commands: list[DealCommand] = [
            OpenOpportunity(f"Deal {deal}", owner="ann", currency="USD"),
            AddNote(f"note {number}"),
            ReviseForecast(amount=usd(str(number))),
        ]
        command = dice.choice(commands)
        with suppress(Refusal):
            log.handle(deal, command, intent(f"{seed}-{number}"))
        yield number
        time.sleep(max(begun + number / float(per_second) - time.monotonic(), 0))


def follow(log: DealLog, views: Views) -> Iterator[object]:
    """Catch up a few events at a time."""
    tail = Tail(log)
    while True:
        yield catch_up(views, tail, batch_events=BATCH_EVENTS)
        time.sleep(0.001)


def build(log: DealLog, views: Views, workers: str) -> Iterator[object]:
    """Rebuild again and again."""
    tail = Tail(log)
    while True:
        with suppress(StoreBusy):
            assert rebuild(views, tail, workers=int(workers)).switched
            yield "switched"


def read(log: DealLog, views: Views) -> Iterator[object]:
    """Look at the read models and find nothing wrong."""
    position, tail = 0, Tail(log)
    while True:
        with views.reading() as connection:
            position = look(connection, tail, position)
        yield position


TASKS: dict[str, Callable[..., Iterator[object]]] = {
    task.__name__: task for task in (write, follow, build, read)
}


def main(url: str, task: str, *arguments: str) -> None:
    """Do one task until a line comes in or the process is killed; print each step."""
    location = Location.parse(url)
    while True:
        try:
            with DealLog.open(location) as log:
                views = open_views(location)
                for done in TASKS[task](log, views, *arguments):
                    sys.stdout.write(f"{done}\n")
                    sys.stdout.flush()
        except (StoreError, OSError) as error:
            sys.stdout.write(f"waits: {error}\n")
            sys.stdout.flush()
            time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
