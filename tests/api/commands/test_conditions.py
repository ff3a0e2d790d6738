"""What a request that records has to bring: a key, a version, a body that is JSON."""

from time import perf_counter

import pytest
from fastapi.testclient import TestClient

from api.around.guard import LARGEST_BODY
from api.openapi import schemas
from api.routes.conditions import BODIES, RequestFault, decode_body
from domain.stages.commands import ReviseForecast
from tests.api.commands.asking import (
    give,
    open_deal,
    refused,
    told,
    version_now,
)

URL = "/v1/deals/d-anna/revise-forecast"
AMOUNT = {"amount": {"amount": "1054.00", "currency": "USD"}}
JSON = {"Content-Type": "application/json", "If-Match": '"1"'}


# The key.


def test_the_same_request_under_the_same_key_has_one_effect_and_one_answer(
    client: TestClient,
) -> None:
    first = give(client, "d-anna", "add-note", {"text": "Call back."}, "k-1")
    # What came later does not change what is told of then: the deal goes on, the note is
    # withdrawn, its author is called otherwise.
    told(give(client, "d-anna", "withdraw-event", {"version": 2, "reason": "Wrong deal."}))
    again = give(client, "d-anna", "add-note", {"text": "Call back."}, "k-1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["etag"] == first.headers["etag"] == '"2"'
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert version_now(client, "d-anna") == 3


def test_it_is_the_same_however_it_is_spelled(client: TestClient) -> None:
    first = client.post(
        URL, content=b'{"probability": 60,"reason":null}', headers={**JSON, "Idempotency-Key": "k"}
    )
    again = client.post(
        URL, content=b'\xef\xbb\xbf{"probability":60}', headers={**JSON, "Idempotency-Key": "k"}
    )
    assert told(again) == told(first)


def test_another_request_under_a_known_key_is_refused(client: TestClient) -> None:
    note, plan = {"text": "Call back."}, {"plan": "Call back."}
    told(give(client, "d-anna", "add-note", note, "k-1"))
    for other in (
        give(client, "d-anna", "add-note", {"text": "Call later."}, "k-1"),
        give(client, "d-anna", "add-note", note, "k-1", occurred_at="2030-01-01"),
        give(client, "d-anna", "set-win-plan", plan, "k-1", version=2),
        give(client, "d-bo", "add-note", note, "k-1"),
        open_deal(client, key="k-1"),
    ):
        assert refused(other) == (422, "command-id-reused")
    assert (version_now(client, "d-anna"), version_now(client, "d-bo")) == (2, 1)


def test_a_refusal_uses_no_key_up(client: TestClient) -> None:
    named = {"id": "c-1", "kind": "visit", "their_people": ["li-na"]}
    assert refused(give(client, "d-anna", "record-contact", named, "k-1"))[0] == 409
    told(give(client, "d-anna", "identify-stakeholder", {"id": "li-na", "name": "Li Na"}))
    assert told(give(client, "d-anna", "record-contact", named, "k-1")).version == 3


def test_what_changes_nothing_is_answered_alike(client: TestClient) -> None:
    told(give(client, "d-anna", "set-win-plan", {"plan": "Listen."}))
    first = give(client, "d-anna", "set-win-plan", {"plan": "Listen."}, "k-1", version=2)
    assert told(first).events == []
    assert told(first).version == 2
    told(give(client, "d-anna", "add-note", {"text": "Go on."}))
    again = give(client, "d-anna", "set-win-plan", {"plan": "Listen."}, "k-1", version=2)
    assert again.content == first.content


def test_without_a_key_each_request_is_one_of_its_own(client: TestClient) -> None:
    one, other = (told(open_deal(client), 201) for _ in range(2))
    assert one.deal_id != other.deal_id


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 201, "caf\u00e9", "a\tb"])
def test_a_key_that_cannot_be_used(client: TestClient, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = client.post("/v1/deals/d-anna/add-note", json={"text": "x"}, headers=headers)
    assert refused(answer) == (400, "invalid-header")


def test_two_keys_are_none(client: TestClient) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = client.post("/v1/deals/d-anna/add-note", json={"text": "x"}, headers=headers)
    assert refused(answer) == (400, "invalid-header")


def test_the_longest_key_can_be_used(client: TestClient) -> None:
    told(give(client, "d-anna", "add-note", {"text": "x"}, "~" * 200))


# The version.


def test_a_stale_version_is_refused_and_records_nothing(client: TestClient) -> None:
    told(give(client, "d-anna", "add-note", {"text": "x"}, version=1))
    for command, body in (("add-note", {"text": "y"}), ("revise-forecast", AMOUNT)):
        answer = give(client, "d-anna", command, body, version=1)
        assert refused(answer) == (412, "version-conflict")
        assert "version 2" in answer.json()["satisfied_by"]
    assert version_now(client, "d-anna") == 2


def test_what_replaces_has_to_name_a_version(client: TestClient) -> None:
    answer = client.post(URL, json=AMOUNT)
    assert refused(answer) == (428, "precondition-required")
    assert "If-Match" in answer.json()["satisfied_by"]
    assert version_now(client, "d-anna") == 1


def test_the_tag_of_a_read_is_good_for_a_write(client: TestClient) -> None:
    tag = client.get("/v1/deals/d-anna").headers["etag"]
    assert told(client.post(URL, json=AMOUNT, headers={"If-Match": tag})).version == 2


@pytest.mark.parametrize("tag", ["1", "*", 'W/"1"', '"1", "2"', '"01"', '"one"', '""', '"-1"'])
def test_a_version_that_cannot_be_read(client: TestClient, tag: str) -> None:
    answer = client.post(URL, json=AMOUNT, headers={"If-Match": tag})
    assert refused(answer) == (400, "invalid-header")


def test_a_repeated_request_for_a_version_that_has_passed_is_the_same(client: TestClient) -> None:
    first = give(client, "d-anna", "revise-forecast", AMOUNT, "k-1", version=1)
    again = give(client, "d-anna", "revise-forecast", AMOUNT, "k-1", version=1)
    assert again.content == first.content


# The body.

DEEP = 200_000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" ",
        b"{",
        b'{"reason": "x"} more',
        b'{"unknown": NaN}',
        b'{"reason": "\xff"}',
        b'{"\xff": 1}',
        b'{"reason": "\xed\xa0\x80"}',
        b'{"reason": "\\ud800"}',
        '{"reason": "x"}'.encode("utf-16"),
        '{"reason": "x"}'.encode("utf-32"),
        b"[" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"reason":' * (DEEP // 4),
        b'{"amount":' + b"[" * DEEP + b"]" * DEEP + b"}",
    ],
    ids=range(15),
)
@pytest.mark.parametrize("url", [URL, "/v1/deals"])
def test_what_is_no_json(client: TestClient, url: str, content: bytes) -> None:
    answer = client.post(url, content=content, headers=JSON)
    assert refused(answer) == (400, "malformed-json")
    assert version_now(client, "d-anna") == 1


