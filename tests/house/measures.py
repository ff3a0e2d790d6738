"""What the house tests measure, as functions of text, so that they can be tested themselves."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("domain", "store", "projections", "api")

# Made by tools or by running the product, and so not part of the project's own text.
_GENERATED = {"__pycache__", "build", "dist", ".coverage", ".git"}
_HIDDEN_BUT_OURS = {".ci"}
_STORES = {".db", ".db-journal", ".db-shm", ".db-wal"}

# Written in two pieces, so that this file is not found by its own search.
_FOREIGN = tuple(
    re.compile(pattern.encode())
    for pattern in (
        r"(?<![\w.~])/wo" + r"rk/",
        r"(?<![\w.~])/ro" + r"ot/",
        r"(?<![\w.~])/ho" + r"me/\w",
        r"(?<![\w.~])/Us" + r"ers/\w",
        r"pypi\." + r"org",
        r"python" + r"hosted\.org",
        r"registry\." + r"npmjs",
    )
)


def source_files() -> list[Path]:
    """The modules of the four packages."""
    return [path for name in PACKAGES for path in sorted((REPOSITORY / name).rglob("*.py"))]


def project_files(top: Path = REPOSITORY) -> Iterator[Path]:
    """Every file of the project below `top`: not caches, environments, builds or stores."""
    for path in sorted(top.iterdir()):
        if path.name in _GENERATED or path.suffix in _STORES:
            continue
        if path.is_file():
            yield path
        elif path.name in _HIDDEN_BUT_OURS or not path.name.startswith("."):
            yield from project_files(path)


def lines_per_function(source: str) -> dict[str, int]:
    """The length in lines of each function, from `def` to its last line, by `name:line`."""
    return {
        f"{node.name}:{node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def imported_roots(source: str) -> set[str]:
    """The top-level names of the packages that a module imports, wherever in it it does so."""
    roots = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                roots |= {name.name.partition(".")[0] for name in names}
            case ast.ImportFrom(module=str(module), level=0):
                roots.add(module.partition(".")[0])
            case _:
                pass
    return roots


def foreign_words(content: bytes) -> list[str]:
    """The paths of one machine and the hosts of package registries in a file's content."""
    found = [match for pattern in _FOREIGN for match in pattern.findall(content)]
    return [word.decode() for word in found]


def headings(markdown: str) -> list[str]:
    """The second-level headings of a page, in order."""
    return re.findall(r"^## (.+?)\s*$", markdown, flags=re.MULTILINE)


def folders_without_init(paths: Iterable[Path]) -> list[Path]:
    """The folders that hold Python files but no `__init__.py`."""
    paths = list(paths)
    holding = {path.parent for path in paths if path.suffix == ".py"}
    return sorted(holding - {path.parent for path in paths if path.name == "__init__.py"})


def relative(path: Path) -> str:
    """A path as the project names it."""
    return path.relative_to(REPOSITORY).as_posix()
