"""Sessions of people at a browser: a cookie in place of a key or token.

Theory of operation. Whoever shows a key or a token can exchange it for a session. That one was
opened is recorded on a stream of its own, and so is that it was ended; so all servers of a store
agree on which sessions there are, and the trail tells who came when. The browser gets the id of
the session and its keyed hash (HMAC-SHA256, RFC 2104), under a key of the key store, which all
servers of a store have. The id alone, which stands in the log, lets nobody in.

What the user may do is looked up for each request, as it is for keys and tokens. A session lives no
longer than the API key it was opened with: it ends with it, and is limited as it is.

A user has so many sessions open at most: the oldest is ended for a new one. Each process counts
those that it opened, in memory.

A browser sends cookies along with what other sites have it ask. So whatever may change something
has to come from a page of this server, and to bear a token in a header that no other site can know
or set (see `require_own_page`; OWASP, Cross-Site Request Forgery Prevention: HMAC-based tokens
bound to the session, with the headers Sec-Fetch-Site and Origin as a second line).
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from secrets import token_hex
from threading import Lock
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec

from api.auth.keys import as_holder, is_good
from api.auth.refused import CrossSiteRequest, NotAuthenticated
from domain.access import PUBLIC_ONLY, Principal
from domain.directory import Directory
from domain.history import Draft, StreamKind, stream_of
from domain.refusals import VersionConflict
from domain.sessions import AnySessionFact, SessionEnded, SessionOpened
from store.events.writing import Batch
from store.log import DealLog

COOKIE = "dealstate"
"""Its name over http on this machine. Anywhere else it is `__Host-dealstate`: browsers take a
cookie of such a name only over https, for this host alone, and from no other host of the domain."""
CSRF_HEADER = "X-CSRF-Token"
OPEN_PER_USER = 50
"""Sessions of one user that one process keeps open."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Those that change nothing (RFC 9110, section 9.2.1)."""

_COOKIE = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})", re.ASCII)
_SIGNING, _CSRF = "session cookie", "session csrf"
"""What a keyed hash is for, so that none counts for something else."""


class Session(msgspec.Struct, frozen=True):
    """A session that is good now."""

    id: str
    user: str
    key: str | None
    """Names the API key it was opened with."""
    until: datetime
    csrf_token: str