@pytest.mark.parametrize("content", [b"{", b"[" * DEEP, b"\xff"], ids=range(3))
def test_what_is_no_json_for_a_question(client: TestClient, content: bytes) -> None:
    answer = client.post("/v1/deals/d-anna/whatif", content=content, headers=JSON)
    assert refused(answer) == (400, "malformed-json")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"reason": "x", "probability": 1, "reason": "x"}', "'reason'"),
        (b'{"reason": "x", "re\\u0061son": "y"}', "'reason'"),
        (b'{"amount": {"amount": "1", "currency": "USD", "amount": "2"}}', "'amount'"),
        (b'{"a": 1, "a": 1}', "'a'"),
        (b'{"reason": "a\\ud800b"}', "half a character"),
        (b'{"reason": "\\udc00"}', "half a character"),
        (b'{"reason": "x', "ends too early"),
        (b"[" * DEEP, "nested too deeply"),
        (b'{"reason": "\xff"}', "UTF-8"),
    ],
)
def test_what_is_said_of_json_that_cannot_be_read(
    client: TestClient, content: bytes, told: str
) -> None:
    answer = client.post(URL, content=content, headers=JSON)
    assert refused(answer) == (400, "malformed-json")
    assert told in answer.json()["detail"]
    assert "msgspec" not in answer.text
    assert version_now(client, "d-anna") == 1


def test_one_of_many_members_twice_is_found_at_once() -> None:
    body = b"{" + b"".join(b'"%d":1,' % n for n in range(80_000)) + b'"79999":1}'
    begun = perf_counter()
    with pytest.raises(RequestFault, match="79999"):
        decode_body(ReviseForecast, body)
    assert perf_counter() - begun < 2


@pytest.mark.parametrize(
    "amount",
    [
        "1_000.00",
        " 1000.00",
        "1000.00 ",
        "+5.00",
        "1e3",
        "\u0661.00",
        "-0",
        "007",
        ".5",
        "5.",
        "1\n",
    ],
)
def test_an_amount_is_plain_digits(client: TestClient, amount: str) -> None:
    body = {"amount": {"amount": amount, "currency": "USD"}}
    answer = client.post(URL, json=body, headers=JSON)
    assert refused(answer) == (422, "invalid-parameter")
    assert [one["parameter"] for one in answer.json()["errors"]] == ["amount.amount"]
    assert version_now(client, "d-anna") == 1


@pytest.mark.parametrize("number", [b"1054.00", b"1054", b"1e3"])
def test_an_amount_that_is_a_number_is_refused(client: TestClient, number: bytes) -> None:
    body = b'{"amount": {"amount": %s, "currency": "USD"}}' % number
    answer = client.post(URL, content=body, headers=JSON)
    assert refused(answer) == (422, "invalid-parameter")
    assert "an amount is text" in answer.json()["detail"]


