"""The comparison of console examples tells right from wrong, and they are run as a shell would."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.console import Example, matches, run


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("a\nb", "a\nb"),
        ("a\n…\nd", "a\nb\nc\nd"),
        ("a\n…\nd", "a\nd"),
        ("a\n…", "a\nb"),
        ("took … s", "took 1.5 s"),
        ("", "anything"),
    ],
)
def test_what_the_page_says_is_printed(expected: str, printed: str) -> None:
    assert matches(expected, printed)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [("a\nb", "a\nc"), ("a\n…\nd", "a\nb"), ("took … s", "took 1.5 m"), ("a", "a\nb")],
)
def test_other_output_is_noticed(expected: str, printed: str) -> None:
    assert not matches(expected, printed)


@pytest.mark.parametrize("args", ["--version", "--help", "--db sqlite:///nowhere.db deals", "dels"])
def test_examples_print_what_the_installed_command_prints(args: str, tmp_path: Path) -> None:
    installed = subprocess.run(
        [Path(sys.executable).with_name("dealstate"), *args.split()],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    printed = run(Example(Path("page.md"), 1, f"dealstate {args}", ""), tmp_path)
    assert printed
    assert printed == installed.stdout.strip("\n")
