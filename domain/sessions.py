"""Sessions of people at a browser: when each began, on whose behalf, and when it was ended.

Streams `session:<session id>`. A session that was never opened, or has ended, lets nobody
in. Its id is no secret: who comes with it has to have it signed.
"""

from typing import Annotated

import msgspec

from domain.history import Fact
from domain.values import Identifier

Seconds = Annotated[int, msgspec.Meta(ge=1)]


class SessionOpened(Fact, tag="session-opened", frozen=True):
    """A user's browser may ask from now on, without showing their key or token again."""

    user: Identifier
    """Id of the user."""
    lasts_seconds: Seconds
    """How long it is good, from when it was opened."""
    key: Identifier | None = None
    """Names the API key it was opened with; null: a token of the identity provider."""


class SessionEnded(Fact, tag="session-ended", frozen=True):
    """A session lets nobody in any more."""

    user: Identifier
    """Id of the user."""


AnySessionFact = SessionOpened | SessionEnded


def describe(fact: AnySessionFact) -> str:
    """What happened, in a phrase."""
    if isinstance(fact, SessionEnded):
        return f"ended a session of {fact.user}"
    by = "a token of the identity provider" if fact.key is None else f"the API key {fact.key}"
    return f"opened a session of {fact.user} with {by}"
