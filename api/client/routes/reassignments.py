"""Routes of 'reassignments'. Written by tests/api/client/generation.py."""

from api.client.asking import Routes
from api.wire.reassignments import Reassigned, WantedReassignment


class ReassignmentsRoutes(Routes):
    """Routes of 'reassignments'."""

    def reassign_deals(self, body: WantedReassignment, *, key: str | None = None) -> Reassigned:
        """Hand the deals of a user to another, each by a change of its owner.

        Of the deals that one may read; what one may not record is among the refused ones. An answer
        with `remaining` deals has stopped for now: the same request under the same key goes on.
        """
        return self._write("/v1/reassignments", Reassigned, body, {}, key=key)
