"""Routers end in `assert_never`, and mypy finds the case that one forgets."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.measures import REPOSITORY

ROUTERS = {"evolve", "decide", "admissible", "describe"}
FAMILIES = (
    "buying",
    "competition",
    "lifecycle",
    "needs",
    "negotiation",
    "people",
    "stages",
)
CASES = {
    "domain/buying/purchase.py": "        case BudgetObserved():\n",
    "domain/needs/decisions.py": "        case CheckFact():\n",
    "domain/people/words.py": "        case MinutesSent(contact=contact_id):\n",
    "domain/deal.py": "        case NeedsFact():\n",
}
"""A router of several rooms, and a case of it."""


def matches() -> Iterator[tuple[str, ast.Match]]:
    """The matches of the routers of the families, and of the deal over them."""
    for path in sorted((REPOSITORY / "domain").rglob("*.py")):
        room = path.relative_to(REPOSITORY / "domain").parts[0]
        if room not in FAMILIES and room not in {"deal.py", "corrections.py", "organisation.py"}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name in ROUTERS:
                for match in (one for one in ast.walk(node) if isinstance(one, ast.Match)):
                    yield f"{path.relative_to(REPOSITORY)}:{match.lineno}", match


ALL = dict(matches())


def test_every_family_has_its_routers() -> None:
    for family in FAMILIES:
        assert sum(place.startswith(f"domain/{family}/") for place in ALL) >= 3


@pytest.mark.parametrize("place", ALL)
def test_a_router_ends_where_nothing_is_left(place: str) -> None:
    last = ALL[place].cases[-1]
    assert isinstance(last.pattern, ast.MatchAs)
    assert last.pattern.pattern is None
    (statement,) = last.body
    assert isinstance(statement, ast.Expr)
    assert ast.unparse(statement).startswith("assert_never(")


@pytest.mark.drill
@pytest.mark.parametrize("path", CASES)
def test_mypy_finds_the_case_that_a_router_forgets(path: str, tmp_path: Path) -> None:
    copy = tmp_path / "domain"
    shutil.copytree(REPOSITORY / "domain", copy, ignore=shutil.ignore_patterns("__pycache__"))
    changed = tmp_path / path
    source = changed.read_text("utf-8")
    assert CASES[path] in source
    forgotten = source.replace(CASES[path], CASES[path].replace(":\n", " if False:\n"))
    changed.write_text(forgotten, encoding="utf-8")
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "domain"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert 'Argument 1 to "assert_never" has incompatible type' in found.stdout
