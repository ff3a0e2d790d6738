"""Sample data of real systems, kept in a folder `shared` beside the repository.

The tests that read it are skipped where it is missing; the rest need nothing
outside the repository.
"""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"


def shared(name: str) -> Path:
    """The folder of one data set, such as `maven_crm`; skips the test where it is missing."""
    folder = SHARED / "data" / name
    if not folder.is_dir():
        pytest.skip(f"needs the sample data {name!r}, which is not beside this repository")
    return folder
