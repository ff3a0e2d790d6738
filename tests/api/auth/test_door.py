"""The door of the service: what somebody is told who is not let in, and when keys end."""

import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.auth.attempts import ATTEMPTS
from api.auth.keys import NewKey, make_key
from api.settings import Settings
from api.workspace import Workspace
from domain.access import Role
from domain.organisation import (
    AnyOrganisationCommand,
    EndMembership,
    GrantMembership,
    IssueApiKey,
    RevokeApiKey,
)
from store.location import Location
from store.log import DealLog
from tests.api.auth.issuer import AUDIENCE, OTHER_RSA, FakeIssuer, serving_keys, signed
from tests.contract.asking import intent

AUDITS = GrantMembership("u-anna", Role.AUDITOR)


def configure(url: str, *commands: AnyOrganisationCommand) -> None:
    """As another process does."""
    with DealLog.open(Location.parse(url)) as log:
        for command in commands:
            log.configure(command, intent(f"set-{log.head()}"))


@pytest.fixture
def key(own_store: str) -> NewKey:
    made = make_key()
    configure(own_store, AUDITS, IssueApiKey("u-anna", made.id, made.digest, "test"))
    return made


@pytest.fixture
def client(own_store: str, key: NewKey) -> Iterator[TestClient]:
    assert key.id
    app = create_app(Settings(db=own_store, worker=False, allowed_hosts=("Deals.Example",)))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        yield client


def ask(client: TestClient, *tokens: str, **more: str) -> tuple[int, str, str]:
    """Status, code and challenge of an answer."""
    headers = [("Authorization", f"Bearer {token}") for token in tokens]
    found = client.get("/v1/audit", headers=[*headers, *more.items()])
    code = "" if found.status_code == 200 else found.json()["code"]
    return found.status_code, code, found.headers.get("www-authenticate", "")


def test_who_is_not_let_in_is_told_how_to_be(client: TestClient, key: NewKey) -> None:
    realm = 'Bearer realm="dealstate"'
    refused = (401, "not-authenticated", f'{realm}, error="invalid_token"')
    unusable = (400, "invalid-header", f'{realm}, error="invalid_request"')
    assert ask(client, key.token) == (200, "", "")
    assert ask(client) == (401, "not-authenticated", realm)
    assert ask(client, Authorization="Basic YTpi") == (401, "not-authenticated", realm)
    assert ask(client, make_key().token) == refused
    assert ask(client, "a.b.c") == refused
    assert ask(client, key.token, key.token) == unusable
    assert ask(client, "") == unusable
    assert ask(client, "a" * 10_000) == unusable


def test_which_part_of_a_token_is_wrong_is_not_told(client: TestClient, key: NewKey) -> None:
    wrong = [make_key().token, "x", f"{key.token[:-1]}{'01'[key.token[-1] == '0']}"]
    headers = [{"Authorization": f"Bearer {one}"} for one in wrong]
    assert len({client.get("/v1/audit", headers=one).content for one in headers}) == 1


