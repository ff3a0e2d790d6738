"""The store itself: what it holds, and how far its read models are."""

from importlib.metadata import version
from pathlib import Path

from api.queries.proofs import last_checkpoint
from api.wire.health import ModelStatus, StoreStatus
from api.workspace import Workspace
from domain.history import StreamKind
from projections.engine import read_checkpoints


def release() -> str:
    """The release of dealstate that runs."""
    return version("dealstate")


def read_status(store: Workspace) -> StoreStatus:
    """What the store holds, and how far its read models are. Reads; catches nothing up."""
    head = store.log.head()
    with store.views.reading() as connection:
        checkpoints = read_checkpoints(connection)
    return StoreStatus(
        store=str(store.location),
        release=release(),
        events=head,
        deals=len(store.log.streams(StreamKind.DEAL)),
        users=len(store.log.streams(StreamKind.USER)),
        processes=len(list(store.log.processes())),
        checkpoint=last_checkpoint(store),
        log_bytes=store.log.records.size_bytes(),
        views_bytes=_bytes(store.location.views),
        models=[
            ModelStatus(c.model, c.version, c.position, max(head - c.position, 0))
            for c in checkpoints
        ],
    )


def _bytes(path: Path) -> int:
    """Size of a SQLite database with its write-ahead log."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
