"""Tokens of an identity provider: which count, and what goes on while it cannot be reached."""

import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import Key

from api.auth.fetching import NotFetched, get_json, is_trusted
from api.auth.oidc import FRESH_SECONDS, PAUSE_SECONDS, Issuer, IssuerSettings
from api.auth.refused import IssuerUnavailable, NotAuthenticated
from tests.api.auth.issuer import (
    AUDIENCE,
    EC,
    ED,
    OTHER_RSA,
    RSA,
    FakeIssuer,
    serving_keys,
    signed,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AT = NOW.timestamp()


class Clock:
    """Seconds that go on when they are told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def fake() -> Iterator[FakeIssuer]:
    with serving_keys() as issuer:
        yield issuer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(fake: FakeIssuer, clock: Clock) -> Issuer:
    return Issuer(IssuerSettings(fake.address, AUDIENCE), clock=clock)


def refused(issuer: Issuer, token: str) -> str:
    with pytest.raises(NotAuthenticated) as found:
        issuer.user_of(token, NOW)
    assert found.value.has_token
    return found.value.reason


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (EC, "ES256"), (ED, "EdDSA")])
def test_a_token_stands_for_its_subject(
    fake: FakeIssuer, issuer: Issuer, key: Key, alg: str
) -> None:
    assert issuer.user_of(signed(fake.claims(AT), key, alg), NOW) == "ann"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [AUDIENCE, "another"]},
        {"exp": AT - 59},
        {"nbf": AT + 59},
        {"iat": AT + 59},
        {"iat": None},
    ],
)
def test_a_token_that_counts(fake: FakeIssuer, issuer: Issuer, changes: dict[str, Any]) -> None:
    assert issuer.user_of(signed(fake.claims(AT, **changes)), NOW) == "ann"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://another.example"},
        {"iss": None},
        {"iss": 5},
        {"aud": "another"},
        {"aud": None},
        {"aud": []},
        {"aud": [AUDIENCE, 5]},
        {"exp": AT - 61},
        {"exp": None},
        {"exp": "2026-11-23"},
        {"nbf": AT + 61},
        {"iat": AT + 61},
        {"sub": None},
        {"sub": ""},
        {"sub": 17},
        {"sub": ["ann"]},
        {"sub": "x" * 201},
        {"sub": "a\0b"},
        {"sub": "a\nb"},
        {"sub": " "},
        {"sub": " ann"},
        {"sub": "a\u2028b"},
        {"sub": "\ud800"},
    ],
)
def test_a_token_that_does_not(fake: FakeIssuer, issuer: Issuer, changes: dict[str, Any]) -> None:
    assert refused(issuer, signed(fake.claims(AT, **changes)))


@pytest.mark.parametrize("content", ["[]", '"ann"', "{", '{"exp": NaN}', '{"exp": Infinity}'])
def test_claims_that_are_none(issuer: Issuer, content: str) -> None:
    assert refused(issuer, signed(content))


@pytest.mark.parametrize("typ", ["logout+jwt", "JOSE", 5, ["JWT"]])
def test_a_token_of_another_type(fake: FakeIssuer, issuer: Issuer, typ: Any) -> None:
    assert "type" in refused(issuer, signed(fake.claims(AT), header={"typ": typ}))


@pytest.mark.parametrize("typ", ["at+jwt", "jwt", "application/at+jwt", None])
def test_a_token_of_a_type_that_counts(fake: FakeIssuer, issuer: Issuer, typ: Any) -> None:
    assert issuer.user_of(signed(fake.claims(AT), header={"typ": typ}), NOW) == "ann"


def part(content: Any) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def test_no_signature_is_no_token(fake: FakeIssuer, issuer: Issuer) -> None:
    claims = part(fake.claims(AT))
    algorithms: list[Any] = ["none", "None", "NONE", "", None, [], {}]
    for alg in algorithms:
        assert refused(issuer, f"{part({'alg': alg, 'kid': 'rsa-1'})}.{claims}.")
    header, body, _ = signed(fake.claims(AT)).split(".")
    assert refused(issuer, f"{header}.{body}.")
    assert refused(issuer, f"{header}.{part(fake.claims(AT, sub='eve'))}.{_}")


@pytest.mark.parametrize("as_pem", [True, False])
def test_a_public_key_is_no_shared_secret(
    fake: FakeIssuer, issuer: Issuer, *, as_pem: bool
) -> None:
    public = RSA.as_pem(private=False) if as_pem else json.dumps(fake.keys[0]).encode()
    assert "not allowed" in refused(issuer, signed_with_secret(fake.claims(AT), public))


def signed_with_secret(claims: Any, secret: bytes, kid: str = "rsa-1") -> str:
    content = f"{part({'alg': 'HS256', 'kid': kid})}.{part(claims)}"
    digest = hmac.new(secret, content.encode(), "sha256").digest()
    return f"{content}.{urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def test_an_algorithm_that_is_not_allowed(fake: FakeIssuer, clock: Clock) -> None:
    strict = Issuer(IssuerSettings(fake.address, AUDIENCE, ("ES256",)), clock=clock)
    assert "not allowed" in refused(strict, signed(fake.claims(AT)))
    assert strict.user_of(signed(fake.claims(AT), EC, "ES256"), NOW) == "ann"


def test_a_key_is_used_for_its_own_algorithm_alone(fake: FakeIssuer, issuer: Issuer) -> None:
    assert refused(issuer, signed(fake.claims(AT), EC, "ES256", {"kid": "rsa-1"}))


def test_a_key_that_the_token_brings_along_counts_for_nothing(
    fake: FakeIssuer, issuer: Issuer
) -> None:
    for header in (
        {"jwk": OTHER_RSA.as_dict(private=False), "kid": None},
        {"jwk": OTHER_RSA.as_dict(private=False), "kid": "rsa-1"},
        {"jku": "http://127.0.0.1:1/keys", "kid": "rsa-9"},
    ):
        assert refused(issuer, signed(fake.claims(AT), OTHER_RSA, header=header))


def test_what_the_token_calls_critical_is_not_skipped(fake: FakeIssuer, issuer: Issuer) -> None:
    header = {"crit": ["scope-of-use"], "scope-of-use": "elsewhere"}
    assert refused(issuer, signed(fake.claims(AT), header=header))


def test_another_claim_can_name_the_user(fake: FakeIssuer, clock: Clock) -> None:
    by_name = Issuer(IssuerSettings(fake.address, AUDIENCE, claim="dealstate_user"), clock=clock)
    assert by_name.user_of(signed(fake.claims(AT, dealstate_user="mei")), NOW) == "mei"
    assert "dealstate_user" in refused(by_name, signed(fake.claims(AT)))


def test_what_is_published_beside_the_keys_is_left_out(fake: FakeIssuer, issuer: Issuer) -> None:
    strange = [{"kty": "AKP", "kid": "x"}, "key", None, {"kty": "RSA"}, {"kty": "EC", "crv": "P-9"}]
    secret = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldA", "kid": "shared"}
    encrypting = OTHER_RSA.as_dict(private=False) | {"use": "enc"}
    fake.keys = [*strange, secret, encrypting, *fake.keys]
    assert issuer.user_of(signed(fake.claims(AT)), NOW) == "ann"
    assert refused(issuer, signed(fake.claims(AT), OTHER_RSA))


# Keys that change, and issuers that are down.


def test_keys_are_fetched_once(fake: FakeIssuer, issuer: Issuer) -> None:
    for _ in range(3):
        issuer.user_of(signed(fake.claims(AT)), NOW)
    assert fake.asked == 2  # The document, and the keys.


def test_a_new_key_is_fetched_and_an_old_one_forgotten(
    fake: FakeIssuer, issuer: Issuer, clock: Clock
) -> None:
    issuer.user_of(signed(fake.claims(AT)), NOW)
    fake.keys = [OTHER_RSA.as_dict(private=False)]
    clock.seconds += PAUSE_SECONDS
    assert issuer.user_of(signed(fake.claims(AT), OTHER_RSA), NOW) == "ann"
    assert refused(issuer, signed(fake.claims(AT)))


def test_made_up_keys_do_not_make_us_ask_again_and_again(
    fake: FakeIssuer, issuer: Issuer, clock: Clock
) -> None:
    issuer.user_of(signed(fake.claims(AT)), NOW)
    for _ in range(5):
        refused(issuer, signed(fake.claims(AT), header={"kid": "made-up"}))
    assert fake.asked == 2
    clock.seconds += PAUSE_SECONDS
    for _ in range(5):
        refused(issuer, signed(fake.claims(AT), header={"kid": "made-up"}))
    assert fake.asked == 4


def test_an_algorithm_that_is_not_allowed_asks_nobody(fake: FakeIssuer, issuer: Issuer) -> None:
    refused(issuer, signed_with_secret(fake.claims(AT), b"secret", "made-up"))
    assert fake.asked == 0


def test_known_keys_go_on_while_the_issuer_is_down(
    fake: FakeIssuer, issuer: Issuer, clock: Clock
) -> None:
    issuer.user_of(signed(fake.claims(AT)), NOW)
    fake.answers = False
    clock.seconds += FRESH_SECONDS
    assert issuer.user_of(signed(fake.claims(AT)), NOW) == "ann"
    assert refused(issuer, signed(fake.claims(AT), OTHER_RSA))


def test_without_any_key_nothing_can_be_told(
    fake: FakeIssuer, issuer: Issuer, clock: Clock
) -> None:
    fake.answers = False
    for _ in range(3):
        with pytest.raises(IssuerUnavailable):
            issuer.user_of(signed(fake.claims(AT)), NOW)
    assert fake.asked == 1
    fake.answers = True
    clock.seconds += PAUSE_SECONDS
    assert issuer.user_of(signed(fake.claims(AT)), NOW) == "ann"


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://another.example"},
        {"issuer": None},
        {"jwks_uri": None},
        {"jwks_uri": "http://keys.example/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": ["https://keys.example"]},
    ],
)
def test_an_issuer_that_is_not_who_it_should_be(
    fake: FakeIssuer, issuer: Issuer, says: dict[str, Any]
) -> None:
    fake.says = says
    with pytest.raises(IssuerUnavailable):
        issuer.user_of(signed(fake.claims(AT)), NOW)


@pytest.mark.parametrize("keys", [[], None, "keys", [{"kty": "oct", "k": "c2VjcmV0"}], [5]])
def test_keys_that_are_none(fake: FakeIssuer, issuer: Issuer, keys: Any) -> None:
    fake.keys = keys
    with pytest.raises(IssuerUnavailable):
        issuer.user_of(signed(fake.claims(AT)), NOW)


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff", b"{}" + b" " * 1_000_000])
def test_an_answer_that_is_no_document(
    fake: FakeIssuer, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "document", lambda _: content)
    with pytest.raises(NotFetched):
        get_json(f"{fake.address}/keys")


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://login.example/realms/a", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://localhost", True),
        ("http://login.example", False),
        ("http://localhost.example", False),
        ("https://user:secret@login.example", False),
        ("ftp://127.0.0.1", False),
        ("login.example", False),
        ("", False),
    ],
)
def test_where_keys_may_come_from(url: str, *, trusted: bool) -> None:
    assert is_trusted(url) is trusted


def test_an_untrusted_address_is_not_asked() -> None:
    with pytest.raises(NotFetched, match="https"):
        get_json("http://login.example")


# Whatever is sent.

anything = st.one_of(
    st.text(st.characters(codec="ascii"), max_size=60),
    st.lists(st.text("abcXYZ019-_=", max_size=30), min_size=1, max_size=6).map(".".join),
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def _no_keys(_: str) -> dict[str, Any]:
    raise NotFetched("nobody is asked")


@given(token=anything)
def test_any_text_is_refused_without_a_fault(token: str) -> None:
    refused(Issuer(IssuerSettings("https://a.example", "b"), _no_keys), token)


@given(
    header=st.fixed_dictionaries(
        {"alg": st.just("RS256") | _json},
        optional={"kid": _json, "typ": _json, "crit": _json, "b64": _json, "jwk": _json},
    ),
    body=_json,
)
def test_any_header_is_refused_without_a_fault(header: dict[str, Any], body: Any) -> None:
    documents = {"keys": [RSA.as_dict(private=False)], "issuer": "https://a.example"}
    documents["jwks_uri"] = "https://a.example/keys"
    issuer = Issuer(IssuerSettings("https://a.example", "b"), lambda _: documents)
    refused(issuer, f"{part(header)}.{part(body)}.c2lnbmF0dXJl")
