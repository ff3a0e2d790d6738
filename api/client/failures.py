"""What a request can come to that is not answered as it was asked."""

from http import HTTPStatus

import msgspec

from api.wire.problems import ParameterProblem, Problem


class ServiceError(Exception):
    """The service did not do what was asked."""


class Unreachable(ServiceError):
    """No answer came, as often as it was tried. Whether a write was recorded is not known.

    Sending it again under the same `key` records it once.
    """

    def __init__(self, reason: str, key: str | None) -> None:
        super().__init__(f"no answer: {reason}")
        self.key = key
        """The Idempotency-Key of a write, to send it again."""


class Unreadable(ServiceError):
    """An answer came that is none of this service: of something on the way, or another version.

    Whether a write was recorded is not known. Sending it again under the same `key` records it
    once.
    """

    def __init__(self, reason: str, status: int | None, key: str | None = None) -> None:
        super().__init__(f"the answer cannot be read: {reason}")
        self.status = status
        """Of the answer; None where that is not known."""
        self.key = key
        """The Idempotency-Key of a write, to send it again."""


class Refused(ServiceError):
    """The service answered with a problem (RFC 9457)."""

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        advice = f" {problem.satisfied_by}" if problem.satisfied_by else ""
        super().__init__(f"{problem.code}: {problem.detail}{advice}")
        self.problem = problem
        self.retry_after = retry_after
        """Seconds that the service asks to wait before it is asked again; None: it says none."""

    @property
    def status(self) -> int:
        return self.problem.status

    @property
    def code(self) -> str:
        """Stable, such as `version-conflict`; docs/problems.md has them all."""
        return self.problem.code

    @property
    def detail(self) -> str:
        return self.problem.detail

    @property
    def satisfied_by(self) -> str | None:
        """What would satisfy the rule that refused it."""
        return self.problem.satisfied_by

    @property
    def errors(self) -> list[ParameterProblem]:
        """The parameters and fields that cannot be used."""
        return self.problem.errors


class NotAuthenticated(Refused):
    """401: the key is good for nothing now."""


class NotAllowed(Refused):
    """403: not with the roles of the key's user, or not with this key."""


class NotFound(Refused):
    """404: there is no such thing, or none to be seen."""


class Conflict(Refused):
    """409: not as things stand on record."""


class Gone(Refused):
    """410: it was there, and is gone for good."""


class Stale(Refused):
    """412: it is at another version than the one that was seen."""


class Unusable(Refused):
    """400, 413, 415, 422, 428: the request cannot be used as it is."""


class TooMany(Refused):
    """429: too many requests, also after waiting, or the wait told is too long."""


class Unavailable(Refused):
    """5xx: the service cannot do it now."""


_KINDS: dict[int, type[Refused]] = {
    HTTPStatus.UNAUTHORIZED: NotAuthenticated,
    HTTPStatus.FORBIDDEN: NotAllowed,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.GONE: Gone,
    HTTPStatus.PRECONDITION_FAILED: Stale,
    HTTPStatus.TOO_MANY_REQUESTS: TooMany,
}


def refused(status: int, content: bytes, retry_after: float | None = None) -> Refused:
    """The problem of an answer; what stands before the service may answer with none."""
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        detail = f"Something on the way answered {status}."
        code = f"http-{status}"
        problem = Problem(type="about:blank", title=code, status=status, detail=detail, code=code)
    kind = _KINDS.get(status, Unusable if status < 500 else Unavailable)
    return kind(problem, retry_after)
