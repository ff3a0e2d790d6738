"""Sample data of real systems and published test vectors, in `shared` beside the repository.

The tests that read it are skipped where it is missing; the rest need nothing
outside the repository.
"""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"


def shared(name: str) -> Path:
    """The folder of one data set, such as `maven_crm`; skips the test where it is missing."""
    return _folder("data", name)


def vectors(name: str) -> Path:
    """The folder of one set of test vectors, such as `rfc9162`; skips the test if missing."""
    return _folder("vectors", name)


def _folder(kind: str, name: str) -> Path:
    folder = SHARED / kind / name
    if not folder.is_dir():
        pytest.skip(f"needs {name!r} of the shared {kind}, which are not beside this repository")
    return folder
