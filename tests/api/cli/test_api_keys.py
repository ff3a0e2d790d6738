"""`dealstate users key`, `keys`, `revoke-key`: what is shown, and what is refused."""

import json
import re
from datetime import UTC, datetime

import msgspec
import pytest

from api.auth.keys import holder_of
from api.wire.organisation import ApiKeyList, IssuedApiKey
from api.workspace import Workspace
from domain.access import Action, Principal, Role
from store.location import Location
from tests.api.cli.conftest import Run

TOKEN = re.compile("dealstate_([0-9a-f]{12})_[0-9a-f]{64}")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def db(own_store: str, run: Run) -> tuple[str, str]:
    """A store in which Anna sells, Mei runs the organisation and Ben audits."""
    at = ("--db", own_store)
    for user, role in (("u-anna", "seller"), ("u-mei", "admin"), ("u-ben", "auditor")):
        assert run(*at, "users", "grant", user, role).exit_code == 0
    return at


def holder(db: tuple[str, str], token: str) -> Principal | None:
    with Workspace.open(Location.parse(db[1])) as store:
        return holder_of(token, store.log.organisation().directory, NOW)


def test_a_key_is_issued_listed_and_revoked(run: Run, db: tuple[str, str]) -> None:
    made = run(*db, "users", "key", "Anna Lee", "--name", "export", "--only", "read, record")
    assert made.exit_code == 0
    found = TOKEN.fullmatch(made.stdout.strip())
    assert found
    assert f"Issued u-anna the API key {found[1]}" in made.stderr
    actions = frozenset({Action.READ, Action.RECORD})
    assert holder(db, found[0]) == Principal("u-anna", frozenset({Role.SELLER}), limited_to=actions)
    assert [found[1], "u-anna", "export", "read, record", "\u2013"] in [
        re.split(" {2,}", line.strip()) for line in run(*db, "users", "keys").stdout.splitlines()
    ]
    listed = run(*db, "users", "keys", "u-anna", "--format", "json").stdout
    assert found[0].rpartition("_")[2] not in listed
    [key] = msgspec.json.decode(listed, type=ApiKeyList).keys
    assert (key.id, key.good, key.last_day) == (found[1], True, None)
    assert msgspec.json.decode(
        run(*db, "users", "keys", "u-ben", "--format", "json").stdout, type=ApiKeyList
    ) == ApiKeyList([])
    revoked = run(*db, "users", "revoke-key", found[1])
    assert revoked.stdout == f"Revoked the API key {found[1]} of u-anna.\n"
    assert holder(db, found[0]) is None
    assert run(*db, "users", "revoke-key", found[1]).stdout == "Nothing changed.\n"
    assert "no API keys" in run(*db, "users", "keys").stderr


def test_a_key_as_json(run: Run, db: tuple[str, str]) -> None:
    as_json = ("--format", "json")
    made = run(*db, "users", "key", "u-anna", "--name", "x", "--until", "2099-12-31", *as_json)
    issued = msgspec.json.decode(made.stdout, type=IssuedApiKey)
    assert TOKEN.fullmatch(issued.token)
    assert (issued.key.user, issued.key.last_day) == ("u-anna", "2099-12-31")
    assert json.loads(made.stdout)["key"]["actions"] == []


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (("--name", "x", "--only", "reed"), 2, "use some of read"),
        (("--name", "x", "--only", " ,"), 2, "use some of read"),
        (("--name", "x", "--until", "31.12.2099"), 2, "is not a day"),
        (("--name", "x", "--until", "2020-01-01"), 1, "(out-of-range)"),
        (("--name", " "), 1, "(text-not-legible)"),
        ((), 2, "--name"),
    ],
)
def test_a_key_that_cannot_be_issued(
    run: Run, db: tuple[str, str], options: tuple[str, ...], code: int, told: str
) -> None:
    result = run(*db, "users", "key", "u-anna", *options)
    assert (result.exit_code, told in result.stderr) == (code, True)
    assert "dealstate_" not in result.stdout


def test_unknown_users_and_keys(run: Run, db: tuple[str, str]) -> None:
    assert "(unknown-reference)" in run(*db, "users", "key", "u-no", "--name", "x").stderr
    unknown = run(*db, "users", "revoke-key", "000000000000")
    assert (unknown.exit_code, "(unknown-reference)" in unknown.stderr) == (1, True)


def test_whose_it_is_to_issue_and_to_see(run: Run, db: tuple[str, str]) -> None:
    issue = ("users", "key", "u-ben", "--name", "mine")
    for user, issues, sees in (("u-anna", 1, 1), ("u-ben", 1, 0), ("u-mei", 0, 0)):
        made = run(*db, "--as", user, *issue)
        assert made.exit_code == issues
        assert ("(not-allowed)" in made.stderr) == bool(issues)
        assert run(*db, "--as", user, "users", "keys").exit_code == sees
