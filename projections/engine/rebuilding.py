"""Rebuild: fold everything anew beside the live read models, compare, switch at once.

A new generation is built while the old one keeps answering and catching up. When
it has caught up it takes the place of the old one for whoever asks next; a
reader sees the old or the new, never a mixture and never something earlier. What
a rebuild that was killed left behind is removed by the next one.
"""

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress

import msgspec
from sqlalchemy import Connection, func, select

from projections.cores import on_all
from projections.engine.applying import add_counts
from projections.engine.catching_up import Progress, catch_up_generation
from projections.engine.checkpoints import (
    BuiltByNewer,
    Unfit,
    fitting,
    read_checkpoints,
    write_checkpoints,
)
from projections.engine.comparing import Difference, compare
from projections.engine.filling import Site, Work, fill_all, workers_for
from projections.engine.models import MODELS
from projections.models import ReadModel
from projections.tables import checkpoints, metadata, parked, stream_counts
from projections.views import Building, Generation, NotBuilt, Views
from projections.views.generation import Replaced
from store.errors import StoreBusy
from store.tail import Tail

_PAUSE_SECONDS = 0.05
_NEARLY = 2_000
"""So few events are caught up with while the old generation waits."""


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild did. `differences` is None where nothing was compared."""

    events: int
    rows: dict[str, int]
    differences: list[Difference] | None
    switched: bool
    seconds: float


def rebuild(
    views: Views,
    tail: Tail,
    models: Sequence[ReadModel] = MODELS,
    *,
    workers: int | None = None,
    check: bool = False,
    progress: Progress | None = None,
) -> Rebuilt:
    """Build read models anew and put them in place of the live ones; the others are kept.

    With `check` the live rows are compared with the rebuilt ones first; where they
    differ nothing is switched. Raises StoreBusy when another rebuild is running.
    """
    began = time.monotonic()
    with views.building() as building:
        live = _live_here(views, tail)
        chosen = models if live is not None else MODELS
        built = building.start()
        events = _build(Site(tail, built, Work(chosen, tail.head())), live, workers, progress)
        finished = building.finished(built)
        _catch_up_nearly(finished, tail, progress)
        differences = None
        if check and live is not None:
            differences = compare(live, finished, tail, chosen)
            _catch_up_nearly(finished, tail, progress)
        rows = _row_counts(finished, chosen)
        if not differences:
            _switch(views, building, finished, tail)
    seconds = time.monotonic() - began
    return Rebuilt(events, rows, differences, not differences, seconds)


def make_ready(
    views: Views,
    tail: Tail,
    *,
    until: int | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> int:
    """Build what is missing, of another log, or of an earlier version of a model; up to `until`.

    Answers how many events it has read, 0 where another process has built it. Waits where
    another process is at it. Readers of an earlier release keep their read models until those
    of this one are there.
    """
    while True:
        try:
            with views.building() as building:
                usable = _usable(views, tail)
                stale = [model for model in MODELS if model.NAME not in usable]
                if not stale:
                    return 0
                live = _live(views, tail, usable) if usable else None
                work = Work(stale, tail.head() if until is None else until)
                built = building.start()
                read = _build(Site(tail, built, work), live, workers, progress)
                finished = building.finished(built)
                if until is None:
                    read += _catch_up_nearly(finished, tail, progress)
                _switch(views, building, finished, tail)
                return read
        except StoreBusy:
            time.sleep(_PAUSE_SECONDS)


def _usable(views: Views, tail: Tail) -> frozenset[str]:
    """The names of the models that are as they should be."""
    try:
        with views.reading() as connection:
            fitting(connection, tail, MODELS)
    except NotBuilt:
        return frozenset()
    except Unfit as error:
        return error.usable
    return frozenset(model.NAME for model in MODELS)


def _live_here(views: Views, tail: Tail) -> Generation | None:
    """The generation that answers, where all models in it are of this release."""
    try:
        return _live(views, tail)
    except BuiltByNewer:
        return None


def _live(views: Views, tail: Tail, wanted: Iterable[str] | None = None) -> Generation | None:
    """The generation that answers, where these models in it are as they should be."""
    names = {model.NAME for model in MODELS} if wanted is None else set(wanted)
    return views.current() if _usable(views, tail) >= names else None


def _build(
    site: Site, live: Generation | None, workers: int | None, progress: Progress | None
) -> int:
    """Fill a generation. Answers how many events were folded."""
    built, tail, work = site.generation, site.tail, site.work
    with built.writing() as connection:
        built.make_tables(connection)
    told = 0

    def reached(events: int) -> None:
        nonlocal told
        told += events
        if progress is not None:
            progress(told, max(work.until, told))

    with on_all():
        # Processes start where this thread may run.
        counts = fill_all(site, workers or workers_for(work.until), reached)
    kept = [model for model in MODELS if model not in work.models]
    if kept:
        assert live is not None
        _copy(live, built, kept)
    with built.writing() as connection:
        if any(stream_counts in model.TABLES for model in work.models):
            add_counts(built, connection, counts)
        write_checkpoints(connection, work.models, work.until, tail.name_at(work.until) or "")
    with built.writing() as connection:
        built.make_indexes(connection, metadata.sorted_tables)
    with built.writing() as connection:
        built.plan(connection)
    return told


def _copy(live: Generation, built: Generation, models: Sequence[ReadModel]) -> None:
    """Take over the rows of models as they are, with their checkpoints."""
    names = ", ".join(f"'{model.NAME}'" for model in models)
    of_models = f" WHERE model IN ({names})"
    with built.beside(live) as (connection, ours, theirs):
        for table in (table for model in models for table in model.TABLES):
            _insert(connection, table.name, ours, theirs)
        for table in (checkpoints, parked):
            _insert(connection, table.name, ours, theirs, of_models)


def _insert(
    connection: Connection, table: str, ours: str, theirs: str, condition: str = ""
) -> None:
    connection.exec_driver_sql(
        f"INSERT INTO {ours}.{table} SELECT * FROM {theirs}.{table}{condition}"  # noqa: S608
    )


def _catch_up_nearly(finished: Generation, tail: Tail, progress: Progress | None) -> int:
    """Until what is left is done in a moment, for which the old generation can wait.

    Answers how many events were applied.
    """
    applied = 0
    while True:
        some = catch_up_generation(finished, tail, MODELS, tail.head(), progress=progress)
        applied += some
        if some <= _NEARLY:
            return applied


def _switch(views: Views, building: Building, finished: Generation, tail: Tail) -> None:
    """Have a generation answer that has read at least as far as the one before."""
    while True:
        try:
            old = views.current()
        except NotBuilt:
            building.replace(finished)
            return
        with suppress(Replaced), old.writing() as connection:
            old.lock(connection, [one.model for one in read_checkpoints(connection)])
            stand = [one.position for one in read_checkpoints(connection)]
            reached = min(max(stand, default=0), tail.head())
            catch_up_generation(finished, tail, MODELS, reached)
            building.replace(finished, connection)
            return
        views.forget(old)


def _row_counts(generation: Generation, models: Sequence[ReadModel]) -> dict[str, int]:
    tables = [table for model in models for table in model.TABLES]
    with generation.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        }
