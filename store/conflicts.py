"""Why an append was refused: somebody was faster, or what is stored contradicts itself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from eventsourcing.persistence import IntegrityError

from domain.refusals import VersionConflict
from store.errors import LogDamaged, StoreError
from store.events.writing import Batch
from store.recorder import Recorder


def conflict(stream: str, version: int, expected: int | None) -> VersionConflict:
    """A stream is at another version than whoever appends has seen."""
    return VersionConflict(
        f"{stream} is at version {version}, not at {expected}",
        f"Read it again, and repeat the command for version {version} if it still applies.",
    )


def require_version(stream: str, version: int, expected: int | None) -> None:
    """Raise VersionConflict unless a stream is where the writer has seen it; None: anywhere."""
    if expected not in {None, version}:
        raise conflict(stream, version, expected)


def first_conflict(records: Recorder, batches: Sequence[Batch]) -> VersionConflict | StoreError:
    """What kept these batches from being appended."""
    heads: dict[str, int] = {}
    for batch in batches:
        version = heads.get(batch.stream)
        if version is None:
            version = records.version(batch.stream)
        if version != batch.expected_version:
            return conflict(batch.stream, version, batch.expected_version)
        heads[batch.stream] = version + len(batch.drafts)
    return LogDamaged("the log refuses events that follow its last ones")


@contextmanager
def told_as_damage() -> Iterator[None]:
    """With the log to ourselves nobody can be faster: what is refused then contradicts the log."""
    try:
        yield
    except IntegrityError as error:
        raise LogDamaged(f"the log refuses what follows its last events: {error}") from error
