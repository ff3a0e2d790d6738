"""Authority limits written as TOML. A file's keys are the fields of the limits of each role.

[[roles]]
role = "seller"
discount_percent = "5"

[[roles.terms]]
kind = "payment-time"
furthest = "60"
unit = "days"
"""

from collections.abc import Collection, Iterator

import msgspec

from domain.negotiation import AuthorityLimits
from domain.toml.lines import KeyPath
from domain.toml.problems import Problem, Report, shown
from domain.toml.tables import Table, known, read_table
from domain.values import decimal_text


class LimitsError(Exception):
    """A file of limits cannot be used. `problems` holds all that is wrong, in the file's order."""

    def __init__(self, problems: Collection[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def parse_limits(text: str, where: str = "<text>") -> AuthorityLimits:
    """Read limits from TOML. `where` names the text in messages. Raises LimitsError."""
    table, report = read_table(text, where, AuthorityLimits)
    first: dict[str, KeyPath] = {}
    for path, role in _roles(table):
        _check_role(role, path, first, report)
        _check_discount(role, path, report)
        _check_terms(role, path, report)
    if report.has_errors:
        raise LimitsError(report.problems)
    return msgspec.convert(table, AuthorityLimits)


def _roles(table: Table) -> Iterator[tuple[KeyPath, Table]]:
    for index, role in enumerate(known(table, "roles") or ()):
        if isinstance(role, dict):
            yield ("roles", index), role


def _check_role(role: Table, path: KeyPath, first: dict[str, KeyPath], report: Report) -> None:
    name = known(role, "role")
    if name is None:
        return
    at = (*path, "role")
    if name in first:
        report.error(
            at,
            f"is {shown(name)}, whose limits stand on line {report.line(first[name])} already."
            " Give each role once.",
        )
    first.setdefault(name, at)


def _check_discount(role: Table, path: KeyPath, report: Report) -> None:
    percent = known(role, "discount_percent")
    if percent is None:
        return
    try:
        role["discount_percent"] = decimal_text(percent)
    except ValueError:
        in_range = False
    else:
        in_range = 0 <= float(percent) <= 100
    if not in_range:
        report.error(
            (*path, "discount_percent"),
            f'is {shown(percent)}; allowed is a number from 0 to 100 in quotes, such as "7.5".',
        )


def _check_terms(role: Table, path: KeyPath, report: Report) -> None:
    """A limit with a unit is a number, kept in its one written form."""
    for index, term in enumerate(known(role, "terms") or ()):
        if not isinstance(term, dict) or known(term, "unit") is None:
            continue
        furthest = known(term, "furthest")
        try:
            term["furthest"] = decimal_text(furthest or "")
        except ValueError:
            report.error(
                (*path, "terms", index, "furthest"),
                f'is {shown(furthest)}; with a unit it is a number in quotes, such as "60".',
            )
