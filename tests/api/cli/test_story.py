"""A whole deal through the command line, as docs/story.txt tells it.

From the first word to the signature: a tender, a champion who leaves, a customer
who steps back, a concession on a condition, an approval. What is asserted is what
docs/story.md says of it.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.wire.deals import DealDetail
from api.wire.trails import ScriptResult
from tests.api.cli.conftest import Result, run_command

STORY = Path(__file__).parents[3] / "docs" / "story.txt"
ORGANISATION = (
    ("units", "add", "sales", "Sales"),
    ("users", "add", "anna", "Anna Lindqvist"),
    ("users", "add", "ben", "Ben Oduya"),
    ("users", "add", "mei", "Mei Tanaka"),
    ("users", "grant", "anna", "seller", "--unit", "sales"),
    ("users", "grant", "ben", "seller", "--unit", "sales"),
    ("users", "grant", "mei", "manager", "--unit", "sales"),
)


class Told:
    """A store in which the story was recorded."""

    def __init__(self, directory: Path) -> None:
        self.db = f"sqlite:///{directory / 'story.db'}"
        assert self.run("init").exit_code == 0
        for command in ORGANISATION:
            assert self.run(*command).exit_code == 0
        self.results = self.run(
            "record", "harbour", "--script", str(STORY), "--source", "notes", "--format", "json"
        ).read(ScriptResult)

    def run(self, *args: str) -> Result:
        return run_command("--db", self.db, *args)

    def text(self, *args: str) -> str:
        return "\n".join(self.run(*args).lines)

    def on(self, day: str) -> DealDetail:
        """The deal as it stood at the end of a day."""
        return self.run("show", "harbour", "--as-of", day, "--format", "json").read(DealDetail)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    return Told(tmp_path_factory.mktemp("story"))


def test_every_command_acts(told: Told) -> None:
    assert len(told.results.commands) >= 60
    for result in told.results.commands:
        assert result.events
        assert not result.repeated


def test_no_gate_is_overridden(told: Told) -> None:
    moves = [
        event.what
        for result in told.results.commands
        for event in result.events
        if event.type == "stage-advanced"
    ]
    assert [re.findall(r"P\d", what) for what in moves] == [
        ["P0", "P1"],
        ["P1", "P2"],
        ["P2", "P3"],
        ["P3", "P4"],
        ["P3", "P4"],
        ["P4", "P5"],
        ["P5", "P6"],
        ["P6", "P7"],
    ]
    assert all("gate met" in what for what in moves)


def test_the_champion_leaves_and_the_gate_says_what_is_missing(told: Told) -> None:
    assert told.on("2026-04-13").deal.stage == "P4"
    assert told.on("2026-04-20").deal.stage == "P3"
    gate = told.text("gate", "harbour", "--as-of", "2026-04-21")
    assert "To leave P3: 5 of 6 met" in gate
    assert "assess-stakeholder with attitude supporter or champion" in gate
    before = told.text("map", "harbour", "--as-of", "2026-04-13")
    after = told.text("map", "harbour", "--as-of", "2026-04-21")
    assert "left 2026-04-14" not in before
    assert "left 2026-04-14" in after


@pytest.mark.parametrize(
    ("day", "phases"),
    [
        ("2026-03-03", None),
        ("2026-03-12", 1),
        ("2026-03-20", 0),
        ("2026-04-21", 2),
        ("2026-05-20", 0),
        ("2026-11-01", None),
    ],
)
def test_our_stage_runs_ahead_of_the_customer_and_is_caught_up(
    told: Told, day: str, phases: int | None
) -> None:
    assert told.on(day).alignment == phases


def test_past_the_walk_away_needs_an_approval_and_the_concession_carries_it(told: Told) -> None:
    negotiation = told.text("negotiation", "harbour")
    assert "was past our walk-away, approved by version" in negotiation
    assert "A reference visit for two other ports (fulfilled)" in negotiation
    assert "agreed 2026-09-01" in negotiation


def test_without_the_approval_the_offer_is_refused(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'other.db'}"
    lines = STORY.read_text("utf-8")
    grant = re.compile(r"^grant-approval(?:.*\\\n)*.*\n", re.MULTILINE)
    assert len(grant.findall(lines)) == 1
    script = tmp_path / "story.txt"
    script.write_text(grant.sub("", lines), encoding="utf-8")
    for command in (("init",), *ORGANISATION):
        assert run_command("--db", store, *command).exit_code == 0
    refused = run_command("--db", store, "record", "harbour", "--script", str(script))
    assert refused.exit_code == 1
    assert "Refused (approval-missing)" in refused.stderr
    assert "make-offer:" in refused.stderr


def test_it_ends_signed_and_delivered(told: Told) -> None:
    deal = told.on("2026-11-01")
    assert deal.deal.status == "won"
    assert deal.deal.stage == "P7"
    assert deal.deal.amount is not None
    assert deal.deal.amount.amount == "1095000.00"


def test_it_was_known_as_it_happened(told: Told) -> None:
    replay = told.text("replay", "harbour")
    assert "[known" not in replay
    assert "122 moves over 273 days" in replay


def test_told_again_it_adds_nothing(told: Told) -> None:
    again = told.run(
        "record", "harbour", "--script", str(STORY), "--source", "notes", "--format", "json"
    ).read(ScriptResult)
    assert all(result.repeated for result in again.commands)
    assert again.commands[-1].version == told.results.commands[-1].version


def test_the_story_lies_in_the_past() -> None:
    days = re.findall(r"--at (\d{4}-\d\d-\d\d)", STORY.read_text("utf-8"))
    assert days == sorted(days)
    assert datetime.fromisoformat(days[-1]).replace(tzinfo=UTC) < datetime(2026, 11, 1, tzinfo=UTC)
