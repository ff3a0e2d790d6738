"""Reviews over HTTP: replay, positions, post-mortems, warnings and losses, and who sees what."""

import re
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
import pytest
from fastapi.testclient import TestClient

from api.wire.losses import LossAnalysis
from api.wire.moves import Axis, Position, Replay
from api.wire.postmortems import PostMortem
from api.wire.warnings import Warnings
from domain.access import Principal, Role
from domain.lifecycle.facts import LostOutcome, OpportunityLost, OpportunityOpened
from domain.needs.facts import NeedUncovered
from domain.negotiation.facts import (
    Better,
    Issue,
    IssueKind,
    NegotiationOpened,
    OfferMade,
    WalkAwayRevised,
)
from domain.people.facts import ContactKind, ContactMade, StakeholderIdentified
from domain.values import Party
from projections.findings.book import BOOK
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import run_command
from tests.api.serving import problem, read, serving
from tests.api.small_store import HOSTILE_NAME, PROCESS, on
from tests.api.talks import terms

Shape = TypeVar("Shape")

OPERATOR = Principal("op", frozenset({Role.OPERATOR}))
ANALYST = Principal("u-ann", frozenset({Role.ANALYST}))
AUDITOR = Principal("u-aud", frozenset({Role.AUDITOR}))
ADMIN = Principal("u-adm", frozenset({Role.ADMIN}))
ANNA = Principal("u-anna", frozenset({Role.SELLER}))
BEN = Principal("u-ben", frozenset({Role.SELLER}))

ENOUGH = 15
"""So many decided deals make a model here, instead of a hundred."""
HOSTILE = "# <script>alert(1)</script> [x](javascript:alert(1)) | `y`"


@pytest.fixture
def client(small_store: str) -> Iterator[TestClient]:
    with serving(small_store) as client:
        yield client


THEN = "as_of=2026-05-31&known_at=2026-05-31"
AT = ["--as-of", "2026-05-31", "--known-at", "2026-05-31"]


@pytest.mark.parametrize(
    ("url", "args"),
    [
        (f"/v1/deals/d-press/replay?{THEN}&axis=known", ["replay", "P-1", *AT, "--as-known"]),
        (f"/v1/deals/d-press/replay/9?{THEN}", ["replay", "P-1", *AT, "--at", "9"]),
        (f"/v1/deals/d-press/replay/6?{THEN}&axis=known",
         ["replay", "P-1", *AT, "--at", "6", "--as-known"]),
        (f"/v1/deals/d-press/postmortem?{THEN}", ["postmortem", "P-1", *AT]),
        (f"/v1/warnings?{THEN}&region=EMEA&least=mistake&rule=gone-silent,champion-lost",
         ["warnings", *AT, "--where", "region=EMEA", "--least", "mistake",
          "--rule", "gone-silent", "--rule", "champion-lost", "--limit", "50"]),
        (f"/v1/losses?{THEN}&group_by=stage,competitor&owner=Ben%20Ito",
         ["losses", *AT, "--by", "stage,competitor", "--where", "owner=Ben Ito"]),
    ],
)  # fmt: skip
def test_http_answers_as_the_command_line_does(
    client: TestClient, small_store: str, url: str, args: list[str]
) -> None:
    printed = run_command("--db", small_store, *args, "--format", "json").stdout
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.json() == msgspec.json.decode(printed)


# Replay.


def test_a_replay_of_what_was_known(client: TestClient) -> None:
    true = read(client, "/v1/deals/d-press/replay", Replay)
    known = read(client, "/v1/deals/d-press/replay?axis=known&from=6", Replay)
    assert (true.axis, known.axis) == (Axis.TRUE, Axis.KNOWN)
    assert 6 not in {move.version for move in true.moves}
    assert [move.version for move in known.moves] == [6, 7, 8, 9, 10]
    assert problem(client, "/v1/deals/d-press/replay?axis=both", 422).code == "invalid-parameter"


def test_a_position_is_the_deal_of_then(client: TestClient) -> None:
    found = read(client, "/v1/deals/d-press/replay/5", Position)
    assert (found.move.number, found.move.stage, found.deal.status) == (5, "P1", "open")
    assert found.deal.owner.name == "Anna Lee"
    late = read(client, "/v1/deals/d-press/replay/9?axis=known", Position)
    assert late.move.at[:10] == "2026-03-20"
    assert late.deal.owner.name == "Ben Ito"


