"""`make mutants`: change the domain in small ways, run its tests, and explain what survives.

Uses mutmut (configured in pyproject.toml). Survivors that cannot be killed are of
three kinds that are told by their shape, or are named in `explained.toml` with the
reason; any other survivor is a hole in the tests and fails the run.
"""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from difflib import unified_diff
from functools import cache
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[2]
MUTANTS = ROOT / "mutants"
EXPLAINED = Path(__file__).with_name("explained.toml")

KINDS = {
    "text": "Changes the words of a message or a telling; tests hold the parts that matter.",
    "types": "Changes the first argument of cast() or of assert_never(), which only mypy reads.",
    "exhaustive": "Drops the last case of a match, which mypy proves to be unreachable.",
}


def main() -> int:
    """Run mutmut, sort the survivors, print them. 1 where one is not explained."""
    environment = os.environ | {"HYPOTHESIS_PROFILE": "mutants"}
    command = [sys.executable, "-m", "mutmut", "run", *sys.argv[1:]]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return report()


def report() -> int:
    """Print the survivors of the last run by kind. 1 where one is not explained."""
    explained: dict[str, str] = tomllib.loads(EXPLAINED.read_text("utf-8"))
    counts = dict.fromkeys([*KINDS, "explained"], 0)
    holes = []
    for name in survivors():
        kind = kind_of(name)
        if kind is None and key_of(name) in explained:
            kind = "explained"
        if kind is None:
            holes.append(name)
        else:
            counts[kind] += 1
    for kind, count in counts.items():
        print(f"{count:>5} survived: {KINDS.get(kind, 'Explained one by one in explained.toml.')}")
    for name in holes:
        print(f"\nNot explained: {key_of(name)}", *difference(name), sep="\n")
    print(f"\n{len(holes)} not explained.")
    return 1 if holes else 0


def survivors() -> list[str]:
    """Names of the mutants under which every test passed."""
    listed = subprocess.run(
        [sys.executable, "-m", "mutmut", "results"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    told = (line.strip().partition(": ") for line in listed.stdout.splitlines())
    return [name for name, _, what in told if what in {"survived", "no tests", "timeout"}]


@cache
def functions(module: str) -> dict[str, ast.FunctionDef]:
    source = (MUTANTS / f"{module.replace('.', '/')}.py").read_text("utf-8")
    nodes = ast.walk(ast.parse(source))
    return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}


def pair(name: str) -> tuple[ast.FunctionDef, ast.FunctionDef]:
    """The function as it is, and as the mutant has it, under one name."""
    module, _, function = name.rpartition(".")
    known = functions(module)
    original = known[re.sub(r"__mutmut_\d+$", "__mutmut_orig", function)]
    return _named(original), _named(known[function])


def _named(function: ast.FunctionDef) -> ast.FunctionDef:
    (copy,) = ast.parse(ast.unparse(function)).body
    assert isinstance(copy, ast.FunctionDef)
    copy.name = "function"
    return copy


def difference(name: str) -> list[str]:
    """The lines that the mutant changes."""
    before, after = (ast.unparse(one).splitlines() for one in pair(name))
    changed = unified_diff(before, after, lineterm="", n=0)
    return [line for line in changed if line[:1] in "+-" and line[:3] not in {"+++", "---"}]


def key_of(name: str) -> str:
    """Names a mutant by what it changes, so that the key outlives renumbering."""
    module, _, function = name.rpartition(".")
    lines = [f"{line[0]} {line[1:].strip()}" for line in difference(name)]
    return " | ".join([f"{module}.{re.sub(r'^x_|__mutmut_[0-9]+$', '', function)}", *lines])


def kind_of(name: str) -> str | None:
    """Which kind of survivor it is by its shape; None: it has to be explained or killed."""
    before, after = pair(name)
    if _without_texts(before) == _without_texts(after):
        return "text"
    changed = list(_changed_calls(before, after))
    if changed and all(call in {"cast", "assert_never"} for call in changed):
        return "types"
    lines = difference(name)
    if all(line.startswith("-") for line in lines) and "case _:" in lines[0]:
        return "exhaustive"
    return None


class _Blank(ast.NodeTransformer):
    """Makes all texts the same."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        return ast.Constant("")


def _without_texts(function: ast.FunctionDef) -> str:
    return ast.dump(_Blank().visit(_named(function)))


def _changed_calls(before: ast.AST, after: ast.AST) -> Iterator[str]:
    """For each place where they differ: the function called around it, or nothing."""
    if isinstance(before, ast.Call) and isinstance(after, ast.Call):
        called = ast.unparse(before.func)
        if called in {"cast", "assert_never"} and ast.dump(before) != ast.dump(after):
            yield called
            return
    if type(before) is not type(after):
        yield ""
        return
    for (_, one), (_, other) in zip_longest(
        ast.iter_fields(before), ast.iter_fields(after), fillvalue=("", None)
    ):
        for left, right in zip_longest(_listed(one), _listed(other)):
            if isinstance(left, ast.AST) and isinstance(right, ast.AST):
                yield from _changed_calls(left, right)
            elif left != right:
                yield ""


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    sys.exit(report() if sys.argv[1:] == ["--report"] else main())
