"""A typed client of the service. It needs no part of the server.

    client = Client("https://deals.example", key)
    recording = client.record("d-1", AdvanceStage(to="P2"), if_version=7)
    deal = client.show_the_deal("d-1")

Commands are those of the domain, answers the structs of `api.wire`. What can be sent again safely
is sent again when the connection is cut or the service is busy, and reads include what this client
has written before. docs/http-tutorial.md shows it step by step.
"""

from api.client.client import Client
from api.client.failures import (
    Conflict,
    Gone,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Refused,
    ServiceError,
    Stale,
    TooMany,
    Unavailable,
    Unreachable,
    Unreadable,
    Unusable,
)

__all__ = [
    "Client",
    "Conflict",
    "Gone",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "Refused",
    "ServiceError",
    "Stale",
    "TooMany",
    "Unavailable",
    "Unreachable",
    "Unreadable",
    "Unusable",
]
