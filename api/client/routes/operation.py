"""Routes of 'operation'. Written by tests/api/client/generation.py."""

from api.client.asking import Routes
from api.wire.health import Alive, Ready


class OperationRoutes(Routes):
    """Routes of 'operation'."""

    def tell_alive(self) -> Alive:
        """Whether the server runs. A supervisor starts it anew where it does not answer.

        It looks at nothing: a store that is away is no reason to start the server anew.
        """
        return self._read("/livez", Alive, {})

    def tell_ready(self) -> Ready:
        """Whether requests can be answered. A balancer sends none where they cannot.

        The log can be read and written to, the keys can be read, the read models are there and at
        most a few thousand events behind, and the server is not about to end. What was found is
        good for a second.
        """
        return self._read("/readyz", Ready, {})
