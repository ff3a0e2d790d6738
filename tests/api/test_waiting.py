"""Whose events an answer waits for: nobody learns of an event that they may not know of."""

import re
from itertools import product

import pytest
from httpx2 import Response

from api.parameter_forms import BY_NAME
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


# Several events.


def waited(url: str, *lines: str) -> Response:
    with serving(url, AUDITOR) as client:
        return client.get("/v1/rates", headers=[("Dealstate-Wait-For", line) for line in lines])


def test_several_events_are_waited_for(told: str) -> None:
    """As lists in RFC 9110: with blanks and empty elements, over several lines."""
    for lines in (
        [", deal:d-mill@1 ,\tuser:u-anna@1,,"],
        ["deal:d-mill@1", "user:u-anna@1"],
        [",".join(["deal:d-mill@1"] * 20)],
    ):
        assert waited(told, *lines).status_code == 200


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_each_of_several_events_is_waited_for(told: str, missing: int) -> None:
    events = [f"deal:d-mill@{999 if number == missing else 1}" for number in range(3)]
    response = waited(told, ",".join(events))
    assert (response.status_code, response.json()["code"]) == (504, "event-not-recorded")
    assert "deal:d-mill@999" in response.json()["detail"]


def test_of_several_events_too_each_has_to_be_one_that_one_may_know_of(told: str) -> None:
    assert asked(told, SELLER, "deal:d-mill@1,deal:d-robot@1", "/v1/deals")[0] == 504


def test_a_list_that_cannot_be_used_is_told(told: str) -> None:
    for events, why in (
        (["deal:d-mill@1"] * 21, "more than 20 events"),
        ([f"deal:{'x' * 295}@1"] * 20, "more than 6,000 characters"),
        (["deal:d-mill@1", "d-mill@3"], "not of the form stream@version"),
        (["", " "], "not of the form stream@version"),
        (["deal:50%@1"], "the percent sign in an event as %25"),
        (["deal:%CE@1"], "not UTF-8"),
        (["deal:%00@1"], "not of the form stream@version"),
    ):
        response = waited(told, ",".join(events))
        assert (response.status_code, response.json()["code"]) == (400, "invalid-header")
        assert why in response.json()["detail"]


def test_the_form_that_is_documented_is_the_one_that_is_taken() -> None:
    """Of all pairs of bytes that are percent-encoded, and of the bounds of longer sequences."""
    form = re.compile(BY_NAME["Dealstate-Wait-For"]["pattern"])
    longer = [
        bytes([*first, *rest])
        for first in product((0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF), (0x7F, 0x80, 0x9F, 0xA0, 0xBF))
        for rest in ([0x80], [0xBF], [0xC0], [])
    ] + [
        bytes([*first, *rest])
        for first in product((0xF0, 0xF1, 0xF3, 0xF4, 0xF5), (0x7F, 0x80, 0x8F, 0x90, 0xBF))
        for rest in ([0x80, 0xBF], [0x80, 0xC0], [0x80])
    ]
    for encoded in (*map(bytes, product(range(256), repeat=2)), *longer):
        event = "deal:" + "".join(f"%{byte:02X}" for byte in encoded) + "@1"
        assert bool(form.fullmatch(event)) == _is_text(encoded), event


def _is_text(encoded: bytes) -> bool:
    try:
        return "\0" not in encoded.decode()
    except UnicodeDecodeError:
        return False
