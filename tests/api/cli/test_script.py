"""`dealstate record DEAL --script FILE`: a file of commands, one after the other."""

from pathlib import Path

import pytest

from api.cli.script import read_script
from api.wire.trails import AuditTrail, ScriptResult
from tests.api.cli.conftest import Run

NOTES = """\
# What we know from the minutes.
add-note --at 2026-05-04T09:00 --data '{"text": "They called"}'

add-note --at 2026-05-05 --data '{ \\
    "text": "They wrote"}'
"""


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.txt"
    path.write_text(NOTES, encoding="utf-8")
    return path


def test_its_commands_are_recorded_in_order(write: Run, notes: Path) -> None:
    told = write("record", "S-1", "--script", str(notes)).lines
    assert [line.rpartition(": note: ")[2] for line in told[:2]] == ["They called", "They wrote"]
    assert told[2] == "d-rest is at version 5."
    assert "2026-05-04 09:00" in told[0]


def test_recorded_again_it_adds_nothing_and_goes_on_with_what_is_new(
    write: Run, notes: Path
) -> None:
    first = write("record", "S-1", "--script", str(notes), "--format", "json").read(ScriptResult)
    again = write("record", "S-1", "--script", str(notes), "--format", "json").read(ScriptResult)
    assert [one.repeated for one in again.commands] == [True, True]
    assert again.commands[-1].version == first.commands[-1].version
    notes.write_text(NOTES + """add-note --data '{"text": "New"}'\n""", encoding="utf-8")
    more = write("record", "S-1", "--script", str(notes), "--format", "json").read(ScriptResult)
    assert [one.repeated for one in more.commands] == [True, True, False]
    assert more.commands[-1].version == first.commands[-1].version + 1


def test_told_again_it_says_so_in_one_line(write: Run, notes: Path) -> None:
    write("record", "S-1", "--script", str(notes))
    assert write("record", "S-1", "--script", str(notes)).lines == [
        "2 of 2 commands were recorded before.",
        "d-rest is at version 5.",
    ]


def test_the_same_script_tells_of_another_deal_too(write: Run, notes: Path) -> None:
    write("record", "S-1", "--script", str(notes))
    other = write("record", "R-1", "--script", str(notes), "--format", "json").read(ScriptResult)
    assert [one.repeated for one in other.commands] == [False, False]


@pytest.mark.parametrize(
    "args", [("add-note",), ("--data", "{}"), ("--at", "now"), ("--if-version", "1")]
)
def test_beside_a_script_nothing_else_is_said(write: Run, notes: Path, args: tuple[str]) -> None:
    wrong = write("record", "S-1", *args, "--script", str(notes))
    assert wrong.exit_code == 2
    assert "its lines say everything" in wrong.stderr
    alone = write("record", "S-1", "add-note", "--data", '{"text": "x"}', "--source", "minutes")
    assert alone.exit_code == 2
    assert "only a script has a source" in alone.stderr


def test_the_same_line_twice_is_two_commands(write: Run, notes: Path) -> None:
    line = """revise-forecast --at 2026-05-04 --data '{"probability": %s}'\n"""
    notes.write_text(line % 40 + line % 50 + line % 40, encoding="utf-8")
    done = write("record", "S-1", "--script", str(notes), "--format", "json").read(ScriptResult)
    assert [len(one.events) for one in done.commands] == [1, 1, 1]


def test_a_line_that_was_recorded_stays_as_it_is(write: Run, notes: Path) -> None:
    write("record", "S-1", "--script", str(notes))
    notes.write_text(NOTES.replace("They called", "They rang"), encoding="utf-8")
    refused = write("record", "S-1", "--script", str(notes))
    assert refused.exit_code == 1
    assert "Refused (command-id-reused)" in refused.stderr
    assert f"{notes}, line 2, add-note:" in refused.stderr


