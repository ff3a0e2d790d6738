"""Routes of 'store'. Written by tests/api/client/generation.py."""

from api.client.asking import Routes
from api.wire.health import StoreStatus


class StoreRoutes(Routes):
    """Routes of 'store'."""

    def show_status(self) -> StoreStatus:
        """What the store holds, and how far its read models have read the log."""
        return self._read("/v1/status", StoreStatus, {})
