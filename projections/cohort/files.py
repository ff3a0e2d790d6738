"""The files in which models and courses are kept between runs, beside the read models.

`deals.cohort.json` holds the models, `deals.cohort.courses` the courses. Both can be removed at any
time. A file that cannot be read, or is of another log or release, counts as none.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from projections.cohort.courses import Course
from projections.cohort.features import NAMES, VERSION
from projections.cohort.model import Cohort
from projections.cohort.portfolio import Portfolio
from store.errors import StoreUnavailable
from store.keys.durability import sync_folder

FORM = 1
"""Of both files."""


class KeptModel(msgspec.Struct, frozen=True):
    """What was made of the deals decided before one boundary."""

    cohort: Cohort
    fingerprint: str
    """Of those deals, and of how far each was known."""
    checked: int
    """Position of the log up to which the fingerprint holds."""


class _Stand(msgspec.Struct, frozen=True):
    """Which log a file is of: the position of an event, and what tells it from others."""

    position: int
    name: str


class _Models(msgspec.Struct, frozen=True):
    form: int
    stand: _Stand
    least: int
    models: dict[str, KeptModel]
    """By boundary."""


class _Courses(msgspec.Struct, frozen=True):
    form: int
    version: int
    measures: Sequence[str]
    stand: _Stand
    keys: dict[str, dict[str, str]]
    courses: dict[str, Sequence[Any] | None]


class Kept(msgspec.Struct):
    """Models by boundary; keys of courses by deal and mark; courses by key, with the deal's id."""

    models: dict[str, KeptModel] = {}
    keys: dict[str, dict[str, str]] = {}
    courses: dict[str, Course | None] = {}


class Files:
    """The two files of one store, in the folder of `beside`, the file or link of its views."""

    def __init__(self, beside: Path) -> None:
        stem = beside.name.removesuffix(".db").removesuffix(".views")
        self.models = beside.absolute().with_name(f"{stem}.cohort.json")
        self.courses = beside.absolute().with_name(f"{stem}.cohort.courses")

    def read(self, portfolio: Portfolio, least: int) -> Kept:
        """What is kept of this log and of models that need `least` deals."""
        kept = Kept()
        models = _decoded(self.models, msgspec.json.Decoder(_Models))
        if models and (models.form, models.least) == (FORM, least) and _is(models.stand, portfolio):
            fitting = models.models.items()
            kept.models = {at: one for at, one in fitting if _fits(one.cohort)}
        courses = _decoded(self.courses, msgspec.msgpack.Decoder(_Courses))
        expected = (FORM, VERSION, NAMES)
        if (
            courses is not None
            and (courses.form, courses.version, tuple(courses.measures)) == expected
            and _is(courses.stand, portfolio)
        ):
            _take_courses(kept, courses)
        return kept

    def write(self, kept: Kept, portfolio: Portfolio, least: int) -> None:
        """Keep models and courses, each file at once or not at all. Raises StoreUnavailable."""
        head = portfolio.head()
        name = portfolio.named(head)
        if name is None:
            return
        stand = _Stand(head, name)
        packed: dict[str, Sequence[Any] | None] = {
            key: one.packed() if one else None for key, one in kept.courses.items()
        }
        courses = _Courses(FORM, VERSION, NAMES, stand, kept.keys, packed)
        try:
            _replace(self.courses, msgspec.msgpack.encode(courses))
            models = _Models(FORM, stand, least, kept.models)
            _replace(self.models, msgspec.json.encode(models))
        except OSError as error:
            raise StoreUnavailable(
                f"the models cannot be kept in {self.models.parent}: {error}",
                "Check the disk and its permissions.",
            ) from error


def _fits(cohort: Cohort) -> bool:
    return cohort.model is None or cohort.model.fits


def _is(stand: _Stand, portfolio: Portfolio) -> bool:
    return portfolio.named(stand.position) == stand.name


def _take_courses(kept: Kept, courses: _Courses) -> None:
    with suppress(ValueError, TypeError):
        read = {key: Course.unpacked(one) if one else None for key, one in courses.courses.items()}
        if all(key in read for keys in courses.keys.values() for key in keys.values()):
            kept.keys, kept.courses = courses.keys, read


def _decoded(path: Path, decoder: Any) -> Any:
    try:
        return decoder.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        sync_folder(path)
    finally:
        new.unlink(missing_ok=True)
