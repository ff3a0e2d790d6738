"""What is to be said of every problem: what it means, why it happens, what to do, an example.

The meaning stands with the code: with the refusal, or in `problems.MEANINGS`. The rest is in
`problems.toml` beside this file.
"""

import tomllib
from functools import cache
from http import HTTPStatus
from pathlib import Path

import msgspec

from api.problems import MEANINGS, failure_of
from api.wire.problems import ParameterProblem, Problem
from domain.refusals import Refusal, every_refusal

ABOVE = "/docs/problems"
"""Where the pages are."""

_FILE = Path(__file__).with_name("problems.toml")


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says of a problem."""

    why: str
    do: str
    detail: str
    status: int | None = None
    """Null for a refusal, whose status follows from it."""
    field: str | None = None
    """The parameter that the example is about."""


class ProblemPage(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say of one code."""

    code: str
    meaning: str
    is_refusal: bool
    """By a rule of the domain."""
    why: str
    do: str
    example: Problem


def address_of(code: str) -> str:
    """Where the page of a code is; the `type` of its problems."""
    return f"{ABOVE}/{code}"


@cache
def told() -> dict[str, Told]:
    """What the file says, by code."""
    return msgspec.convert(tomllib.loads(_FILE.read_text(encoding="utf-8")), dict[str, Told])


@cache
def problem_pages() -> dict[str, ProblemPage]:
    """Every code of which there is something to say, those of the service first."""
    said = told()
    service = {
        code: _page(code, words, said[code]) for code, words in MEANINGS.items() if code in said
    }
    return service | {one.code: _page_of(one) for one in every_refusal() if one.code in said}


def _page_of(refusal: type[Refusal]) -> ProblemPage:
    said = told()[refusal.code]
    failure = failure_of(refusal(said.detail, said.do))
    assert failure is not None
    page = _page(refusal.code, refusal.__doc__ or "", said, failure.status)
    example = msgspec.structs.replace(page.example, satisfied_by=said.do)
    return msgspec.structs.replace(page, is_refusal=True, example=example)


def _page(code: str, meaning: str, said: Told, status: HTTPStatus | None = None) -> ProblemPage:
    found = status or HTTPStatus(said.status or 0)
    errors = []
    if said.field is not None:
        errors = [ParameterProblem(said.field, said.detail.removeprefix(f"{said.field}: "))]
    example = Problem(
        type=address_of(code),
        title=found.phrase,
        status=found.value,
        detail=said.detail,
        code=code,
        errors=errors,
    )
    return ProblemPage(
        code=code, meaning=meaning, is_refusal=False, why=said.why, do=said.do, example=example
    )


ADDRESSES = frozenset(address_of(code) for code in problem_pages())
"""The addresses of all pages. They are for everybody."""
