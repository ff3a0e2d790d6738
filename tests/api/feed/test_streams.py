"""Server-sent events: in order, each once, resumed, ended; for whoever may read them, as of now."""

import asyncio
import http.client
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.types import Message

from api.auth.keys import make_key
from api.feed import sse
from api.feed.service import FeedService
from api.feed.sse import EventStream, blocks
from api.queries.events import EventQuery, Part
from domain.access import Principal, Role
from domain.lifecycle.commands import AssignTeamMember, ChangeOwner
from domain.organisation import (
    EndMembership,
    GrantMembership,
    IssueApiKey,
    RegisterUser,
    RevokeApiKey,
)
from store.errors import StoreUnavailable
from store.location import Location
from store.log import DealLog
from tests.api.feed.conftest import UNIT, World
from tests.api.feed.streaming import served
from tests.contract.asking import intent
from tests.shared_data import REPOSITORY

Seller = tuple[str, str]
AUDITOR = Principal("aud", frozenset({Role.AUDITOR}))


def test_events_come_as_they_are_recorded(world: World, seller: Seller) -> None:
    user, token = seller
    mine, other = world.deal(user), world.deal("x")
    with world.service.stream("", token) as reader:
        assert reader.last_id == str(world.log.head())
        for _ in range(3):
            world.note(other)
            position = world.note(mine)
            assert reader.event()["position"] == str(position)


def test_a_stream_goes_on_behind_the_id_received_last(world: World, seller: Seller) -> None:
    user, token = seller
    mine = world.deal(user)
    notes = [world.note(mine) for _ in range(4)]
    with world.service.stream(f"?after={notes[0] - 1}", token) as reader:
        found = [reader.event()["position"] for _ in range(2)]
        last = reader.last_id
    # It stands in the address still when a browser comes back, and does not count.
    with world.service.stream("?after=0", token, Last_Event_ID=last) as reader:
        found += [reader.event()["position"] for _ in range(2)]
    assert found == [str(position) for position in notes]


def test_what_is_passed_over_moves_on_the_id(world: World, seller: Seller) -> None:
    with world.service.stream("", seller[1]) as reader:
        position = world.note(world.deal("x"))
        while reader.last_id != str(position):
            block = reader.block()
            assert block is not None
            assert block.data is None


def test_it_is_told_that_the_stream_is_alive(world: World, seller: Seller) -> None:
    with world.service.asked("/v1/events/stream", seller[1]) as (_, response):
        lines = [response.readline() for _ in range(7)]
    head = world.log.head()
    begin = [b"retry: 3000\n", b"id: %d\n" % head, b"\n"]
    assert lines == [*begin, b": keep-alive\n", b"id: %d\n" % head, b"\n", b": keep-alive\n"]


def test_filters(world: World, auditor: str) -> None:
    deal, other = world.deal("x"), world.deal("y")
    before = world.log.head()
    query = f"?after={before}&types=note-added&stream=deal:{deal}"
    with world.service.stream(query, auditor) as reader:
        world.note(other)
        world.record(deal, ChangeOwner("z"))
        position = world.note(deal)
        assert reader.event()["position"] == str(position)


def test_a_deal_ends_for_who_may_not_read_it_any_more(world: World, seller: Seller) -> None:
    user, token = seller
    mine, kept = world.deal(user), world.deal(user)
    with world.service.stream("", token) as reader:
        world.note(mine)
        assert reader.event()["subject"] == f"deal:{mine}"
        world.record(mine, ChangeOwner("x"))
        world.note(mine)
        world.note(kept)
        assert reader.event()["subject"] == f"deal:{kept}"
        world.record(mine, AssignTeamMember(user, "support"))
        # From the event on that lets them read it again.
        assert reader.event()["type"] == "dealstate.team-member-assigned"


def end_membership(world: World, user: str) -> None:
    world.configure(EndMembership(user, Role.SELLER, UNIT))


def revoke_key(world: World, user: str) -> None:
    world.configure(RevokeApiKey(user, world.keys[user]))


@pytest.mark.parametrize("end", [end_membership, revoke_key])
def test_a_stream_ends_with_the_rights(world: World, seller: Seller, end: Any) -> None:
    user, token = seller
    mine = world.deal(user)
    with world.service.stream("", token) as reader:
        end(world, user)
        world.note(mine)
        assert reader.rest() == []
    assert world.service.get("/v1/events/stream", token)[0] in {401, 403}


def test_so_many_streams_and_no_more(world: World, seller: Seller) -> None:
    token = seller[1]
    others = [world.user(Role.SELLER)[1] for _ in range(2)]
    with ExitStack() as open_ones:
        for _ in range(3):
            open_ones.enter_context(world.service.stream("", token))
        assert refused(world, token) == (429, "too-many-streams")
        for other in others:
            for _ in range(3 if other is others[0] else 2):
                open_ones.enter_context(world.service.stream("", other))
        assert refused(world, others[1]) == (503, "too-busy")
    give_up = time.monotonic() + 10
    while world.service.app.state.feed.places.taken:
        assert time.monotonic() < give_up, "places are not given back"
        time.sleep(0.01)
    with world.service.stream("", token):
        pass


