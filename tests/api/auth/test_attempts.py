"""Who sends many tokens that are good for nothing waits, and nobody else."""

import pytest

from api.auth import attempts
from api.auth.attempts import ATTEMPTS, SECONDS_EACH, Attempts, source_of


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def buckets(clock: Clock) -> Attempts:
    return Attempts(clock)


def exhaust(buckets: Attempts, address: str) -> None:
    for _ in range(ATTEMPTS):
        assert buckets.wait_seconds(address) == 0
        buckets.failed(address)


def test_an_address_has_so_many_attempts_and_one_more_each_few_seconds(
    buckets: Attempts, clock: Clock
) -> None:
    exhaust(buckets, "192.0.2.1")
    assert buckets.wait_seconds("192.0.2.1") == SECONDS_EACH
    assert buckets.wait_seconds("192.0.2.2") == 0
    clock.seconds += SECONDS_EACH - 0.5
    assert buckets.wait_seconds("192.0.2.1") == 1
    clock.seconds += 0.5
    assert buckets.wait_seconds("192.0.2.1") == 0
    buckets.failed("192.0.2.1")
    assert buckets.wait_seconds("192.0.2.1") == SECONDS_EACH
    clock.seconds += 1_000_000
    exhaust(buckets, "192.0.2.1")
    assert buckets.wait_seconds("192.0.2.1") > 0


def test_a_network_of_the_sixth_version_is_one_source(buckets: Attempts) -> None:
    exhaust(buckets, "2001:db8:0:1::1")
    assert buckets.wait_seconds("2001:db8:0:1:ffff::2") > 0
    assert buckets.wait_seconds("2001:db8:0:2::1") == 0


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::5", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_who_is_behind_an_address(address: str, source: str) -> None:
    assert source_of(address) == source


def test_only_so_many_addresses_are_remembered(
    buckets: Attempts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "ADDRESSES", 3)
    exhaust(buckets, "192.0.2.1")
    for number in range(2, 5):
        buckets.failed(f"192.0.2.{number}")
    assert buckets.wait_seconds("192.0.2.1") == 0
    assert len(buckets._left) == 3
