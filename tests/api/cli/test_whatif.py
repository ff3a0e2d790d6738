"""`dealstate whatif`: other events on a deal, another process for all of them."""

from pathlib import Path

import msgspec
import pytest

from api.cli.whatif import paired
from api.wire.moves import Replay
from api.wire.pipelines import Pipeline
from api.wire.whatif import Became, ProcessTrial, WhatIf
from tests.api.cli.conftest import Run
from tests.house.measures import REPOSITORY

KEY_ACCOUNT = (REPOSITORY / "domain" / "processes" / "key-account.toml").read_text("utf-8")
NOTE = '{"type": "note-added", "text": "A call.", "occurred_at": "2026-03-02"}'


def varied(run: Run, *args: str) -> WhatIf:
    return run("whatif", "--format", "json", *args).read(WhatIf)


# One deal.


def test_without_edits_it_is_the_replay(run: Run) -> None:
    answer = varied(run, "P-1", "--at", "4")
    replayed = run("replay", "P-1", "--format", "json").read(Replay)
    assert [frame.original for frame in answer.frames] == replayed.moves
    assert [frame.variation for frame in answer.frames] == replayed.moves
    assert answer.original == answer.variation
    assert answer.original.deal == replayed.deal
    assert (answer.original.findings, answer.at) == (replayed.findings, 4)
    assert (answer.inadmissible, answer.finding_changes) == ([], [])
    assert "No move differs." in run("whatif", "P-1", "--at", "4").lines


def test_dropped_changed_and_inserted(run: Run) -> None:
    edits = ("--drop", "10", "--set", "5", '{"probability": 60}', "--insert", NOTE)
    answer = varied(run, "P-1", "--at", "5", *edits)
    assert {f.version: f.edit for f in answer.frames if f.edit} == {
        5: "changed",
        11: "inserted",
        10: "dropped",
    }
    assert (answer.original.deal.status, answer.variation.deal.status) == ("lost", "open")
    assert (answer.original.deal.probability, answer.variation.deal.probability) == (0, 60)
    frame = next(f for f in answer.frames if f.version == 9)
    assert frame.differs == ["probability"]


def test_it_is_told_in_words(run: Run) -> None:
    edits = ("--drop", "10", "--set", "5", '{"probability": 60}', "--insert", NOTE)
    lines = run("whatif", "P-1", "--at", "5", *edits).lines
    assert lines[0] == "Press line 压机  (P-1), now, forked at version 5"
    told = "\n".join(" ".join(line.split()) for line in lines)
    assert "5 2026-02-10 09:00 changed" in told
    assert "win probability 20 % → 60 %" in told
    assert "11 2026-03-02 inserted note: A call." in told
    assert "10 2026-05-04 09:00 dropped lost" in told
    assert "original lost (lost-to-competitor) on 2026-05-04 in P1, 1,054 USD" in told
    assert "variation open in P1, 1,054 USD, win probability 60 %, closes 2026-04-30" in told


def test_what_is_no_longer_admissible(run: Run) -> None:
    late = '{"type": "forecast-revised", "probability": 5, "occurred_at": "2026-05-05"}'
    [listed] = varied(run, "P-1", "--at", "5", "--insert", late).inadmissible
    assert (listed.version, listed.type, listed.code) == (11, "forecast-revised", "deal-closed")
    assert listed.satisfied_by
    assert not listed.dropped
    strict = varied(run, "P-1", "--at", "5", "--insert", late, "--strict")
    assert [one.dropped for one in strict.inadmissible] == [True]
    assert 11 not in {frame.version for frame in strict.frames}
    told = " ".join(run("whatif", "P-1", "--at", "5", "--insert", late).stdout.split())
    assert "No longer admissible" in told
    assert "11 stays probability set to 5 % deal-closed" in told


def test_findings_that_change(run: Run) -> None:
    skipping = (
        '{"type": "stage-advanced", "from": "P1", "to": "P3", "skipped": ["P2"],'
        ' "occurred_at": "2026-04-01"}'
    )
    answer = varied(run, "P-1", "--at", "5", "--insert", skipping)
    appeared = [
        one.variation.rule
        for one in answer.finding_changes
        if one.change is Became.APPEARED and one.variation
    ]
    assert "gate-skipped" in appeared
    told = run("whatif", "P-1", "--at", "5", "--insert", skipping).stdout
    assert "Found in the variation alone:" in told
    assert "gate-skipped" in told
    assert "stages-skipped" in told


