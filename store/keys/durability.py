"""Making names durable: a new file survives a power failure once its folder is synced too."""

import os
from pathlib import Path


def sync_folder(path: Path) -> None:
    """Sync the folder that `path` is in."""
    descriptor = os.open(path.absolute().parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