def refused(world: World, token: str) -> tuple[int, str]:
    status, headers, body = world.service.get("/v1/events/stream", token)
    assert headers["Retry-After"] == "10"
    return status, msgspec.json.decode(body)["code"]


@pytest.mark.parametrize("last_id", ["x", "-1", "1.5", "\u00b2", "9" * 30, "1000000"])
def test_an_id_that_is_none(world: World, auditor: str, last_id: str) -> None:
    status, _, body = world.service.get("/v1/events/stream", auditor, Last_Event_ID=last_id)
    assert (status, msgspec.json.decode(body)["code"]) == (400, "invalid-header")


def test_an_empty_id_is_none_received(world: World, auditor: str) -> None:
    with world.service.stream("", auditor, Last_Event_ID="") as reader:
        assert reader.last_id == str(world.log.head())


def test_a_stream_outlives_a_store_that_cannot_be_reached(
    world: World, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, token = seller
    mine = world.deal(user)
    feed = world.service.app.state.feed.feed
    part, failures = feed.part, list[object]()
    monkeypatch.setattr(sse, "_PAUSE_SECONDS", 0.05)

    def fails(*args: Any) -> Any:
        if len(failures) < 3:
            failures.append(args)
            raise StoreUnavailable("the store is away", "Wait.")
        return part(*args)

    with world.service.stream("", token) as reader:
        monkeypatch.setattr(feed, "part", fails)
        position = world.note(mine)
        assert reader.event()["position"] == str(position)
    assert len(failures) == 3


def test_it_ends_after_its_time_and_has_sent_what_was_there(
    world: World, location: Location, auditor: str
) -> None:
    position = world.note(world.deal("x"))
    with (
        served(location, stream_seconds=0) as service,
        service.stream(f"?after={position - 2}", auditor) as reader,
    ):
        assert [event["position"] for event in reader.rest()] == [str(position - 1), str(position)]


def test_who_takes_nothing_costs_one_part_of_the_feed_and_is_given_up(
    world: World, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = world.deal(seller[0])
    before = world.log.head()
    for _ in range(30):
        world.note(mine)
    service, parts = world.service.app.state.feed, list[Part]()
    part = service.feed.part

    def counted(*args: Any) -> Any:
        parts.append(part(*args))
        return parts[-1]

    monkeypatch.setattr(service.feed, "part", counted)
    monkeypatch.setattr(sse, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(sse, "_PART_EVENTS", 10)
    sent = list[Message]()
    given_back = list[bool]()

    async def receive() -> Message:
        await asyncio.sleep(3600)
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) > 5:
            await asyncio.sleep(3600)  # As where the other end takes nothing more.

    async def stream() -> None:
        feed = FeedService(world.service.app.state.store, service.limits)
        feed.feed = service.feed
        found = blocks(feed, lambda: AUDITOR, EventQuery(before))
        await EventStream(found, lambda: given_back.append(True))({"type": "http"}, receive, send)

    asyncio.run(asyncio.wait_for(stream(), 10))
    assert len(sent) == 6
    assert len(parts) == 1
    assert len(parts[0].events) == 10
    assert given_back == [True]


def test_a_server_ends_its_streams_when_it_ends(tmp_path: Path) -> None:
    """As `dealstate serve` does on SIGTERM, long before the next sign of life is due."""
    location, made = Location.beside(tmp_path / "deals.db"), make_key()
    with DealLog.create(location) as log:
        log.configure(RegisterUser("aud", "Aud"), intent("register"))
        log.configure(GrantMembership("aud", Role.AUDITOR), intent("grant"))
        log.configure(IssueApiKey("aud", made.id, made.digest, "test"), intent("issue"))
    start = "from api.cli.entry import main; main()"
    command = [sys.executable, "-c", start, "--db", str(location), "serve"]
    with subprocess.Popen(
        [*command, "--port", "0", "--no-worker"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            port = served_port(server.stdout)
            streams = [http.client.HTTPConnection("127.0.0.1", port, timeout=20) for _ in range(3)]
            headers = {"Authorization": f"Bearer {made.token}"}
            for one in streams:
                one.request("GET", "/v1/events/stream", headers=headers)
            answers = [one.getresponse() for one in streams]
            assert [answer.readline() for answer in answers] == [b"retry: 3000\n"] * 3
            began = time.monotonic()
            server.send_signal(signal.SIGTERM)
            for answer in answers:
                answer.read()  # A chunked answer that is cut off would be a fault.
            assert server.wait(timeout=15) == 0
            assert time.monotonic() - began < 10
            for one in streams:
                one.close()
        finally:
            server.kill()


def served_port(lines: Any) -> int:
    for line in lines:
        if line.startswith("Serving "):
            return int(line.partition(" at http://127.0.0.1:")[2].partition("/")[0])
    raise AssertionError("it did not start")