class Sessions:
    """The sessions of one store. Safe to use from many threads."""

    def __init__(
        self,
        log: DealLog,
        clock: Callable[[], datetime],
        lasting: timedelta,
        *,
        has_provider: bool = False,
    ) -> None:
        self._log = log
        self._now = clock
        self._lasting = lasting
        self._has_provider = has_provider
        """Without one, the sessions that were opened with its tokens are good no more."""
        self._lock = Lock()
        self._opened: dict[str, deque[Session]] = {}
        """Those of each user that were opened here, the oldest first."""

    def open(self, user: str, key: str | None) -> tuple[Session, str]:
        """A new session for a user who was let in, and what the cookie holds. Raises StoreError."""
        opened = SessionOpened(user, int(self._lasting.total_seconds()), key)
        session_id, now = token_hex(16), self._now()
        self._append(session_id, 0, opened, now)
        session = self._session(session_id, opened, now)
        for surplus in self._counted(session, now):
            self.end(surplus)
        return session, self._signed(session_id)

    def end(self, session: Session) -> None:
        """Let it be good for nothing any more. Again changes nothing. Raises StoreError."""
        with suppress(VersionConflict):
            self._append(session.id, 1, SessionEnded(session.user), self._now())
        with self._lock, suppress(ValueError):
            self._opened.get(session.user, deque()).remove(session)

    def of(self, cookie: str) -> tuple[Principal, Session]:
        """Whose session it is, and what it is. Raises NotAuthenticated, StoreError."""
        session = self._good(cookie)
        directory = self._log.organisation().directory
        return self._principal(session, directory), session

    def ended_by(self, cookie: str) -> None:
        """End the session of a cookie where it is good; what else is sent is left alone."""
        with suppress(NotAuthenticated):
            self.end(self._good(cookie))

    def _counted(self, session: Session, now: datetime) -> list[Session]:
        """Count a new session; answers with those that are to be ended for it."""
        surplus: list[Session] = []
        with self._lock:
            kept = self._opened.setdefault(session.user, deque())
            kept.append(session)
            while kept[0].until <= now:
                kept.popleft()
            while len(kept) > OPEN_PER_USER:
                surplus.append(kept.popleft())
        return surplus

    def _good(self, cookie: str) -> Session:
        session_id = self._id_in(cookie)
        events = self._log.events_in(stream_of(StreamKind.SESSION, session_id), PUBLIC_ONLY)
        if len(events) != 1 or not isinstance(events[0].fact, SessionOpened):
            raise _refused("the session was ended, or is not in the log")
        session = self._session(session_id, events[0].fact, events[0].occurred_at)
        if self._now() >= session.until:
            raise _refused("the session is over")
        return session

    def _principal(self, session: Session, directory: Directory) -> Principal:
        if session.key is None:
            if not self._has_provider:
                raise _refused("no identity provider is trusted any more")
            return directory.principal(session.user)
        key = directory.key(session.key)
        if key is None or key.user != session.user or not is_good(key, self._now()):
            raise _refused("the API key of the session is not good any more")
        return as_holder(key, directory)

    def _session(self, session_id: str, opened: SessionOpened, since: datetime) -> Session:
        until = since.astimezone(UTC) + timedelta(seconds=opened.lasts_seconds)
        csrf_token = self._hashed(_CSRF, session_id)
        return Session(session_id, opened.user, opened.key, until, csrf_token)

    def _append(self, session_id: str, version: int, fact: AnySessionFact, now: datetime) -> None:
        command = str(uuid4())
        draft = Draft(fact, now, fact.user, "http", command, command)
        stream = stream_of(StreamKind.SESSION, session_id)
        self._log.append([Batch(stream, version, [draft])])

    def _signed(self, session_id: str) -> str:
        return f"{session_id}.{self._hashed(_SIGNING, session_id)}"

    def _id_in(self, cookie: str) -> str:
        """The id of the session. Raises NotAuthenticated unless it was signed here."""
        found = _COOKIE.fullmatch(cookie)
        if found is None:
            raise _refused("a cookie that is none of ours")
        if not compare_digest(found[2], self._hashed(_SIGNING, found[1])):
            raise _refused("a cookie that was not signed with the keys of the store")
        return found[1]

    def _hashed(self, purpose: str, session_id: str) -> str:
        return self._log.keys.fingerprint(f"{purpose}\0{session_id}".encode()).hex()


def _refused(reason: str) -> NotAuthenticated:
    # Every browser comes with an old cookie some day: that is no attempt to break in.
    return NotAuthenticated(reason, has_token=False)


# The cookie.


def cookie_name(*, secure: bool) -> str:
    """What the cookie is called; no other one is looked at."""
    return f"__Host-{COOKIE}" if secure else COOKIE


def set_cookie(value: str, seconds: int, *, secure: bool) -> str:
    """The header that hands out the cookie, or with no value and no time takes it back.

    No script can read it, no other host gets it, and other sites cannot have it sent with what
    they ask, but for links to here (RFC 6265bis).
    """
    only_over_tls: Final = "; Secure" if secure else ""
    name = cookie_name(secure=secure)
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{only_over_tls}"


def cookie_in(headers: list[str], *, secure: bool) -> str | None:
    """The value of the cookie among all headers `Cookie`; None where it is not there.

    Several of one name come from elsewhere, or from another time: the first that is sent is the
    one with the nearest path, and no other is tried.
    """
    wanted = cookie_name(secure=secure)
    for header in headers:
        for part in header.split(";"):
            name, _, value = part.strip().partition("=")
            if name == wanted:
                return value or None
    return None


# Requests that other sites have a browser send.


def require_own_page(method: str, headers: Mapping[str, str], session: Session) -> None:
    """Raise CrossSiteRequest where something may be changed, and not from a page of this server."""
    if method in SAFE_METHODS:
        return
    site = headers.get("sec-fetch-site")
    if site not in {None, "same-origin", "none"}:
        raise CrossSiteRequest(f"Sec-Fetch-Site: {site}")
    origin = headers.get("origin")
    if origin is not None and not _is_host_of(origin, headers.get("host", "")):
        raise CrossSiteRequest(f"Origin: {origin}")
    if not compare_digest(headers.get(CSRF_HEADER, "").encode(), session.csrf_token.encode()):
        raise CrossSiteRequest(f"{CSRF_HEADER} is not that of the session")


def _is_host_of(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == host.lower() != ""
    except ValueError:
        return False
