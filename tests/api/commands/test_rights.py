"""Who may record what, and what they are told of it: of a deal out of sight, that there is none."""

from typing import Any

import pytest
from msgspec.structs import replace

from domain.access import Action, Principal, Role
from tests.api.commands.asking import (
    ANNA,
    BO,
    HOLDER,
    OPENING,
    give,
    open_deal,
    refused,
    told,
)
from tests.api.commands.conftest import Service

ANALYST = Principal("eve", frozenset({Role.ANALYST}))
MANAGER = Principal("mei", frozenset({Role.MANAGER}), frozenset({"west"}))
ELSEWHERE = replace(MANAGER, id="max", units=frozenset({"east"}))
RECORDS_ALONE = replace(ANNA, limited_to=frozenset({Action.RECORD}))
READS_ALONE = replace(ANNA, limited_to=frozenset({Action.READ}))
NOTE = {"text": "Call back."}
PERSON = {"id": "li-na", "name": "Li Na"}


# A deal out of sight answers as one that does not exist, whatever is wrong with the request.

STRANGE: list[dict[str, Any]] = [
    {},
    {"version": 1},
    {"version": 7},
    {"occurred_at": "2026-01-01"},
    {"occurred_at": "2999-01-01"},
]


@pytest.mark.parametrize("who", [BO, ELSEWHERE, replace(BO, limited_to=frozenset({Action.RECORD}))])
@pytest.mark.parametrize("parameters", STRANGE)
def test_a_deal_out_of_sight_answers_as_none(
    service: Service, who: Principal, parameters: dict[str, Any]
) -> None:
    client = service.as_(who)
    bodies: dict[str, dict[str, Any]] = {
        "add-note": NOTE,
        "withdraw-event": {"version": 1, "reason": "x"},
        "merge-deal": {"into": "d-bo", "reason": "x"},
        "resume-opportunity": {},
    }
    for command, body in bodies.items():
        there = give(client, "d-anna", command, body, "k-1", **parameters)
        nowhere = give(client, "d-none", command, body, "k-1", **parameters)
        # A key that is good to record alone withdraws nothing anywhere.
        assert there.status_code in {404, 403}
        assert there.json()["code"] == nowhere.json()["code"]
        assert there.content == nowhere.content.replace(b"d-none", b"d-anna")
    assert "d-anna" not in {deal["id"] for deal in client.get("/v1/deals").json().get("deals", [])}


@pytest.mark.parametrize("deal_id", ["d-none", "x" * 200, "a%00b", "%F0%9F%98%80", "deal:d-anna"])
def test_a_deal_that_is_not_there(service: Service, deal_id: str) -> None:
    answer = give(service.as_(HOLDER), deal_id, "add-note", NOTE)
    assert refused(answer) == (404, "deal-not-found")


def test_an_id_that_is_too_long(service: Service) -> None:
    assert refused(give(service.as_(HOLDER), "x" * 201, "add-note", NOTE))[0] == 422


def test_who_may_read_and_not_record_is_refused(service: Service) -> None:
    for who in (ANALYST, READS_ALONE):
        answer = give(service.as_(who), "d-anna", "add-note", NOTE)
        assert refused(answer) == (403, "not-allowed")
    # A manager reads a deal outside of their units whose team they are on, and approves nothing.
    told(give(service.as_(ANNA), "d-anna", "assign-team-member", {"member": "max", "role": "SE"}))
    approval = {"issue": "price", "value": "5"}
    told(give(service.as_(ELSEWHERE), "d-anna", "add-note", NOTE))
    answer = give(service.as_(ELSEWHERE), "d-anna", "grant-approval", approval)
    assert refused(answer) == (403, "not-allowed")
    assert "manager on deals of their units" in answer.json()["satisfied_by"]
    assert refused(give(service.as_(ELSEWHERE), "d-bo", "grant-approval", approval))[0] == 404


def test_who_may_record_and_not_read_is_shown_what_is_public(service: Service) -> None:
    (event,) = told(
        give(service.as_(RECORDS_ALONE), "d-anna", "identify-stakeholder", PERSON, "k-1")
    ).events
    assert event.fact is not None
    assert (event.type, getattr(event.fact, "name")) == ("stakeholder-identified", "[hidden]")  # noqa: B009
    assert service.as_(RECORDS_ALONE).get("/v1/deals/d-anna").status_code == 403
    assert service.as_(ANNA).get("/v1/deals/d-anna").json()["deal"]["version"] == 2


def test_the_answer_follows_what_one_may_read_now(service: Service) -> None:
    """The same key under another right to read: one effect, and as much as may be read today."""
    first = give(service.as_(RECORDS_ALONE), "d-anna", "identify-stakeholder", PERSON, "k-1")
    again = give(service.as_(ANNA), "d-anna", "identify-stakeholder", PERSON, "k-1")
    assert again.headers["idempotency-replayed"] == "true"
    assert b"Li Na" not in first.content
    assert first.content == again.content.replace(b'"Li Na"', b'"[hidden]"')


def test_rights_are_asked_for_again_when_a_request_is_repeated(service: Service) -> None:
    told(give(service.as_(ANNA), "d-anna", "add-note", NOTE, "k-1"))
    told(give(service.as_(ANNA), "d-anna", "change-owner", {"owner": "bo"}, version=2))
    answer = give(service.as_(ANNA), "d-anna", "add-note", NOTE, "k-1")
    assert refused(answer) == (404, "deal-not-found")


HANDED = {"owner": "bo", "reason": "Anna is on leave."}


