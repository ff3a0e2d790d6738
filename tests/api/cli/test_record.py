"""`dealstate record`: any command of the domain, under all its rules."""

import json
import shlex
from pathlib import Path

import pytest
from msgspec.structs import replace

from api.commands import BY_NAME, FAMILIES
from api.wire.deals import DealDetail
from api.wire.trails import AuditTrail, CommandResult
from tests.api.cli.conftest import Run, run_command

OPEN = '{"name": "New deal", "owner": "u-anna", "currency": "USD"}'
AMOUNT = '{"amount": {"amount": "900.00", "currency": "USD"}}'


def recorded(run: Run, *args: str, data: str = "{}") -> CommandResult:
    return run("record", *args, "--data", data, "--format", "json").read(CommandResult)


def test_a_command_is_recorded_and_told(write: Run) -> None:
    result = write("record", "S-1", "add-note", "--data", '{"text": "Call back 周一"}')
    assert result.lines[0].endswith(": note: Call back 周一")
    assert result.lines[1] == "d-rest is at version 4."
    detail = write("show", "S-1", "--format", "json").read(DealDetail)
    assert detail.on_record[-1].what == "note: Call back 周一"


def test_as_json_it_is_the_trail_of_its_events(write: Run) -> None:
    answer = recorded(write, "S-1", "add-note", "--command-id", "c-1", data='{"text": "x"}')
    assert (answer.deal_id, answer.version, answer.repeated) == ("d-rest", 4, False)
    (event,) = answer.events
    assert (event.type, event.source, event.command_id) == ("note-added", "cli", "c-1")
    trail = write("audit", "trail", "S-1", "--format", "json").read(AuditTrail)
    entry = trail.entries[-1]
    assert (entry.leaf is None, event.leaf) == (False, None)
    assert replace(entry, leaf=None) == event


def test_the_local_user_acts_unless_another_is_named(write: Run) -> None:
    (own,) = recorded(write, "S-1", "add-note", data='{"text": "x"}').events
    assert own.actor.id.startswith("local:")
    for setting in (
        ["units", "add", "sales", "Sales"],
        ["users", "grant", "u-anna", "seller", "--unit", "sales"],
        ["users", "grant", "u-ben", "manager", "--unit", "sales"],
        ["users", "grant", "u-mei", "manager", "--unit", "sales"],
    ):
        assert write(*setting).exit_code == 0
    (by_id,) = recorded(write, "--as", "u-ben", "S-1", "add-note", data='{"text": "y"}').events
    assert (by_id.actor.id, by_id.actor.name) == ("u-ben", "Ben Ito")
    (by_name,) = recorded(write, "--as", "梅芳", "S-1", "add-note", data='{"text": "z"}').events
    assert by_name.actor.id == "u-mei"
    assert write("--as", "Sam Roe", "record", "S-1", "add-note").exit_code == 2


def test_a_name_that_two_users_have_cannot_act(write: Run) -> None:
    result = write("--as", "Sam Roe", "record", "S-1", "add-note", "--data", '{"text": "x"}')
    assert result.exit_code == 1
    assert "(ambiguous-user)" in result.stderr


def test_opening_a_deal_gives_it_an_id(write: Run) -> None:
    answer = recorded(write, "new", "open-opportunity", data=OPEN)
    assert len(answer.deal_id) == 36
    assert write("show", answer.deal_id).exit_code == 0
    other = recorded(write, "new", "open-opportunity", data=OPEN)
    assert other.deal_id != answer.deal_id


def test_opening_a_deal_under_an_id_of_ones_own(write: Run) -> None:
    assert recorded(write, "d-9", "open-opportunity", data=OPEN).deal_id == "d-9"
    other = OPEN.replace("New deal", "Another")
    again = write("record", "d-9", "open-opportunity", "--data", other)
    assert again.exit_code == 1
    assert "(deal-already-opened)" in again.stderr


@pytest.mark.parametrize("deal", ["new", "d-9"])
def test_repeating_a_command_id_opens_no_second_deal(write: Run, deal: str) -> None:
    args = (deal, "open-opportunity", "--command-id", "c-1")
    first = recorded(write, *args, data=OPEN)
    again = recorded(write, *args, data=OPEN)
    assert (again.deal_id, again.version, again.repeated) == (first.deal_id, 1, True)
    assert again.events == first.events


def test_a_command_id_with_another_payload_is_refused(write: Run) -> None:
    recorded(write, "S-1", "add-note", "--command-id", "c-1", data='{"text": "x"}')
    again = write("record", "S-1", "add-note", "--command-id", "c-1", "--data", '{"text": "y"}')
    assert again.exit_code == 1
    assert "(command-id-reused)" in again.stderr


def test_what_changes_nothing_records_nothing(write: Run) -> None:
    first = recorded(write, "R-1", "choose-strategy", data='{"strategy": "deepen"}')
    again = write("record", "R-1", "choose-strategy", "--data", '{"strategy": "deepen"}')
    assert again.lines == [f"Nothing changed; d-robot stays at version {first.version}."]


