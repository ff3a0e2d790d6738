"""Forgetting people over HTTP: by ids alone, since names are gone once they are forgotten."""

from http import HTTPStatus
from typing import Annotated, NoReturn
from unicodedata import east_asian_width

from fastapi import APIRouter

from api.accesses import PEOPLE
from api.erasing import PersonNotFound, find_person, forget_once
from api.problems import Failure
from api.routes.administration import Meant
from api.routes.common import Answer, Caller, ParameterFault, Store, answers, takes
from api.routes.conditions import REPLAYED, REPLAYED_HEADER, RequestFault, accepts, body_of
from api.wire.forgetting import (
    Erased,
    ErasedEvent,
    FoundPerson,
    FoundPersons,
    WantedErasure,
    WantedPerson,
    WantedSurvey,
)
from api.wire.keeping import ErasureReport
from api.wire.recorded import token_of
from domain.access import Action
from domain.deciding import require_legible
from store.forgetting.appearances import called_like
from store.forgetting.erasure import survey

MOST_FOUND = 20
"""So many people are told at once."""
FEWEST_LETTERS = 3
"""So many letters or digits of a name look somebody up; wide characters count twice."""

router = APIRouter(
    prefix="/v1/erasures",
    tags=["erasures"],
    default_response_class=Answer,
    dependencies=[takes(Action.ERASE)],
)

_erased = answers(Erased, "They are forgotten.")
_erased[200]["headers"] = {REPLAYED: REPLAYED_HEADER}


@router.post(
    "",
    responses=_erased,
    openapi_extra=accepts(
        WantedErasure, {"persons": ["p-17"], "reason": "asked by letter of 3 March"}
    ),
)
def erase_a_person(
    store: Store, wanted: Annotated[WantedErasure, body_of(WantedErasure)], intent: Meant
) -> Answer:
    """Forget a person: make what was recorded of them unreadable, on every deal and for good.

    It cannot be undone. Backups of the keys made earlier still open these fields.
    """
    require_legible(wanted)
    try:
        done = forget_once(store, wanted.persons, wanted.reason, wanted, intent)
    except PersonNotFound as error:
        _not_found(error)
    told = [
        ErasedEvent(stream, version, token_of(stream, version) or "")
        for stream, version in done.events
    ]
    headers = {REPLAYED: "true"} if done.repeated else None
    return Answer(Erased.of(done.person, told), headers=headers)


@router.post(
    "/survey",
    responses=answers(ErasureReport, "What would be gone, and what would be left."),
    openapi_extra=accepts(WantedSurvey, {"persons": ["p-17"]}),
)
def survey_an_erasure(
    store: Store, wanted: Annotated[WantedSurvey, body_of(WantedSurvey)]
) -> Answer:
    """What erasing a person would take away. Once they are erased, what of them is left."""
    require_legible(wanted)
    try:
        person = find_person(store, wanted.persons, by_name=False)
    except PersonNotFound as error:
        _not_found(error)
    return Answer(ErasureReport.of(survey(store.log, person), carried_out=False))


@router.post(
    "/lookup",
    responses=answers(FoundPersons, "Who has that in a name."),
    openapi_extra=accepts(WantedPerson, {"name": "Jankowski"}),
)
def look_somebody_up(
    store: Store, caller: Caller, wanted: Annotated[WantedPerson, body_of(WantedPerson)]
) -> Answer:
    """Who has this in a name that can still be read, and by which ids to name them.

    For one person who asks to be forgotten, not to list them all: it takes more than two letters,
    and that somebody was looked up is recorded, once a day for each user.
    """
    if not _tells_somebody(wanted.name):
        raise ParameterFault("name", "give three letters or digits of it at least")
    found = called_like(store.log, wanted.name, most=MOST_FOUND + 1)
    store.accesses.looked_up(caller, PEOPLE)
    shown = [FoundPerson.of(name, person) for name, person in found[:MOST_FOUND]]
    return Answer(FoundPersons(shown, more=len(found) > MOST_FOUND))


def _tells_somebody(name: str) -> bool:
    """Whether it is enough of a name. Two wide characters can be all of one, as in 李娜."""
    characters = [one for one in name if one.isalnum()]
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in characters) >= FEWEST_LETTERS


def _not_found(error: PersonNotFound) -> NoReturn:
    advice = "; ".join(error.ways) or "Look them up: POST /v1/erasures/lookup."
    raise RequestFault(
        Failure("person-not-found", HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}.", advice)
    ) from None
