"""Catch-up: read models pull the log and commit their checkpoint with their rows.

They see what is public and nothing else, so they need no key, and erasing
somebody leaves nothing to look for in them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import Connection

from projections.engine.applying import Writing, apply
from projections.engine.checkpoints import Checkpoint, fitting, write_checkpoints
from projections.models import ReadModel
from projections.views import BadRows, Generation
from store.recorder import Place
from store.tail import Tail

BATCH_EVENTS = 5_000

Progress = Callable[[int, int], None]
"""Called with (events done, events in all)."""

Check: TypeAlias = Callable[[Connection], None]
"""Called in each transaction before anything is written; raises what is to end it."""


def catch_up_generation(
    generation: Generation,
    tail: Tail,
    models: Sequence[ReadModel],
    until: int,
    *,
    progress: Progress | None = None,
    batch_events: int = BATCH_EVENTS,
    check: Check | None = None,
) -> int:
    """Apply the events behind the checkpoints, up to `until`. Answers how many.

    Safe to run from several threads and processes at once: each batch locks its
    models before it reads their checkpoints. Raises Unfit, Replaced.
    """
    applied = 0
    while taken := _advance(generation, tail, models, until, batch_events, check=check):
        done, events = taken
        applied += events
        if progress is not None:
            progress(done, until)
        if done >= until:
            break  # the models that were ahead of the others are there too
    return applied


def _advance(
    generation: Generation,
    tail: Tail,
    models: Sequence[ReadModel],
    until: int,
    batch_events: int,
    *,
    check: Check | None,
) -> tuple[int, int] | None:
    """Take in one batch. Answers the last position and how many events, None where none are left.

    Models that are not as far as the others are brought to where those are first.
    """
    for one_by_one in (False, True):
        try:
            with generation.writing() as connection:
                generation.lock(connection, [model.NAME for model in models])
                stand = fitting(connection, tail, models)
                behind, places = _behind(stand, tail, models, until, batch_events)
                if not places:
                    return None
                if check is not None:
                    check(connection)
                writing = Writing(generation, connection, behind, tail.processes())
                apply(writing, tail, places, one_by_one=one_by_one)
                end = places[-1].position
                write_checkpoints(connection, behind, end, tail.name_at(end) or "")
            return end, len(places)
        except BadRows:
            if one_by_one:
                raise
    raise AssertionError("bad rows were raised")


def _behind(
    stand: Mapping[str, Checkpoint],
    tail: Tail,
    models: Sequence[ReadModel],
    until: int,
    batch_events: int,
) -> tuple[list[ReadModel], list[Place]]:
    """The models that are furthest behind, and the events that they take in next."""
    start = min(at.position for at in stand.values())
    last = min([until, *(at.position for at in stand.values() if at.position > start)])
    places = tail.places(start, min(batch_events, last - start)) if last > start else []
    return [model for model in models if stand[model.NAME].position == start], places
