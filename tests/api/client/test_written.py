"""Reads include what the client wrote, whatever answer came last, and wherever it names it."""

import threading
from collections.abc import Iterator
from typing import Any, get_args, get_origin, get_type_hints

import httpx2
import msgspec
import pytest
from fastapi.testclient import TestClient

from api.client import Client, Unavailable
from api.client.sending import waits
from api.client.written import LONGEST, MOST, Written, in_header, tokens_in
from api.routes.answering import ANSWERS
from api.routes.common import _LONGEST_WAIT_FOR, MOST_AWAITED
from api.wire.administration import NewApiKey
from api.wire.reassignments import Reassigned, ReassignedDeal, WantedReassignment
from api.wire.webhooks import IssuedSecret, WantedWebhook
from domain.lifecycle.commands import AddNote
from domain.organisation import RegisterUnit, RegisterUser
from tests.api.client.flaky import OPENING, flaky
from tests.api.client.generation import all_routes, is_left_out, methods

WAIT_FOR = "Dealstate-Wait-For"


def named(request: httpx2.Request) -> set[str]:
    return set(filter(None, request.headers.get(WAIT_FOR, "").split(",")))


def test_a_repeated_older_write_takes_nothing_back(service: TestClient) -> None:
    client, way, _ = flaky(service)
    client.open_deal(OPENING, deal_id="d-1")
    client.record("d-1", AddNote("one"), key="k-1")
    client.record("d-1", AddNote("two"), key="k-2")
    client.record("d-1", AddNote("one"), key="k-1")
    assert client.token == "deal:d-1@3"
    client.list_the_deals()
    assert named(way.seen[-1]) == {"deal:d-1@3"}


def test_an_answer_that_is_overtaken_takes_nothing_back(service: TestClient) -> None:
    """The first write's answer comes once a second thread has written and been answered."""
    overtaken = threading.Event()

    def late(request: httpx2.Request, _: int) -> None:
        if request.headers.get("Idempotency-Key") == "slow":
            assert overtaken.wait(10)

    client, way, _ = flaky(service, after=late)
    client.open_deal(OPENING, deal_id="d-1")
    slow = threading.Thread(
        target=client.record, args=("d-1", AddNote("x")), kwargs={"key": "slow"}
    )
    slow.start()
    while service.get("/v1/deals/d-1").json()["deal"]["version"] < 2:
        pass
    client.record("d-1", AddNote("y"))
    overtaken.set()
    slow.join(10)
    client.list_the_deals()
    assert named(way.seen[-1]) == {"deal:d-1@3"}


def test_of_writes_side_by_side_reads_name_all() -> None:
    written = Written()
    before = written.pending()
    written.add(["deal:a@2"], before)
    written.add(["deal:b@1"], before)
    assert str(written) == "deal:a@2,deal:b@1"


def test_a_write_after_another_stands_behind_it_in_the_log() -> None:
    written = Written()
    written.add(["deal:a@2"])
    before = written.pending()
    written.add(["deal:a@3", "deal:c@1"])
    written.add(["deal:b@1"], before)
    assert written.pending() == {"deal:a": 3, "deal:c": 1, "deal:b": 1}
    written.add(["deal:d@1"], written.pending())
    assert written.pending() == {"deal:d": 1}


def test_what_an_answer_has_included_is_not_named_again(service: TestClient) -> None:
    client, way, _ = flaky(service)
    client.open_deal(OPENING, deal_id="d-1")
    client.tell_alive()
    client.list_the_deals()
    assert named(way.seen[-1]) == {"deal:d-1@1"}
    client.list_the_deals()
    assert named(way.seen[-1]) == set()
    assert client.token == "deal:d-1@1"