def test_who_hands_a_deal_over_may_repeat_that(service: Service) -> None:
    anna = service.as_(ANNA)
    first = give(anna, "d-anna", "change-owner", HANDED, "k-1", version=1)
    again = give(anna, "d-anna", "change-owner", HANDED, "k-1", version=1)
    assert told(first).events
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    # Nothing else is answered: another payload, another key, another command under the key.
    for body, key in ((HANDED | {"reason": "x"}, "k-1"), (HANDED, "k-2")):
        other = give(anna, "d-anna", "change-owner", body, key, version=1)
        assert refused(other) == (404, "deal-not-found")
    assert refused(give(anna, "d-anna", "add-note", NOTE, "k-1")) == (404, "deal-not-found")
    assert anna.get("/v1/deals/d-anna").status_code == 404


def test_who_hands_a_deal_over_and_lost_their_role_may_not_repeat_that(service: Service) -> None:
    told(give(service.as_(ANNA), "d-anna", "change-owner", HANDED, "k-1", version=1))
    for now in (frozenset[Role](), frozenset({Role.ANALYST})):
        after = service.as_(replace(ANNA, roles=now))
        answer = give(after, "d-anna", "change-owner", HANDED, "k-1", version=1)
        assert refused(answer) == (403, "not-allowed")


def test_who_leaves_the_team_of_a_deal_may_repeat_that_alone(service: Service) -> None:
    joins = leaves = {"member": "bo", "role": "SE"}
    told(give(service.as_(ANNA), "d-anna", "assign-team-member", joins, "k-1"))
    bo = service.as_(BO)
    told(give(bo, "d-anna", "add-note", NOTE, "k-2"))
    first = give(bo, "d-anna", "release-team-member", leaves, "k-3")
    again = give(bo, "d-anna", "release-team-member", leaves, "k-3")
    assert told(first).events
    assert (again.status_code, again.content) == (200, first.content)
    # They kept the right to the note when they gave it, and lost it by something else.
    assert refused(give(bo, "d-anna", "add-note", NOTE, "k-2")) == (404, "deal-not-found")


def test_who_opens_a_deal_for_somebody_else_may_repeat_that(service: Service) -> None:
    first = open_deal(service.as_(BO), key="k-1", id="d-new")
    again = open_deal(service.as_(BO), key="k-1", id="d-new")
    assert told(first, 201).events
    assert again.content == first.content
    assert service.as_(BO).get("/v1/deals/d-new").status_code == 404
    assert refused(give(service.as_(BO), "d-new", "add-note", NOTE))[0] == 404


def test_who_hands_a_deal_over_is_told_what_they_may_read_after_it(service: Service) -> None:
    handed = {"owner": "bo", "reason": "Anna is on leave."}
    (event,) = told(give(service.as_(ANNA), "d-anna", "change-owner", handed, version=1)).events
    assert b"leave" not in str(event.fact).encode()
    assert event.type == "owner-changed"


def test_a_key_counts_for_its_sender_alone(service: Service) -> None:
    one = told(give(service.as_(ANNA), "d-anna", "add-note", NOTE, "k-1"))
    other = told(give(service.as_(MANAGER), "d-anna", "add-note", {"text": "Agreed."}, "k-1"))
    assert (one.version, other.version) == (2, 3)


def test_somebody_elses_key_tells_nothing(service: Service) -> None:
    told(give(service.as_(ANNA), "d-anna", "add-note", NOTE, "k-1"))
    told(give(service.as_(BO), "d-bo", "add-note", NOTE, "k-1"))


# New deals.


def test_who_opens_no_deals(service: Service) -> None:
    for who in (ANALYST, READS_ALONE):
        assert refused(open_deal(service.as_(who), id="d-anna")) == (403, "not-allowed")


def test_an_id_that_is_taken_tells_no_more_than_that(service: Service) -> None:
    """By a deal out of sight, or as the reference of one; who sees the deal is told which it is."""
    told(open_deal(service.as_(ANNA), OPENING | {"reference": "A-7"}, id="d-7"), 201)
    for wanted in ("d-anna", "A-7"):
        answer = open_deal(service.as_(BO), OPENING | {"owner": "bo"}, id=wanted)
        assert refused(answer) == (409, "id-taken")
        assert answer.json()["detail"] == f"the id {wanted!r} is taken"
    other = OPENING | {"name": "Another one"}
    answer = open_deal(service.as_(ANNA), other, id="d-anna")
    assert refused(answer) == (409, "deal-already-opened")


def test_a_repeated_opening_is_the_same_though_its_id_became_a_reference(service: Service) -> None:
    first = open_deal(service.as_(ANNA), key="k-1", id="d-8")
    told(open_deal(service.as_(ANNA), OPENING | {"reference": "d-8"}, id="d-9"), 201)
    assert open_deal(service.as_(ANNA), key="k-1", id="d-8").content == first.content


# A deal to merge into.


def test_a_deal_is_not_merged_into_one_out_of_sight(service: Service) -> None:
    client = service.as_(ANNA)
    answers = [
        give(client, "d-anna", "merge-deal", {"into": into, "reason": "x"}, version=version)
        for into in ("d-bo", "d-xx")
        for version in (None, 1, 9)
    ]
    assert {refused(one) for one in answers} == {(409, "unknown-reference")}
    assert len({one.content.replace(b"d-bo", b"d-xx") for one in answers}) == 1
    merged = {"into": "d-bo", "reason": "The same project."}
    told(give(service.as_(HOLDER), "d-anna", "merge-deal", merged))
