"""Several processes on one key store, and a process that is killed."""

import json
import signal
from pathlib import Path

import pytest

from store.keys.key_file import create_key_file, next_to, read_key_file
from store.keys.ring import KeyRing
from store.keys.sources import FileSource
from tests.store.keys.making import ask, bytes_of_all_files, create, reopen, start

NAMES = [f"person:{number}" for number in range(40)]

MAKE = """
import json, sys
from pathlib import Path
from tests.store.keys.making import reopen
with reopen(Path(sys.argv[1])) as ring:
    print("ready", flush=True)
    sys.stdin.readline()
    names = json.loads(sys.argv[2])
    made = {}
    for name in names:
        made |= ring.ensure([name])
    print(json.dumps({name: key.hex() for name, key in made.items()}))
"""

ERASE = """
import sys
from pathlib import Path
from tests.store.keys.making import reopen
with reopen(Path(sys.argv[1])) as ring:
    ring.begin_erasure(["person:0"], "0")
"""

KILLED = """
import os, signal, sys
from pathlib import Path
from store.keys import key_file
from store.keys.sources import FileSource
from store.keys.vault import Vault
from tests.store.keys.making import reopen

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

folder, work, owner, point = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
setattr({"vault": Vault, "files": key_file, "path": Path}[owner], point, die)
ring = reopen(folder / "x.keys.db", FileSource(folder / "x.key"))
if work == "erase":
    ring.begin_erasure(["person:0"], "0")
    ring.finish_erasure("0")
else:
    key_file.rotate_key_file(ring, folder / "x.key")
"""


def test_processes_that_make_the_same_keys_end_with_the_same(path: Path) -> None:
    create(path).close()
    processes = [start(MAKE, str(path), json.dumps(names)) for names in (NAMES, NAMES[::-1])]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outcomes = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert outcomes[0] == outcomes[1]
    with reopen(path) as ring:
        assert {name: key.hex() for name, key in ring.find(NAMES).items()} == outcomes[0]
    assert len(set(outcomes[0].values())) == len(NAMES)


def test_an_erasure_by_another_process_is_noticed_at_once(ring: KeyRing, path: Path) -> None:
    ring.ensure(["person:0", "person:1"])
    before = ring.generation
    process = start(ERASE, str(path))
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert set(ring.find(["person:0", "person:1"])) == {"person:1"}
    assert ring.generation == before + 1


@pytest.fixture
def killed(path: Path, request: pytest.FixtureRequest) -> tuple[dict[str, bytes], bytes]:
    """The keys before, and the wrapped first one, of a store whose process was killed."""
    file = path.with_name("x.key")
    create_key_file(file)
    with create(path, FileSource(file)) as ring:
        made = ring.ensure(NAMES)
        wrapped = ask(path, "SELECT wrapped FROM keys WHERE id = 1")[0][0]
    process = start(KILLED, str(path.parent), *request.param)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    return made, wrapped


@pytest.mark.parametrize(
    "killed",
    [("erase", "vault", "mark_unscrubbed"), ("erase", "vault", "_holds")],
    indirect=True,
    ids=["before commit", "after commit"],
)
def test_a_process_killed_in_an_erasure(killed: tuple[dict[str, bytes], bytes], path: Path) -> None:
    made, wrapped = killed
    first = ask(path, "SELECT digest FROM keys WHERE id = 1")
    with reopen(path, FileSource(path.with_name("x.key"))) as ring:
        assert ring.find(["person:0"]) == {}
        assert ring.find(NAMES) == {name: made[name] for name in NAMES[1:]}
        pending = [each.subject for each in ring.pending_erasures()]
        assert pending == (["0"] if first else [])
        ring.finish_erasure("0")
    assert wrapped not in bytes_of_all_files(path.parent)
    assert b"person:0" not in bytes_of_all_files(path.parent)


@pytest.mark.parametrize(
    "killed",
    [
        ("rotate", "vault", "mark_unscrubbed"),
        ("rotate", "files", "settle_key_file"),
        ("rotate", "path", "replace"),
    ],
    indirect=True,
    ids=["before commit", "after commit", "at the rename"],
)
def test_a_process_killed_in_a_rotation(killed: tuple[dict[str, bytes], bytes], path: Path) -> None:
    file = path.with_name("x.key")
    assert next_to(file).exists()
    with reopen(path, FileSource(file)) as ring:
        assert ring.find(NAMES) == killed[0]
        assert ring.encryption_id == read_key_file(file).id
    assert not next_to(file).exists()
