"""What can go wrong at the edges: a stable code, an HTTP status, what is wrong, what to do."""

from http import HTTPStatus

import msgspec

from api.cursors import CursorError
from api.queries.instants import NothingThen
from api.queries.users import UnknownUser
from api.times import TimeError
from api.workspace import NotRecorded
from domain.refusals import (
    CommandIdReused,
    CompetitorMissing,
    InTheFuture,
    InvalidIssue,
    InvalidQuotes,
    InvalidRate,
    InvalidTarget,
    NotAllowed,
    OutOfRange,
    Refusal,
    SamePerson,
    TextNotLegible,
    UnknownCurrency,
    UnknownProcess,
    VersionConflict,
)
from projections.accounts import AccountNotFound
from projections.deals import DealNotFound
from store.disclosure import FieldErased, FieldNotEncrypted
from store.errors import StoreBusy, StoreError, StoreFull, StoreUnavailable, UnreadableEvent
from store.notary import LogContradicted, UnknownCheckpoint, UnknownEvent, WitnessRefused


class Failure(msgspec.Struct, frozen=True):
    """Why something could not be done."""

    code: str
    status: HTTPStatus
    detail: str
    advice: str | None = None


MEANINGS = {
    "deal-not-found": "No deal, or more than one, answers to that name.",
    "account-not-found": "No account answers to that id or name.",
    "nothing-then": "The deal did not exist, or nobody knew of it, at the moment asked for.",
    "ambiguous-user": "More than one user has that name; give the id.",
    "invalid-parameter": "A parameter, or a field of the body, is missing, unknown or not of its"
    " kind.",
    "invalid-header": "A header of the request cannot be read.",
    "malformed-json": "The body of the request is not a JSON text in UTF-8.",
    "unsupported-media-type": "The body of the request is not sent as JSON.",
    "body-too-large": "The body of the request is larger than may be sent.",
    "precondition-required": "What replaces has to name the version that it rests on.",
    "event-not-recorded": "The event that the answer was to include is not in the log.",
    "not-authenticated": "Nobody is known to ask: send a key or token that is good now.",
    "csrf-failed": "A request by a session that may change something has to come from a page of"
    " this server, and to bear its X-CSRF-Token.",
    "no-session": "Whoever asks did not come by a session.",
    "too-many-attempts": "Too many tokens from that address were good for nothing; wait.",
    "too-many-requests": "The user sends more requests than the server takes of one; wait.",
    "took-too-long": "The answer was not there in time, and is not worked on any more.",
    "too-many-streams": "The user has as many streams of events open as the server keeps for one.",
    "too-busy": "The server has as many requests at once as it takes; try again.",
    "identity-provider-unavailable": "Tokens cannot be checked: their issuer cannot be reached.",
    "not-found": "There is nothing at that address.",
    "method-not-allowed": "The address does not take that method.",
    "wrong-host": "The server was addressed by a name that is not its own.",
    "store-busy": "Someone else has been writing to the store for too long; try again.",
    "store-full": "There is no room left to write.",
    "store-unavailable": "The files of the store cannot be reached, read or written.",
    "store-unusable": "The store is missing, of another kind, or damaged.",
    "unreadable-event": "A stored event cannot be read.",
    "not-ready": "The server cannot answer now, or is about to end; the detail names what.",
    "not-http": "What came is not a request that can be read as HTTP/1.1.",
    "request-too-slow": "The request did not arrive as a whole in the time that it may take.",
    "too-many-connections": "The server has as many connections as it keeps; try again.",
    "event-not-found": "The deal has no event of that version.",
    "checkpoint-not-found": "No checkpoint of that size was made, or the two are in wrong order.",
    "field-not-found": "The event has no encrypted field of that name.",
    "field-erased": "The value of the field is gone for good: somebody it speaks of was erased.",
    "log-contradicted": "The log is not what it has signed before; it was changed.",
    "witness-refused": "The witness has not cosigned the checkpoint.",
    "import-failed": "The input, or an option of the import, cannot be used at all.",
    "person-not-found": "Nobody, or more than one person, answers to that.",
    "internal-error": "Something went wrong inside; the server's log tells what.",
}
"""Codes that are not refusals of the domain, and what they mean."""


