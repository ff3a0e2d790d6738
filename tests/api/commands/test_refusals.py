"""A refused command: the status that says of what kind, the rule's code, what would satisfy it."""

from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient

from api.problems import failure_of
from domain.refusals import every_refusal
from tests.api.commands.asking import (
    OPENING,
    give,
    open_deal,
    refused,
    told,
    version_now,
)


@pytest.fixture
def client(client: TestClient) -> TestClient:
    """A deal that is open since March, and one that is lost."""
    for deal_id in ("d-1", "d-2"):
        told(open_deal(client, id=deal_id, occurred_at="2026-03-02"), 201)
    told(give(client, "d-2", "lose-opportunity", {"outcome": "no-decision"}))
    return client


USD, EUR = ({"amount": "5.00", "currency": currency} for currency in ("USD", "EUR"))


class Refused(NamedTuple):
    """A command, and how it is refused."""

    deal_id: str
    command: str
    body: dict[str, Any]
    status: int
    code: str
    occurred_at: str = "now"


LATER, EARLIER = "2999-01-01", "2026-01-01"
NO_PROCESS = {"process": {"id": "none", "version": 1}}
TO_NOBODY = {"outcome": "lost-to-competitor"}

REFUSED = [
    Refused("d-1", "advance-stage", {"to": "P1"}, 409, "gate-not-met"),
    Refused("d-1", "advance-stage", {"to": "P9"}, 409, "unknown-stage"),
    Refused("d-1", "regress-stage", {"to": "P9", "reason": "x"}, 409, "unknown-stage"),
    Refused("d-2", "resume-opportunity", {}, 409, "deal-closed"),
    Refused("d-1", "revise-forecast", {"amount": EUR}, 409, "currency-mismatch"),
    Refused("d-1", "send-minutes", {"contact": "c-1"}, 409, "unknown-reference"),
    Refused("d-1", "withdraw-event", {"version": 9, "reason": "x"}, 409, "unknown-reference"),
    Refused("d-1", "withdraw-event", {"version": 1, "reason": "x"}, 409, "cannot-withdraw"),
    Refused("d-2", "win-opportunity", {"value": USD}, 409, "deal-closed"),
    Refused("d-1", "add-note", {"text": "x"}, 409, "before-opening", EARLIER),
    Refused("d-1", "add-note", {"text": "x"}, 422, "in-the-future", LATER),
    Refused("d-1", "add-note", {"text": "   "}, 422, "text-not-legible"),
    Refused("d-1", "lose-opportunity", TO_NOBODY, 422, "competitor-missing"),
    Refused("d-1", "change-process", NO_PROCESS, 422, "unknown-process"),
]


@pytest.mark.parametrize("one", REFUSED, ids=lambda one: f"{one.command}-{one.code}")
def test_a_refused_command_says_why_and_records_nothing(client: TestClient, one: Refused) -> None:
    before = version_now(client, one.deal_id)
    answer = give(client, one.deal_id, one.command, one.body, occurred_at=one.occurred_at)
    assert refused(answer) == (one.status, one.code)
    problem = answer.json()
    assert problem["type"].endswith(one.code)
    assert problem["satisfied_by"].endswith(".")
    assert version_now(client, one.deal_id) == before


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"currency": "XXX"}, 422, "unknown-currency"),
        (NO_PROCESS, 422, "unknown-process"),
        ({"stage": "P9"}, 409, "unknown-stage"),
    ],
)
def test_a_refused_opening(
    client: TestClient, changes: dict[str, Any], status: int, code: str
) -> None:
    assert refused(open_deal(client, OPENING | changes)) == (status, code)


def test_a_deal_is_opened_once(client: TestClient) -> None:
    other = OPENING | {"name": "Another one"}
    assert refused(open_deal(client, other, id="d-1")) == (409, "deal-already-opened")


def test_a_deal_that_is_there_as_it_is_asked_for_is_no_new_one(client: TestClient) -> None:
    assert told(open_deal(client, id="d-1", occurred_at="2026-03-02"), 200).events == []


def test_somebody_is_not_erased_on_one_deal_alone(client: TestClient) -> None:
    answer = client.post("/v1/deals/d-1/erase-subject", json={"stakeholder": "x"})
    assert refused(answer)[0] == 404


@pytest.mark.parametrize("kind", every_refusal())
def test_every_refusal_has_a_status(kind: type) -> None:
    failure = failure_of(kind("it is so", "Do otherwise."))
    assert failure is not None
    assert failure.status in {403, 404, 409, 412, 422}
    assert failure.advice == "Do otherwise."