@pytest.mark.parametrize(
    "url",
    [
        "/v1/deals/d-press/replay/6",
        "/v1/deals/d-press/replay/99",
        "/v1/deals/d-press/replay/9?known_at=2026-03-19",
        "/v1/deals/d-press/replay/10?as_of=2026-05-03",
    ],
    ids=["withdrawn", "none", "not-known-yet", "later"],
)
def test_a_move_that_is_not_there_is_not_found(client: TestClient, url: str) -> None:
    found = problem(client, url, 404)
    assert found.code == "event-not-found"
    assert found.detail.startswith("d-press has no move of version ")


@pytest.mark.parametrize("version", ["0", "five"])
def test_what_is_no_version_is_a_problem(client: TestClient, version: str) -> None:
    url = f"/v1/deals/d-press/replay/{version}"
    found = problem(client, url, 422)
    assert found.code == "invalid-parameter"
    assert [error.parameter for error in found.errors] == ["version"]


def test_of_a_deal_that_is_not_there_there_is_nothing(client: TestClient) -> None:
    for path in ("replay", "replay/1", "postmortem"):
        assert problem(client, f"/v1/deals/nope/{path}", 404).code == "deal-not-found"
        url = f"/v1/deals/d-press/{path}?as_of=2026-01-01"
        assert problem(client, url, 404).code == "nothing-then"


# Post-mortems.


@pytest.mark.parametrize("deal_id", ["d-press", "d-mill", "d-robot", "d-evil", "d-rest", "d-guess"])
def test_every_deal_has_a_post_mortem_in_each_form(client: TestClient, deal_id: str) -> None:
    url = f"/v1/deals/{deal_id}/postmortem"
    assert read(client, url, PostMortem).deal.id == deal_id
    page = client.get(f"{url}?format=html")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.text.startswith("<!doctype html>")
    text = client.get(f"{url}?format=markdown")
    assert (text.status_code, text.headers["content-type"]) == (200, "text/markdown; charset=utf-8")
    assert text.text.startswith("# ")
    assert problem(client, f"{url}?format=pdf", 422).code == "invalid-parameter"


def test_the_page_may_use_the_styles_inside_it_and_nothing_else(client: TestClient) -> None:
    page = client.get("/v1/deals/d-press/postmortem?format=html")
    assert "<style>" in page.text
    policy = page.headers["content-security-policy"].split("; ")
    assert set(policy) == {
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "frame-ancestors 'none'",
    }
    assert page.headers["x-content-type-options"] == "nosniff"
    other = client.get("/v1/deals/d-press/postmortem").headers["content-security-policy"]
    assert "style-src 'self'" in other


def test_hostile_names_are_text(client: TestClient) -> None:
    assert HOSTILE_NAME.startswith("\x1b")
    for layout in ("html", "markdown"):
        text = client.get(f"/v1/deals/d-evil/postmortem?format={layout}").text
        assert "Evil [bold]x" in text.replace("\\", "")
        for forbidden in ("\x1b", "\u202e"):
            assert forbidden not in text


def test_hostile_markup_is_text(own_store: str) -> None:
    location = Location.parse(own_store)
    with DealLog.open(location) as log:
        drafts = [
            on("2026-02-05", opened("u-anna", name=HOSTILE)),
            on("2026-02-06", StakeholderIdentified("li", HOSTILE, title=HOSTILE)),
            on("2026-02-07", OpportunityLost(LostOutcome.LOST_TO_COMPETITOR, HOSTILE)),
        ]
        log.append([Batch("deal:d-hostile", 0, drafts)])
    with serving(own_store) as client:
        page = client.get("/v1/deals/d-hostile/postmortem?format=html").text
        assert "<script" not in page
        assert "&lt;script&gt;alert(1)" in page
        text = client.get("/v1/deals/d-hostile/postmortem?format=markdown").text
        assert "<script" not in text
        assert re.findall(r"(?<!\\)\[[^\]]*\]\(", text) == []
        first, _, rest = text.partition("\n")
        assert "alert(1)" in first
        assert "\n# " not in rest


# Warnings and losses.


def test_warnings_and_losses_say_up_to_which_event_they_are(client: TestClient) -> None:
    for url in ("/v1/warnings", "/v1/losses"):
        assert int(client.get(url).headers["dealstate-position"]) > 0


