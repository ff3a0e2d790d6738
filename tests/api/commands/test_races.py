"""Writers that name the same version at the same time: one of them wins, on each database."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import httpx2
import pytest

from store.location import Location
from store.log import DealLog
from tests.api.commands.asking import HOLDER, new_store, opened
from tests.api.commands.listening import listening
from tests.conftest import NewLocation

WRITERS = 12


@pytest.fixture(scope="module")
def location(new_location: NewLocation) -> Location:
    return new_store(new_location())


@pytest.fixture(scope="module")
def services(location: Location) -> Iterator[Sequence[str]]:
    """Two servers of one store."""
    with ExitStack() as stack:
        ports = [stack.enter_context(listening(location, HOLDER)) for _ in range(2)]
        yield [f"http://127.0.0.1:{port}" for port in ports]


def _at_once(services: Sequence[str], deal_id: str, version: int | None, key: str) -> Counter[int]:
    """The statuses that writers are answered with who all begin at the same moment."""
    starting = Barrier(WRITERS)

    def write(number: int) -> int:
        service = services[number % len(services)]
        headers = {"Idempotency-Key": key.format(number)}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        with httpx2.Client(base_url=service, timeout=60) as client:
            client.get("/livez")
            starting.wait()
            text = key.format(number)
            body = {"plan": text} if version is not None else {"text": text}
            command = "set-win-plan" if version is not None else "add-note"
            url = f"/v1/deals/{deal_id}/{command}"
            return client.post(url, json=body, headers=headers).status_code

    with ThreadPoolExecutor(WRITERS) as pool:
        return Counter(pool.map(write, range(WRITERS)))


def test_one_of_them_wins(location: Location, services: Sequence[str]) -> None:
    deal_id = "raced"
    opened(location, deal_id)
    for version in (1, 2, 3):
        key = f"{deal_id}-{version}-{{}}"
        assert _at_once(services, deal_id, version, key) == {200: 1, 412: WRITERS - 1}
    with DealLog.open(location) as log:
        assert log.history(deal_id).version == 4


def test_the_same_key_at_once_has_one_effect(location: Location, services: Sequence[str]) -> None:
    opened(location, "same")
    assert _at_once(services, "same", None, "one-key") == {200: WRITERS}
    with DealLog.open(location) as log:
        assert log.history("same").version == 2


def test_without_a_version_all_of_them_write(location: Location, services: Sequence[str]) -> None:
    opened(location, "all")
    assert _at_once(services, "all", None, "all-{}") == {200: WRITERS}
    with DealLog.open(location) as log:
        assert log.history("all").version == 1 + WRITERS
