"""What the routes share: the store, the parameters of time, answers and how they are described."""

from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from fastapi import Depends, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api.queries.instants import Instants
from api.queries.views import LONGEST_NAME, View, open_view
from api.times import DayMeans, TimeError, parse_instant
from api.wire.problems import Problem
from api.workspace import Workspace
from domain.access import Action, Principal, Role


class ParameterFault(ValueError):
    """A parameter cannot be used."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(f"{parameter}: {detail}")
        self.parameter = parameter
        self.detail = detail


def _store(request: Request) -> Workspace:
    store: Workspace = request.app.state.store
    return store


Store = Annotated[Workspace, Depends(_store)]


def _caller() -> Principal:
    """Whoever reaches the server, which listens to this machine alone, holds the store."""
    return Principal("http", frozenset({Role.OPERATOR}))


Caller = Annotated[Principal, Depends(_caller)]
"""Who asks. Every route that shows a deal, or the trail, answers to them."""

DealId = Annotated[str, Path(description="Id of the deal.", max_length=LONGEST_NAME)]


def _readable(store: Store, caller: Caller, deal_id: DealId) -> View:
    return open_view(store, caller, Action.READ, deal_id)


ReadableDeal = Annotated[View, Depends(_readable)]
"""The deal of the path, as far as the caller may read it."""


class Parameters(BaseModel):
    """Query parameters of a route. Others than these are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AtParameters(Parameters):
    """Both axes of time."""

    as_of: str | None = Field(
        None, description="What was true then: a day (its end), a date and time, or now."
    )
    known_at: str | None = Field(None, description="What was known then; without it, all that is.")

    def instants(self, store: Workspace) -> Instants:
        return Instants(
            instant(store, "as_of", self.as_of), instant(store, "known_at", self.known_at)
        )


def instant(
    store: Workspace, parameter: str, text: str | None, day_means: DayMeans = DayMeans.END
) -> Any:
    """The moment that a parameter names. Raises ParameterFault."""
    if text is None:
        return None
    try:
        return parse_instant(text, store.zone, store.now(), day_means)
    except TimeError as error:
        raise ParameterFault(parameter, str(error)) from None


class Answer(JSONResponse):
    """An answer of the wire, encoded as it is."""

    def render(self, content: msgspec.Struct) -> bytes:
        return msgspec.json.encode(content)


class ProblemAnswer(Answer):
    """A problem."""

    media_type = "application/problem+json"


ANSWERS: dict[str, type[msgspec.Struct]] = {}
"""The shapes that routes answer with, by the name of their schema."""


def answers(shape: type[msgspec.Struct], what: str) -> dict[int | str, dict[str, Any]]:
    """What a route answers with, for its description."""
    return {
        200: _content(shape, what, Answer.media_type),
        "default": _content(Problem, "A problem.", ProblemAnswer.media_type),
    }


def _content(shape: type[msgspec.Struct], what: str, media_type: str | None) -> dict[str, Any]:
    assert media_type is not None
    ANSWERS[shape.__name__] = shape
    schema = {"$ref": f"#/components/schemas/{shape.__name__}"}
    return {"description": what, "content": {media_type: {"schema": schema}}}


def next_link(request: Request, cursor: str | None) -> dict[str, str]:
    """The header that leads to the part of a listing that follows (RFC 8288)."""
    if cursor is None:
        return {}
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    query = urlencode([*kept, ("cursor", cursor)])
    return {"Link": f'<{request.url.path}?{query}>; rel="next"'}
