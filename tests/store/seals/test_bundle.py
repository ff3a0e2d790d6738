"""The verifier in one file: runs by itself, says the same, and has the same bytes every time."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from store.seals import bundle as bundling
from store.seals.bundle import MODULES, bundle
from tests.house.measures import REPOSITORY, imported_roots
from tests.store.seals.made import LOG_KEY, receipt


def test_the_archive_runs_by_itself(tmp_path: Path) -> None:
    archive, good, bad = tmp_path / "verify.pyz", tmp_path / "good", tmp_path / "bad"
    bundle(archive)
    good.write_text(receipt(), encoding="utf-8")
    bad.write_text(receipt().replace("index 4", "index 3"), encoding="utf-8")
    for files, code in (([good], 0), ([good, bad], 3), ([], 2)):
        done = subprocess.run(
            [sys.executable, "-I", archive, "--key", str(LOG_KEY.verifier), *files],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
    assert archive.stat().st_mode & 0o777 == 0o755
    assert archive.read_bytes().startswith(b"#!/usr/bin/env python3\n")


def test_the_archive_tells_what_it_misses(tmp_path: Path) -> None:
    archive = tmp_path / "verify.pyz"
    bundle(archive)
    # Without site-packages there is no cryptography.
    done = subprocess.run(
        [sys.executable, "-I", "-S", archive, "file"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "needs the Python package cryptography" in done.stderr


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first.pyz", tmp_path / "second.pyz"
    second.write_bytes(b"what was there before")
    bundle(first)
    bundle(second)
    assert first.read_bytes() == second.read_bytes()


def test_the_archive_holds_what_the_verifier_imports_and_nothing_else(tmp_path: Path) -> None:
    archive = tmp_path / "verify.pyz"
    bundle(archive)
    with ZipFile(archive) as content:
        assert content.namelist() == [*MODULES, "__main__.py"]
        assert {entry.date_time[0] for entry in content.infolist()} == {1980}
    for name in MODULES:
        roots = imported_roots((REPOSITORY / name).read_text(encoding="utf-8"))
        assert roots - sys.stdlib_module_names <= {"store", "cryptography"}
    assert bundling.__name__.replace(".", "/") + ".py" not in MODULES
