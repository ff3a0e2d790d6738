"""Whose events an answer waits for: nobody learns of an event that they may not know of."""

import pytest

from domain.access import Principal, Role
from tests.api.serving import serving

SELLER = Principal("u-ben", frozenset({Role.SELLER}))
AUDITOR = Principal("u-zoe", frozenset({Role.AUDITOR}))
ADMIN = Principal("u-adm", frozenset({Role.ADMIN}))


@pytest.fixture
def told(own_store: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The store; what is waited for in vain is waited for shortly."""
    monkeypatch.setattr("api.routes.common.WAIT_SECONDS", 0.05)
    return own_store


def asked(url: str, principal: Principal, event: str, route: str = "/v1/rates") -> tuple[int, str]:
    with serving(url, principal) as client:
        response = client.get(route, headers={"Dealstate-Wait-For": event})
    return response.status_code, response.text.replace(event, "EVENT")


def test_an_event_of_a_deal_that_one_may_not_read_is_as_one_that_is_not_there(told: str) -> None:
    assert asked(told, SELLER, "deal:d-mill@1", "/v1/deals")[0] == 200
    there, nowhere = (asked(told, SELLER, f"deal:{one}@1") for one in ("d-robot", "d-none"))
    assert there == nowhere
    assert there[0] == 504
    assert asked(told, AUDITOR, "deal:d-robot@1")[0] == 200


def test_of_the_organisation_everybody_knows(told: str) -> None:
    assert asked(told, ADMIN, "user:u-anna@1")[0] == 200
    assert asked(told, ADMIN, "deal:d-mill@1")[0] == 504


def test_what_one_recorded_oneself_one_may_wait_for(told: str) -> None:
    """Also who gave a deal away, and may not read it any more."""
    recorder = Principal("u-anna", frozenset({Role.ADMIN}))
    assert asked(told, recorder, "deal:d-mill@1")[0] == 200
    assert asked(told, recorder, "deal:d-mill@99")[0] == 504
