"""Sessions over HTTP: exchange a key or token for a cookie, say who asks, end the session."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response

from api.around.door import is_secure
from api.auth.bearer import token_of
from api.auth.keys import id_in
from api.auth.sessions import Session, Sessions, cookie_in, set_cookie
from api.problems import MEANINGS, Failure
from api.queries.users import names_of
from api.routes.common import Answer, Caller, Store, answers
from api.routes.failures import problem_answer
from api.wire.sessions import WhoAsks
from api.workspace import Workspace
from domain.access import Principal
from domain.refusals import NotAllowed

router = APIRouter(prefix="/v1/session", tags=["session"], default_response_class=Answer)

_TOLD = answers(WhoAsks, "Who asks.")
_SET_COOKIE = {"Set-Cookie": {"description": "The cookie.", "schema": {"type": "string"}}}
_OPENED: dict[int | str, dict[str, Any]] = {
    201: {**_TOLD[200], "description": "Who asks, and the cookie.", "headers": _SET_COOKIE},
    "default": _TOLD["default"],
}
_ENDED: dict[int | str, dict[str, Any]] = {
    204: {"description": "The session was ended.", "headers": _SET_COOKIE},
    "default": _TOLD["default"],
}


@router.get("", responses=_TOLD)
def show_who_asks(request: Request, store: Store, caller: Caller) -> Answer:
    """The user whom the server takes who asks for, by their key, token or session."""
    return Answer(_told(store, caller, request.state.session))


@router.post("", status_code=HTTPStatus.CREATED, responses=_OPENED)
def open_session(request: Request, store: Store, caller: Caller) -> Answer:
    """Exchange the key or token that is sent for a session, whose id a cookie keeps.

    A session that the browser has already is ended. Each request opens one more; of more than
    50 of one user the oldest is ended. Who holds no role opens none.
    """
    headers, secure = request.headers, is_secure(request.scope)
    sessions: Sessions | None = request.app.state.sessions
    token = token_of(headers.getlist("authorization"))
    if sessions is None or token is None:
        raise NotAllowed(
            "a session is not exchanged for a session",
            "Send an API key, or a token of the identity provider.",
        )
    if not caller.roles:
        raise NotAllowed(f"{caller.id} holds no role", "Have a role granted first.")
    earlier = cookie_in(headers.getlist("cookie"), secure=secure)
    if earlier is not None:
        sessions.ended_by(earlier)
    session, cookie = sessions.open(caller.id, id_in(token))
    lasts = round((session.until - store.now()).total_seconds())
    told = _told(store, caller, session)
    handed = {"Set-Cookie": set_cookie(cookie, lasts, secure=secure)}
    return Answer(told, status_code=HTTPStatus.CREATED, headers=handed)


@router.delete("", status_code=HTTPStatus.NO_CONTENT, responses=_ENDED)
def end_session(request: Request) -> Response:
    """End the session by which who asks came, everywhere, and take the cookie back."""
    session: Session | None = request.state.session
    if session is None:
        code, status = "no-session", HTTPStatus.NOT_FOUND
        return problem_answer(Failure(code, status, MEANINGS[code]))
    request.app.state.sessions.end(session)
    gone = set_cookie("", 0, secure=is_secure(request.scope))
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Set-Cookie": gone})


def _told(store: Workspace, caller: Principal, session: Session | None) -> WhoAsks:
    user = store.log.organisation().directory.users.get(caller.id)
    return WhoAsks.of(caller, user.memberships if user else (), session, names_of(store))
