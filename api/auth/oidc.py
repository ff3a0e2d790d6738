"""Tokens of an identity provider (OpenID Connect): whom it says that a request comes from.

Theory of operation. The issuer is configured, and says under its own address where its keys
are (OpenID Connect Discovery). They are kept and fetched anew once an hour, and when a token
names a key that is not among them, though seldom: anybody can make up names of keys. Where the
issuer cannot be reached, the keys that are kept go on being used.

A token counts when one of the allowed algorithms and a key of the issuer have signed it, for
this audience, by this issuer, and it is valid now. Which user it stands for is told by one of
its claims. What users may do is not taken from tokens: it follows from their roles here.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any

import msgspec
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jwt import JWTClaimsRegistry

from api.auth.fetching import NotFetched, get_json, is_trusted
from api.auth.refused import IssuerUnavailable, NotAuthenticated
from domain.deciding import require_legible
from domain.refusals import TextNotLegible
from domain.values import Identifier

ALGORITHMS = ("RS256", "ES256", "EdDSA")
"""Allowed where nothing else is said."""
KNOWN_ALGORITHMS = frozenset(
    f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)
) | {"EdDSA", "Ed25519"}
"""Those that can be allowed: signatures by a key that only the issuer has."""
FRESH_SECONDS = 3_600.0
"""After so long the keys are fetched anew."""
PAUSE_SECONDS = 10.0
"""Between two attempts to fetch them."""

_KEY_TYPES = {"RSA", "EC", "OKP"}
_TOKEN_TYPES = {None, "jwt", "at+jwt", "application/at+jwt"}
"""Of what a token can call itself. Others, such as a logout token, let nobody in."""
_log = logging.getLogger("dealstate.auth")

Fetch = Callable[[str], dict[str, Any]]


class IssuerSettings(msgspec.Struct, frozen=True):
    """Whose tokens count, for whom, and what they have to be like."""

    issuer: str
    audience: str
    algorithms: tuple[str, ...] = ALGORITHMS
    claim: str = "sub"
    """The claim that holds the id of the user."""
    leeway_seconds: int = 60
    """By how much the clocks may differ."""


class _Named(msgspec.Struct, frozen=True):
    """Whom a token stands for, by an id such as users can have here."""

    id: Identifier


class Issuer:
    """An identity provider. Safe to use from many threads."""

    def __init__(
        self,
        settings: IssuerSettings,
        fetch: Fetch = get_json,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        assert settings.algorithms
        assert set(settings.algorithms) <= KNOWN_ALGORITHMS
        self._settings = settings
        self._registry = _Allowed(algorithms=settings.algorithms, strict_check_header=False)
        self._keys = _Keys(settings.issuer, fetch, clock)

    def user_of(self, token: str, now: datetime) -> str:
        """The id of the user whom a token stands for.

        Raises NotAuthenticated; IssuerUnavailable where it cannot be told.
        """
        try:
            return self._user_of(token, now)
        # What a token holds can be anything, and the library trusts that its parts have a type.
        except (JoseError, msgspec.DecodeError, ValueError, TypeError, KeyError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise NotAuthenticated(reason, has_token=True) from error

    def _user_of(self, token: str, now: datetime) -> str:
        found = jws.extract_compact(token.encode(), registry=self._registry)
        header = found.headers()
        kind = header.get("typ")
        if (kind.lower() if isinstance(kind, str) else kind) not in _TOKEN_TYPES:
            raise ValueError(f"a token of the type {kind!r}")
        self._registry.get_alg(header["alg"])
        kid = header.get("kid")
        keys = self._keys.having(kid if isinstance(kid, str) else None)
        if not jws.validate_compact(found, keys, registry=self._registry):
            raise ValueError("the signature is not that of the issuer")
        claims = msgspec.json.decode(found.payload or b"", type=dict[str, Any])
        self._require_valid(claims, now)
        try:
            named = msgspec.convert({"id": claims.get(self._settings.claim)}, _Named)
            require_legible(named)
        except (msgspec.ValidationError, TextNotLegible):
            raise ValueError(f"no id of a user in the claim {self._settings.claim}") from None
        return named.id

    def _require_valid(self, claims: dict[str, Any], now: datetime) -> None:
        registry = JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=self._settings.leeway_seconds,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": self._settings.audience},
            exp={"essential": True},
        )
        registry.validate(claims)


class _Allowed(jws.JWSRegistry):
    """The algorithms of an allow-list, without words on which of them are out of fashion."""

    def get_alg(self, name: str) -> Any:
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(f"the algorithm {name!r} is not allowed")
        return self.algorithms[name]


class _Keys:
    """The keys of an issuer, as fetched last."""

    def __init__(self, issuer: str, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._keys: KeySet | None = None
        self._fetched = self._tried = -float("inf")

    def having(self, kid: str | None) -> KeySet:
        """The keys, fetched anew where it is time or this one is not among them.

        Raises IssuerUnavailable where none could ever be fetched.
        """
        # While one thread fetches them, the others go on with what there is.
        if self._is_due(kid) and self._lock.acquire(blocking=self._keys is None):
            try:
                if self._is_due(kid):
                    self._renew()
            finally:
                self._lock.release()
        if self._keys is None:
            raise IssuerUnavailable(self._issuer)
        return self._keys

    def _is_due(self, kid: str | None) -> bool:
        now = self._clock()
        if now - self._tried < PAUSE_SECONDS:
            return False
        if self._keys is None or now - self._fetched >= FRESH_SECONDS:
            return True
        return kid is not None and all(key.kid != kid for key in self._keys)

    def _renew(self) -> None:
        try:
            self._keys = KeySet(self._fetched_keys())
            self._fetched = self._clock()
        except NotFetched as error:
            _log.warning("the keys of the identity provider could not be fetched: %s", error)
        finally:
            # What takes long must not be begun anew as soon as it has ended.
            self._tried = self._clock()

    def _fetched_keys(self) -> list[Key]:
        """Those that can sign. Raises NotFetched."""
        told = self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        address = told.get("jwks_uri")
        if told.get("issuer") != self._issuer:
            raise NotFetched(f"who answers at {self._issuer} calls itself {told.get('issuer')!r}")
        if not isinstance(address, str) or not is_trusted(address):
            raise NotFetched(f"{self._issuer} has its keys at {address!r}, which is not https")
        listed = self._fetch(address).get("keys")
        keys = [_key(one) for one in listed] if isinstance(listed, list) else []
        found = [key for key in keys if key is not None]
        if not found:
            raise NotFetched(f"{address} has no key that can be used")
        return found


def _key(told: Any) -> Key | None:
    """A key that signs; None for what is none, or of a kind that is not known."""
    if not isinstance(told, dict) or told.get("kty") not in _KEY_TYPES or told.get("use") == "enc":
        return None
    try:
        return JWKRegistry.import_key(told)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
