"""Every command on a store whose log is on PostgreSQL, from its making to its restored backup."""

import os
import socket
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from msgspec.structs import replace

from api.cli import serve
from api.operation.processes import Served
from api.settings import Settings
from api.wire.deals import DealDetail
from api.wire.health import StoreStatus
from api.wire.keeping import BackupReport, ErasureReport, RestoreReport
from api.wire.pipelines import Pipeline
from api.wire.processes import ProcessList
from api.wire.proofs import KeyStore, LogCheck, Verification
from store.postgres.address import Database
from tests.api.cli import test_feeding
from tests.api.cli.conftest import Result, run_command
from tests.api.serving import app_of

OPEN = '{"name": "Press line", "owner": "anna", "currency": "USD"}'
NADJA = '{"id": "nadja", "name": "Nadja Petrova", "person": "p-nadja"}'
NOTE = '{"text": "Nadja Petrova rang"}'

folder = test_feeding.folder


@pytest.fixture
def url(postgres: Database, tmp_path: Path) -> str:
    """Of a store that is not there yet, with its local files in a folder of its own."""
    home = tmp_path / "home"
    home.mkdir()
    return str(replace(postgres, schema=f"s_{token_hex(6)}", home=str(home)))


def run(url: str, *args: str | Path) -> Result:
    return run_command(*map(str, args), DEALSTATE_DB=url)


def done(url: str, *args: str | Path) -> str:
    result = run(url, *args)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def told(url: str) -> None:
    """A store with one deal and a person on it."""
    done(url, "init")
    done(url, "record", "P-1", "open-opportunity", "--data", OPEN)
    done(url, "record", "P-1", "identify-stakeholder", "--data", NADJA)
    done(url, "record", "P-1", "add-note", "--data", NOTE)


def status_of(url: str) -> StoreStatus:
    return run(url, "status", "--format", "json").read(StoreStatus)


def checked(url: str, *args: str | Path) -> LogCheck:
    return run(url, "audit", "fsck", "--fields", "--format", "json", *args).read(LogCheck)


def test_a_store_is_made_once(url: str, tmp_path: Path) -> None:
    assert run(url, "process", "list", "--format", "json").read(ProcessList).processes
    assert run(url, "status").exit_code == 1
    assert f"Made a store at {url}." in done(url, "init")
    again = run(url, "init")
    assert (again.exit_code, "is a log already" in again.stderr) == (1, True)
    files = sorted(path.name.split(".", 2)[-1] for path in (tmp_path / "home").iterdir())
    assert {"key", "keys.db"} <= set(files)


def test_what_is_recorded_is_shown(url: str) -> None:
    told(url)
    detail = run(url, "show", "P-1", "--format", "json").read(DealDetail)
    assert detail.deal.name == "Press line"
    assert "Nadja Petrova" in done(url, "map", "P-1")
    assert "Nadja Petrova rang" in done(url, "replay", "P-1")
    assert "Press line" in done(url, "deals")
    (totals,) = run(url, "pipeline", "--by", "", "--format", "json").read(Pipeline).totals
    assert (totals.currency, totals.open) == ("USD", 1)
    status = status_of(url)
    assert (status.store, status.events, status.deals) == (url, 3, 1)
    assert min(status.log_bytes, status.views_bytes) > 0
    assert done(url, "rebuild", "--check")


def test_an_import_makes_the_store_and_goes_on_from_there(url: str, folder: Path) -> None:
    args = test_feeding.importing(url, folder)
    dry = run(url, *args, "--dry-run")
    assert (dry.exit_code, run(url, "status").exit_code) == (0, 1)
    first = run(url, *args)
    assert f"Made a new store at {url}." in first.stderr
    assert "2 new" in first.stdout
    events = status_of(url).events
    assert run(url, *args).exit_code == 0
    assert status_of(url).events == events
    assert run(url, *args, "--dry-run").exit_code == 0
    assert checked(url).sound
    assert "GTX Pro" in done(url, "pipeline", "--as-of", "2017-01-31", "--by", "product")


def test_what_is_audited_verifies_without_the_database(url: str, tmp_path: Path) -> None:
    told(url)
    note, receipt, key = tmp_path / "note", tmp_path / "receipt", tmp_path / "vkey"
    done(url, "audit", "checkpoint", "--to", note)
    done(url, "audit", "receipt", "P-1", "3", "-o", receipt)
    done(url, "keys", "show", "--public", "-o", key)
    answer = run_command(
        *("audit", "verify", str(receipt), str(note), "--key", str(key), "--format", "json")
    ).read(Verification)
    assert [file.verified for file in answer.files] == [True, True]
    findings = checked(url, "--checkpoint", note)
    assert (findings.sound, findings.events) == (True, 3)


def test_keys_are_rotated_and_persons_erased(url: str) -> None:
    told(url)
    before = run(url, "keys", "show", "-f", "json").read(KeyStore)
    done(url, "keys", "rotate", "--yes")
    done(url, "keys", "rotate", "--signing")
    after = run(url, "keys", "show", "-f", "json").read(KeyStore)
    assert before.encryption_id != after.encryption_id
    assert len(after.signing_keys) == 2
    erased = run(url, "erase", "p-nadja", "--yes", "--format", "json").read(ErasureReport)
    assert (erased.carried_out, erased.keys_destroyed) == (True, 1)
    assert "Nadja" not in done(url, "map", "P-1") + done(url, "replay", "P-1")
    assert checked(url).sound


def test_a_backup_is_restored_to_files_with_the_same_root(url: str, tmp_path: Path) -> None:
    told(url)
    saved = run(url, "backup", tmp_path / "b", "--format", "json").read(BackupReport)
    refused = run(url, "restore", tmp_path / "b")
    assert refused.exit_code == 1
    assert "a backup is restored to files" in refused.stderr
    (key,) = (tmp_path / "home").glob("*.key")
    key.rename(tmp_path / "y.key")
    files = f"sqlite:///{tmp_path / 'y.db'}"
    restored = run(files, "restore", tmp_path / "b", "--format", "json").read(RestoreReport)
    assert (restored.root, restored.events) == (saved.root, 3)
    assert "Nadja Petrova rang" in done(files, "replay", "P-1")
    findings = checked(files)
    assert (findings.sound, findings.root) == (True, saved.root)


def test_the_service_answers(url: str) -> None:
    told(url)
    app = app_of(Settings(db=url, timezone="UTC"))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        assert client.get("/v1/deals/P-1").json()["deal"]["name"] == "Press line"
        assert client.get("/v1/status").json()["events"] == 3
        assert "Press line" in client.get("/v1/deals").text


def test_the_service_gets_the_password_which_is_not_shown(
    url: str, postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = postgres.password or os.environ.get("PGPASSWORD") or "not asked for"
    with_password = url.replace("@", f":{quote(password)}@", 1)
    done(with_password, "init")
    served: list[str] = []

    def note_settings(told: Served, listening: socket.socket, _: int) -> None:
        served.append(told.settings.db)
        listening.close()

    monkeypatch.setattr(serve, "_run", note_settings)
    said = done(with_password, "serve", "--port", "0")
    assert served == [with_password]
    assert f"Serving {url} at" in said


def test_a_database_that_is_not_there_is_told(url: str) -> None:
    place = url.replace("dealstate_test_", "nowhere_")
    for args in (("status",), ("process", "list"), ("init",)):
        refused = run(place, *args)
        assert refused.exit_code == 1
        assert "there is no database" in refused.stderr