def test_what_was_not_included_is_named_again(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.common.WAIT_SECONDS", 0.0)
    client, way, _ = flaky(service)
    client.wait_for("deal:none@1")
    for _ in range(2):
        with pytest.raises(Unavailable, match="deal:none@1"):
            client.list_the_deals()
    client.wait_for_nothing()
    client.list_the_deals()
    assert named(way.seen[-1]) == set()


def test_more_than_one_request_may_name_are_named_by_several(service: TestClient) -> None:
    client, way, _ = flaky(service)
    client.configure(RegisterUser("ben", "Ben Ito"))
    for number in range(MOST + 5):
        client.open_deal(OPENING, deal_id=f"d-{number:02}")
    handed = client.reassign_deals(WantedReassignment("anna", "ben"))
    assert len(handed.done) == MOST + 5
    asked = len(way.seen)
    client.list_the_deals()
    reads = way.seen[asked:]
    assert [request.method for request in reads] == ["HEAD", "GET"]
    assert {one.token for one in handed.done} <= named(reads[0]) | named(reads[1])


def test_it_names_no_more_than_the_service_takes() -> None:
    assert (MOST, LONGEST) == (MOST_AWAITED, _LONGEST_WAIT_FOR)
    written = Written()
    written.add(f"deal:{chr(0x673A) * 100}{number}@1" for number in range(MOST))
    while batch := written.batch():
        assert len(in_header(batch)) <= LONGEST
        written.forget(batch)


@pytest.mark.parametrize("token", ["deal", "deal:d-1", "d-1@1", "deal:d-1@x", "deal:@1"])
def test_what_names_no_event_is_not_waited_for(client: Client, token: str) -> None:
    with pytest.raises(ValueError, match="stream@version"):
        client.wait_for(token)
    assert client.token is None


def test_tokens_of_others_are_waited_for(service: TestClient) -> None:
    client, way, _ = flaky(service)
    client.open_deal(OPENING, deal_id="d,ü")
    client.open_deal(OPENING, deal_id="d-2")
    other, way, _ = flaky(service)
    other.wait_for("deal:d%2Cü@1, deal:d-2@1")
    other.list_the_deals()
    assert named(way.seen[-1]) == {"deal:d%2C%C3%BC@1", "deal:d-2@1"}


# Answers of every shape.


def test_what_every_kind_of_write_is_answered_with_names_its_events(client: Client) -> None:
    for user in ("anna", "ben"):
        client.configure(RegisterUser(user, user.title()))
        assert client.token == f"user:{user}@1"
    client.configure(RegisterUnit("west", "Sales West"))
    assert client.token == "unit:west@1"
    client.issue_api_key(NewApiKey("anna", "export"))
    assert client.token == "user:anna@2"
    client.import_the_rates(b"date,base,currency,rate\n2026-01-05,EUR,USD,1.2\n")
    assert "rates:EUR@1" in str(client.token)
    table = b"period,owner,territory,unit,amount,currency\n2026-Q1,,,,1,EUR\n2026-Q2,,,,2,EUR\n"
    targets = client.import_the_targets(table)
    assert len(targets.tokens) == 2
    assert set(targets.tokens) <= set(str(client.token).split(","))
    for number in range(2):
        client.open_deal(OPENING, deal_id=f"d-{number}")
    client.reassign_deals(WantedReassignment("anna", "ben"))
    assert set(str(client.token).split(",")) == {"deal:d-0@2", "deal:d-1@2"}
    webhook = client.register_a_webhook(WantedWebhook("https://example.com/x", "anna"))
    assert client.token == f"webhook:{webhook.webhook}@1"


def test_a_secret_of_a_webhook_names_its_event() -> None:
    text = (
        b'{"webhook":"w","secret":"s","recorded":{"stream":"webhook:w","version":1,'
        b'"token":"webhook:w@1","events":[]}}'
    )
    assert tokens_in(msgspec.json.decode(text, type=IssuedSecret)) == ["webhook:w@1"]


def test_a_dry_run_names_nothing() -> None:
    done = [ReassignedDeal("d-1", 1, "deal:d-1@1")]
    assert tokens_in(Reassigned(True, done, [], [], 0)) == []
    assert tokens_in(Reassigned(False, done, [], [], 0)) == ["deal:d-1@1"]


def recording_routes() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Every route that records, by its path, and what it answers with."""
    for route in all_routes():
        keyed = any(one.alias == "Idempotency-Key" for one in headers_of(route.dependant))
        if "POST" in methods(route) and keyed and not is_left_out(route):
            for answer in route.responses.values():
                if (
                    shape := ANSWERS.get(answer.get("x-shape", ""))
                ) and shape.__name__ != "Problem":
                    yield route.path, shape


def headers_of(dependant: Any) -> Iterator[Any]:
    yield from dependant.header_params
    for one in dependant.dependencies:
        yield from headers_of(one)


def has_a_token(kind: Any) -> bool:
    """Whether an answer of that kind holds, somewhere, what `tokens_in` looks for."""
    if get_origin(kind) is list:
        return has_a_token(get_args(kind)[0])
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return False
    hints = get_type_hints(kind)
    return bool(hints.keys() & {"token", "tokens"}) or any(map(has_a_token, hints.values()))


def test_every_answer_of_a_route_that_records_holds_tokens() -> None:
    found = dict(recording_routes())
    assert len(found) > 40
    names = {shape.__name__ for shape in found.values()}
    assert {"DealRecording", "Erased", "IssuedSecret", "Reassigned", "TableImport"} <= names
    assert [path for path, shape in found.items() if not has_a_token(shape)] == []


def test_what_is_read_below_v1_waits() -> None:
    """As the client takes it that it does."""
    for route in all_routes():
        if "GET" in methods(route) and not is_left_out(route):
            waiting = any(one.alias == WAIT_FOR for one in headers_of(route.dependant))
            assert waits(route.path) == waiting, route.path
