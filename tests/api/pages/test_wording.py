"""The words of a post-mortem: what it says where little is on record, and how it reads a curve."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from html import unescape
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest

from api.pages.language import Language
from api.pages.likeness import comparison
from api.pages.postmortem import html, markdown
from api.queries.instants import Instants
from api.queries.postmortems import postmortem_of
from api.queries.views import open_view
from api.wire.chances import Estimate
from api.wire.comparisons import Comparison, Place
from api.wire.moves import TurningPoint
from api.wire.postmortems import PostMortem
from api.workspace import Workspace
from domain.access import Action, Principal, Role
from domain.deal import DealFact
from domain.lifecycle.facts import LostOutcome, NoteAdded, OpportunityLost, OpportunityOpened
from domain.needs.facts import NeedUncovered
from domain.people.facts import BuyingRole, ContactKind, ContactMade, Level, StakeholderIdentified
from projections.findings import Weight
from projections.findings.book import BOOK
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.small_store import PROCESS, on

OPERATOR = Principal("op", frozenset({Role.OPERATOR}))
UTC_ZONE = ZoneInfo("UTC")
OPENED = OpportunityOpened("Press line", process=PROCESS, stage="P2", currency="USD", owner="ann")
NOTES: Sequence[DealFact] = tuple(NoteAdded(f"note {number}") for number in range(1, 6))
LOST: Sequence[DealFact] = (
    OPENED,
    StakeholderIdentified("li", "Li", level=Level.TOP, roles=(BuyingRole.DECISION_MAKER,)),
    NeedUncovered("n-1", "The cell stands still."),
    ContactMade("c-1", ContactKind.DEMO, ("li",)),
    *NOTES,
    OpportunityLost(LostOutcome.UNKNOWN),
)
DEALS = {
    "lost": LOST,
    "thin": (OPENED, OpportunityLost(LostOutcome.UNKNOWN)),
    "unnamed": (OPENED, OpportunityLost(LostOutcome.LOST_TO_COMPETITOR, "unknown")),
    "new": (OPENED,),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PostMortem]:
    location = Location.beside(tmp_path_factory.mktemp("words") / "deals.db")
    with DealLog.create(location) as log:
        for deal_id, facts in DEALS.items():
            drafts = [on(f"2026-03-{day:02}", fact) for day, fact in enumerate(facts, start=2)]
            log.append([Batch(f"deal:{deal_id}", 0, drafts)])
    at = Instants(datetime(2026, 3, 12, tzinfo=UTC), None)
    with Workspace.open(location) as store:
        return {
            deal_id: postmortem_of(open_view(store, OPERATOR, Action.READ, deal_id), at)
            for deal_id in DEALS
        }


def judged(report: PostMortem, percents: Sequence[float | None]) -> PostMortem:
    """The same with these estimates, from the first move on, and a point for each far fall."""
    padded = [*percents, *[None] * (len(report.moves) - len(percents))]
    moves = [
        msgspec.structs.replace(
            move, estimate=None if p is None else Estimate(p, p - 5, p + 5, 120, move.at)
        )
        for move, p in zip(report.moves, padded, strict=True)
    ]
    falls = [
        (index, before, after)
        for index, (before, after) in enumerate(pairwise(padded), start=1)
        if before is not None and after is not None and before - after >= 10
    ]
    points = [
        TurningPoint(
            number=number,
            move=moves[index].number,
            version=moves[index].version,
            at=moves[index].at,
            what=moves[index].what,
            estimate_before=before,
            estimate_after=after,
            findings=[],
        )
        for number, (index, before, after) in enumerate(falls, start=1)
    ]
    known = [(p, -i) for i, p in enumerate(padded) if p is not None]
    return msgspec.structs.replace(
        report,
        moves=moves,
        turning_points=points,
        main_turning_points=[point.number for point in points],
        best_move=moves[-max(known)[1]].number if known else None,
    )


def text(report: PostMortem) -> str:
    return markdown(report, UTC_ZONE)


# What little is on record.


def test_a_loss_that_nobody_explained_is_a_loss(told: dict[str, PostMortem]) -> None:
    shown = text(told["thin"])
    assert "**Lost (unknown)**" in shown
    assert "Lost, nobody recorded how, on 2026-03-03, after 1 day;" in shown
    assert '<span class="badge lost">Lost (unknown)</span>' in html(told["thin"], UTC_ZONE)
    assert "Lost to a competitor that nobody named on 2026-03-03" in text(told["unnamed"])


def test_nothing_found_is_no_praise_where_rules_could_not_tell(
    told: dict[str, PostMortem],
) -> None:
    bare = msgspec.structs.replace(
        told["thin"], findings=[], turning_points=[], main_turning_points=[]
    )
    blind = len(bare.not_assessable)
    assert 0 < blind < len(BOOK)
    unseen = (
        f"No mistake was found by the rules that could tell ({blind} of {len(BOOK)} could not)."
        " Nobody of the customer's people is on record, so that says little."
    )
    for shown in (unescape(html(bare, UTC_ZONE)), text(bare).replace("\\", "")):
        assert f"No move stands out, and there is no estimate. {unseen}" in shown
        assert shown.count(unseen) == 1
        assert "Nothing." in shown
    seen = judged(msgspec.structs.replace(bare, not_assessable=[]), [50.0, None])
    known = msgspec.structs.replace(seen, map_at_the_end=told["lost"].map_at_the_end)
    assert (
        "No move stands out, and the estimate never fell by 10 points."
        " In what is on record no mistake was found.\n"
    ) in text(known)
    assert "that says little" in text(seen)
    fell = judged(bare, [50.0, 30.0])
    assert f"Nothing. {unseen}" in text(fell).replace("\\", "")
    assert "No move stands out" not in text(fell)


def test_only_notes_are_no_mistakes(told: dict[str, PostMortem]) -> None:
    note = msgspec.structs.replace(told["lost"].findings[0], weight=Weight.NOTE)
    noted = msgspec.structs.replace(
        told["lost"], findings=[note], turning_points=[], main_turning_points=[]
    )
    assert "No mistake was found by the rules" in text(noted)
    assert "Nothing." not in text(noted)


# The curve, read.


@pytest.mark.parametrize(
    ("percents", "sentence"),
    [
        ([50, 70, 40, 45, 40, 30, 45, 45, 45],
         "fell furthest on 2026-03-04, from 70 to 40 %, and never came back."),
        ([50, 70, 40, 75, 60, 60, 60, 60, 60],
         ("fell furthest on 2026-03-04, from 70 to 40 %, and came back; the last fall from which it"
         " never came back was on 2026-03-06, from 75 to 60 %.")),
        ([50, 90, 40, 75, 60, 60, 60, 60, 60],
         ("fell furthest on 2026-03-04, from 90 to 40 %; the last fall from which it never came"
          " back was on 2026-03-06, from 75 to 60 %.")),
        ([50, 70, 40, 75, 76, 76, 76, 76, 76],
         "fell furthest on 2026-03-04, from 70 to 40 %, and came back."),
    ],
)  # fmt: skip
def test_the_verdict_tells_the_last_fall_that_was_not_made_good(
    told: dict[str, PostMortem], percents: Sequence[float], sentence: str
) -> None:
    assert f"The chance {sentence}" in text(judged(told["lost"], percents))


def test_of_a_deal_that_runs_it_tells_that_the_chance_is_not_back(
    told: dict[str, PostMortem],
) -> None:
    lost = told["lost"]
    running = msgspec.structs.replace(lost, deal=told["new"].deal)
    assert "from 70 to 40 %, and has not come back." in text(judged(running, [50, 70, 40, 40]))


def test_it_stood_best_only_where_most_of_it_was_estimated(told: dict[str, PostMortem]) -> None:
    lost = told["lost"]
    most = judged(lost, [None, None, None, None, 50, 60, 60, 60, 60])
    assert "It stood best on 2026-03-07, with a chance of 60 %." in text(most)
    few = judged(lost, [None, None, None, None, None, 50, 60, 60, 60])
    assert "It stood best" not in text(few)
    assert "Estimates begin on 2026-03-07." in text(few)


def test_a_fall_after_quiet_days_is_told_as_one_of_the_silence(
    told: dict[str, PostMortem],
) -> None:
    report = judged(told["lost"], [50, 70, 40])
    moves = [msgspec.structs.replace(move, days_since_last_move=15) for move in report.moves]
    quiet = msgspec.structs.replace(report, moves=moves)
    told_so = ", after 15 days without a move: the chance had fallen from 70 to 40 %; then: "
    assert f"**2026-03-04**{told_so}" in text(quiet)
    assert f"<b>2026-03-04</b>{told_so}" in html(quiet, UTC_ZONE)
    assert "**2026-03-04**, the chance falls from 70 to 40 %: " in text(report)


# Findings, and what they cite.


def test_findings_and_turning_points_cite_versions(told: dict[str, PostMortem]) -> None:
    report = told["lost"]
    [point] = [one for one in report.turning_points if one.findings]
    finding = report.findings[point.findings[0]]
    cited = finding.evidence
    assert cited
    page = html(report, UTC_ZONE)
    links = ", ".join(f'<a href="#v{one}">{one}</a>' for one in cited)
    assert f"{finding.rule}, by version{'s' if len(cited) > 1 else ''} {links}" in page
    assert f'<a class="version" href="#v{point.version}">version {point.version}</a>' in page
    for one in (*cited, point.version):
        assert page.count(f'id="v{one}"') == 1
    shown = text(report)
    assert f"by version{'s' if len(cited) > 1 else ''} {', '.join(map(str, cited))})" in shown
    assert "| # | version | on |" in shown


def test_a_finding_of_another_day_tells_its_own(told: dict[str, PostMortem]) -> None:
    report = told["lost"]
    [point] = [one for one in report.turning_points if one.findings]
    number = point.findings[0]
    finding = report.findings[number]
    assert f"   - ? {finding.sentence.en}" in text(report)
    later = msgspec.structs.replace(finding, since="2026-03-11T00:00:00Z")
    found = [*report.findings[:number], later, *report.findings[number + 1 :]]
    assert f"   - ? 2026-03-11: {finding.sentence.en}" in text(
        msgspec.structs.replace(report, findings=found)
    )


def test_one_language_unless_both_are_wanted(told: dict[str, PostMortem]) -> None:
    report = told["lost"]
    words = [*(one.sentence for one in report.findings), *(one.words for one in report.lessons)]
    for wanted, english, chinese in (
        (Language.EN, True, False),
        (Language.ZH, False, True),
        (Language.BOTH, True, True),
    ):
        for shown in (
            html(report, UTC_ZONE, language=wanted),
            markdown(report, UTC_ZONE, language=wanted),
        ):
            for one in words:
                assert one.zh
                assert (one.en in shown, one.zh in shown) == (english, chinese)
    assert text(report) == markdown(report, UTC_ZONE, language=Language.EN)


# The comparison.


def place(indicator: str, value: float, median: float, percentile: float = 90) -> Place:
    return Place(indicator, value, median, percentile, 20)


def rows(*places: Place) -> list[list[str]]:
    found = Comparison(
        move=1,
        at="2026-03-04T00:00:00Z",
        boundary="2026-03-01T00:00:00Z",
        won=20,
        matched_on=[],
        relaxed=[],
        places=list(places),
    )
    shown: list[list[str]] = comparison(found, date(2026, 3, 4).isoformat())["rows"]
    return shown


@pytest.mark.parametrize(
    ("indicator", "value", "median", "shown"),
    [
        ("days-in-stage", 1, 12.5, ("1 day", "12.5 days")),
        ("process-probability", 30, 50, ("30 %", "50 %")),
        ("gate-met", 0.25, 1, ("25 %", "100 %")),
        ("amount-growth", 0.182, 0, ("+20 %", "unchanged")),
        ("position", -1, 0.5, ("lagging", "level to leading")),
        ("criteria-status", -1, 1, ("with a competitor", "with us")),
        ("tender", 1, 0, ("yes", "no")),
        ("alignment", -2, 1, ("2 phases behind", "1 phase ahead")),
        ("contacts", 1200, 3, ("1,200", "3")),
    ],
)
def test_the_comparison_tells_units_and_names(
    indicator: str, value: float, median: float, shown: tuple[str, str]
) -> None:
    [row] = rows(place(indicator, value, median))
    assert tuple(row[1:3]) == shown


def test_the_comparison_leaves_out_what_does_not_differ() -> None:
    shown = rows(*(place(f"i{p}", 1, 2, p) for p in (34.9, 35, 50, 65, 65.1, 99)))
    assert [row[0] for row in shown] == ["i99", "i34.9", "i65.1"]
    assert rows(place("support", 1, 1, 50)) == []