ON_THE_COMMAND_LINE = {
    "backup-contradicted": "A backup and what is known of its log cannot both be true.",
    "backup-older": "A backup lacks events that are known to have been recorded.",
    "checkpoint-not-kept": "The checkpoint could not be written or posted where it was to go.",
    "file-not-written": "The file to write is there already, or cannot be written.",
    "invalid-limits": "The file of authority limits has errors.",
    "log-damaged": "A log is not as it was recorded, so no backup of it was made.",
    "nobody-let-in": "The server would listen to others, and let nobody in.",
    "port-unavailable": "The server cannot listen on that port.",
    "rate-not-found": "No rates on record tell what one currency was worth in another.",
    "witness-unusable": "The key or the state of the witness cannot be used.",
}
"""Codes that only the command line has."""


IN_ITSELF = (
    CommandIdReused,
    CompetitorMissing,
    InTheFuture,
    InvalidIssue,
    InvalidQuotes,
    InvalidRate,
    InvalidTarget,
    OutOfRange,
    SamePerson,
    TextNotLegible,
    UnknownCurrency,
)
"""Refusals of what could not be recorded on any deal. The others follow from what is on record."""


def failure_of(error: Exception) -> Failure | None:
    """What an error of a query or a command comes to; None for a fault of the program."""
    match error:
        case UnknownProcess():
            return _refused(error, HTTPStatus.NOT_FOUND)
        case NotAllowed():
            return _refused(error, HTTPStatus.FORBIDDEN)
        case VersionConflict():
            return _refused(error, HTTPStatus.PRECONDITION_FAILED)
        case Refusal() if isinstance(error, IN_ITSELF):
            return _refused(error, HTTPStatus.UNPROCESSABLE_ENTITY)
        case Refusal():
            return _refused(error, HTTPStatus.CONFLICT)
        case DealNotFound():
            return Failure("deal-not-found", HTTPStatus.NOT_FOUND, str(error))
        case AccountNotFound():
            return Failure("account-not-found", HTTPStatus.NOT_FOUND, str(error))
        case NothingThen():
            return Failure("nothing-then", HTTPStatus.NOT_FOUND, str(error))
        case NotRecorded():
            return Failure("event-not-recorded", HTTPStatus.GATEWAY_TIMEOUT, str(error))
        case UnknownUser():
            return Failure("ambiguous-user", HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        case TimeError() | CursorError():
            return Failure("invalid-parameter", HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        case StoreError():
            return _of_store(error)
        case _:
            return None


def _refused(refusal: Refusal, status: HTTPStatus) -> Failure:
    return Failure(refusal.code, status, refusal.message, refusal.satisfied_by)


def _of_store(error: StoreError) -> Failure:
    match error:
        case StoreBusy():
            code, status = "store-busy", HTTPStatus.SERVICE_UNAVAILABLE
        case StoreFull():
            code, status = "store-full", HTTPStatus.INSUFFICIENT_STORAGE
        case StoreUnavailable():
            code, status = "store-unavailable", HTTPStatus.SERVICE_UNAVAILABLE
        case UnknownEvent():
            code, status = "event-not-found", HTTPStatus.NOT_FOUND
        case UnknownCheckpoint():
            code, status = "checkpoint-not-found", HTTPStatus.NOT_FOUND
        case FieldNotEncrypted():
            code, status = "field-not-found", HTTPStatus.NOT_FOUND
        case FieldErased():
            code, status = "field-erased", HTTPStatus.GONE
        case LogContradicted():
            code, status = "log-contradicted", HTTPStatus.INTERNAL_SERVER_ERROR
        case WitnessRefused():
            code, status = "witness-refused", HTTPStatus.BAD_GATEWAY
        case UnreadableEvent():
            code, status = "unreadable-event", HTTPStatus.INTERNAL_SERVER_ERROR
        case _:
            code, status = "store-unusable", HTTPStatus.SERVICE_UNAVAILABLE
    return Failure(code, status, error.message, error.advice)
