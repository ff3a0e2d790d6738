"""`dealstate users`, `units`, `limits`, and `--as`: who is who, and what follows from it."""

import re
from pathlib import Path

import pytest

from api.wire.organisation import Limits, UnitList, UserList
from api.wire.trails import AuditTrail
from tests.api.cli.conftest import Run, run_command

LIMITS = """\
[[roles]]
role = "seller"
discount_percent = "5"

[[roles.terms]]
kind = "payment-time"
furthest = "60"
unit = "days"

[[roles]]
role = "manager"
discount_percent = "20"
"""


@pytest.fixture
def staffed(write: Run) -> Run:
    """A copy of the small store in which Anna sells for west, Mei manages it, Ben audits."""
    for args in (
        ["units", "add", "world", "World"],
        ["units", "add", "west", "Sales West", "--under", "world"],
        ["users", "grant", "Anna Lee", "seller", "--unit", "west"],
        ["users", "grant", "u-mei", "manager", "--unit", "world"],
        ["users", "grant", "u-ben", "auditor"],
        ["users", "grant", "u-sam-1", "analyst"],
        ["users", "grant", "u-sam-2", "admin"],
    ):
        assert write(*args).exit_code == 0
    return write


def roles(run: Run) -> dict[str, list[tuple[str, str | None]]]:
    listed = run("users", "list", "--format", "json").read(UserList).users
    return {one.id: [(held.role.value, held.unit) for held in one.roles] for one in listed}


def test_users_are_listed_with_their_roles(staffed: Run) -> None:
    assert roles(staffed) == {
        "u-anna": [("seller", "west")],
        "u-ben": [("auditor", None)],
        "u-mei": [("manager", "world")],
        "u-sam-1": [("analyst", None)],
        "u-sam-2": [("admin", None)],
    }
    anna_line = staffed("users", "list").lines[2]
    assert re.split(r" {2,}", anna_line) == ["u-anna", "Anna Lee", "seller of Sales West"]
    assert staffed("users", "list", "-f", "csv").lines[0] == "id,name,reference,roles"


def test_units_are_listed_with_who_is_in_them(staffed: Run) -> None:
    world, west = reversed(staffed("units", "list", "-f", "json").read(UnitList).units)
    assert (world.id, world.parent, world.managers) == ("world", None, ["u-mei"])
    assert (west.name, west.parent, west.sellers) == ("Sales West", "world", ["u-anna"])
    west_line = staffed("units", "list").lines[2]
    assert re.split(r" {2,}", west_line) == ["west", "Sales West", "World", "–", "Anna Lee"]
    assert staffed("units", "list", "-f", "csv").lines[0] == "id,name,parent,managers,sellers"


def test_where_there_is_nothing_it_says_how_to_add(nowhere: str) -> None:
    assert run_command("--db", nowhere, "init").exit_code == 0
    for group in ("users", "units"):
        result = run_command("--db", nowhere, group, "list")
        assert result.stdout == ""
        assert f"dealstate {group} add" in result.stderr
    assert run_command("--db", nowhere, "limits", "show").lines[0].startswith("No limits are set")