def test_a_refusal_says_code_message_and_what_satisfies_it(write: Run) -> None:
    result = write("record", "E-1", "advance-stage", "--data", '{"to": "P1"}')
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Refused (gate-not-met): the gate of P0 is not met")
    assert "Meet or attest each criterion" in result.stderr


@pytest.mark.parametrize(
    ("deal", "command", "data", "code"),
    [
        ("P-1", "advance-stage", '{"to": "P5"}', "deal-closed"),
        ("E-1", "advance-stage", '{"to": "P9"}', "unknown-stage"),
        ("E-1", "revise-forecast", '{"amount": {"amount": "1", "currency": "EUR"}}',
         "currency-mismatch"),
        ("E-1", "lose-opportunity", '{"outcome": "lost-to-competitor"}', "competitor-missing"),
        ("E-1", "complete-next-step", '{"id": "nope"}', "unknown-reference"),
        ("E-1", "withdraw-event", '{"version": 1, "reason": "x"}', "cannot-withdraw"),
        ("nope", "add-note", '{"text": "x"}', "deal-not-found"),
        ("Mill", "add-note", '{"text": "x"}', "deal-not-found"),
    ],
)  # fmt: skip
def test_refusals(write: Run, deal: str, command: str, data: str, code: str) -> None:
    result = write("record", deal, command, "--data", data)
    assert result.exit_code == 1
    assert f"({code})" in result.stderr


def test_a_day_means_its_end_and_today_means_now(write: Run) -> None:
    past = recorded(write, "R-1", "add-note", "--at", "2026-03-01", data='{"text": "x"}')
    assert past.events[0].occurred_at == "2026-03-01T23:59:59.999999Z"
    today = past.events[0].recorded_at[:10]
    now = recorded(write, "R-1", "add-note", "--at", today, data='{"text": "y"}')
    assert now.events[0].occurred_at[:10] == today
    assert now.events[0].occurred_at <= now.events[0].recorded_at


def test_what_happened_earlier_goes_to_its_time(write: Run) -> None:
    recorded(write, "R-1", "revise-forecast", "--at", "2026-02-02",
             data='{"amount": {"amount": "5", "currency": "JPY"}}')  # fmt: skip
    early = write("show", "R-1", "--as-of", "2026-02-02", "--format", "json").read(DealDetail)
    today = write("show", "R-1", "--format", "json").read(DealDetail)
    assert early.deal.amount is not None
    assert today.deal.amount is not None
    assert (early.deal.amount.amount, today.deal.amount.amount) == ("5", "1200000")


@pytest.mark.parametrize(
    ("time", "exit_code", "complaint"),
    [
        ("2999-01-01", 1, "(in-the-future)"),
        ("2020-01-01", 1, "(before-opening)"),
        ("last week", 2, "is not a time"),
    ],
)
def test_times_that_cannot_be(write: Run, time: str, exit_code: int, complaint: str) -> None:
    result = write("record", "R-1", "add-note", "--at", time, "--data", '{"text": "x"}')
    assert result.exit_code == exit_code
    assert complaint in result.stderr


def test_only_if_the_deal_is_at_a_version(write: Run) -> None:
    note = ("S-1", "add-note", "--if-version")
    assert recorded(write, *note, "3", data='{"text": "x"}').version == 4
    result = write("record", *note, "3", "--data", '{"text": "y"}')
    assert result.exit_code == 1
    assert "(version-conflict)" in result.stderr


def test_data_from_a_file_and_from_standard_input(write: Run, tmp_path: Path) -> None:
    file = tmp_path / "note.json"
    file.write_text('\ufeff{"text": "from a file"}', encoding="utf-8")
    answer = recorded(write, "S-1", "add-note", data=f"@{file}")
    assert answer.events[0].what == "note: from a file"
    result = write("record", "S-1", "add-note", "--data", "-", stdin='{"text": "from stdin"}')
    assert "note: from stdin" in result.lines[0]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        ('{"text": "a", "text": "b"}', "'text' is given more than once"),
        ("[" * 50_000, "--data"),
        ("[]", "Expected `object`"),
        ('{"text": 5}', "text: Expected `str`"),
        ('{"text": ""}', "text: Expected `str` of length >= 1"),
        ('{"txt": "x"}', "unknown field `txt`. The fields of add-note are: text"),
        ("{}", "missing required field `text`"),
        ('{"text": "x", "type": "win-opportunity"}', "type: Invalid value"),
        ('{"text": "\\ud800"}', "--data"),
        ("@/does/not/exist", "No such file"),
        ("@.", "Is a directory"),
        ("@", "Is a directory"),
        ('{"text": "' + "x" * 1_000_001 + '"}', "more than a megabyte"),
    ],
)
def test_data_that_is_no_command_is_a_usage_error(write: Run, data: str, complaint: str) -> None:
    result = write("record", "S-1", "add-note", "--data", data)
    assert result.exit_code == 2
    assert complaint in result.stderr
    assert len(trail_versions(write)) == 3


