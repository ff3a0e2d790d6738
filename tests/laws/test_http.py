"""Law: over HTTP a deal is what the pure fold of the domain makes of the same commands.

Random users give random commands, send again, send something else under a key, and name versions
that have passed. What they are answered is what `decide` says of the history that a model keeps in
memory, and the deal is what that history folds to.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from fastapi.testclient import TestClient
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from api.app import create_app
from api.problems import failure_of
from api.recording import NOT_ALONE
from api.settings import Settings
from api.wire.recorded import DealRecording
from domain.access import Action, Principal, may, may_somewhere
from domain.corrections import MergeDeal
from domain.deal import DealCommand, History, decide
from domain.directory import MembershipGranted, UserRegistered
from domain.history import Fact
from domain.intent import Intent, command_name
from domain.lifecycle.commands import AddNote, OpenOpportunity
from domain.refusals import Refusal, UnknownProcess
from domain.repeating import require_may_repeat
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.contract.asking import draft, intent
from tests.laws.deals import BEGINNINGS, Asked, asked, intent_of
from tests.laws.pools import one_of
from tests.scenario import (
    BOOK,
    COLLEAGUE,
    LONGER,
    MANAGER,
    MEMBERS,
    OPERATOR,
    ORGANISATION,
    OWNER,
    SHORT,
    UNIT,
    day,
    on,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from httpx2 import Response

    from api.workspace import Workspace

FEWER = 20
"""So many times fewer than of other laws: each example is a dozen requests."""


class Service:
    """The service over a store with the organisation and the processes of the model."""

    def __init__(self, location: Location) -> None:
        self.caller = OPERATOR
        unlimited: dict[str, Any] = {"rate_per_second": 100_000, "rate_burst": 1_000_000}
        app = create_app(
            Settings(db=str(location), worker=False, **unlimited), lambda *_: self.caller
        )
        self.client = TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
        self.deals = (f"law-{number}" for number in count(1))

    @property
    def store(self) -> Workspace:
        store: Workspace = self.client.app.state.store  # type: ignore[attr-defined]
        return store

    def at(self, moment: datetime) -> None:
        self.store.now = self.store.log.now = lambda: moment


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    location = Location.beside(tmp_path_factory.mktemp("http") / "deals.db")
    with DealLog.create(location) as log:
        _append(log, f"unit:{UNIT.unit}", UNIT)
        for user, role in MEMBERS.items():
            name, granted = UserRegistered(user, user), MembershipGranted(user, role, UNIT.unit)
            _append(log, f"user:{user}", name, granted)
        for process in (SHORT, LONGER):
            log.publish(process, intent(f"publish-{process.ref}"))
    service = Service(location)
    with service.client:
        yield service


def _append(log: DealLog, stream: str, *facts: Fact) -> None:
    log.append([Batch(stream, 0, [draft(fact) for fact in facts])])


class Expected(msgspec.Struct, frozen=True):
    """Status and code of a problem."""

    status: int
    code: str


class Sent(msgspec.Struct, frozen=True):
    """A command that was recorded, and how it was answered."""

    ask: Asked
    intent: Intent
    version: int
    """That the deal was at before."""
    last: int
    """That it was at then."""
    answer: bytes

    @property
    def versions(self) -> tuple[int, int]:
        return self.version + 1, self.last


class DealOverHttp(RuleBasedStateMachine):
    """One deal, over HTTP and in a model."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self.service = service
        self.deal_id = next(service.deals)
        self.sent: list[Sent] = []
        self.numbers = count(1)

    @initialize(facts=one_of(*BEGINNINGS))
    def begin(self, facts: tuple[Any, ...]) -> None:
        log, stream = self.service.store.log, f"deal:{self.deal_id}"
        self.service.at(day(len(facts)))
        log.append([Batch(stream, 0, [on(number, fact) for number, fact in enumerate(facts)])])
        self.history: History = log.history(self.deal_id)

    @rule(data=st.data())
    def give(self, data: st.DataObject) -> None:
        ask = data.draw(asked(self.history))
        if isinstance(ask.command, (OpenOpportunity, *NOT_ALONE)):
            return
        number = next(self.numbers)
        key = f"{self.deal_id}-{number}"
        circumstances = msgspec.structs.replace(
            intent_of(ask, self.history, number), command_id=key, source="http"
        )
        before = self.history
        answer = self._send(ask, circumstances, before.version)
        expected = self._expected(ask, circumstances)
        if isinstance(expected, tuple):
            assert answer.status_code == 200, answer.text
            told = msgspec.json.decode(answer.content, type=DealRecording)
            self._record(expected, circumstances)
            assert told.version == self.history.version
            self._is_told(told, expected, ask.by)
            at = before.version, self.history.version
            self.sent.append(Sent(ask, circumstances, *at, answer.content))
        else:
            self._is_refused(answer, expected)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        sent = data.draw(st.sampled_from(self.sent))
        answer = self._send(sent.ask, sent.intent, sent.version)
        refusal = self._may_repeat(sent)
        if refusal is not None:
            self._is_refused(answer, self._right(sent.ask.command, sent.ask.by) or refusal)
            return
        assert answer.headers["idempotency-replayed"] == "true"
        if b"[hidden]" not in sent.answer:
            assert answer.content == sent.answer

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_something_else_under_a_key(self, data: st.DataObject) -> None:
        sent = data.draw(st.sampled_from(self.sent))
        other = msgspec.structs.replace(sent.ask, command=AddNote("Something else."))
        answer = self._send(other, sent.intent, None)
        expected = self._right(other.command, other.by) or Expected(422, "command-id-reused")
        self._is_refused(answer, expected)

    @precondition(lambda self: self.history.version > 1)
    @rule(by=one_of(OWNER, MANAGER, OPERATOR, COLLEAGUE))
    def name_a_version_that_has_passed(self, by: Principal) -> None:
        note = Asked(AddNote("Too late."), by, None)
        circumstances = intent_of(note, self.history, 0)
        fresh = msgspec.structs.replace(
            circumstances, command_id=f"{self.deal_id}-late-{next(self.numbers)}"
        )
        answer = self._send(note, fresh, self.history.version - 1)
        self._is_refused(answer, self._right(note.command, by) or Expected(412, "version-conflict"))

    @invariant()
    def it_is_what_the_model_folds_to(self) -> None:
        if not hasattr(self, "history"):
            return
        self.service.caller = OPERATOR
        answer = self.service.client.get(f"/v1/deals/{self.deal_id}?as_of=9999-01-01")
        shown, deal = answer.json()["deal"], self.history.deal
        assert (shown["version"], shown["status"]) == (self.history.version, deal.life.status)
        assert shown["owner"]["id"] == deal.life.owner
        amount = None if deal.amount is None else str(deal.amount.amount)
        assert (shown["amount"] or {}).get("amount") == amount
        assert self.service.store.log.history(self.deal_id).deal == deal

    def _send(self, ask: Asked, circumstances: Intent, version: int | None) -> Response:
        self.service.caller = ask.by
        self.service.at(circumstances.now)
        headers = {
            "Idempotency-Key": circumstances.command_id,
            "Content-Type": "application/json",
        }
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        late = circumstances.occurred_at != circumstances.now
        moment = {"occurred_at": circumstances.occurred_at.isoformat()} if late else {}
        return self.service.client.post(
            f"/v1/deals/{self.deal_id}/{command_name(type(ask.command))}",
            content=msgspec.json.encode(ask.command),
            params=moment,
            headers=headers,
        )

    def _expected(self, ask: Asked, circumstances: Intent) -> tuple[Fact, ...] | Expected:
        """The facts, or how it is refused."""
        try:
            msgspec.convert(msgspec.to_builtins(ask.command), type(ask.command))
        except msgspec.ValidationError:
            return Expected(422, "invalid-parameter")
        refusal = self._right(ask.command, ask.by)
        if refusal is not None:
            return refusal
        if isinstance(ask.command, MergeDeal) and ask.command.into != self.deal_id:
            return Expected(409, "unknown-reference")
        try:
            return decide(ask.command, self.history, BOOK, circumstances, ORGANISATION)
        except UnknownProcess:
            return Expected(422, "unknown-process")
        except Refusal as refused:
            return _of(refused)

    def _right(self, command: DealCommand, by: Principal) -> Expected | None:
        """How somebody is refused who may not give the command here."""
        life = self.history.deal.life
        scope = ORGANISATION.scope(life.owner, life.team_ids)
        if may(by, command.right, scope).allowed:
            return None
        if not may_somewhere(by, command.right) or may(by, Action.READ, scope).allowed:
            return Expected(403, "not-allowed")
        return Expected(404, "deal-not-found")

    def _may_repeat(self, sent: Sent) -> Expected | None:
        try:
            require_may_repeat(
                sent.ask.command, self.history, sent.versions, sent.ask.by, ORGANISATION
            )
        except Refusal as refused:
            return _of(refused)
        return None

    def _record(self, facts: tuple[Any, ...], circumstances: Intent) -> None:
        start = self.history.version + 1
        self.history = self.history.extended(
            [
                circumstances.draft(fact).recorded(self.history.stream, version, circumstances.now)
                for version, fact in enumerate(facts, start=start)
            ]
        )

    def _is_told(self, told: DealRecording, facts: tuple[Fact, ...], by: Principal) -> None:
        life = self.history.deal.life
        scope = ORGANISATION.scope(life.owner, life.team_ids)
        assert len(told.events) == len(facts)
        if may(by, Action.READ, scope).allowed:
            assert tuple(event.fact for event in told.events) == facts
        else:
            assert [type(event.fact) for event in told.events] == [type(fact) for fact in facts]

    def _is_refused(self, answer: Response, expected: Expected) -> None:
        assert Expected(answer.status_code, answer.json()["code"]) == expected, answer.text


def _of(refused: Refusal) -> Expected:
    failure = failure_of(refused)
    assert failure is not None
    return Expected(int(failure.status), failure.code)


def test_over_http_a_deal_is_what_the_domain_makes_of_it(service: Service) -> None:
    run_state_machine_as_test(
        lambda: DealOverHttp(service),  # type: ignore[arg-type]
        settings=settings(
            max_examples=max(settings().max_examples // FEWER, 2),
            stateful_step_count=12,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