def test_warnings_are_of_running_deals_that_match(client: TestClient) -> None:
    everything = read(client, "/v1/warnings", Warnings)
    assert everything.deals_judged == 4
    assert [one.rule for one in everything.rules] == [rule.id for rule in BOOK]
    some = read(client, "/v1/warnings?region=EMEA&rule=gone-silent", Warnings)
    assert (some.deals_judged, [one.rule for one in some.rules]) == (1, ["gone-silent"])
    assert read(client, "/v1/warnings?owner=Anna%20Lee", Warnings).deals_judged == 2
    assert read(client, "/v1/warnings?as_of=2026-01-31", Warnings).deals_judged == 2


def test_losses_are_of_decided_deals_that_match(client: TestClient) -> None:
    everything = read(client, "/v1/losses?group_by=competitor", LossAnalysis)
    assert (everything.won.deals, everything.lost.deals) == (1, 1)
    assert [group.values for group in everything.groups] == [["Globex"]]
    none = read(client, "/v1/losses?industry=paper&group_by=", LossAnalysis)
    assert (none.won.deals, none.lost.deals, none.by) == (1, 0, [])
    assert read(client, "/v1/losses?as_of=2026-05-01", LossAnalysis).lost.deals == 0


@pytest.mark.parametrize(
    ("url", "parameter"),
    [
        ("/v1/warnings?colour=red", "colour"),
        ("/v1/warnings?rule=gone-loud", "rule"),
        ("/v1/warnings?rule=gone-silent,", None),
        ("/v1/warnings?least=sin", "least"),
        ("/v1/warnings?limit=0", "limit"),
        ("/v1/warnings?as_of=soon", "as_of"),
        ("/v1/losses?colour=red", "colour"),
        ("/v1/losses?group_by=colour", "group_by"),
        ("/v1/losses?group_by=stage,,reason", None),
        ("/v1/losses?known_at=soon", "known_at"),
    ],
)
def test_a_parameter_that_is_wrong_is_named(
    client: TestClient, url: str, parameter: str | None
) -> None:
    if parameter is None:
        assert client.get(url).status_code == 200
        return
    found = problem(client, url, 422)
    assert found.code == "invalid-parameter"
    assert [error.parameter for error in found.errors] == [parameter]


def test_an_owner_of_two_names_is_told(client: TestClient) -> None:
    for url in ("/v1/warnings", "/v1/losses"):
        assert problem(client, f"{url}?owner=Sam%20Roe", 422).code == "ambiguous-user"


# Who sees what.


def opened(owner: str, **changes: Any) -> OpportunityOpened:
    usual: dict[str, Any] = {
        "name": "Press line",
        "process": PROCESS,
        "stage": "P5",
        "currency": "USD",
        "owner": owner,
    }
    return OpportunityOpened(**{**usual, **changes})


PRICE = Issue(
    "price",
    IssueKind.PRICE,
    unit="USD",
    better_for_us=Better.HIGHER,
    better_for_them=Better.LOWER,
    our_opening="1000",
)
GIVEN_AWAY = (
    StakeholderIdentified("wang", "Wang Fang"),
    NegotiationOpened("main", (PRICE,), targets=terms(price=980), walk_aways=terms(price=900)),
    OfferMade("o1", "main", Party.US, 1, terms(price=1000), made_to=("wang",)),
    WalkAwayRevised("price", "800", "The plant is idle."),
    OfferMade("o2", "main", Party.US, 2, terms(price=850), made_to=("wang",)),
)
"""The floor moved, and then given away what lay below the old one: a day apart."""
SHOWN_EARLY = (
    StakeholderIdentified("li", "Li Wei"),
    NeedUncovered("n-1", "The cell stands still."),
    ContactMade("c-1", ContactKind.DEMO, ("li",)),
)