def test_a_user_is_added_renamed_and_given_roles(write: Run) -> None:
    assert write("users", "add", "zoe", "Zoe").lines == ["Registered zoe as 'Zoe'."]
    assert write("users", "add", "zoe", "Zoe").lines == ["Nothing changed."]
    assert write("users", "add", "zoe", "Zoe Roe").exit_code == 0
    assert write("users", "grant", "Zoe Roe", "seller").lines == ["Made zoe seller."]
    assert write("users", "grant", "Zoe Roe", "analyst").lines == ["Made zoe analyst."]
    assert roles(write)["zoe"] == [("seller", None), ("analyst", None)]
    assert write("users", "end", "zoe", "seller").lines == ["Zoe is no longer seller."]
    assert write("users", "end", "zoe", "seller").lines == ["Nothing changed."]
    assert roles(write)["zoe"] == [("analyst", None)]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["users", "grant", "nobody", "seller"], "unknown-reference"),
        (["users", "grant", "u-anna", "manager"], "invalid-organisation"),
        (["users", "grant", "u-anna", "operator"], "invalid-organisation"),
        (["users", "grant", "u-anna", "seller", "--unit", "wets"], "unknown-reference"),
        (["users", "grant", "Sam Roe", "seller"], "ambiguous-user"),
        (["users", "end", "u-anna", "seller"], "unknown-reference"),
        (["units", "add", "a", "A", "--under", "a"], "invalid-organisation"),
        (["units", "add", "a", "A", "--under", "b"], "unknown-reference"),
        (["units", "add", "a", " "], "text-not-legible"),
    ],
)
def test_refusals(write: Run, args: list[str], code: str) -> None:
    result = write(*args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"({code})" in result.stderr


def test_a_role_that_does_not_exist_is_a_usage_error(write: Run) -> None:
    assert write("users", "grant", "u-anna", "chief").exit_code == 2


def test_limits_are_set_from_a_file_and_shown(write: Run, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(LIMITS, encoding="utf-8")
    told = ["Set the authority limits (roles limited: seller, manager)."]
    assert write("limits", "set", str(file)).lines == told
    assert write("limits", "set", str(file)).lines == ["Nothing changed."]
    seller, manager = write("limits", "show", "--format", "json").read(Limits).roles
    assert (seller.discount_percent, manager.discount_percent) == ("5", "20")
    assert [(term.furthest, term.unit) for term in seller.terms] == [("60", "days")]
    text = write("limits", "show").stdout
    assert "payment-time to 60 days" in text
    assert "20 %" in text
    file.write_text("", encoding="utf-8")
    assert write("limits", "set", str(file)).exit_code == 0
    assert write("limits", "show", "--format", "json").read(Limits).roles == []


def test_a_file_with_faults_sets_nothing_and_each_is_told(write: Run, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(LIMITS.replace('"seller"', '"seler"').replace('"20"', '"200"'), "utf-8")
    result = write("limits", "set", str(file))
    assert result.exit_code == 1
    assert f"{file}:2: error: roles[0].role" in result.stderr
    assert f"{file}:12: error: roles[1].discount_percent" in result.stderr
    assert "(invalid-limits)" in result.stderr
    file.write_bytes(LIMITS.encode() + b"# \xff")
    assert f"{file}:13: error" in write("limits", "set", str(file)).stderr
    assert write("limits", "show", "--format", "json").read(Limits).roles == []


def test_a_file_that_is_not_there_is_a_usage_error(write: Run, tmp_path: Path) -> None:
    result = write("limits", "set", str(tmp_path / "none.toml"))
    assert result.exit_code == 2
    assert "cannot read" in result.stderr


# --as.

EVERYBODY = ("u-anna", "u-ben", "u-mei", "u-sam-1", "u-sam-2", "u-nobody")
READERS = {"u-anna", "u-ben", "u-mei", "u-sam-1"}
"""Of the deal S-1: its owner, an auditor, her manager and an analyst."""


@pytest.mark.parametrize(
    ("args", "allowed"),
    [
        (["show", "S-1"], READERS),
        (["replay", "S-1"], READERS),
        (["gate", "S-1"], READERS),
        (["map", "S-1"], READERS),
        (["negotiation", "S-1"], READERS),
        (["audit", "trail", "S-1"], READERS),
        (["show", "M-1"], {"u-ben", "u-sam-1"}),
        (["audit", "trail"], {"u-ben"}),
        (["record", "S-1", "add-note", "--data", '{"text": "x"}'], {"u-anna", "u-mei"}),
        (["record", "M-1", "add-note", "--data", '{"text": "x"}'], set()),
        (["units", "add", "east", "East"], {"u-sam-2"}),
        (["users", "add", "bo", "Bo"], {"u-sam-2"}),
        (["users", "grant", "u-anna", "admin"], {"u-sam-2"}),
        (["users", "end", "u-ben", "auditor"], {"u-sam-2"}),
        (["deals"], READERS),
        (["users", "list"], set(EVERYBODY) - {"u-nobody"}),
    ],
)
def test_each_user_acts_in_their_own_roles(
    staffed: Run, args: list[str], allowed: set[str]
) -> None:
    for user in EVERYBODY:
        result = staffed("--as", user, *args)
        assert result.exit_code == (0 if user in allowed else 1), (user, result.stderr)
        if user not in allowed:
            assert "Refused (not-allowed)" in result.stderr


@pytest.mark.parametrize(
    ("args", "told", "kept"),
    [
        (["show", "P-1"], "lost-to-competitor (Globex): [hidden]", "Price."),
        (["replay", "P-1"], "owner Anna Lee → Ben Ito: [hidden]", "Anna is on leave."),
        (["replay", "S-1", "--format", "json"], 'suspended: [hidden]"', "Budget frozen."),
        (["audit", "trail", "P-1"], "note: [hidden]", "Wrong deal."),
        (["gate", "P-1", "--stage", "P0"], "Anna Lee on 2026-01-20: [hidden]", "The plant"),
    ],
)
def test_an_analyst_reads_deals_without_what_people_said(
    staffed: Run, args: list[str], told: str, kept: str
) -> None:
    seen = staffed("--as", "u-sam-1", *args).stdout
    assert told in seen
    assert kept not in seen
    assert kept in staffed(*args).stdout


def test_who_opens_a_deal_for_somebody_else_is_told_what_they_may_read(staffed: Run) -> None:
    opening = '{"name": "Rail", "owner": "u-ben", "currency": "USD"}'
    opened = staffed("--as", "u-anna", "record", "d-9", "open-opportunity", "--data", opening)
    assert opened.lines[-1] == "d-9 is at version 1."
    assert staffed("--as", "u-anna", "show", "d-9").exit_code == 1


def test_who_acts_is_on_the_trail(staffed: Run) -> None:
    assert staffed("--as", "u-sam-2", "users", "add", "bo", "Bo").exit_code == 0
    trail = staffed("audit", "trail", "--actor", "u-sam-2", "--format", "json").read(AuditTrail)
    assert [(entry.type, entry.what) for entry in trail.entries] == [
        ("user-registered", "registered bo as 'Bo'")
    ]
    told = [
        entry.what for entry in staffed("audit", "trail", "-f", "json").read(AuditTrail).entries
    ]
    assert "made u-anna seller of west" in told
    assert "registered the unit west as 'Sales West' under world" in told


def test_who_has_no_role_is_told_how_to_get_one(write: Run) -> None:
    result = write("--as", "Anna Lee", "show", "S-1")
    assert "u-anna has no role" in result.stderr
    *_, advice = result.stderr.strip().split("dealstate ")
    assert write(*advice.split()).exit_code == 0
    assert write("--as", "Anna Lee", "show", "S-1").exit_code == 0


def test_whoever_holds_the_files_may_do_everything(write: Run) -> None:
    assert write("show", "M-1").exit_code == 0
    assert write("audit", "trail").exit_code == 0
    assert write("units", "add", "east", "East").exit_code == 0


def test_limits_bind_those_who_act_in_a_role(staffed: Run, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(LIMITS, encoding="utf-8")
    assert staffed("limits", "set", str(file)).exit_code == 0

    def record(user: str, command: str, data: str) -> int:
        return staffed("--as", user, "record", "d-9", command, "--data", data).exit_code

    opening = '{"name": "Rail", "owner": "u-anna", "currency": "USD"}'
    issue = '{"id": "price", "kind": "price", "better_for_us": "higher", "our_opening": "1000"}'
    offer = '{"id": "o-1", "side": "us", "terms": [{"issue": "price", "value": "900"}]}'
    assert record("u-anna", "open-opportunity", opening) == 0
    assert record("u-anna", "open-negotiation", f'{{"id": "main", "issues": [{issue}]}}') == 0
    assert record("u-anna", "make-offer", offer) == 1
    assert record("u-anna", "grant-approval", '{"issue": "price", "value": "900"}') == 1
    assert record("u-mei", "grant-approval", '{"issue": "price", "value": "900"}') == 0
    assert record("u-anna", "make-offer", offer) == 0
