"""Keeping the read models of a store up with its log, whatever state they are in."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, select

from projections.engine.applying import Writing, store_alone
from projections.engine.catching_up import BATCH_EVENTS, Check, Progress, catch_up_generation
from projections.engine.checkpoints import Unfit, fitting
from projections.engine.models import MODELS
from projections.engine.rebuilding import make_ready
from projections.models import ReadModel
from projections.tables import parked
from projections.views import Generation, NotBuilt, Views
from projections.views.generation import Replaced
from store.tail import Tail


def catch_up(
    views: Views,
    tail: Tail,
    until: int | None = None,
    *,
    progress: Progress | None = None,
    batch_events: int = BATCH_EVENTS,
    models: Sequence[ReadModel] = MODELS,
    check: Check | None = None,
) -> int:
    """Apply the events behind the checkpoints, up to `until` (default: all). Answers how many.

    Builds the models that are not there, or are of another version. Safe to run from
    several threads and processes at once. Raises StoreError.
    """
    head = tail.head() if until is None else min(until, tail.head())
    reached = position(views, tail, models)
    if reached is not None and reached >= head:
        return 0
    applied = 0
    with views.turn:
        while True:
            try:
                generation = views.current()
                applied += catch_up_generation(
                    generation,
                    tail,
                    models,
                    head,
                    progress=progress,
                    batch_events=batch_events,
                    check=check,
                )
                break
            except Replaced:
                views.forget(generation)
            except (NotBuilt, Unfit):
                built_to = None if until is None else head
                applied += make_ready(views, tail, until=built_to, progress=progress)
    return applied


def position(views: Views, tail: Tail, models: Sequence[ReadModel] = MODELS) -> int | None:
    """How far all these models have read; None where they have to be built."""
    try:
        with views.reading() as connection:
            return _position(connection, tail, models)
    except (NotBuilt, Unfit):
        return None


@contextmanager
def caught_up(
    views: Views, tail: Tail, *, progress: Progress | None = None
) -> Iterator[Connection]:
    """The read models as one consistent snapshot, with all in it that was recorded before.

    Mostly they have read everything already: then the snapshot in which that shows is the one.
    Raises StoreError.
    """
    head = tail.head()
    while True:
        with ExitStack() as stack:
            if (connection := _up_to(head, views, tail, stack)) is not None:
                yield connection
                return
        catch_up(views, tail, progress=progress)


def _up_to(head: int, views: Views, tail: Tail, stack: ExitStack) -> Connection | None:
    """A snapshot that is that far, which the stack closes; None where there is none."""
    try:
        connection = stack.enter_context(views.reading())
        return connection if _position(connection, tail, MODELS) >= head else None
    except (NotBuilt, Unfit):
        return None


def _position(connection: Connection, tail: Tail, models: Sequence[ReadModel]) -> int:
    return min(at.position for at in fitting(connection, tail, models).values())


def try_again(views: Views, tail: Tail, model: ReadModel, stream: str) -> str | None:
    """Have a model take in a parked stream once more. Answers why it stays parked, None else.

    Raises LookupError where it is not parked.
    """
    while True:
        catch_up(views, tail)
        generation = views.current()
        try:
            return _try_again(generation, tail, model, stream)
        except Replaced:
            views.forget(generation)


def _try_again(generation: Generation, tail: Tail, model: ReadModel, stream: str) -> str | None:
    with generation.writing() as connection:
        generation.lock(connection, [model.NAME])
        if _error(connection, model, stream) is None:
            raise LookupError(f"{stream} is not parked in {model.NAME}")
        until = fitting(connection, tail, [model])[model.NAME].position
        writing = Writing(generation, connection, [model], tail.processes())
        store_alone(writing, tail.streams([stream], until))
        return _error(connection, model, stream)


def _error(connection: Connection, model: ReadModel, stream: str) -> str | None:
    found = select(parked.c.error).where(parked.c.model == model.NAME, parked.c.stream == stream)
    return connection.execute(found).scalar_one_or_none()
