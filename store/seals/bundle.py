"""The verifier as one file, `verify.pyz`, to hand out together with receipts.

It holds the modules that `store.seals.verify` consists of and nothing else, and
runs with any Python that has the package `cryptography`. The same sources give
the same bytes, so that its hash can be published.
"""

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

MODULES = (
    "store/__init__.py",
    "store/seals/__init__.py",
    "store/seals/commitments.py",
    "store/seals/compare.py",
    "store/seals/merkle.py",
    "store/seals/notes.py",
    "store/seals/proofs.py",
    "store/seals/shown.py",
    "store/seals/verify.py",
)
_TOP = Path(__file__).resolve().parents[2]
_FIRST_LINE = b"#!/usr/bin/env python3\n"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MAIN = b"""\
import sys

try:
    import cryptography
except ImportError:
    sys.stderr.write("verify needs the Python package cryptography; install it first\\n")
    sys.exit(2)

from store.seals.verify import main

sys.exit(main())
"""


def bundle(path: Path) -> None:
    """Write the executable zip application to `path`, in place of what is there."""
    path.write_bytes(_FIRST_LINE + _archive())
    path.chmod(0o755)


def _archive() -> bytes:
    """The modules as a zip archive whose bytes depend on their text alone."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_STORED) as archive:
        for name in MODULES:
            _add(archive, name, _TOP.joinpath(name).read_bytes().replace(b"\r\n", b"\n"))
        _add(archive, "__main__.py", _MAIN)
    return content.getvalue()


def _add(archive: ZipFile, name: str, content: bytes) -> None:
    entry = ZipInfo(name, _EARLIEST)
    entry.create_system = _UNIX
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)