def trail_versions(run: Run) -> list[int]:
    trail = run("audit", "trail", "S-1", "--format", "json").read(AuditTrail)
    return [entry.version for entry in trail.entries]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ('{"amount": {"amount": "1.234", "currency": "USD"}}', "amount: USD has 2 minor digits"),
        ('{"amount": {"amount": "-1", "currency": "USD"}}', "amount: an amount is not negative"),
        ('{"amount": {"amount": "NaN", "currency": "USD"}}', "amount: an amount is a finite"),
        ('{"amount": {"amount": "1", "currency": "XXX"}}', "amount: 'XXX' is not an ISO 4217"),
        ('{"expected_close": "2026-02-30"}', "expected_close: "),
        ('{"probability": 101}', "probability: Expected `int` <= 100"),
        ('{"category": "sure"}', "category: Invalid enum value 'sure'"),
    ],
)
def test_a_field_that_is_wrong_is_named(write: Run, data: str, complaint: str) -> None:
    result = write("record", "S-1", "revise-forecast", "--data", data)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_bytes_that_are_no_text(write: Run) -> None:
    result = write("record", "S-1", "add-note", "--data", "-", stdin=b'{"text": "\xff"}')
    assert result.exit_code == 2
    assert "not valid JSON" in result.stderr


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ([], "give a deal and a command"),
        (["S-1"], "give a deal and a command"),
        (["S-1", "ad-note"], "Did you mean add-note"),
        (["S-1", "add-note", "--if-version", "-1"], "--if-version"),
        (["S-1", "ad-note", "--help"], "Did you mean add-note"),
        (["ad-note", "--help"], "Did you mean add-note"),
        (["S-1", "zzz", "--help"], "there is no command 'zzz'. See: dealstate record --help"),
    ],
)
def test_careless_arguments_are_usage_errors(write: Run, args: list[str], complaint: str) -> None:
    result = write("record", *args)
    assert result.exit_code == 2
    assert complaint in result.stderr


def test_commands_are_listed_by_family_without_a_store(nowhere: str) -> None:
    listed = run_command("--db", nowhere, "record", "--list").lines
    first = [line.split("  ")[0] for line in listed]
    titles = [FAMILIES["lifecycle"], FAMILIES["corrections"]]
    assert [first[0], first[first.index("withdraw-event") - 2]] == titles
    assert sorted(set(first) & set(BY_NAME)) == sorted(BY_NAME)


@pytest.mark.parametrize("words", [[], ["S-1"]])
def test_a_command_is_explained_without_a_store(nowhere: str, words: list[str]) -> None:
    text = run_command("--db", nowhere, "record", *words, "revise-forecast", "--help").stdout
    assert "Overrides the stage's probability." in text
    assert "whole number from 0 to 100 or null" in text
    assert "Recorded as: forecast-revised" in text
    assert "Usage" not in text


def test_what_stands_inside_a_field_is_explained(nowhere: str) -> None:
    text = run_command("--db", nowhere, "record", "open-negotiation", "-h").stdout
    assert "\nIssue: What is negotiated" in text
    assert text.index("\nIssue: ") < text.index("\nOption: ") < text.index("\nTerm: ")
    assert "Of a number: `days`, `%`, or a currency code" in text


def test_a_right_that_is_needed_is_told(nowhere: str) -> None:
    asked = ["--db", nowhere, "record"]
    assert "Needs the right: erase" in run_command(*asked, "erase-subject", "--help").stdout
    assert "Needs the right" not in run_command(*asked, "add-note", "--help").stdout


@pytest.mark.parametrize("words", [[], ["S-1"], ["S-1", "--data", "{}"]])
def test_the_help_names_every_command(nowhere: str, words: list[str]) -> None:
    told = run_command("--db", nowhere, "record", *words, "--help").stdout
    assert told.startswith("Usage")
    assert [name for name in BY_NAME if name not in told] == []


def test_an_explained_example_can_be_recorded(write: Run) -> None:
    line = write("record", "open-opportunity", "--help").stdout.partition("Example:")[2]
    words = shlex.split(line)
    assert words[:4] == ["dealstate", "record", "new", "open-opportunity"]
    assert recorded(write, "new", "open-opportunity", data=words[5]).version == 1
    assert json.loads(words[5])["currency"] == "USD"


@pytest.mark.parametrize("taken", ["P-1", " d-9", "d\n9"])
def test_a_new_deal_hides_no_other(write: Run, taken: str) -> None:
    before = write("deals", "--format", "csv").stdout
    assert write("record", taken, "open-opportunity", "--data", OPEN).exit_code != 0
    assert write("deals", "--format", "csv").stdout == before


def test_acting_as_nobody_in_particular_is_a_mistake(write: Run) -> None:
    for nobody in ("", " "):
        result = write("--as", nobody, "record", "S-1", "add-note", "--data", '{"text": "x"}')
        assert result.exit_code == 2
        assert "name a user" in result.stderr


def test_erasing_on_one_deal_alone_is_not_recorded(write: Run) -> None:
    refused = write("record", "S-1", "erase-subject", "--data", '{"stakeholder": "li"}')
    assert refused.exit_code == 2
    assert "dealstate erase" in refused.stderr
    assert "/li" in refused.stderr
