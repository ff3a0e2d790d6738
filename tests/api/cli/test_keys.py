"""`dealstate keys`, and the option --kek."""

import base64
from pathlib import Path

import pytest

from api.wire.proofs import KeyStore, Verification
from store.seals.notes import parse_note
from tests.api.cli.conftest import Run, run_command

KEK = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(1, 33))).decode()


def shown(run: Run, **more: str) -> KeyStore:
    return run("keys", "show", "-f", "json", **more).read(KeyStore)


def key_file(store: str) -> Path:
    return Path(store.removeprefix("sqlite:///")).with_suffix(".key")


def test_what_is_in_the_key_store_is_shown_without_any_key(own_store: str, write: Run) -> None:
    answer = shown(write)
    assert set(answer.keys) == {"deal", "user"}
    assert answer.encryption == f"file:{key_file(own_store)}"
    assert (answer.erased_hashes, answer.erasures_pending, answer.given_up) == (0, 0, 0)
    (signing,) = answer.signing_keys
    assert signing.until is None
    text = write("keys", "show").stdout
    assert signing.verifier_key in text
    assert answer.encryption_id in text
    secret = key_file(own_store).read_text(encoding="utf-8").splitlines()[1]
    assert secret not in text


def test_the_public_keys_stand_alone(write: Run, tmp_path: Path) -> None:
    keys = [one.verifier_key for one in shown(write).signing_keys]
    assert write("keys", "show", "--public").lines == keys
    file = tmp_path / "keys"
    assert write("keys", "show", "--public", "-o", str(file)).exit_code == 0
    assert file.read_text(encoding="utf-8").splitlines() == keys
    assert write("keys", "show", "-o", str(file)).exit_code == 2


def test_the_key_file_gets_a_new_key(own_store: str, write: Run) -> None:
    before, file = shown(write), key_file(own_store).read_bytes()
    asked = write("keys", "rotate", stdin="n\n")
    assert (asked.exit_code, shown(write)) == (1, before)
    result = write("keys", "rotate", stdin="y\n")
    assert result.exit_code == 0, result.stderr
    told = f"Backups of the keys made until now open only with {before.encryption_id}, which"
    assert f"{told} will be gone." in result.stderr
    assert f"{told} is now gone." in result.stderr
    after = shown(write)
    assert after.encryption_id != before.encryption_id
    assert after.encryption_id in result.stdout
    assert key_file(own_store).read_bytes() != file
    assert after.keys == before.keys
    assert "Wrong deal." in write("audit", "trail", "P-1").stdout


def test_the_keys_move_under_another_source(own_store: str, write: Run) -> None:
    result = write("keys", "rotate", "--to", "env:MY_KEK", MY_KEK=KEK)
    assert result.exit_code == 0, result.stderr
    assert "DEALSTATE_KEK=env:MY_KEK" in result.stdout
    with_old = write("show", "P-1")
    assert with_old.exit_code == 1
    assert "name where it comes from with --kek or DEALSTATE_KEK" in with_old.stderr
    for args, env in (
        (("--kek", "env:MY_KEK"), {"MY_KEK": KEK}),
        ((), {"DEALSTATE_KEK": "env:MY_KEK", "MY_KEK": KEK}),
    ):
        assert "Wrong deal." in write("audit", "trail", "P-1", *args, **env).stdout
    assert write("show", "P-1", "--kek", "env:MY_KEK", MY_KEK=OTHER).exit_code == 1
    assert KEK not in result.stdout + result.stderr


def test_a_new_key_file_is_made_where_it_is_to_go(write: Run, tmp_path: Path) -> None:
    place = tmp_path / "other.key"
    assert write("keys", "rotate", "--to", f"file:{place}").exit_code == 0
    assert place.stat().st_mode & 0o777 == 0o600
    assert write("keys", "show", "--kek", f"file:{place}").exit_code == 0