def test_an_amount_in_a_list_is_looked_at_too(client: TestClient) -> None:
    lines = [
        {"product": f"p-{n}", "quantity": "1", "list_price": {"amount": price, "currency": "USD"},
         "unit_price": {"amount": "1", "currency": "USD"}}
        for n, price in enumerate(("1.00", "1_0"))
    ]  # fmt: skip
    body = {"version": 1, "lines": lines, "total": {"amount": "2", "currency": "USD"}}
    answer = client.post("/v1/deals/d-anna/issue-quote", json=body, headers=JSON)
    assert refused(answer) == (422, "invalid-parameter")
    assert [one["parameter"] for one in answer.json()["errors"]] == ["lines.1.list_price.amount"]


@pytest.mark.parametrize(
    ("body", "parameter", "detail"),
    [
        ({"amount": 3}, "amount", "Expected `object | null`, got `int`"),
        ({"amount": {"amount": "1.00"}}, "amount.currency", "it is required"),
        ({"amount": {"amount": "1", "currency": "XXX"}}, "amount", None),
        ({"probability": 101}, "probability", None),
        ({"probability": True}, "probability", None),
        ({"expected_close": "2026-02-30"}, "expected_close", None),
        ({"category": "likely"}, "category", None),
        ({"amounts": None}, "amounts", "there is no such field"),
        ({"type": "add-note"}, "type", None),
        ([], "body", None),
        ("x", "body", None),
    ],
)
def test_a_field_that_cannot_be(
    client: TestClient, body: object, parameter: str, detail: str | None
) -> None:
    answer = client.post(URL, json=body, headers=JSON)
    assert refused(answer) == (422, "invalid-parameter")
    (error,) = answer.json()["errors"]
    assert error["parameter"] == parameter
    assert detail in {None, error["detail"]}
    assert version_now(client, "d-anna") == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/jsonlines"},
        {"Content-Encoding": "gzip"},
        {"Content-Type": ""},
    ],
)
def test_what_is_not_sent_as_json(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post(URL, content=b"{}", headers=JSON | headers)
    assert refused(answer) == (415, "unsupported-media-type")


@pytest.mark.parametrize("kind", ["Application/JSON", 'application/json; charset="UTF-8"'])
def test_what_is_sent_as_json(client: TestClient, kind: str) -> None:
    answer = client.post(URL, content=b"{}", headers=JSON | {"Content-Type": kind})
    assert told(answer).events == []


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large(client: TestClient, announced: bool) -> None:
    content = b" " * (LARGEST_BODY + 1)
    sent = content if announced else iter([content[: LARGEST_BODY // 2]] * 3)
    answer = client.post(URL, content=sent, headers=JSON)
    assert refused(answer) == (413, "body-too-large")


# Other parameters.


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("occurred_at=soon", "occurred_at"),
        ("occurred_at=now&occurred_at=now", "occurred_at"),
        ("at=now", "at"),
        ("fields=version", "fields"),
        ("id=d-2", "id"),
    ],
)
def test_a_parameter_that_cannot_be_used(client: TestClient, query: str, parameter: str) -> None:
    answer = client.post(f"/v1/deals/d-anna/add-note?{query}", json={"text": "x"})
    assert refused(answer) == (422, "invalid-parameter")
    assert answer.json()["errors"][0]["parameter"] == parameter


@pytest.mark.parametrize(
    "wanted", ["", ".", "..", "a/b", " d", "d ", "a\tb", "a%00b", "x" * 201, "a\u2028b"]
)
def test_an_id_that_cannot_be_given(client: TestClient, wanted: str) -> None:
    answer = open_deal(client, id=wanted.replace("%00", "\0"))
    assert refused(answer) == (422, "invalid-parameter")
    assert answer.json()["errors"][0]["parameter"] == "id"


@pytest.mark.parametrize("wanted", ["x y", "100%", "机器人", "a?b#c", "D-1@7", "..."[:2] + "a"])
def test_the_address_of_a_new_deal_leads_to_it(client: TestClient, wanted: str) -> None:
    answer = open_deal(client, id=wanted)
    found = told(answer, 201)
    shown = client.get(answer.headers["location"], headers={"Dealstate-Wait-For": found.token})
    assert shown.status_code == 200
    assert found.deal_id == wanted


def test_without_an_id_the_key_gives_one(client: TestClient) -> None:
    first, again = (told(open_deal(client, key="k-1"), 201) for _ in range(2))
    other = told(open_deal(client, key="k-2"), 201)
    assert again == first
    assert other.deal_id != first.deal_id


def test_when_it_happened(client: TestClient) -> None:
    (event,) = told(open_deal(client, id="d-2", occurred_at="2026-03-02"), 201).events
    assert event.occurred_at == "2026-03-02T23:59:59.999999Z"
    assert event.known_at == event.recorded_at > event.occurred_at


def test_every_body_has_a_schema() -> None:
    assert set(BODIES) <= set(schemas())
