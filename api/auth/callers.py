"""Who asks: by an API key, or by a token of the identity provider. Deny by default."""

from collections.abc import Callable, Sequence

from api.auth.attempts import Attempts
from api.auth.bearer import token_of
from api.auth.keys import PREFIX, holder_of
from api.auth.oidc import Issuer
from api.auth.refused import NotAuthenticated, TooManyAttempts
from api.workspace import Workspace
from domain.access import Principal

Authenticate = Callable[[Sequence[str], str], Principal]
"""Who asks, by all headers `Authorization` of a request and the address it comes from."""


class Callers:
    """Knows who asks, as of now: rights and keys are looked up for each request."""

    def __init__(
        self, store: Workspace, issuer: Issuer | None = None, attempts: Attempts | None = None
    ) -> None:
        self._store = store
        self._issuer = issuer
        self._attempts = attempts or Attempts()

    def __call__(self, headers: Sequence[str], address: str) -> Principal:
        """Raises NotAuthenticated, UnusableHeader, TooManyAttempts, IssuerUnavailable, StoreError.

        A request without any token costs nothing, and is not counted as an attempt.
        """
        token = token_of(headers)
        if token is None:
            raise NotAuthenticated("no token", has_token=False)
        wait = self._attempts.wait_seconds(address)
        if wait:
            raise TooManyAttempts(wait)
        try:
            return self._holder(token)
        except NotAuthenticated:
            self._attempts.failed(address)
            raise

    def _holder(self, token: str) -> Principal:
        directory, now = self._store.log.organisation().directory, self._store.now()
        if self._issuer is not None and not token.startswith(PREFIX):
            return directory.principal(self._issuer.user_of(token, now))
        principal = holder_of(token, directory, now)
        if principal is None:
            raise NotAuthenticated("no API key that is good now", has_token=True)
        return principal
