"""Requests made from the OpenAPI document, sent to a running service, and their answers judged."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from random import Random
from threading import Thread
from time import monotonic, sleep
from typing import Any, NamedTuple

import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisException
from requests import Session
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection, response_schema_conformance

from tests.api.conformance.known import ALONE, NOW, operations_of, with_what_is_there

PROMISED = ["403", "404", "409", "412", "422", "428", "504"]
"""What may be answered to a request that the document allows: it cannot say which deals there are
and who may read them (403, 404), what is on record and at which version (409, 412, 428), which
parameters go together and whether a day is in the calendar (422), or what will be recorded in the
next seconds (504)."""
REFUSED = ["400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "428", "504"]
"""What may be answered to one that it forbids: whichever fault of it is looked at first."""

CHECKS = {
    "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "504"]},
    "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", *PROMISED]},
    "negative_data_rejection": {"expected-statuses": REFUSED},
    "missing_required_header": {"expected-statuses": REFUSED},
}
_ZEROS = re.compile("0{20,}")
BOTH = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


class Effort(NamedTuple):
    """How many requests are made for each operation."""

    allowed: int
    forbidden: int
    covering: int
    """Of those that go through the bounds of each parameter and field."""


class Found(NamedTuple):
    """What came of them."""

    failures: dict[str, str]
    """What is wrong and the request that shows it, by operation and kind of failure."""
    statuses: Counter[int]
    """Of the answers to requests that the document allows."""


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The service over a socket, as whoever asks meets it."""
    # A connection is kept for as long as requests take to be made up.
    config = uvicorn.Config(app, port=0, log_config=None, timeout_keep_alive=600)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run)
    thread.start()
    give_up = monotonic() + 20
    while not server.started:
        assert thread.is_alive()
        assert monotonic() < give_up
        sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class Asking:
    """Asks one service as one caller."""

    def __init__(
        self,
        url: str,
        document: dict[str, Any],
        token: str,
        number: int,
        before: Callable[[], None],
    ) -> None:
        """`before` is called before each request."""
        config = schemathesis.Config.from_dict({"checks": CHECKS})
        document = with_what_is_there(_strict(document))
        self._schema = schemathesis.openapi.from_dict(document, config=config)
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._number = number
        self._before = before
        self._version = NOW
        self._random = Random(number)
        self._session = Session()
        self.found = Found({}, Counter())

    def ask(self, effort: Effort, part: slice = slice(None)) -> Found:
        """Ask every operation, or part of them."""
        operations = []
        for one in self._schema.get_all_operations():
            assert isinstance(one, Ok)
            operations.append(one.ok())
        for operation in operations[part]:
            self._fuzz(operation, GenerationMode.POSITIVE, effort.allowed)
            self._fuzz(operation, GenerationMode.NEGATIVE, effort.forbidden)
            self._cover(operation, effort.covering)
        return self.found

    def _fuzz(self, operation: Any, mode: GenerationMode, examples: int) -> None:
        if not examples:
            return

        @seed(self._number)
        @settings(
            max_examples=examples,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
            deadline=None,
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers_as_documented(case: Any) -> None:
            self._send(case, count=mode is GenerationMode.POSITIVE)

        try:
            answers_as_documented()
        except HypothesisException as error:
            self.found.failures[f"{operation.label} {mode.value}"] = str(error)

    def _cover(self, operation: Any, most: int) -> None:
        if not most:
            return
        config = self._schema.config.generation_for(operation=operation)
        cases = list(
            self._schema.iter_coverage_cases(
                operation, generation_modes=list(BOTH), generation_config=config
            )
        )
        for case in self._random.sample(cases, min(most, len(cases))):
            self._send(case)

    def _send(self, case: Any, *, count: bool = False) -> None:
        self._session.cookies.clear()
        self._before()
        headers = case.headers or {}
        if headers.get("If-Match") == NOW:
            headers["If-Match"] = self._version
        # No schema can say that an answer has those fields alone which were asked for.
        left_out = [response_schema_conformance] if "fields" in (case.query or {}) else []
        if _is_allowed_all_the_same(case):
            left_out.append(negative_data_rejection)
        try:
            answer = case.call_and_validate(
                base_url=self._url,
                session=self._session,
                headers=self._headers,
                excluded_checks=left_out,
            )
        except FailureGroup as group:
            for failure in group.exceptions:
                self._note(case, failure)
        except Failure as failure:
            self._note(case, failure)
        else:
            self._keep_version(case, answer)
            if count:
                self.found.statuses[answer.status_code] += 1

    def _keep_version(self, case: Any, answer: Any) -> None:
        """Note at which version d-open is, so that commands which replace can be carried out."""
        if case.method == "POST" and case.path_parameters.get("deal_id") == "d-open":
            [self._version] = answer.headers.get("etag", [self._version])

    def _note(self, case: Any, failure: Failure) -> None:
        """One line per failure: the words without the answer, and the request."""
        words = " ".join(failure.message.split())[:300]
        request = _ZEROS.sub("00…", case.as_curl_command(self._headers))
        told = f"{words}\n    {request[:700]}"
        self.found.failures.setdefault(f"{case.operation.label}: {failure.title}", told)


def _is_allowed_all_the_same(case: Any) -> bool:
    """Whether what is wrong with it may be right: a token that it lacks is sent, and of some
    parameters the service takes more than requests are made with."""
    data = case.meta.phase.data
    changed = {one.parameter for one in getattr(data, "mutations", ())}
    changed.add(getattr(data, "parameter", None))
    return not changed.isdisjoint({"Authorization", *ALONE})


def _strict(document: dict[str, Any]) -> dict[str, Any]:
    """The document without `default`: what is answered has to be named."""
    found = deepcopy(document)
    for operation in operations_of(found):
        del operation["responses"]["default"]
    return found