def test_as_it_was_known_then(run: Run) -> None:
    moment = ("--as-of", "2026-03-15", "--known-at", "2026-02-16")
    answer = varied(run, "P-1", "--at", "5", "--drop", "6", *moment)
    assert [frame.version for frame in answer.frames] == [1, 2, 3, 4, 5, 6]
    assert answer.as_of.startswith("2026-03-15")


def test_support_that_differs_by_level_is_no_crash(write: Run) -> None:
    """What has no words of its own in the table is left out of it."""
    for command, data in (
        ("identify-stakeholder", '{"id": "li", "name": "Li Wei", "level": "top"}'),
        ("assess-stakeholder", '{"stakeholder": "li", "influence": 3, "attitude": "champion"}'),
        ("plan-next-step", '{"id": "call", "what": "Call Li Wei.", "owner": "u-anna"}'),
    ):
        done = write("record", "R-1", command, "--data", data)
        assert done.exit_code == 0, done.stderr
    assessed = max(f.version for f in varied(write, "R-1", "--at", "1").frames) - 1
    edits = ("R-1", "--at", "1", "--drop", str(assessed))
    differing = {one for frame in varied(write, *edits).frames for one in frame.differs}
    assert {"support", "support_by_level"} <= differing
    told = write("whatif", *edits)
    assert told.exit_code == 0, told.stderr
    assert any("support 6 → 0" in " ".join(line.split()) for line in told.lines)


def test_nothing_is_stored(write: Run) -> None:
    before = write("replay", "P-1", "--format", "json").stdout
    varied(write, "P-1", "--at", "5", "--drop", "10", "--insert", NOTE)
    after = write("replay", "P-1", "--format", "json").stdout
    assert msgspec.json.decode(before)["moves"] == msgspec.json.decode(after)["moves"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--at", "99"], "'--at': the deal has no version 99; its versions are 1 to 10"),
        (["--at", "6"], "'--at': version 6 does not stand"),
        (["--at", "5", "--drop", "99"], "'--drop': the deal has no version 99"),
        (["--at", "5", "--drop", "3"], "'--drop': version 3 stands before the fork at version 5"),
        (["--at", "5", "--set", "5", "{"], "'--set': '{' is not a JSON object"),
        (["--at", "5", "--set", "5", "[1]"], "'--set': '[1]' is not a JSON object"),
        (["--at", "5", "--set", "five", "{}"], "'--set': 'five' is not a version"),
        (["--at", "5", "--set", "5"], "'--set': give a version and JSON"),
        (["--at", "5", "--set", "5", '{"probability": 101}'], "version 5, forecast-revised"),
        (["--at", "5", "--set", "5", "{}", "--set", "5", "{}"], "version 5 is changed twice"),
        (["--at", "5", "--insert", "nonsense"], "'--insert': 'nonsense' is not a JSON object"),
        (["--at", "5", "--insert", '{"type": "note-added", "text": "x"}'], "occurred_at has to"),
        (["--at", "5", "--insert", NOTE.replace("2026-03-02", "soon")], "occurred_at: "),
        (["--at", "5", "--insert", NOTE.replace("note-added", "note")], "Invalid value 'note'"),
        (["--at", "5", "--insert", NOTE.replace("2026", "2025")], "lies before the fork"),
        (["--at", "5", "--insert", NOTE.replace("2026", "2999")], "lies behind the moment"),
        ([], "name a DEAL and --at"),
        (["--at", "0"], "--at"),
        (["--at", "5", "--format", "csv"], "--format"),
    ],
)
def test_what_cannot_be_varied_is_a_usage_error(run: Run, args: list[str], words: str) -> None:
    result = run("whatif", "P-1", *args)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_the_opening_is_refused(run: Run) -> None:
    result = run("whatif", "P-1", "--at", "1", "--drop", "1")
    assert result.exit_code == 1
    assert "Refused (cannot-withdraw): version 1, opportunity-opened, stands" in result.stderr


