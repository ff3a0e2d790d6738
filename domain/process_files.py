"""Sales processes written as TOML: the built-in ones, and those that people write.

A file's keys are the fields of `SalesProcess`, `Stage`, `Criterion`, `PurchaseStep` and
`Words`.
"""

import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib import resources

import msgspec

from domain.gates import PREDICATES
from domain.process import Evidence, ProcessBook, SalesProcess
from domain.toml.lines import KeyPath
from domain.toml.problems import Problem, Report, did_you_mean, listed, shown
from domain.toml.tables import Table, known, read_table

BUILT_IN = ("key-account", "four-phase", "five-step")
"""Ids of the processes that come with the program, the default first."""


class ProcessError(Exception):
    """A process file cannot be used. `problems` holds all that is wrong, in the file's order."""

    def __init__(self, problems: Collection[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def parse_process(
    text: str, where: str = "<text>", predicates: Collection[str] = PREDICATES
) -> SalesProcess:
    """Read a process from TOML. `where` names the text in messages.

    Raises ProcessError with every problem. Warnings alone are let pass;
    `check_process` tells them.
    """
    table, report = _read(text, where, predicates)
    if report.has_errors:
        raise ProcessError(report.problems)
    return msgspec.convert(table, SalesProcess)


def check_process(
    text: str, where: str = "<text>", predicates: Collection[str] = PREDICATES
) -> list[Problem]:
    """All errors and warnings of a process file, in its order; empty when it is fine."""
    return _read(text, where, predicates)[1].problems


def decode_process(content: bytes, where: str) -> str:
    """The text of a process file, with or without a byte order mark.

    Raises ProcessError with the line of the first byte that is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"The byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8."
        raise ProcessError([Problem(where, line, "", message)]) from None


@cache
def built_in_processes() -> ProcessBook:
    """The processes that come with the program."""
    folder = resources.files("domain").joinpath("processes")
    return ProcessBook(
        parse_process(folder.joinpath(f"{name}.toml").read_text("utf-8"), f"{name}.toml")
        for name in BUILT_IN
    )


def _read(text: str, where: str, predicates: Collection[str]) -> tuple[Table, Report]:
    table, report = read_table(text, where, SalesProcess)
    check_process_table(table, report, (), predicates)
    return table, report


def check_process_table(
    process: Table, report: Report, at: KeyPath, predicates: Collection[str] = PREDICATES
) -> None:
    """Report what the types of `SalesProcess` do not say; the process stands at `at` of a text."""
    _check_process_id(process, at, report)
    stages = list(_tables(process, "stages", at))
    criteria = [pair for path, stage in stages for pair in _tables(stage, "gate", path)]
    _check_ids(stages, "stage", report)
    _check_ids(criteria, "criterion", report)
    _check_ids(list(_tables(process, "purchase_steps", at)), "purchase step", report)
    for path, criterion in criteria:
        _check_evidence(path, criterion, predicates, report)
    _check_winning(stages, at, report)
    _check_probabilities(stages, report)


Place = tuple[KeyPath, Table]


def _tables(table: Table, key: str, path: KeyPath) -> Iterator[Place]:
    """The elements of a list of tables, with their paths."""
    for index, element in enumerate(known(table, key) or ()):
        if isinstance(element, dict):
            yield (*path, key, index), element


def _check_process_id(process: Table, at: KeyPath, report: Report) -> None:
    name = known(process, "id")
    if name is not None and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        report.error(
            (*at, "id"),
            f"is {shown(name)}; allowed are lower-case letters a to z and digits,"
            " in words joined by hyphens, such as key-account.",
        )


def _check_ids(places: list[Place], noun: str, report: Report) -> None:
    first: dict[str, KeyPath] = {}
    for path, table in places:
        name = known(table, "id")
        if name is None:
            continue
        at = (*path, "id")
        if name != name.strip() or not name.isprintable():
            message = f"is {shown(name)}; allowed is a text of one line without spaces around it."
            report.error(at, message)
        if name in first:
            report.error(
                at,
                f"is {shown(name)}, the id of another {noun} already, on line"
                f" {report.line(first[name])}. Give each {noun} of a process an id of its own.",
            )
        first.setdefault(name, at)


def _check_evidence(
    path: KeyPath, criterion: Table, predicates: Collection[str], report: Report
) -> None:
    at = (*path, "predicate")
    evidence, predicate = known(criterion, "evidence"), known(criterion, "predicate")
    if predicate is not None and evidence == Evidence.ATTESTED:
        report.error(at, 'belongs to evidence = "auto". Remove it, or write evidence = "auto".')
    elif predicate is not None and predicate not in predicates:
        report.error(
            at,
            f"is {shown(predicate)}; allowed is one of {listed(sorted(predicates))}."
            f"{did_you_mean(predicate, predicates)}",
        )
    elif evidence == Evidence.AUTO and "predicate" not in criterion:
        report.error(
            at,
            f'is missing; evidence = "auto" needs one of {listed(sorted(predicates))}.'
            ' Or write evidence = "attested".',
        )


def _is_after_win(stage: Table) -> bool | None:
    """None where the file does not say it in a way that can be read."""
    answer: bool | None = known(stage, "after_win", False)
    return answer


def _check_winning(stages: list[Place], at: KeyPath, report: Report) -> None:
    """Selling comes first, then what follows the win."""
    if stages and all(_is_after_win(stage) for _, stage in stages):
        message = "has no stage before winning; allowed is one or more without after_win = true."
        report.error((*at, "stages"), message)
    first: KeyPath | None = None
    for path, stage in stages:
        if _is_after_win(stage):
            first = first or path
        elif first is not None and _is_after_win(stage) is False:
            report.error(
                path,
                "comes before winning but stands behind a stage with after_win = true, on line"
                f" {report.line(first)}. Stages after winning come last.",
            )


def _check_probabilities(stages: list[Place], report: Report) -> None:
    """Oddities that real processes have: told, not refused."""
    before = 0
    for path, stage in stages:
        percent, after_win = known(stage, "probability"), _is_after_win(stage)
        if percent is None or after_win is None:
            continue
        at = (*path, "probability")
        if after_win and percent != 100:
            message = f"is {percent}, though the stage is entered after winning; 100 is usual."
            report.warning(at, message)
        if not after_win and percent < before:
            message = f"is {percent}, less than the {before} of the selling stage before it."
            report.warning(at, message)
        before = before if after_win else percent
