"""Running the command line inside the test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from typer.testing import CliRunner

from api.cli.root import app

Answer = TypeVar("Answer")


class Result(msgspec.Struct, frozen=True):
    """What a command printed, and how it ended."""

    exit_code: int
    stdout: str
    stderr: str

    def read(self, answer: type[Answer]) -> Answer:
        """The JSON printed, which has to be of this shape, no key more or less."""
        assert self.exit_code == 0, self.stderr
        decoded = msgspec.json.decode(self.stdout, type=answer)
        again = msgspec.json.encode(decoded)
        assert msgspec.json.decode(again) == msgspec.json.decode(self.stdout)
        return decoded

    @property
    def lines(self) -> list[str]:
        assert self.exit_code == 0, self.stderr
        return self.stdout.splitlines()


Run = Callable[..., Result]


def run_command(*args: str, stdin: str | bytes | None = None, **env: str) -> Result:
    """Run a command line. A fault of the program is raised."""
    result = CliRunner().invoke(app, list(args), input=stdin, env=env or None)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Result(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def run(small_store: str) -> Run:
    """Runs commands on the small store, which they must not change."""

    def run_on_store(*args: str, **more: Any) -> Result:
        return run_command("--db", small_store, *args, **more)

    return run_on_store


@pytest.fixture
def write(own_store: str) -> Run:
    """Runs commands on a copy of the small store."""

    def run_on_copy(*args: str, **more: Any) -> Result:
        return run_command("--db", own_store, *args, **more)

    return run_on_copy


@pytest.fixture
def nowhere(tmp_path: Path) -> str:
    """URL of a store that does not exist."""
    return f"sqlite:///{tmp_path / 'nowhere.db'}"