def test_an_id_tells_nothing_of_what_was_said(notes: Path) -> None:
    ids = []
    for text in ("They called", "They rang"):
        notes.write_text(NOTES.replace("They called", text), encoding="utf-8")
        ids.append([one.command_id for one in read_script(notes, "S-1", None)])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_a_refusal_names_the_line_and_keeps_what_came_before(write: Run, notes: Path) -> None:
    notes.write_text(
        NOTES + 'resume-opportunity\nadd-note --data \'{"text": "After"}\'\n'
        'complete-next-step --data \'{"id": "nothing"}\'\nadd-note\n',
        encoding="utf-8",
    )
    wrong = write("record", "S-1", "--script", str(notes))
    assert wrong.exit_code == 2
    assert f"{notes}, line 9: Object missing required field `text`" in " ".join(
        wrong.stderr.split()
    )
    notes.write_text(notes.read_text("utf-8").removesuffix("add-note\n"), encoding="utf-8")
    refused = write("record", "S-1", "--script", str(notes))
    assert refused.exit_code == 1
    assert f"{notes}, line 8, complete-next-step:" in refused.stderr
    assert "Refused (unknown-reference)" in refused.stderr
    trail = write("audit", "trail", "S-1", "--format", "json").read(AuditTrail)
    assert trail.entries[-1].what == "note: After"


def test_from_another_system_it_was_known_when_it_happened(write: Run, notes: Path) -> None:
    done = write(
        "record", "S-1", "--script", str(notes), "--source", "minutes", "--format", "json"
    ).read(ScriptResult)
    event = done.commands[0].events[0]
    assert event.source == "import:minutes"
    assert event.known_at == event.occurred_at
    assert event.actor.id.startswith("local:")


def test_from_another_system_it_was_done_by_whom_the_script_says(write: Run, notes: Path) -> None:
    notes.write_text("""add-note --as kim --data '{"text": "Heard"}'\n""", encoding="utf-8")
    by_rights = write("record", "S-1", "--script", str(notes))
    assert by_rights.exit_code != 0
    told = ("record", "S-1", "--script", str(notes), "--source", "minutes", "--format", "json")
    (event,) = write(*told).read(ScriptResult).commands[0].events
    assert event.actor.id == "kim"
    assert write("units", "add", "sales", "Sales").exit_code == 0
    assert write("users", "grant", "u-ben", "manager", "--unit", "sales").exit_code == 0
    refused = write("--as", "u-ben", *told)
    assert refused.exit_code == 1
    assert "Refused (not-allowed): u-ben may not record for another system" in refused.stderr


def test_a_script_may_open_the_deal_that_it_tells_of(write: Run, notes: Path) -> None:
    opening = """open-opportunity --data '{"name": "N", "owner": "u-anna", "currency": "USD"}'\n"""
    notes.write_text(opening + """add-note --data '{"text": "x"}'\n""", encoding="utf-8")
    told = write("record", "new", "--script", str(notes), "--format", "json").read(ScriptResult)
    assert [one.version for one in told.commands] == [1, 2]
    assert len({one.deal_id for one in told.commands}) == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ad-note", "there is no command 'ad-note'. Did you mean add-note"),
        ("add-note --when 2026-05-04", "'--when' is no option here; there are --at, --as"),
        ("add-note --data", "--data needs a value"),
        ("add-note --data '{\"text\": 5}'", "text: Expected `str`, got `int`"),
        ('add-note --data \'{"text"', "No closing quotation"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_recorded(
    write: Run, notes: Path, line: str, words: str
) -> None:
    notes.write_text(NOTES + line + "\n", encoding="utf-8")
    wrong = write("record", "S-1", "--script", str(notes))
    assert wrong.exit_code == 2
    told = " ".join(wrong.stderr.split())
    assert f"{notes}, line 6: " in told
    assert words in told
    trail = write("audit", "trail", "S-1", "--format", "json").read(AuditTrail)
    assert not any("They called" in entry.what for entry in trail.entries)


def test_a_script_that_cannot_be_read_is_a_clear_error(write: Run, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfa")
    for path in (tmp_path / "missing", tmp_path / "binary", tmp_path):
        wrong = write("record", "S-1", "--script", str(path))
        assert wrong.exit_code == 2
        assert "cannot read" in wrong.stderr