def test_an_unknown_deal_is_not_found(run: Run) -> None:
    result = run("whatif", "nope", "--at", "1")
    assert result.exit_code == 1
    assert "(deal-not-found)" in result.stderr


def test_two_words_behind_set_are_one() -> None:
    assert paired(["P-1", "--set", "5", "{}", "--at", "1"]) == ["P-1", "--set", "5 {}", "--at", "1"]
    assert paired(["--", "--set", "5", "{}"]) == ["--", "--set", "5", "{}"]


# Another process.


@pytest.fixture
def easier(tmp_path: Path) -> str:
    """`key-account` as version 2: P0 brings 40 per cent, and there is no P1."""
    stages = KEY_ACCOUNT.split("[[stages]]\n")
    left = [one for one in stages if 'id = "P1"' not in one]
    assert len(left) == len(stages) - 1
    text = "[[stages]]\n".join(left).replace("version = 1", "version = 2", 1)
    file = tmp_path / "easier.toml"
    file.write_text(text.replace("probability = 10", "probability = 40", 1), "utf-8")
    return str(file)


def test_another_process(run: Run, easier: str) -> None:
    answer = run("whatif", "--process", easier, "--format", "json").read(ProcessTrial)
    assert (answer.process, answer.deals, answer.other_process) == ("key-account/2", 6, 0)
    assert [(m.reference, m.from_, m.to, m.new) for m in answer.moves] == [
        ("P-1", "P0", "P1", None)
    ]
    assert [(one.stage, one.deals) for one in answer.unknown_stages] == [("P1", 3)]
    forecast = {one.reference: one for one in answer.forecast}
    assert set(forecast) == {"E-1", "R-1", "M-2"}
    assert (forecast["E-1"].old_probability, forecast["E-1"].new_probability) == (10, 40)
    assert (forecast["M-2"].old_probability, forecast["M-2"].new_probability) == (20, None)
    assert forecast["R-1"].old_weighted_amount.amount == "300000.00"


def test_the_old_forecast_is_that_of_the_pipeline(run: Run, easier: str) -> None:
    moment = ("--as-of", "2026-02-20", "--format", "json")
    answer = run("whatif", "--process", easier, *moment).read(ProcessTrial)
    pipeline = run("pipeline", *moment).read(Pipeline)
    assert {total.currency: total.old_weighted_amount for total in answer.totals} == {
        total.currency: total.open_weighted_amount for total in pipeline.totals if total.open
    }
    assert len(answer.totals) == 3


def test_another_process_is_told_in_words(run: Run, easier: str) -> None:
    lines = [" ".join(line.split()) for line in run("whatif", "--process", easier).lines]
    assert lines[0] == "key-account/2 on 6 deals, now"
    assert "Of 1 moves forward, 1 needed an override, and 0 would have needed one." in lines
    assert "P-1 4 2026-02-02 P0 → P1 override no such stage" in lines
    assert "P1 3" in lines
    assert any(line.startswith("E-1 P0 – 10 % 40 %") for line in lines)


def test_a_process_that_no_deal_runs_under(run: Run) -> None:
    file = REPOSITORY / "domain" / "processes" / "five-step.toml"
    lines = run("whatif", "--process", str(file)).lines
    assert lines[:2] == [
        "five-step/1 on 0 deals, now",
        "Left out: 6 deals under another process.",
    ]


def test_a_file_that_is_no_process(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("id = 3\n", "utf-8")
    result = run("whatif", "--process", str(file))
    assert result.exit_code == 2
    assert "version is missing" in result.stderr
    assert run("whatif", "--process", str(tmp_path / "none.toml")).exit_code == 2
    assert run("whatif", "P-1", "--process", str(file)).exit_code == 2


def test_who_may_not_read_all_deals_is_refused(write: Run, easier: str) -> None:
    assert write("units", "add", "sales", "Sales").exit_code == 0
    assert write("users", "grant", "u-ben", "seller", "--unit", "sales").exit_code == 0
    result = write("--as", "u-ben", "whatif", "--process", easier)
    assert result.exit_code == 1
    assert "(not-allowed)" in result.stderr
