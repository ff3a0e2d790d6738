"""Who asks, and the session by which they do."""

import msgspec

from api.auth.sessions import Session
from api.wire.organisation import HeldRole
from api.wire.values import Instant, Names, User
from domain.access import Action, Principal
from domain.directory import Membership
from store.times import written


class WhoAsks(msgspec.Struct, frozen=True):
    """The user that the server takes who asks for, and what they may do now at most."""

    user: User
    roles: list[HeldRole]
    """Those held now."""
    limited_to: list[Action] | None
    """What the API key is good for that was sent, or that the session was opened with; null: all
    that its user may do."""
    until: Instant | None
    """When the session is over; null where who asks did not come by a session."""
    csrf_token: str | None
    """To be sent as `X-CSRF-Token` with whatever may change something; null without a session."""

    @classmethod
    def of(
        cls,
        principal: Principal,
        held: tuple[Membership, ...],
        session: Session | None,
        names: Names,
    ) -> "WhoAsks":
        limit = principal.limited_to
        return cls(
            user=names.user(principal.id),
            roles=[HeldRole.of(one) for one in held],
            limited_to=None if limit is None else sorted(limit),
            until=None if session is None else written(session.until),
            csrf_token=None if session is None else session.csrf_token,
        )
