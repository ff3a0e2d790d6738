"""The door: who asks is known before anything is looked at. Deny by default.

Every address takes a caller but those that are listed here, also one that leads nowhere:
so a new route cannot be forgotten, and nobody learns which ones there are.

A key or token counts wherever one is sent. Only where none is, the cookie of a session does.

The log is asked for news with every request, so what was revoked counts at once. Where there is
none, and asking takes no waiting, the holder of a key is known from memory, without a thread.
"""

import logging
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.around.guard import is_own_name
from api.auth.bearer import UnusableHeader, token_of
from api.auth.callers import Authenticate, Callers
from api.auth.refused import (
    CrossSiteRequest,
    IssuerUnavailable,
    NotAuthenticated,
    TooManyAttempts,
)
from api.auth.sessions import Session, Sessions, cookie_in, require_own_page
from api.problem_pages import ADDRESSES
from api.problems import MEANINGS, Failure
from api.routes.common import ProblemAnswer
from api.routes.failures import known_answer, problem_answer
from domain.access import Principal
from store.errors import StoreError

OPEN = ADDRESSES | frozenset(
    {"/livez", "/readyz", "/docs", "/docs/problems", "/docs/style.css", "/openapi.json"}
)
"""What takes no caller: it tells nothing of what the store holds."""

_log = logging.getLogger("dealstate.auth")
_LONGEST_REASON = 200
"""Characters that are logged of why somebody was refused."""


class Door:
    """Lets in whom `app.state.authenticate` knows, as `state.caller` of the request.

    Where they come by a session of `app.state.sessions`, it is `state.session`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or is_open(scope):
            await self._app(scope, receive, send)
            return
        assert scope["type"] == "http", "nothing else is served"
        client = scope.get("client")
        address = client[0] if client else ""
        try:
            caller, session = at_hand(scope), None
            if caller is None:
                caller, session = await run_in_threadpool(who_asks, scope, address)
        except Exception as error:
            answer = refusal(error, address)
            if answer is None:
                raise
            await answer(scope, receive, send)
            return
        scope.setdefault("state", {}).update(caller=caller, session=session)
        await self._app(scope, receive, send)


def is_open(scope: Scope) -> bool:
    return scope["path"] in OPEN or scope["path"] in scope["app"].state.also_open


def is_secure(scope: Scope) -> bool:
    """Whether the browser came over TLS: always, but for http to a name of this machine."""
    return scope["scheme"] == "https" or not is_own_name(Headers(scope=scope).get("host", ""))


def at_hand(scope: Scope) -> Principal | None:
    """The caller, where they send a good key and nothing has to be waited for to know them.

    Raises UnusableHeader.
    """
    authenticate: Authenticate = scope["app"].state.authenticate
    if not isinstance(authenticate, Callers):
        return None
    return authenticate.at_hand(Headers(scope=scope).getlist("authorization"))


def who_asks(scope: Scope, address: str) -> tuple[Principal, Session | None]:
    """The caller, and the session that told who they are.

    Raises what `Authenticate` does, and CrossSiteRequest.
    """
    authenticate: Authenticate = scope["app"].state.authenticate
    sessions: Sessions | None = scope["app"].state.sessions
    headers = Headers(scope=scope)
    given = headers.getlist("authorization")
    cookie = cookie_in(headers.getlist("cookie"), secure=is_secure(scope))
    if sessions is None or cookie is None or token_of(given) is not None:
        return authenticate(given, address), None
    principal, session = sessions.of(cookie)
    require_own_page(scope["method"], headers, session)
    return principal, session


def refusal(error: Exception, address: str) -> ProblemAnswer | None:
    """What somebody is told who is not let in; None for a fault of the program.

    The words are those of RFC 6750, section 3.1. Which part of a token is wrong is not told.
    """
    match error:
        case NotAuthenticated(has_token=False):
            return _told("not-authenticated", HTTPStatus.UNAUTHORIZED, _challenge())
        case NotAuthenticated(reason=reason):
            # It may hold what was sent, which must not look like lines of the log.
            _log.warning("refused a token from %r: %r", address, reason[:_LONGEST_REASON])
            told = _challenge("invalid_token")
            return _told("not-authenticated", HTTPStatus.UNAUTHORIZED, told)
        case UnusableHeader():
            failure = Failure("invalid-header", HTTPStatus.BAD_REQUEST, str(error))
            return problem_answer(failure, headers=_challenge("invalid_request"))
        case CrossSiteRequest():
            reason = str(error)[:_LONGEST_REASON]
            _log.warning("refused a request by a session from %r: %r", address, reason)
            return _told("csrf-failed", HTTPStatus.FORBIDDEN, {})
        case TooManyAttempts(seconds=seconds):
            wait = {"Retry-After": str(seconds)}
            return _told("too-many-attempts", HTTPStatus.TOO_MANY_REQUESTS, wait)
        case IssuerUnavailable():
            code, wait = "identity-provider-unavailable", {"Retry-After": "10"}
            return _told(code, HTTPStatus.SERVICE_UNAVAILABLE, wait)
        case StoreError():
            return known_answer(error)
        case _:
            return None


def _told(code: str, status: HTTPStatus, headers: dict[str, str]) -> ProblemAnswer:
    return problem_answer(Failure(code, status, MEANINGS[code]), headers=headers)


def _challenge(error: str | None = None) -> dict[str, str]:
    more = f', error="{error}"' if error else ""
    return {"WWW-Authenticate": f'Bearer realm="dealstate"{more}'}
