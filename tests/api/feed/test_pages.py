"""Pages of the feed: in order, each event once, for whoever may read it, as of now."""

import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from api.queries.events import EventFeed
from api.workspace import Workspace
from domain.access import EVERYTHING, PUBLIC_ONLY, Principal, Role, Sensitivity
from domain.accesses import DataExported, SecretsRead
from domain.history import Fact, StreamKind
from domain.lifecycle.commands import AssignTeamMember, ChangeOwner
from domain.negotiation.commands import OpenNegotiation
from domain.negotiation.facts import Better, Issue, IssueKind, Term
from domain.organisation import EndMembership
from domain.people.commands import IdentifyStakeholder
from domain.sessions import SessionOpened
from store.events.writing import Batch
from store.forgetting.appearances import everywhere
from store.forgetting.erasure import erase
from store.log import DealLog
from tests.api.feed.conftest import UNIT, World
from tests.contract.asking import draft, intent

Seller = tuple[str, str]


def ids(events: list[dict[str, Any]]) -> list[str]:
    return [event["id"] for event in events]


def read_all(world: World, token: str, limit: int, query: str = "") -> list[dict[str, Any]]:
    """All pages, one behind the other."""
    found: list[dict[str, Any]] = []
    path = f"/v1/events?limit={limit}{query}"
    while path:
        status, headers, body = world.service.get(path, token)
        assert status == 200, body
        page = msgspec.json.decode(body)
        assert len(page) <= limit
        found += page
        link = headers["Link"]
        path = link.partition(">")[0].removeprefix("<") if link else ""
        if link:
            assert f"after={headers['Dealstate-Position']}" in link
    return found


@pytest.mark.parametrize("limit", [7, 1000])
def test_pages_are_the_whole_feed_in_order(world: World, auditor: str, limit: int) -> None:
    world.note(world.deal("x"))
    head = world.log.head()
    found = read_all(world, auditor, limit)
    # That the auditor is shown secrets may be recorded meanwhile.
    assert [int(event["position"]) for event in found][:head] == list(range(1, head + 1))


def test_who_goes_on_behind_the_position_misses_nothing_and_reads_nothing_twice(
    world: World, seller: Seller
) -> None:
    user, token = seller
    mine, other = world.deal(user), world.deal("x")
    after, seen = 0, list[str]()
    for _ in range(4):
        world.note(mine)
        world.note(other)
        _, headers, body = world.service.get(f"/v1/events?after={after}&limit=1000", token)
        after = int(headers["Dealstate-Position"])
        seen += ids(msgspec.json.decode(body))
    assert seen == [f"deal:{mine}@{version}" for version in range(1, 6)]
    assert after == world.log.head()


def test_a_page_holds_what_was_recorded_before(world: World, seller: Seller) -> None:
    user, token = seller
    mine = world.deal(user)
    for _ in range(5):
        position = world.note(mine)
        [found] = world.service.events(f"/v1/events?after={position - 1}", token)
        assert found["position"] == str(position)


def test_everybody_reads_what_is_for_them(world: World, auditor: str, seller: Seller) -> None:
    ann, anns = seller
    bo, bos = world.user(Role.SELLER)
    keys = {
        "ann": anns,
        "bo": bos,
        "mei": world.user(Role.MANAGER, unit=UNIT)[1],
        "ana": world.user(Role.ANALYST)[1],
        "aud": auditor,
        "adm": world.user(Role.ADMIN)[1],
    }
    anns_deal, bos_deal = f"deal:{world.deal(ann)}", f"deal:{world.deal(bo)}"
    people = {f"user:{ann}", f"unit:{UNIT}"}
    asked = {anns_deal, bos_deal, *people}
    found = {
        who: asked & {event["subject"] for event in read_all(world, key, 500)}
        for who, key in keys.items()
    }
    assert found == {
        "ann": {anns_deal},
        "bo": {bos_deal},
        "mei": {anns_deal},
        "ana": {anns_deal, bos_deal},
        "aud": asked,
        "adm": people,
    }


