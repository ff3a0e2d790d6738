"""`dealstate map`: the customer's people on a deal, at any moment."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from api.wire.people import StakeholderMap
from domain.competition.facts import CompetitorIdentified
from domain.history import Draft, Fact
from domain.lifecycle.facts import OpportunityOpened
from domain.people.facts import (
    Attitude,
    BuyingRole,
    ContactKind,
    ContactMade,
    ContactPoint,
    ContactPointKind,
    Focus,
    LeaningObserved,
    Level,
    Power,
    RelationKind,
    RelationRecorded,
    Relationship,
    StakeholderAssessed,
    StakeholderDeparted,
    StakeholderIdentified,
    SubjectErased,
)
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import Run, run_command
from tests.api.small_store import HOSTILE_NAME, PROCESS, make_small_store, on

WANG = StakeholderIdentified(
    "wang",
    "王伟",
    title="Director",
    level=Level.TOP,
    roles=(BuyingRole.DECISION_MAKER,),
    powers=(Power.SIGNATURE,),
)
LI = StakeholderIdentified(
    "li",
    "Li Na",
    person="p-li",
    title="Engineer",
    department="Production",
    level=Level.FRONT_LINE,
    roles=(BuyingRole.USER, BuyingRole.RECOMMENDER),
    reports_to="wang",
    contact_points=(ContactPoint(ContactPointKind.PHONE, "555"),),
)
_PEOPLE: list[Draft[Fact]] = [
    on("2026-02-01", OpportunityOpened("Loom", PROCESS, "P1", "USD", "u-anna", reference="L-1")),
    on("2026-02-02", WANG),
    on("2026-02-03", LI),
    on("2026-02-04", StakeholderIdentified("evil", HOSTILE_NAME, reports_to="li")),
    on("2026-02-05", StakeholderIdentified("zhao", "Zhao Lei")),
    on("2026-02-06", CompetitorIdentified("globex", "Globex AG")),
    on(
        "2026-02-07",
        StakeholderAssessed(
            "li",
            4,
            Attitude.CHAMPION,
            Relationship.TRUSTED,
            focus=(Focus.RECEPTIVITY,),
            personal_motive="A promotion",
        ),
    ),
    on("2026-02-08", StakeholderAssessed("wang", 5, Attitude.SCEPTIC, focus=(Focus.POWER,))),
    on("2026-02-09", RelationRecorded("li", "wang", RelationKind.INFLUENCES, 3)),
    on("2026-02-10", RelationRecorded("zhao", "li", RelationKind.RIVAL)),
    on("2026-02-11", LeaningObserved("wang", "globex", "Knows them")),
    on("2026-02-12", LeaningObserved("li", "us")),
    on("2026-02-13", ContactMade("c-1", ContactKind.VISIT, ("li",), ("u-anna", "u-ben"))),
    on("2026-02-14", ContactMade("c-2", ContactKind.CALL, ("li", "zhao"), ("u-anna",))),
    on("2026-02-20", StakeholderDeparted("zhao", "li")),
    on("2026-03-01", ContactMade("c-3", ContactKind.TOP_EXCHANGE, ("wang",)), known="2026-03-05"),
]


def running_on(folder: Path, told: Sequence[Draft[Fact]]) -> Run:
    """Runs commands on the small store with a deal, L-1, of which this is told."""
    url = make_small_store(folder)
    log = DealLog.open(Location.parse(url))
    log.append([Batch("deal:d-loom", 0, told)])
    log.close()
    return lambda *args, **more: run_command("--db", url, *args, **more)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """L-1 has people."""
    return running_on(tmp_path_factory.mktemp("people"), _PEOPLE)


@pytest.fixture(scope="module")
def erased(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One of the people of L-1 was erased."""
    erasure = on("2026-03-10", SubjectErased("li", "They asked"))
    return running_on(tmp_path_factory.mktemp("erased"), [*_PEOPLE, erasure])


def mapped(run: Run, *args: str) -> StakeholderMap:
    return run("map", "L-1", "--format", "json", *args).read(StakeholderMap)


def test_the_map_of_a_day(run: Run) -> None:
    lines = run("map", "L-1", "--as-of", "2026-03-02").lines
    assert lines == [
        "Loom  (L-1), as of 2026-03-02, with what is known today",
        "",
        (
            "王伟, Director, top level  [- ?]  decision-maker, power of signature; influence 5/5;"
            " focus of power; leans to Globex AG; 1 contact 2026-03-01"
        ),
        (
            "└── Li Na, Engineer, Production, front-line level  [++ 3/4]  user, recommender;"
            " influence 4/5; focus of receptivity; leans to us; 2 contacts, last 2026-02-14"
        ),
        "    └── �[31mEvil [bold]x[/bold]�=1+1  [? ?]  never met",
        "Zhao Lei  [? ?]  1 contact 2026-02-14; left 2026-02-20, Li Na took over",
        "",
        "[attitude -- to ++, relationship 0 to 4]",
        "",
        "who       stands      to     strength",
        "-------------------------------------",
        "Li Na     influences  王伟        3/5",
        "Zhao Lei  rival of    Li Na         –",
        "",
        "Roles       3 of 6 filled, missing: purchaser, implementer, influencer",
        "Decides     王伟, met 1 day ago",
        "Levels      top 1, middle 0, front-line 1, unknown 1",
        "Contacted   2 of 3 in the last 30 days",
        "Busiest     Li Na took part in 67 % of the contacts",
        "Support     +3 (top -5, front-line +8, unknown +0); 1 not assessed",
        "Entry       receptivity 2026-02-13 → power 2026-03-01; not known: dissatisfaction",
    ]