@pytest.fixture(scope="module")
def roles(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Anna's deal with secrets and one she lost, and Ben's, in which he showed too much."""
    location = Location.beside(tmp_path_factory.mktemp("roles") / "deals.db")
    deals = {
        "d-anna": (opened("u-anna"), *GIVEN_AWAY),
        "d-ben": (opened("u-ben", stage="P2"), *SHOWN_EARLY),
        "d-gone": (opened("u-anna"), OpportunityLost(LostOutcome.NO_DECISION)),
        "d-away": (opened("u-ben"), OpportunityLost(LostOutcome.LOST_TO_COMPETITOR, "Globex")),
    }
    with DealLog.create(location) as log:
        for deal_id, facts in deals.items():
            drafts = [on(f"2026-03-{day:02}", fact) for day, fact in enumerate(facts, start=2)]
            log.append([Batch(f"deal:{deal_id}", 0, drafts)])
    return str(location)


SECRET_RULES = {rule.id for rule in BOOK if rule.secret}
RESTS_ON_SECRETS = "floor-moved"


def everything_of(client: TestClient, deal_id: str) -> tuple[Replay, list[Position], PostMortem]:
    url = f"/v1/deals/{deal_id}"
    replay = read(client, f"{url}/replay", Replay)
    positions = [
        read(client, f"{url}/replay/{move.version}?axis={axis}", Position)
        for move in replay.moves
        for axis in Axis
    ]
    return replay, positions, read(client, f"{url}/postmortem", PostMortem)


@pytest.mark.parametrize("principal", [ANNA, AUDITOR, OPERATOR], ids=lambda one: one.id)
def test_whom_the_secrets_are_for_sees_them(roles: str, principal: Principal) -> None:
    with serving(roles, principal) as client:
        replay, positions, report = everything_of(client, "d-anna")
        warned = read(client, "/v1/warnings", Warnings)
    distances = [m.indicators.to_walk_away for m in replay.moves if m.indicators]
    assert any(distances)
    assert None not in distances
    for found in (replay.findings, report.findings, positions[-1].findings):
        assert RESTS_ON_SECRETS in {one.rule for one in found if one.secret}
    [anna] = [one for one in warned.deals if one.deal.id == "d-anna"]
    assert RESTS_ON_SECRETS in {one.rule for one in anna.findings}


def test_an_analyst_sees_no_secret_and_no_name(roles: str) -> None:
    with serving(roles, ANALYST) as client:
        replay, positions, report = everything_of(client, "d-anna")
        warned = read(client, "/v1/warnings", Warnings)
        answers = [
            client.get(f"/v1/deals/{deal_id}/{path}").text
            for deal_id in ("d-anna", "d-ben")
            for path in (
                "replay",
                "postmortem",
                "postmortem?format=html",
                "postmortem?format=markdown",
            )
        ]
        answers += [client.get(url).text for url in ("/v1/warnings", "/v1/losses")]
    moves = [*replay.moves, *report.moves, *(one.move for one in positions)]
    assert {m.indicators.to_walk_away for m in moves if m.indicators} == {None}
    found = [*replay.findings, *report.findings, *(f for one in positions for f in one.findings)]
    found += [finding for one in warned.deals for finding in one.findings]
    assert found
    assert not any(one.secret for one in found)
    assert not SECRET_RULES & {one.rule for one in found}
    assert "solution-too-early" in {one.rule for one in found}
    for text in answers:
        for hidden in ("Wang", "Li Wei", "plant is idle", "cell stands still", "walk-away is"):
            assert hidden not in text
        assert "[hidden]" not in text or "floor-moved" not in text


def test_a_seller_sees_their_own_deals(roles: str) -> None:
    with serving(roles, BEN) as client:
        warned = read(client, "/v1/warnings", Warnings)
        lost = read(client, "/v1/losses?group_by=competitor", LossAnalysis)
        for path in ("replay", "replay/1", "postmortem", "postmortem?format=html"):
            found = problem(client, f"/v1/deals/d-anna/{path}", 404)
            unknown = problem(client, f"/v1/deals/d-nobody/{path}", 404)
            assert found.detail == unknown.detail.replace("d-nobody", "d-anna")
            assert client.get(f"/v1/deals/d-ben/{path}").status_code == 200
    assert warned.deals_judged == 1
    assert [one.deal.id for one in warned.deals] == ["d-ben"]
    assert lost.lost.deals == 1
    assert [one.values for one in lost.groups] == [["Globex"]]


def test_an_admin_is_refused(roles: str) -> None:
    with serving(roles, ADMIN) as client:
        for url in (
            "/v1/warnings",
            "/v1/losses",
            "/v1/deals/d-anna/replay",
            "/v1/deals/d-anna/replay/1",
            "/v1/deals/d-anna/postmortem",
            "/v1/deals/d-nobody",
            "/v1/pipeline",
            "/v1/deals",
        ):
            found = problem(client, url, 403)
            assert (found.code, "may not read here" in found.detail) == ("not-allowed", True)


def test_the_lift_of_secret_rules_is_for_auditors(roles: str) -> None:
    told = {}
    for principal in (AUDITOR, OPERATOR, ANALYST, ANNA):
        with serving(roles, principal) as client:
            told[principal.id] = {
                one.rule for one in read(client, "/v1/losses", LossAnalysis).findings
            }
    assert SECRET_RULES <= told["u-aud"] == told["op"]
    assert not SECRET_RULES & (told["u-ann"] | told["u-anna"])
