"""Console examples in Markdown: commands behind `$`, and below each what it prints.

In the expected output a line `…` stands for any number of lines, and `…` within
a line for any characters.
"""

import atexit
import json
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.house.measures import REPOSITORY

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


_PROGRESS = (
    "Reading the log:",
    "Rebuilding:",
    "Learning from decided deals:",
    "Judging:",
    "Looking back on:",
    "Walking through:",
)


class Example(NamedTuple):
    """One command, what the page says it prints, and where it stands."""

    page: Path
    line: int
    command: str
    expected: str


def examples(page: Path) -> list[Example]:
    """The examples of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for block in _BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1)) + 1
        for offset, part in _commands(block.group(1)):
            command, _, expected = part.partition("\n")
            found.append(Example(page, first + offset, command, expected.strip("\n")))
    return found


def _commands(block: str) -> list[tuple[int, str]]:
    starts = [match.start() for match in re.finditer(r"^\$ ", block, re.MULTILINE)]
    ends = [*starts[1:], len(block)]
    return [
        (block.count("\n", 0, start), block[start + 2 : end])
        for start, end in zip(starts, ends, strict=True)
    ]


def run(example: Example, directory: Path) -> str:
    """What the command prints, output and errors together, without progress on a slow machine.

    What is sent `> FILE` goes there.
    """
    words = shlex.split(example.command)
    into = words.pop() if words[-2:-1] == [">"] else None
    words = words[: len(words) - (into is not None)]
    assert words[0] == "dealstate", f"{example.page.name}:{example.line} runs {words[0]}"
    with TemporaryDirectory() as folder:
        printed = Path(folder) / "printed"
        _carry_out(words[1:], directory, printed)
        text = printed.read_text(encoding="utf-8")
    if into is not None:
        (directory / into).write_text(text, encoding="utf-8")
        return ""
    lines = text.strip("\n").splitlines()
    return "\n".join(line.rstrip() for line in lines if not line.startswith(_PROGRESS))


def _carry_out(args: list[str], directory: Path, printed: Path) -> None:
    """Run `dealstate` in a process of its own, forked off one that has loaded it already."""
    order = {"args": args, "cwd": str(directory), "env": dict(os.environ), "into": str(printed)}
    warm = _warm()
    assert warm.stdin is not None
    assert warm.stdout is not None
    warm.stdin.write(json.dumps(order) + "\n")
    warm.stdin.flush()
    status = int(warm.stdout.readline())
    assert os.WIFEXITED(status), f"dealstate {shlex.join(args)}: killed, or too slow"


@cache
def _warm() -> "subprocess.Popen[str]":
    """The process to fork off; it ends with this one."""
    warm = subprocess.Popen(
        [sys.executable, "-u", "-m", "tests.docs.warm"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(warm.communicate)
    return warm


def matches(expected: str, printed: str) -> bool:
    """Whether `printed` is what the page says, ellipses taken as anything."""
    if not expected:
        return True
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line.strip() == "…" else _line_pattern(line)
        for line in expected.splitlines()
    )
    return re.fullmatch(pattern, printed + "\n") is not None


def _line_pattern(line: str) -> str:
    return "[^\n]*".join(map(re.escape, line.split("…"))) + "\n"