def test_both_axes(run: Run) -> None:
    late = mapped(run, "--as-of", "2026-03-02", "--known-at", "2026-03-02")
    assert late.coverage.days_since_decision_maker_met is None
    text = run("map", "L-1", "--as-of", "2026-03-02", "--known-at", "2026-03-02").lines
    assert "Decides     王伟, never met" in text
    assert "Entry       receptivity 2026-02-13; not met: power; not known: dissatisfaction" in text
    early = run("map", "L-1", "--as-of", "2026-02-02").lines
    assert "Busiest     no contacts yet" in early
    assert "Entry       not known: receptivity, dissatisfaction, power" in early
    assert len(mapped(run, "--as-of", "2026-02-03").people) == 2


def test_as_json_every_key_is_there(run: Run) -> None:
    li = mapped(run, "--as-of", "2026-03-02").people[1]
    assert msgspec.to_builtins(li) == {
        "id": "li",
        "person": "p-li",
        "erased": False,
        "personal": {
            "name": "Li Na",
            "title": "Engineer",
            "contact_points": [{"kind": "phone", "value": "555"}],
            "business_motive": None,
            "personal_motive": "A promotion",
        },
        "department": "Production",
        "level": "front-line",
        "roles": ["user", "recommender"],
        "powers": [],
        "reports_to": "wang",
        "depth": 1,
        "assessment": {
            "influence": 4,
            "attitude": "champion",
            "relationship": "trusted",
            "openness": None,
            "focus": ["receptivity"],
        },
        "leaning": {
            "vendor": "us",
            "vendor_name": None,
            "observed_at": "2026-02-12T09:00:00.000000Z",
            "version": 12,
        },
        "departure": None,
        "contacts": 2,
        "contact_versions": [13, 14],
        "last_met_at": "2026-02-14T09:00:00.000000Z",
        "set_by": {
            "name": 3,
            "person": 3,
            "title": 3,
            "department": 3,
            "level": 3,
            "roles": 3,
            "reports_to": 3,
            "contact_points": 3,
            "influence": 7,
            "attitude": 7,
            "relationship": 7,
            "focus": 7,
            "personal_motive": 7,
        },
    }


def test_as_json_the_threads_and_the_figures(run: Run) -> None:
    answer = mapped(run, "--as-of", "2026-03-02")
    assert msgspec.to_builtins(answer.threads[0]) == {
        "from": "li",
        "to": "wang",
        "kind": "influences",
        "strength": 3,
        "version": 9,
    }
    assert msgspec.to_builtins(answer.coverage) == {
        "roles_filled": ["decision-maker", "recommender", "user"],
        "roles_missing": ["purchaser", "implementer", "influencer"],
        "contacted_30_days": ["wang", "li"],
        "levels": [
            {"level": "top", "people": 1, "support": -5},
            {"level": "middle", "people": 0, "support": 0},
            {"level": "front-line", "people": 1, "support": 8},
            {"level": None, "people": 1, "support": 0},
        ],
        "support": 3,
        "unassessed": 1,
        "busiest": "li",
        "busiest_share": 67,
        "days_since_decision_maker_met": 1,
        "entry_path": [
            {
                "focus": "receptivity",
                "people": ["li"],
                "reached_at": "2026-02-13T09:00:00.000000Z",
            },
            {"focus": "power", "people": ["wang"], "reached_at": "2026-03-01T09:00:00.000000Z"},
        ],
    }
    zhao = answer.people[3]
    assert zhao.departure is not None
    assert (zhao.departure.successor, zhao.departure.version) == ("li", 15)
    wang = answer.people[0]
    assert wang.leaning is not None
    assert (wang.leaning.vendor, wang.leaning.vendor_name) == ("globex", "Globex AG")


@pytest.mark.parametrize("shape", ["text", "json"])
@pytest.mark.parametrize("day", ["2026-03-09", "2026-03-11"])
def test_an_erased_person_keeps_their_place_and_nothing_personal(
    run: Run, erased: Run, shape: str, day: str
) -> None:
    asked = ("map", "L-1", "--as-of", day, "--format", shape)
    personal = ("Li Na", "Engineer", "555", "promotion")
    assert [told for told in personal if told in run(*asked).stdout]
    printed = erased(*asked).stdout
    assert "[erased]" in printed
    assert "front-line" in printed
    assert [told for told in personal if told in printed] == []


def test_contacts_are_told_with_our_people_by_name(run: Run) -> None:
    told = run("replay", "L-1").stdout
    assert "visit with Li Na, by Anna Lee and Ben Ito" in told
    assert "call with Li Na and Zhao Lei, by Anna Lee" in told


def test_where_nobody_is_known_that_is_said(run: Run) -> None:
    result = run("map", "S-1")
    assert result.lines == ["Rest case  (S-1), now"]
    assert "Nobody of the customer's people" in result.stderr
    assert run("map", "S-1", "--format", "json").read(StakeholderMap).people == []


def test_an_unknown_deal_is_not_found(run: Run) -> None:
    assert "(deal-not-found)" in run("map", "nope").stderr
    before = run("map", "L-1", "--as-of", "2026-01-01")
    assert (before.exit_code, "(nothing-then)" in before.stderr) == (1, True)
