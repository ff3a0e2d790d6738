"""The client against the service: typed answers, its own writes, repeated safely."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import httpx2
import msgspec
import pytest
import uvicorn
from fastapi.testclient import TestClient

from api.client import (
    Client,
    Conflict,
    NotFound,
    Refused,
    Stale,
    TooMany,
    Unavailable,
    Unreachable,
    Unusable,
)
from api.client.failures import refused
from api.settings import Settings
from api.wire.administration import NewApiKey, NewProcess
from api.wire.forgetting import WantedErasure, WantedPerson, WantedSurvey
from api.wire.problems import Problem
from api.wire.reassignments import WantedReassignment
from domain.access import Role
from domain.lifecycle import Status
from domain.lifecycle.commands import AddNote, LoseOpportunity
from domain.lifecycle.facts import LostOutcome
from domain.negotiation import AuthorityLimits, RoleLimits
from domain.organisation import RegisterUnit, RegisterUser, SetAuthorityLimits
from domain.people.commands import IdentifyStakeholder
from domain.people.facts import Level
from domain.rates import PublishRates, Quote
from domain.stages.commands import ReviseForecast
from domain.values import Money
from tests.api.client.flaky import OPENING, flaky
from tests.api.serving import app_of

# What it asks and is answered.


def test_a_deal_is_opened_recorded_on_and_read(client: Client) -> None:
    opened = client.open_deal(OPENING, deal_id="d-1")
    noted = client.record("d-1", AddNote("First call."), occurred_at="now")
    assert (opened.version, noted.version, noted.token) == (1, 2, "deal:d-1@2")
    assert client.show_the_deal("d-1").deal.version == 2
    assert [deal.id for deal in client.list_the_deals(status=Status.OPEN).deals] == ["d-1"]
    assert [entry.type for entry in client.each_of_audit_the_deal("d-1", limit=1)] == [
        "opportunity-opened",
        "note-added",
    ]


def test_what_stands_beside_the_deals(client: Client) -> None:
    client.configure(RegisterUnit("west", "Sales West"))
    client.configure(RegisterUser("anna", "Anna Lee"))
    limits = SetAuthorityLimits(AuthorityLimits((RoleLimits(Role.SELLER, "5"),)))
    with pytest.raises(Unusable, match="precondition-required"):
        client.configure(limits)
    client.configure(limits, if_version=client.show_the_limits().version)
    with pytest.raises(Stale):
        client.configure(SetAuthorityLimits(AuthorityLimits()), if_version=0)
    client.configure(PublishRates("EUR", date(2026, 1, 2), (Quote("USD", "1.1"),)))
    assert client.list_the_rates().rates[0].rate == "1.1"
    csv = b"date,base,currency,rate\n2026-01-05,EUR,USD,1.2\n"
    assert client.import_the_rates(csv).counts["new"] == 1
    issued = client.issue_api_key(NewApiKey("anna", "export"))
    assert issued.secret.startswith("dealstate_")
    assert [key.id for key in client.each_of_the_keys()] == [issued.id]
    with pytest.raises(Unusable) as wrong:
        client.publish_a_process(NewProcess("id = 1"))
    assert wrong.value.errors


def test_people_and_reassignment(client: Client) -> None:
    client.configure(RegisterUser("ben", "Ben Ito"))
    client.open_deal(OPENING, deal_id="d-1")
    person = IdentifyStakeholder("cfo", "Ewa Jankowska", "p-17", level=Level.TOP)
    client.record("d-1", person)
    assert client.look_somebody_up(WantedPerson("Jankow")).found[0].persons == ["p-17"]
    assert client.survey_an_erasure(WantedSurvey(("p-17",))).gone
    assert client.erase_a_person(WantedErasure(("p-17",))).events[0].stream == "deal:d-1"
    moved = client.reassign_deals(WantedReassignment("anna", "ben"))
    assert moved.done[0].version == 4
    assert client.token == "deal:d-1@4"


def test_a_listing_is_walked_over_all_pages(client: Client) -> None:
    for number in range(5):
        client.open_deal(OPENING, deal_id=f"d-{number}")
    found = [deal.id for deal in client.each_of_the_deals(limit=2, sort="opened_at")]
    assert sorted(found) == [f"d-{number}" for number in range(5)]


def test_ids_with_any_characters(client: Client) -> None:
    strange = "d 1?#%ü"
    client.open_deal(OPENING, deal_id=strange)
    client.record(strange, AddNote("x"))
    assert client.show_the_deal(strange).deal.version == 2


# What is refused.


def test_refusals_are_typed_and_tell_what_would_satisfy_them(client: Client) -> None:
    client.open_deal(OPENING, deal_id="d-1")
    with pytest.raises(NotFound) as missing:
        client.show_the_deal("d-2")
    assert (missing.value.status, missing.value.code) == (404, "deal-not-found")
    with pytest.raises(Stale) as stale:
        client.record("d-1", AddNote("x"), if_version=7)
    assert stale.value.code == "version-conflict"
    assert stale.value.satisfied_by
    client.record("d-1", LoseOpportunity(LostOutcome.NO_DECISION))
    amount = Money.parse("1.00", "USD")
    with pytest.raises(Conflict) as closed:
        client.record("d-1", ReviseForecast(amount=amount), if_version=2)
    assert closed.value.code == "deal-closed"


def test_a_key_with_another_payload(client: Client) -> None:
    client.open_deal(OPENING, deal_id="d-1")
    first = client.record("d-1", AddNote("x"), key="k-1")
    assert client.record("d-1", AddNote("x"), key="k-1") == first
    with pytest.raises(Unusable, match="command-id-reused"):
        client.record("d-1", AddNote("y"), key="k-1")


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"\xff"])
def test_what_stands_before_the_service_answers_without_a_problem(content: bytes) -> None:
    error = refused(502, content)
    assert isinstance(error, Unavailable)
    assert (error.status, error.code) == (502, "http-502")


def test_every_status_has_a_kind() -> None:
    for status in range(400, 600):
        problem = Problem(type="", title="", status=status, detail="", code="x")
        assert type(refused(status, msgspec.json.encode(problem))) is not Refused


# What is sent again.


def test_a_write_whose_answer_is_lost_is_recorded_once(service: TestClient) -> None:
    lost = httpx2.ReadError("cut")
    client, way, waits = flaky(service, after=lambda _, number: lost if number < 2 else None)
    opened = client.open_deal(OPENING, deal_id="d-1")
    assert opened.version == 1
    keys = {request.headers["Idempotency-Key"] for request in way.seen}
    assert (len(way.seen), len(keys), len(waits)) == (3, 1, 2)
    assert waits[0] < waits[1]
    client.record("d-1", AddNote("x"))
    assert client.show_the_deal("d-1").deal.version == 2


def test_each_write_has_a_key_of_its_own(service: TestClient) -> None:
    client, way, _ = flaky(service)
    client.open_deal(OPENING, deal_id="d-1")
    assert client.record("d-1", AddNote("x")).version == 2
    assert client.record("d-1", AddNote("y")).version == 3
    assert len({request.headers["Idempotency-Key"] for request in way.seen}) == 3


def test_who_gives_up_can_send_it_again_under_its_key(service: TestClient) -> None:
    cut = True
    client, way, _ = flaky(service, after=lambda *_: httpx2.ReadError("cut") if cut else None)
    with pytest.raises(Unreachable) as given_up:
        client.open_deal(OPENING)
    assert len(way.seen) == 6
    cut = False
    again = client.open_deal(OPENING, key=given_up.value.key)
    assert again.version == 1
    assert [deal.id for deal in client.each_of_the_deals()] == [again.deal_id]


@pytest.mark.parametrize(("status", "kind"), [(429, TooMany), (503, Unavailable)])
def test_a_busy_service_is_given_as_long_as_it_says(
    service: TestClient, status: int, kind: type[Refused]
) -> None:
    busy = httpx2.Response(status, headers={"Retry-After": "7"})
    times = 2

    def once(_: httpx2.Request, number: int) -> httpx2.Response | None:
        return busy if number < times else None

    client, _, waits = flaky(service, before=once)
    client.open_deal(OPENING, deal_id="d-1")
    assert waits == [7.0, 7.0]
    client, way, waits = flaky(service, before=lambda *_: busy)
    with pytest.raises(kind):
        client.show_the_deal("d-1")
    assert (len(way.seen), len(waits)) == (6, 5)


def test_other_problems_are_not_asked_again(service: TestClient) -> None:
    client, way, _ = flaky(service)
    with pytest.raises(NotFound):
        client.show_the_deal("d-1")
    assert len(way.seen) == 1


# Its own writes, and those of others.


def test_reads_bear_the_last_write(service: TestClient) -> None:
    client, way, _ = flaky(service)
    client.list_the_deals()
    assert "Dealstate-Wait-For" not in way.seen[-1].headers
    client.open_deal(OPENING, deal_id="d ü")
    client.list_the_deals()
    assert way.seen[-1].headers["Dealstate-Wait-For"] == "deal:d%20%C3%BC@1"
    other, way, _ = flaky(service)
    assert client.token is not None
    other.wait_for(client.token)
    assert other.show_the_deal("d ü").deal.version == 1
    assert way.seen[-1].headers["Dealstate-Wait-For"] == client.token


# The feed.


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def listening(location: str, port: int) -> Iterator[None]:
    """The service on that port."""
    app = app_of(Settings(db=location, worker=False))
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


def test_the_feed_is_read_page_by_page(client: Client) -> None:
    client.configure(RegisterUser("anna", "Anna"))
    for number in range(3):
        client.open_deal(OPENING, deal_id=f"d-{number}")
    found = list(client.events())
    assert [event.position for event in found] == ["1", "2", "3", "4"]
    behind = client.events(2, types=["opportunity-opened"])
    assert [event.subject for event in behind] == ["deal:d-1", "deal:d-2"]
    assert [event.id for event in client.events(stream="deal:d-2")] == ["deal:d-2@1"]


def test_following_goes_on_over_restarts_of_the_server(location: str) -> None:
    """Each event once, in order, written by somebody else while the server goes and comes."""
    found: list[str] = []
    enough = threading.Event()

    def follow(client: Client) -> None:
        for event in client.follow():
            found.append(event.id)
            if len(found) == 6:
                enough.set()
                return

    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with listening(location, port), Client(address) as writer:
        threading.Thread(target=follow, args=(Client(address),), daemon=True).start()
        for number in range(3):
            writer.open_deal(OPENING, deal_id=f"d-{number}")
    with listening(location, port), Client(address) as writer:
        for number in range(3):
            writer.record(f"d-{number}", AddNote("again"))
        assert enough.wait(20)
    assert found == [f"deal:d-{n}@{version}" for version in (1, 2) for n in range(3)]
