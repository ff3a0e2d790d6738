"""The client: commands by one method, every other route by one of its own."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, Self, get_args
from uuid import uuid4

import httpx2

from api.client import feed
from api.client.routes import EveryRoute
from api.client.sending import ATTEMPTS, LONGEST_TOLD_SECONDS, Patience, Sender, segment
from api.wire.events import CloudEvent
from api.wire.recorded import DealRecording, Recording
from domain.deal import DealCommand
from domain.intent import Command, command_name
from domain.lifecycle.commands import OpenOpportunity
from domain.organisation import AnyOrganisationCommand
from domain.rates import PublishRates
from domain.targets import SetTarget

AdministrativeCommand = AnyOrganisationCommand | PublishRates | SetTarget


class Client(EveryRoute):
    """A client of one service, for one API key or token. Safe to use from many threads.

    `key` is what the service knows its caller by. A request is sent up to `attempts` times where
    the connection is cut or the service is busy; a write is recorded once all the same, under its
    key. Where the service asks to wait for more than `longest_wait` seconds, the caller is told
    (TooMany, Unavailable, with `retry_after`). Reads include whatever this client has written
    before. `http` sends the requests, where it is not the network that they go over. Every method
    raises Refused, Unreachable and Unreadable.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        http: httpx2.Client | None = None,
        attempts: int = ATTEMPTS,
        longest_wait: float = LONGEST_TOLD_SECONDS,
    ) -> None:
        super().__init__(Sender(url, key, http, Patience(attempts, longest_wait)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()

    @property
    def token(self) -> str | None:
        """What this client wrote and has not read since, else what it wrote last.

        Events, with commas between; another client's `wait_for` takes it.
        """
        return str(self._sender.written) or None

    def wait_for(self, token: str) -> None:
        """Let reads from now on include events that somebody else wrote, with commas between.

        Raises ValueError for what names no event.
        """
        self._sender.written.add(one for one in token.split(",") if one.strip())

    def wait_for_nothing(self) -> None:
        """Let reads go on without events that the service does not show (504), as those of a
        deal that this client has lost the right to read."""
        self._sender.written.forget(self._sender.written.pending())

    # Commands.

    def open_deal(
        self,
        command: OpenOpportunity,
        *,
        deal_id: str | None = None,
        key: str | None = None,
        occurred_at: datetime | str | None = None,
    ) -> DealRecording:
        """Open a deal, under an id of its own or one that follows from the key."""
        given = {"id": deal_id, "occurred_at": _moment(occurred_at)}
        return self._write("/v1/deals", DealRecording, command, given, key=key)

    def record(
        self,
        deal_id: str,
        command: DealCommand,
        *,
        key: str | None = None,
        if_version: int | None = None,
        occurred_at: datetime | str | None = None,
    ) -> DealRecording:
        """Record something on a deal, once for each `key`; a new key where none is given.

        With `if_version` only while the deal is at that version, else raises Stale; what replaces
        has to name it.
        """
        path = f"/v1/deals/{segment(deal_id)}/{command_name(type(command))}"
        given = {"occurred_at": _moment(occurred_at)}
        return self._write(path, DealRecording, command, given, key=key, if_version=if_version)

    def configure(
        self,
        command: AdministrativeCommand,
        *,
        key: str | None = None,
        if_version: int | None = None,
    ) -> Recording:
        """Carry out a command on the organisation, on rates or on targets. As `record`."""
        path = f"/v1/{room_of(type(command))}/{command_name(type(command))}"
        return self._write(path, Recording, command, {}, key=key, if_version=if_version)

    # The feed.

    def events(
        self, after: int = 0, *, types: Iterable[str] = (), stream: str | None = None
    ) -> Iterator[CloudEvent]:
        """The events behind a position of the feed, in its order, up to the last there is."""
        return feed.pages(self._sender, after, _chosen(types, stream))

    def follow(
        self, after: int = 0, *, types: Iterable[str] = (), stream: str | None = None
    ) -> Iterator[CloudEvent]:
        """The events behind a position, and each that comes, without end and each once.

        Whoever is stopped goes on behind the `position` of the last event that they dealt with.
        """
        return feed.following(self._sender, after, _chosen(types, stream))


def room_of(kind: type[Command]) -> str:
    """Where the route of a command beside the deals stands."""
    if kind in get_args(AnyOrganisationCommand):
        return "organisation"
    rooms: dict[type[Command], str] = {PublishRates: "rates", SetTarget: "targets"}
    return rooms[kind]


def new_key() -> str:
    """A key that nobody has used."""
    return str(uuid4())


def _moment(given: datetime | str | None) -> str | None:
    return given.isoformat() if isinstance(given, datetime) else given


def _chosen(types: Iterable[str], stream: str | None) -> dict[str, Any]:
    chosen = {"types": ",".join(types), "stream": stream}
    return {name: value for name, value in chosen.items() if value}
