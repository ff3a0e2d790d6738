"""The tutorial of the service runs as it is printed, against a server of its own."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.docs.console import examples, matches

PAGE = Path(__file__).parents[2] / "docs" / "http-tutorial.md"
DEALSTATE = str(Path(sys.executable).with_name("dealstate"))
_KEY = re.compile(r"^dealstate_[0-9a-f_]+$", re.MULTILINE)
_FENCED = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE_SECONDS = 30
_MARK = "--- end of an example ---"


class Server(NamedTuple):
    """A server that runs, and the first key of its store."""

    url: str
    key: str
    told: str
    """What it printed at its start."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tutorial")
    subprocess.run([DEALSTATE, "init"], cwd=folder, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = folder / "serve.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [DEALSTATE, "serve", "--port", str(port)], cwd=folder, stdout=out, stderr=out
        )
    try:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while "startup complete" not in (told := log.read_text()):
            assert process.poll() is None, told
            assert time.monotonic() < give_up, told
            time.sleep(0.05)
        key = _KEY.search(told)
        assert key is not None, told
        yield Server(f"http://127.0.0.1:{port}", key[0], told)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _command(text: str, server: Server) -> str:
    return text.replace("http://127.0.0.1:8000", server.url).replace("dealstate_…", server.key)


@pytest.fixture(scope="module")
def printed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each of the curl commands prints, run in one shell."""
    wanted = [one for one in examples(PAGE) if not one.command.startswith("dealstate ")]
    script = "".join(f"{_command(one.command, server)}\necho; echo '{_MARK}'\n" for one in wanted)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path_factory.mktemp("shell"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    parts = done.stdout.split(f"{_MARK}\n")
    assert len(parts) == len(wanted) + 1, done.stdout
    return [part.replace("\r", "").rstrip("\n") for part in parts[:-1]]


def test_the_server_starts_as_the_page_says(server: Server) -> None:
    (serve,) = [one for one in examples(PAGE) if one.command == "dealstate serve"]
    assert matches(serve.expected, server.told.rstrip("\n"))


def test_each_command_prints_what_the_page_says(printed: list[str]) -> None:
    wanted = [one for one in examples(PAGE) if not one.command.startswith("dealstate ")]
    for one, found in zip(wanted, printed, strict=True):
        silent = not one.expected and not one.command.startswith("for ")
        assert found == "" if silent else matches(one.expected, found), (
            f"{one.page.name}:{one.line} {one.command}\nprints {found}"
        )


@pytest.mark.usefixtures("printed")
def test_the_same_steps_in_python(server: Server) -> None:
    blocks = dict(_FENCED.findall(PAGE.read_text(encoding="utf-8")))
    done = subprocess.run(
        [sys.executable, "-c", blocks["python"]],
        env={**os.environ, "URL": server.url, "ADMIN": f"Authorization: Bearer {server.key}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == blocks["text"]
