"""The files of the columnar copy: `deals.columns.<set of tables>.<position>.duckdb`."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from store.errors import StoreUnavailable
from store.keys.durability import sync_folder
from store.keys.holding import held


class Damaged(Exception):
    """A base cannot be read, or is not what its name says."""


class BaseFile(NamedTuple):
    """A base, by its name."""

    path: Path
    set_id: str
    position: int


class Files:
    """The files of one store's copy, in the folder of `beside`, the file or link of the views."""

    def __init__(self, beside: Path) -> None:
        self.folder = beside.absolute().parent
        self.stem = beside.name.removesuffix(".db").removesuffix(".views")
        self._named = re.compile(re.escape(self.stem) + r"\.columns\.(\w+)\.(\d+)\.duckdb")

    def path(self, set_id: str, position: int) -> Path:
        return self.folder / f"{self.stem}.columns.{set_id}.{position}.duckdb"

    def all(self) -> list[BaseFile]:
        """Every base there is, in no order."""
        try:
            names = [path.name for path in self.folder.iterdir()]
        except FileNotFoundError:
            return []
        found = (self._named.fullmatch(name) for name in names)
        return [BaseFile(self.folder / n[0], n[1], int(n[2])) for n in found if n]

    def newest(self, set_id: str, position: int) -> BaseFile | None:
        """The newest base of a set of tables that is not ahead of a position."""
        fitting = (file for file in self.all() if file.set_id == set_id)
        return max(
            (file for file in fitting if file.position <= position),
            key=lambda file: file.position,
            default=None,
        )

    @contextmanager
    def making(self) -> Iterator[Path]:
        """The right to make a base, and an empty folder for it. Raises Held where another has it.

        What a maker left that was killed is removed.
        """
        with held(self.folder / f"{self.stem}.columns.lock", wait_seconds=0):
            workshop = self.folder / f"{self.stem}.columns.making"
            try:
                shutil.rmtree(workshop, ignore_errors=True)
                workshop.mkdir()
                yield workshop
            except OSError as error:
                raise StoreUnavailable(
                    f"no columnar copy can be made in {self.folder}: {error}",
                    "Check the disk and its permissions; answers come from the tables meanwhile.",
                ) from error
            finally:
                shutil.rmtree(workshop, ignore_errors=True)

    def publish(self, made: Path, set_id: str, position: int) -> BaseFile:
        """Give a finished base its name, durably, and remove the others.

        Who has one of them open keeps it.
        """
        path = self.path(set_id, position)
        with made.open("rb") as file:
            os.fsync(file.fileno())
        made.replace(path)
        sync_folder(path)
        for other in self.all():
            if other.path != path:
                other.path.unlink(missing_ok=True)
        return BaseFile(path, set_id, position)