def test_what_may_not_be_seen_is_hidden(world: World, seller: Seller) -> None:
    user, token = seller
    deal = world.deal(user)
    world.note(deal, "Words of Ann.")
    path = f"/v1/events?types=note-added&stream=deal:{deal}"
    [hidden] = world.service.events(path, world.user(Role.ANALYST)[1])
    [shown] = world.service.events(path, token)
    assert hidden["data"] == {"type": "note-added", "text": "[hidden]"}
    assert shown["data"] == {"type": "note-added", "text": "Words of Ann."}
    assert {**hidden, "data": 0} == {**shown, "data": 0}


@pytest.mark.parametrize("far_behind", [False, True])
def test_filters(
    world: World, auditor: str, monkeypatch: pytest.MonkeyPatch, *, far_behind: bool
) -> None:
    if far_behind:
        monkeypatch.setattr("api.queries.events.PASSED_OVER_AT_ONCE", 2)
    deal, other = world.deal("x"), world.deal("y")
    for _ in range(2):
        world.note(deal)
        world.note(other)
    whole = read_all(world, auditor, 2, f"&stream={quote(f'deal:{deal}')}")
    assert ids(whole) == [f"deal:{deal}@{version}" for version in (1, 2, 3)]
    notes = read_all(world, auditor, 1, f"&stream=deal:{deal}&types=dealstate.note-added")
    assert ids(notes) == [f"deal:{deal}@{version}" for version in (2, 3)]
    both = {
        event["type"] for event in read_all(world, auditor, 50, "&types=note-added,unit-registered")
    }
    assert both == {"dealstate.unit-registered", "dealstate.note-added"}
    assert read_all(world, auditor, 9, "&stream=deal:nowhere") == []
    assert read_all(world, world.user(Role.SELLER)[1], 9, f"&stream=deal:{deal}") == []


