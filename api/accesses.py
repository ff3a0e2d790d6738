"""Noting who is shown secrets, so that it is on record before they are.

Theory of operation. Whoever opens a deal, or the whole store, for somebody notes it here. In a
request over HTTP what is noted is gathered, and recorded in one transaction before the first
byte of the answer is sent (`api/around/noting.py`): a list may open many deals. Elsewhere it
is recorded at once. Where it cannot be recorded, nothing is shown.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from domain.access import Principal, Sensitivity
from domain.accesses import DataExported, SecretsRead, holds_the_keys, is_recorded
from domain.history import StreamKind, stream_of
from store.accesses import Access, Accesses, Shown
from store.log import DealLog


class Asked:
    """A request, and what it was shown that is not recorded yet."""

    def __init__(self, accesses: "Noting", route: Callable[[], str]) -> None:
        self._accesses = accesses
        self.route = route
        self.shown: list[tuple[Principal, Shown]] = []

    def record(self) -> None:
        """Record it. Raises StoreError; then it must not be shown."""
        shown, self.shown = self.shown, []
        self._accesses.record("http", shown)


AUDIT, PROCESS_TRIAL, PEOPLE = "audit", "process-trial", "people"
"""What of the whole store can be shown, as the record calls it."""

_asked: ContextVar[Asked | None] = ContextVar("asked", default=None)


class Noting:
    """Notes accesses to one store. Safe to use from many threads."""

    def __init__(self, log: DealLog, clock: Callable[[], datetime]) -> None:
        self._accesses = Accesses(log, clock)
        self.source = "api"
        """Through what somebody asks who does not over HTTP, as in the envelope."""
        self.route: Callable[[], str] = lambda: "in process"
        """What they ask there."""

    @contextmanager
    def asked_by(self, route: Callable[[], str]) -> Iterator[Asked]:
        """Gather what is noted inside; `route` tells afterwards what was asked."""
        asked = Asked(self, route)
        token = _asked.set(asked)
        try:
            yield asked
        finally:
            _asked.reset(token)

    def read(self, principal: Principal, deal_id: str, visible: frozenset[Sensitivity]) -> None:
        """Somebody is shown a deal, so much of it. Raises StoreError."""
        stream = stream_of(StreamKind.ACCESS, deal_id)
        if self._is_new(principal, stream, visible):
            self._note(principal, SecretsRead(deal_id, self._route(), _sorted(visible)))

    def exported(self, principal: Principal, what: str, visible: frozenset[Sensitivity]) -> None:
        """Somebody is shown what the whole store holds, so much of it. Raises StoreError."""
        stream = stream_of(StreamKind.EXPORT, what)
        if self._is_new(principal, stream, visible):
            self._note(principal, DataExported(what, self._route(), _sorted(visible)))

    def looked_up(self, principal: Principal, what: str) -> None:
        """Somebody looks for what is personal in the whole store. Raises StoreError."""
        stream, visible = stream_of(StreamKind.EXPORT, what), frozenset({Sensitivity.PERSONAL})
        if not holds_the_keys(principal) and not self._accesses.is_remembered(principal.id, stream):
            self._note(principal, DataExported(what, self._route(), _sorted(visible)))

    def record(self, source: str, shown: Iterable[tuple[Principal, Shown]]) -> None:
        """Record what was shown, where it is not recorded today. Raises StoreError."""
        self._accesses.record([Access(who.id, source, fact) for who, fact in shown])

    def _is_new(self, principal: Principal, stream: str, visible: frozenset[Sensitivity]) -> bool:
        if not is_recorded(principal, visible):
            return False
        return not self._accesses.is_remembered(principal.id, stream)

    def _note(self, principal: Principal, fact: Shown) -> None:
        asked = _asked.get()
        if asked is None:
            self.record(self.source, [(principal, fact)])
        else:
            asked.shown.append((principal, fact))

    def _route(self) -> str:
        asked = _asked.get()
        return (self.route if asked is None else asked.route)()


def _sorted(visible: frozenset[Sensitivity]) -> tuple[Sensitivity, ...]:
    return tuple(sorted(visible))