def test_it_comes_before_everything_but_the_name_of_the_server(client: TestClient) -> None:
    asked = {"url": "/v1/deals/d-press/whatif?nonsense=1", "content": b"{" * 2_000_000}
    answer = client.post(**asked)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["cache-control"] == "no-store"
    waited = client.get("/v1/deals", headers={"Dealstate-Wait-For": "deal:nobody@9"})
    assert waited.status_code == 401
    assert client.get("/v1/deals", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/livez", headers={"Host": "deals.example:443"}).status_code == 200


def test_a_key_ends_at_once_in_a_server_that_runs(
    client: TestClient, own_store: str, key: NewKey
) -> None:
    assert ask(client, key.token)[0] == 200
    configure(own_store, EndMembership("u-anna", Role.AUDITOR))
    assert ask(client, key.token)[:2] == (403, "not-allowed")
    configure(own_store, GrantMembership("u-anna", Role.AUDITOR))
    assert ask(client, key.token)[0] == 200
    configure(own_store, RevokeApiKey("u-anna", key.id))
    assert ask(client, key.token)[0] == 401


def test_whoever_tries_many_keys_waits_and_no_key_is_logged(
    client: TestClient, key: NewKey, caplog: pytest.LogCaptureFixture
) -> None:
    tried = [make_key().token for _ in range(ATTEMPTS)]
    with caplog.at_level(logging.DEBUG):
        assert {ask(client, token)[0] for token in tried} == {401}
        assert ask(client, make_key().token)[:2] == (429, "too-many-attempts")
        answer = client.get("/v1/deals", headers={"Authorization": "Bearer x"})
    assert int(answer.headers["retry-after"]) >= 1
    assert client.get("/livez").status_code == 200
    assert caplog.text.count("refused a token from 'testclient'") == ATTEMPTS
    for token in (*tried, key.token):
        assert token.rpartition("_")[2] not in caplog.text


def test_a_stale_key_locks_out_no_good_one_from_the_same_address(
    client: TestClient, own_store: str, key: NewKey
) -> None:
    for _ in range(ATTEMPTS + 5):
        ask(client, make_key().token)
    assert ask(client, make_key().token)[0] == 429
    assert ask(client, key.token)[0] == 200
    # Something was recorded, so who asks is not known from memory.
    configure(own_store, GrantMembership("u-anna", Role.ANALYST))
    assert ask(client, key.token)[0] == 200
    assert ask(client, make_key().token)[0] == 429


def test_a_request_without_a_token_is_no_attempt(client: TestClient, key: NewKey) -> None:
    for _ in range(ATTEMPTS + 1):
        assert ask(client)[0] == 401
    assert ask(client, key.token)[0] == 200


# Tokens of an identity provider.


@pytest.fixture
def fake() -> Iterator[FakeIssuer]:
    with serving_keys() as issuer:
        yield issuer


@pytest.fixture
def provided(own_store: str, key: NewKey, fake: FakeIssuer) -> Iterator[TestClient]:
    assert key.id
    settings = Settings(
        db=own_store, worker=False, oidc_issuer=fake.address, oidc_audience=AUDIENCE
    )
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        yield client


def test_a_token_acts_in_the_roles_that_its_user_holds_here(
    provided: TestClient, own_store: str, key: NewKey, fake: FakeIssuer
) -> None:
    with Workspace.open(Location.parse(own_store)) as store:
        now = store.now().timestamp()
    anna = signed(fake.claims(now, sub="u-anna"))
    assert ask(provided, anna)[0] == 200
    assert ask(provided, key.token)[0] == 200
    stranger = signed(fake.claims(now, sub="u-nobody", roles=["auditor"], scope="audit"))
    assert ask(provided, stranger)[:2] == (403, "not-allowed")
    configure(own_store, EndMembership("u-anna", Role.AUDITOR))
    assert ask(provided, anna)[0] == 403


def test_where_no_token_can_be_checked_keys_still_can(
    provided: TestClient, key: NewKey, fake: FakeIssuer
) -> None:
    fake.answers = False
    answer = provided.get("/v1/audit", headers={"Authorization": f"Bearer {signed({})}"})
    assert answer.status_code == 503
    assert answer.json()["code"] == "identity-provider-unavailable"
    assert answer.headers["retry-after"]
    assert ask(provided, key.token)[0] == 200


def test_what_a_token_holds_is_logged_on_one_line(
    provided: TestClient, fake: FakeIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    kid = "x\n2026-11-22T00:00:00Z [warning ] forged\x1b[2J"
    token = signed(fake.claims(0), key=OTHER_RSA, header={"kid": kid})
    with caplog.at_level(logging.WARNING):
        assert ask(provided, token)[0] == 401
    (line,) = [one for one in caplog.messages if one.startswith("refused a token")]
    assert line.isprintable()
    assert len(line) < 300


def test_no_signature_is_checked_for_an_address_that_has_to_wait(
    provided: TestClient, own_store: str, fake: FakeIssuer
) -> None:
    with Workspace.open(Location.parse(own_store)) as store:
        now = store.now().timestamp()
    for _ in range(ATTEMPTS):
        assert ask(provided, make_key().token)[0] == 401
    anna = signed(fake.claims(now, sub="u-anna"))
    assert ask(provided, anna)[:2] == (429, "too-many-attempts")
    assert fake.asked == 0


def test_tokens_count_for_nothing_without_a_provider(client: TestClient, fake: FakeIssuer) -> None:
    assert ask(client, signed(fake.claims(0)))[0] == 401
