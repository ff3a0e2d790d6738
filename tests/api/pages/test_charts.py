"""Charts: each is drawn as well-formed SVG that loads and runs nothing, whatever a deal holds."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

import msgspec
import pytest

from api.pages.charts.contacts import contacts
from api.pages.charts.curve import curve
from api.pages.charts.ladder import ladder
from api.pages.charts.negotiation import negotiation
from api.pages.charts.people import people
from api.pages.charts.render import svg
from api.pages.charts.style import Spec
from api.queries.instants import Instants
from api.queries.postmortems import postmortem_of
from api.queries.views import open_view
from api.wire.chances import Estimate
from api.wire.postmortems import PostMortem
from api.workspace import Workspace
from domain.access import Action, Principal, Role
from domain.buying.facts import BuyingPhaseObserved
from domain.deal import DealFact
from domain.lifecycle.facts import NoteAdded, OpportunityOpened
from domain.negotiation.facts import Issue, IssueKind, NegotiationOpened, OfferMade, Option, Term
from domain.people.facts import (
    Attitude,
    BuyingRole,
    ContactKind,
    ContactMade,
    Level,
    RelationKind,
    RelationRecorded,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
)
from domain.process import BuyingPhase
from domain.values import Party
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api import talks
from tests.api.small_store import PROCESS, on

OPERATOR = Principal("op", frozenset({Role.OPERATOR}))
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script>&\"' ]]> \x1b[31m\u202e<image href='//evil.example'>"

OPENED = OpportunityOpened("Press line", process=PROCESS, stage="P3", currency="USD", owner="ann")
CROWD: Sequence[DealFact] = (
    OPENED,
    StakeholderIdentified("boss", HOSTILE, level=Level.TOP, roles=(BuyingRole.DECISION_MAKER,)),
    StakeholderIdentified("li", "李伟 | Li", level=Level.MIDDLE, reports_to="boss"),
    StakeholderIdentified("eve", "Eve", roles=(BuyingRole.USER, BuyingRole.PURCHASER)),
    StakeholderAssessed("boss", influence=5, attitude=Attitude.OPPONENT),
    RelationRecorded("li", "boss", RelationKind.INFLUENCES),
    ContactMade("c-1", ContactKind.VISIT, ("li", "eve")),
    BuyingPhaseObserved(BuyingPhase.MEASUREMENT, stakeholder="li"),
    StakeholderDeparted("eve"),
)
OPTIONS: Sequence[DealFact] = (
    OPENED,
    NegotiationOpened(
        "main",
        (Issue("way", IssueKind.DELIVERY, options=(Option("1", "1"), Option("road", "0.5"))),),
    ),
    OfferMade("o1", "main", Party.US, 1, (Term("way", "1"),)),
)
HOSTILE_TALKS: Sequence[DealFact] = (
    OPENED,
    NegotiationOpened("main", (Issue(HOSTILE, IssueKind.SERVICE_FREE, unit=HOSTILE),)),
    OfferMade("o1", "main", Party.US, 1, (Term(HOSTILE, "5"),)),
)


def report_of(url: str, deal_id: str) -> PostMortem:
    with Workspace.open(Location.parse(url)) as store:
        view = open_view(store, OPERATOR, Action.READ, deal_id)
        return postmortem_of(view, Instants())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PostMortem]:
    """Post-mortems of deals with people, with nobody, and with options alone to talk about."""
    location = Location.beside(tmp_path_factory.mktemp("charts") / "deals.db")
    bare = (OPENED, NoteAdded("called"))
    deals = {
        "crowd": CROWD,
        "bare": bare,
        "single": bare[:1],
        "options": OPTIONS,
        "hostile": HOSTILE_TALKS,
    }
    with DealLog.create(location) as log:
        for deal_id, facts in deals.items():
            drafts = [on(f"2026-03-{day:02}", fact) for day, fact in enumerate(facts, start=2)]
            log.append([Batch(f"deal:{deal_id}", 0, drafts)])
    found = {deal_id: report_of(str(location), deal_id) for deal_id in deals}
    talked = talks.make(tmp_path_factory.mktemp("talks"))
    return {**found, "talks": report_of(talked, "d-talks")}


def judged(report: PostMortem) -> PostMortem:
    """The same with estimates, but for the first move, and a point of no return."""
    moves = [
        msgspec.structs.replace(
            move, estimate=Estimate(60.0 - move.number, 20.5, 80.0, 120, move.at)
        )
        for move in report.moves[1:]
    ]
    last = report.moves[-1].number
    return msgspec.structs.replace(
        report, moves=[report.moves[0], *moves], point_of_no_return=last, best_move=last
    )


def drawn(spec: Spec | None) -> ElementTree.Element:
    """The picture, which loads and runs nothing."""
    assert spec is not None
    text = svg(spec)
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    for element in root.iter():
        assert element.tag.startswith(SVG)
        assert element.tag.removeprefix(SVG) not in {"script", "foreignObject", "image", "use", "a"}
        for name, value in element.attrib.items():
            plain = name.rpartition("}")[2]
            assert not plain.startswith("on"), name
            assert plain != "href", value
            assert re.findall(r"url\((?!['\"]?#)", value) == []
    assert "@import" not in text
    assert "<!DOCTYPE" not in text
    return root


def words(root: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


CASES = ["crowd", "bare", "options", "hostile", "talks"]


@pytest.mark.parametrize("deal_id", CASES)
def test_the_curve_is_drawn_without_estimates(told: dict[str, PostMortem], deal_id: str) -> None:
    report = told[deal_id]
    assert all(not move.estimate or move.estimate.percent is None for move in report.moves)
    assert "point of no return" not in words(drawn(curve(report)))


@pytest.mark.parametrize("deal_id", CASES)
def test_the_curve_is_drawn_with_estimates(told: dict[str, PostMortem], deal_id: str) -> None:
    report = judged(told[deal_id])
    assert "point of no return" in words(drawn(curve(report)))
    none = msgspec.structs.replace(
        report, moves=[msgspec.structs.replace(move, estimate=None) for move in report.moves]
    )
    assert len(list(drawn(curve(none)).iter())) < len(list(drawn(curve(report)).iter()))


def test_one_move_is_no_curve(told: dict[str, PostMortem]) -> None:
    single = told["single"]
    assert len(single.moves) == 1
    assert [draw(single) for draw in (curve, ladder, contacts)] == [None, None, None]


def test_the_axis_tells_hours_where_days_would_repeat(told: dict[str, PostMortem]) -> None:
    def axis(deal_id: str, until: str) -> list[str]:
        report = told[deal_id]
        moves = [*report.moves[:-1], msgspec.structs.replace(report.moves[-1], at=until)]
        shown = words(drawn(curve(msgspec.structs.replace(report, moves=moves))))
        return [text for text in shown if " Mar" in text]

    short, long = axis("bare", "2026-03-04T09:00:00Z"), axis("bare", "2026-03-30T09:00:00Z")
    assert len(short) > 2
    assert all(re.fullmatch(r"\d\d Mar \d\d:\d\d", text) for text in short)
    assert len(set(short)) == len(short)
    assert long
    assert all(re.fullmatch(r"\d\d Mar 2026", text) for text in long)


def test_long_names_are_cut(told: dict[str, PostMortem]) -> None:
    report = told["crowd"]
    long = "W" * 300
    shown = report.map_at_the_end
    everyone = [
        msgspec.structs.replace(one, personal=msgspec.structs.replace(one.personal, name=long))
        for one in shown.people
    ]
    crowd = msgspec.structs.replace(shown, people=everyone)
    whole = msgspec.structs.replace(report, map_at_the_end=crowd)
    for spec in (people(crowd), contacts(whole)):
        names = [text for text in words(drawn(spec)) if "WWW" in text]
        assert names
        assert all(len(text) < 60 for text in names)


def test_turning_points_are_numbered_on_the_curve(told: dict[str, PostMortem]) -> None:
    report = told["crowd"]
    main = report.main_turning_points
    assert main
    shown = words(drawn(curve(report)))
    assert {str(number) for number in range(1, len(main) + 1)} <= set(shown)


@pytest.mark.parametrize("deal_id", CASES)
def test_the_ladder_shows_our_stage_beside_the_customer(
    told: dict[str, PostMortem], deal_id: str
) -> None:
    assert {"our stage assumes", "measurement"} <= set(words(drawn(ladder(told[deal_id]))))


def test_without_phases_there_is_no_ladder(told: dict[str, PostMortem]) -> None:
    report = told["bare"]
    blind = [msgspec.structs.replace(move, indicators=None) for move in report.moves]
    assert ladder(msgspec.structs.replace(report, moves=blind)) is None


def test_people_and_contacts_are_drawn_where_somebody_is_known(
    told: dict[str, PostMortem],
) -> None:
    for deal_id in ("crowd", "talks"):
        report = told[deal_id]
        shown = words(drawn(people(report.map_at_the_end)))
        for person in report.map_at_the_end.people:
            assert any(person.personal.name[:4] in text for text in shown)
        assert "never met" in words(drawn(contacts(report)))
    assert "(Eve)" in words(drawn(people(told["crowd"].map_at_the_end)))


@pytest.mark.parametrize("deal_id", ["bare", "options", "hostile"])
def test_where_nobody_is_known_there_is_no_map(told: dict[str, PostMortem], deal_id: str) -> None:
    report = told[deal_id]
    assert people(report.map_at_the_end) is None
    assert contacts(report) is None


def test_each_issue_of_numbers_has_a_chart_with_our_marks(told: dict[str, PostMortem]) -> None:
    main, extras = told["talks"].negotiations.negotiations
    shown = [words(drawn(spec)) for spec in negotiation(main)]
    assert [texts[-1] for texts in shown] == ["price (USD)", "days (days)"]
    assert {"our target", "our walk-away"} <= set(shown[0])
    assert "our target" not in shown[1]
    assert len(negotiation(extras)) == 1
    unseen = msgspec.structs.replace(main, secrets=None)
    assert "our walk-away" not in words(drawn(negotiation(unseen)[0]))


def test_a_negotiation_over_options_alone_has_no_chart(told: dict[str, PostMortem]) -> None:
    """Also where an option is called by a number."""
    [ledger] = told["options"].negotiations.negotiations
    assert [at.ours for at in ledger.positions] == ["1"]
    assert negotiation(ledger) == []


def test_hostile_names_are_text(told: dict[str, PostMortem]) -> None:
    [ledger] = told["hostile"].negotiations.negotiations
    [spec] = negotiation(ledger)
    for spec_ in (spec, people(told["crowd"].map_at_the_end), contacts(told["crowd"])):
        shown = words(drawn(spec_))
        assert any("</text><script>alert(1)</script>" in text for text in shown), shown
        assert not any("\x1b" in text for text in shown)