def test_the_old_key_is_kept_where_it_is_named(own_store: str, write: Run, tmp_path: Path) -> None:
    before, file = shown(write), key_file(own_store).read_bytes()
    old, keys = tmp_path / "old.key", key_file(own_store).with_name("deals.keys.db")
    backup = keys.read_bytes()
    result = write("keys", "rotate", "--keep-old", str(old))
    assert result.exit_code == 0, result.stderr
    assert (old.read_bytes(), old.stat().st_mode & 0o777) == (file, 0o600)
    assert f"open only with {before.encryption_id}, which is in {old}." in result.stderr
    again = write("keys", "rotate", "--keep-old", str(old))
    assert (again.exit_code, old.read_bytes()) == (1, file)
    keys.write_bytes(backup)
    assert write("keys", "show").exit_code == 1
    assert write("keys", "show", "--kek", f"file:{old}").exit_code == 0
    assert write("keys", "rotate", "--to", "env:X", "--keep-old", str(old)).exit_code == 2


def test_a_file_is_named_so_that_it_is_found_from_anywhere(
    write: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = write("keys", "rotate", "--to", "file:other.key")
    assert f"DEALSTATE_KEK=file:{tmp_path / 'other.key'}" in result.stdout


def test_a_key_is_made_for_a_variable(write: Run) -> None:
    (key,) = run_command("keys", "make").lines
    assert len(base64.b64decode(key, validate=True)) == 32
    assert run_command("keys", "make").lines != [key]
    assert write("keys", "rotate", "--to", "env:MY_KEK", MY_KEK=key).exit_code == 0


def test_what_is_no_key_file_cannot_get_a_new_key_in_place(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'deals.db'}"
    args, env = ("--db", store, "--kek", "env:MY_KEK"), {"MY_KEK": KEK}
    made = run_command(*args, "init", **env)
    assert made.exit_code == 0
    assert "key from  env:MY_KEK" in made.stdout
    assert not (tmp_path / "deals.key").exists()
    assert run_command(*args, "keys", "rotate", **env).exit_code == 2
    more = {**env, "NEW": OTHER}
    assert run_command(*args, "keys", "rotate", "--to", "env:NEW", **more).exit_code == 0


@pytest.mark.parametrize("kek", ["nonsense", "file:", "env:1", "plugin:x"])
def test_a_source_that_is_none_is_a_usage_error(write: Run, kek: str) -> None:
    assert write("keys", "show", "--kek", kek).exit_code == 2
    assert write("keys", "rotate", "--to", kek).exit_code == 2


def test_a_key_that_is_not_there_is_told(write: Run) -> None:
    result = write("keys", "show", "--kek", "env:NOT_THERE")
    assert result.exit_code == 1
    assert "NOT_THERE" in result.stderr


def test_a_new_key_signs_from_now_on(write: Run, tmp_path: Path) -> None:
    old = write("keys", "show", "--public").lines
    receipt, checkpoint = tmp_path / "receipt", tmp_path / "checkpoint"
    write("audit", "receipt", "P-1", "5", "-o", str(receipt))
    result = write("keys", "rotate", "--signing")
    new = result.lines[-1]
    assert write("keys", "show", "--public").lines == [*old, new]
    write("audit", "checkpoint", "--to", str(checkpoint))
    both = parse_note(checkpoint.read_text(encoding="utf-8"))
    assert len(both.signatures) == 2
    for key, file in ((old[0], receipt), (old[0], checkpoint), (new, checkpoint)):
        verified = run_command("audit", "verify", str(file), "--key", key, "-f", "json")
        assert verified.read(Verification).files[0].verified
    write("users", "add", "more", "More")
    later = parse_note(write("audit", "checkpoint").stdout)
    assert [one.key_id for one in later.signatures] == [both.signatures[1].key_id]
    assert write("audit", "fsck").exit_code == 0


def test_a_signing_key_does_not_come_from_elsewhere(write: Run) -> None:
    assert write("keys", "rotate", "--signing", "--to", "env:X").exit_code == 2


def test_it_takes_the_right_to_configure(write: Run) -> None:
    write("users", "grant", "u-anna", "auditor")
    write("users", "grant", "u-ben", "admin")
    for command in (["show"], ["rotate", "--yes"], ["rotate", "--signing"]):
        refused = write("keys", *command, "--as", "u-anna")
        assert refused.exit_code == 1
        assert "not-allowed" in refused.stderr
    assert write("keys", "show", "--public", "--as", "u-anna").exit_code == 0
    assert write("keys", "rotate", "--yes", "--as", "u-ben").exit_code == 0
