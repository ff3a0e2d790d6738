"""Rows in bulk: the whole log, stream by stream, by one process or by several.

The log is cut into ranges of streams with about as many events each. Whoever is
free takes the next range, folds its streams and writes their rows: to the file in
turns, to PostgreSQL side by side. The process that rebuilds is one of them, and
works while the others start. Events that were recorded meanwhile are left
to catching up.
"""

import gc
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.connection import wait as wait_for
from typing import Any, TypeAlias

import msgspec

from projections.engine.applying import Writing, chunks, store_alone, take, write
from projections.engine.models import named
from projections.models import ReadModel
from projections.views import BadRows, Generation, open_views
from store.errors import StoreError
from store.keys.absent import NONE
from store.location import Location
from store.log import DealLog
from store.tail import Range, Stream, Tail

Counts: TypeAlias = dict[str, tuple[int, int]]
"""By kind of stream: how many there are, and events in them."""

EVENTS_PER_WORKER = 50_000
"""Below so many events for each, starting another process costs more than it saves."""

_RANGES_PER_WORKER = 16
_RANGES_AHEAD = 3
_LOOK_SECONDS = 0.2
_GARBAGE_OBJECTS = 50_000
"""So many new objects in a worker before it looks for those that refer to each other alone."""


class Work(msgspec.Struct, frozen=True):
    """What is to be done with each range of streams."""

    models: Sequence[ReadModel]
    until: int
    """Position of the last event that is taken in."""


def workers_for(events: int) -> int:
    """How many processes pay, of those that the machine has room for."""
    return max(1, min(len(os.sched_getaffinity(0)), events // EVENTS_PER_WORKER))


class Site(msgspec.Struct, frozen=True):
    """Where it is done: from this log into that generation."""

    tail: Tail
    generation: Generation
    work: Work


def fill_all(site: Site, workers: int, progress: Callable[[int], None]) -> Counts:
    """Write the rows of all streams; `progress` is told each number of events done.

    Answers how many streams and events there are.
    """
    ranges = site.tail.ranges(workers * _RANGES_PER_WORKER)
    if workers == 1:
        return added(fill_range(site, one, nullcontext(), progress) for one in ranges)
    return added(_side_by_side(site, workers, ranges, progress))


def fill_range(
    site: Site, of: Range, turn: AbstractContextManager[Any], progress: Callable[[int], None]
) -> Counts:
    """Write the rows of the streams in one range."""
    streams, events = Counter[str](), Counter[str]()
    for some in chunks(site.tail.scan(of, site.work.until)):
        _fill(site, some, turn)
        for stream in some:
            kind = stream.name.partition(":")[0]
            streams[kind] += 1
            events[kind] += len(stream.events) + len(stream.unreadable)
        progress(sum(len(stream.events) + len(stream.unreadable) for stream in some))
    return {kind: (streams[kind], events[kind]) for kind in streams}


def _fill(site: Site, streams: Sequence[Stream], turn: AbstractContextManager[Any]) -> None:
    models, processes = site.work.models, site.tail.processes()
    taken = take(models, [(stream, 1) for stream in streams], processes, set())
    with turn:
        try:
            with site.generation.writing() as connection:
                write(site.generation, connection, taken)
        except BadRows:
            with site.generation.writing() as connection:
                writing = Writing(site.generation, connection, models, processes)
                store_alone(writing, streams, known=False)


def added(counts: Iterable[Counts]) -> Counts:
    """The sum of counts."""
    streams, events = Counter[str](), Counter[str]()
    for one in counts:
        for kind, (of_streams, of_events) in one.items():
            streams[kind] += of_streams
            events[kind] += of_events
    return {kind: (streams[kind], events[kind]) for kind in streams}


# Side by side.


def _side_by_side(
    site: Site, workers: int, ranges: Sequence[Range], progress: Callable[[int], None]
) -> Iterator[Counts]:
    context = multiprocessing.get_context("spawn")
    done, turn, stop = context.Value("q", 0), context.Lock(), context.Event()
    task = _Task(
        # What is public is read without any key.
        msgspec.structs.replace(site.tail.location, encryption=NONE),
        site.generation.number,
        [model.NAME for model in site.work.models],
        site.work.until,
    )
    pool = ProcessPoolExecutor(workers - 1, context, _begin, (task, done, turn, stop))
    told = 0

    def reached(events: int) -> None:
        nonlocal told
        # Without its lock, which a worker that was killed may hold for ever.
        before, told = told, done.get_obj().value
        if events or told > before:
            progress(events + told - before)

    try:
        waiting, given = deque(ranges), set[Future[Counts]]()
        mine = _Turn(turn, given) if site.generation.ONE_WRITER else nullcontext()
        while waiting or given:
            # Nothing is cancelled: a pool that breaks afterwards would stand still for ever.
            while waiting and len(given) < _RANGES_AHEAD * (workers - 1):
                given.add(pool.submit(_fill_next, waiting.popleft()))
            if waiting:
                # This process helps, from the other end.
                yield fill_range(site, waiting.pop(), mine, reached)
            ready, _ = wait(given, 0 if waiting else _LOOK_SECONDS, FIRST_COMPLETED)
            reached(0)
            for done_by_others in ready:
                given.remove(done_by_others)
                yield done_by_others.result()
    except BrokenProcessPool as error:
        raise StoreError(
            "a process that helped to rebuild the read models was ended",
            "The old ones still answer. Rebuild again; with fewer --workers where memory is short.",
        ) from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


class _Turn:
    """The lock of those who write, which a worker that was killed may hold for ever."""

    def __init__(self, lock: Any, others: Iterable[Future[Counts]]) -> None:
        self._lock = lock
        self._others = others

    def __enter__(self) -> None:
        while not self._lock.acquire(timeout=_LOOK_SECONDS):
            for other in self._others:
                if other.done() and not other.cancelled():
                    other.result()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class _Task(msgspec.Struct, frozen=True):
    """What a process of its own is told."""

    location: Location
    number: int
    models: Sequence[str]
    until: int


class _Worker(msgspec.Struct, frozen=True):
    """What it works with then, from range to range."""

    site: Site
    turn: AbstractContextManager[Any]
    done: Any
    stop: Any


_worker: list[_Worker] = []
"""One, in a process of its own."""


def _begin(task: _Task, done: Any, turn: Any, stop: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # What is imported stays, and of what is folded hardly anything is left over for the collector.
    gc.freeze()
    gc.set_threshold(_GARBAGE_OBJECTS)
    tail = Tail(DealLog.open(task.location, doubtful_too=True))
    generation = open_views(task.location).unfinished(task.number)
    site = Site(tail, generation, Work(named(task.models), task.until))
    turns = turn if generation.ONE_WRITER else nullcontext()
    _worker.append(_Worker(site, turns, done, stop))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _fill_next(of: Range) -> Counts:
    [worker] = _worker

    def progress(events: int) -> None:
        with worker.done.get_lock():
            worker.done.value += events
        if worker.stop.is_set():
            raise InterruptedError("the rebuild was given up")

    return fill_range(worker.site, of, worker.turn, progress)
