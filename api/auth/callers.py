"""Who asks: by an API key, or by a token of the identity provider. Deny by default."""

from collections.abc import Callable, Sequence
from datetime import datetime

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

        A request without any token costs nothing, and is not counted as an attempt. Who has a
        good API key is let in whatever else came from their address. A token of the identity
        provider is not looked at while the address has to wait: to check a signature costs.
        """
        token = token_of(headers)
        if token is None:
            raise NotAuthenticated("no token", has_token=False)
        directory, now = self._store.log.organisation().directory, self._store.now()
        holder = holder_of(token, directory, now)
        if holder is not None:
            return holder
        wait = self._attempts.wait_seconds(address)
        if wait:
            raise TooManyAttempts(wait)
        try:
            return directory.principal(self._user_of(token, now))
        except NotAuthenticated:
            self._attempts.failed(address)
            raise

    def at_hand(self, headers: Sequence[str]) -> Principal | None:
        """Who sends a good API key, where that is known without waiting; None else.

        It can be asked where nothing may wait. Raises UnusableHeader.
        """
        token = token_of(headers)
        if token is None:
            return None
        directory = self._store.log.directory_at_hand()
        return None if directory is None else holder_of(token, directory, self._store.now())

    def _user_of(self, token: str, now: datetime) -> str:
        if self._issuer is None or token.startswith(PREFIX):
            raise NotAuthenticated("no API key that is good now", has_token=True)
        return self._issuer.user_of(token, now)
