"""`dealstate postmortem`: as Markdown, HTML and JSON."""

from pathlib import Path

import pytest

from api.wire.postmortems import PostMortem
from tests.api.cli.conftest import Run


@pytest.fixture
def lost(write: Run) -> Run:
    """R-1, lost to a competitor, with somebody met, a mistake, a reason and a debrief."""
    for command, data in {
        "identify-stakeholder": '{"id": "li", "name": "Li Wei", "level": "top",'
        ' "roles": ["decision-maker"]}',
        "uncover-need": '{"id": "n-1", "statement": "The cell stands still."}',
        "record-contact": '{"id": "c-1", "kind": "demo", "their_people": ["li"]}',
        "identify-competitor": '{"id": "globex", "name": "Globex | Co"}',
        "lose-opportunity": '{"outcome": "lost-to-competitor", "competitor": "globex"}',
        "record-outcome-reason": '{"told_by": "buyer", "driver": "price",'
        ' "text": "Too <b>dear</b>"}',
        "record-debrief": '{"lessons": ["Ask before showing"]}',
    }.items():
        assert write("record", "R-1", command, "--data", data).exit_code == 0
    return write


def test_it_tells_where_it_turned_and_why(lost: Run) -> None:
    report = lost("postmortem", "R-1", "--format", "json").read(PostMortem)
    assert (report.lost_to, report.furthest_stage) == ("Globex | Co", "P2")
    [reason] = report.reasons
    assert (reason.told_by, reason.driver, reason.text) == ("buyer", "price", "Too <b>dear</b>")
    [point] = report.turning_points
    demo = next(move for move in report.moves if move.type == "contact-made")
    assert (point.number, point.version, point.estimate_before) == (1, demo.version, None)
    begun = {report.findings[number].rule for number in point.findings}
    assert begun == {"solution-too-early"}
    assert (report.main_turning_points, report.point_of_no_return) == ([1], None)
    assert [person.id for person in report.map_at_the_end.people] == ["li"]
    assert report.comparison is not None
    assert report.comparison.places == []
    debrief, practice = report.lessons
    assert (debrief.source, debrief.words.en) == ("debrief", "Ask before showing")
    assert (practice.source, practice.rules) == ("practice", ["solution-too-early"])
    assert practice.words.zh


def test_as_markdown_text_stays_text(lost: Run) -> None:
    text = lost("postmortem", "R-1").stdout
    assert text.startswith("# 机器人工作站: post-mortem\n")
    assert r"Lost to Globex \| Co on " in text
    assert r"| buyer | price | Too &lt;b\>dear&lt;/b\> |" in text
    assert "We showed a solution (" in text
    assert "| 5 | 5 | " in text


def test_in_which_language_is_asked_for(lost: Run) -> None:
    report = lost("postmortem", "R-1", "--format", "json").read(PostMortem)
    practice = report.lessons[-1].words
    assert practice.zh
    for language, seen in {"en": (True, False), "zh": (False, True), "both": (True, True)}.items():
        text = lost("postmortem", "R-1", "--language", language).stdout
        assert (practice.en in text, practice.zh in text) == seen
    assert practice.zh not in lost("postmortem", "R-1").stdout
    assert lost("postmortem", "R-1", "--language", "fr").exit_code == 2


def test_as_html_it_needs_nothing_beside_it(lost: Run, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    assert lost("postmortem", "R-1", "-o", str(page)).exit_code == 0
    html = page.read_text("utf-8")
    assert html.count("<svg") == 4
    assert "Too &lt;b&gt;dear&lt;/b&gt;" in html
    for loaded in ("src=", "@import", "url(http", "<script", "<link"):
        assert loaded not in html
    assert lost("postmortem", "R-1", "-o", str(page)).exit_code == 1
    assert page.read_text("utf-8") == html


def test_a_deal_of_hostile_names_and_nothing_else(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    run("postmortem", "E-1", "-o", str(page))
    html = page.read_text("utf-8")
    assert "Nothing." in html
    assert "\x1b" not in html


def test_then_it_is_the_deal_of_then(lost: Run) -> None:
    report = lost("postmortem", "R-1", "--as-of", "2026-02-04", "--format", "json").read(PostMortem)
    assert (report.deal.status.value, report.lost_to, report.reasons) == ("open", None, [])
    assert (report.turning_points, report.lessons) == ([], [])


@pytest.mark.parametrize("name", ["r.pdf", "r"])
def test_an_unknown_ending_is_a_usage_error(run: Run, tmp_path: Path, name: str) -> None:
    result = run("postmortem", "P-1", "-o", str(tmp_path / name))
    assert result.exit_code == 2
    assert ".html, .md or .json" in result.stderr
    assert list(tmp_path.iterdir()) == []