def test_what_is_passed_over_takes_a_bounded_time(
    world: World, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.queries.events.PASSED_OVER_AT_ONCE", 60)
    monkeypatch.setattr("api.queries.events._ROWS_AT_ONCE", 10)
    deal = world.deal("x")
    before = world.log.head()
    for _ in range(70):
        world.note(deal)
    _, headers, body = world.service.get(f"/v1/events?after={before}", seller[1])
    assert (body, headers["Dealstate-Position"]) == (b"[]", str(before + 60))
    assert headers["Link"] == f'</v1/events?after={before + 60}>; rel="next"'


def test_rights_are_those_of_now(world: World, seller: Seller) -> None:
    user, token = seller
    mine, other = world.deal(user), world.deal("x")

    def read() -> set[str]:
        found = read_all(world, token, 1000, "&types=opportunity-opened")
        return {event["subject"].removeprefix("deal:") for event in found}

    assert read() == {mine}
    world.record(other, AssignTeamMember(user, "support"))
    assert read() == {mine, other}
    world.record(mine, ChangeOwner("x"))
    assert read() == {other}
    world.configure(EndMembership(user, Role.SELLER, UNIT))
    assert world.service.get("/v1/events", token)[0] == 403


def test_who_waits_gets_the_first_event_that_comes(world: World, seller: Seller) -> None:
    user, token = seller
    mine, other = world.deal(user), world.deal("x")
    head = world.log.head()
    notes = [other, mine]
    writing = threading.Timer(0.2, lambda: [world.note(deal) for deal in notes])
    writing.start()
    [found] = world.service.events(f"/v1/events?after={head}&wait_seconds=20", token)
    writing.join()
    assert found["position"] == str(head + 2)


def test_who_waits_in_vain_learns_how_far_it_is(world: World, seller: Seller) -> None:
    head = world.log.head()
    _, headers, body = world.service.get(f"/v1/events?after={head}&wait_seconds=1", seller[1])
    assert (body, headers["Dealstate-Position"]) == (b"[]", str(head))


def test_what_cannot_be_asked(world: World, auditor: str) -> None:
    unusable = {
        "after=-1": "after",
        "after=1000000": "after",
        "after=x": "after",
        "limit=0": "limit",
        "limit=1001": "limit",
        "wait_seconds=21": "wait_seconds",
        "types=nothing": "types",
        "stream=deal": "stream",
        "stream=nothing:x": "stream",
        "fields=id": "fields",
        "after=1&after=2": "after",
    }
    found = {}
    for query in unusable:
        status, _, body = world.service.get(f"/v1/events?{query}", auditor)
        found[query] = msgspec.json.decode(body)["errors"][0]["parameter"]
        assert status == 422
    assert found == unusable


def secrets_read(log: DealLog, deal: str) -> list[str]:
    """Who has it on record that they were shown the secrets of a deal."""
    streams = log.events_of(log.streams(StreamKind.ACCESS), EVERYTHING).values()
    facts = [(event.actor, event.fact) for events in streams for event in events]
    return [who for who, fact in facts if isinstance(fact, SecretsRead) and fact.deal == deal]


def test_secrets_shown_are_on_record_and_nobody_elses(world: World, seller: Seller) -> None:
    deal = world.deal(seller[0])
    aud, token = world.user(Role.AUDITOR)
    issue = Issue("price", IssueKind.PRICE, better_for_us=Better.HIGHER, our_opening="1000")
    world.record(deal, OpenNegotiation("main", (issue,), walk_aways=(Term("price", "870"),)))
    path = f"/v1/events?types=negotiation-opened&stream=deal:{deal}"
    (ana, anas), (bo, bos) = world.user(Role.ANALYST), world.user(Role.SELLER)
    assert b'"870"' not in world.service.get(path, anas)[2]
    assert world.service.events(path, bos) == []
    assert not {ana, bo, aud} & set(secrets_read(world.log, deal))
    for _ in range(2):
        assert b'"870"' in world.service.get(path, token)[2]
    assert [who for who in secrets_read(world.log, deal) if who in {ana, bo, aud}] == [aud]


def test_who_was_shown_what_and_sessions_are_for_auditors_alone(
    world: World, auditor: str, seller: Seller
) -> None:
    deal, start = world.deal(seller[0]), world.log.head()
    facts: dict[str, Fact] = {
        f"access:{deal}": SecretsRead(deal, "GET /v1/deals/{deal_id}", (Sensitivity.SECRET,)),
        "export:audit": DataExported("audit", "GET /v1/audit", (Sensitivity.SECRET,)),
        f"session:{deal}": SessionOpened(seller[0], 60),
    }
    for stream, fact in facts.items():
        version = world.log.records.version(stream)
        world.log.append([Batch(stream, version, [draft(fact)])])
    admin = world.user(Role.ADMIN)[1]
    shown = {
        token: {
            event["subject"] for event in world.service.events(f"/v1/events?after={start}", token)
        }
        for token in (auditor, admin, seller[1])
    }
    assert set(facts) <= shown[auditor]
    assert not set(facts) & (shown[admin] | shown[seller[1]])
    # Of who is in the organisation an admin does read.
    assert any(subject.startswith("user:") for subject in shown[admin])


def test_only_what_is_readable_and_secret_is_noted(
    world: World, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store whose keys are elsewhere shows nobody a secret, and records nobody for it."""
    deal = world.deal(seller[0])
    aud = Principal("aud", frozenset({Role.AUDITOR}))
    issue = Issue("price", IssueKind.PRICE, better_for_us=Better.HIGHER, our_opening="1000")
    done = world.record(deal, OpenNegotiation("main", (issue,), walk_aways=(Term("price", "870"),)))
    rows = list(world.log.records.placed([done.stream]))
    noted: list[frozenset[Sensitivity]] = []
    with Workspace.open(world.log.location) as store:
        monkeypatch.setattr(store.accesses, "read", lambda _, __, visible: noted.append(visible))
        for readable in (EVERYTHING, PUBLIC_ONLY):
            monkeypatch.setattr(store.log, "visible", readable)
            EventFeed(store).shown(lambda: aud, rows, 10)
    assert noted == [EVERYTHING, PUBLIC_ONLY]


def test_who_was_erased_is_gone_from_the_feed_at_once(world: World, seller: Seller) -> None:
    user, token = seller
    deal = world.deal(user)
    world.record(deal, IdentifyStakeholder("chen", "Chen Li", person=f"p-{deal}"))
    path = f"/v1/events?types=stakeholder-identified&stream=deal:{deal}"
    [before] = world.service.events(path, token)
    assert before["data"]["name"] == "Chen Li"
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    of = everywhere(world.log, [f"p-{deal}"])
    erase(world.log, of, intent(f"erase-{deal}", now=moment, occurred_at=moment))
    [after] = world.service.events(path, token)
    assert after["data"]["name"] == "[erased]"
    assert after["id"] == before["id"]
