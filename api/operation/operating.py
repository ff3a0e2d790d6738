"""What a server is run by: its metrics, its traces, its checks, and its end."""

from collections.abc import Iterator
from contextlib import contextmanager

from api.operation.ending import Ending
from api.operation.figures import StoreFigures
from api.operation.metrics import Metrics
from api.operation.readiness import Checks
from api.operation.traces import Tracing, Watching
from api.queries.stores import release
from api.settings import Settings
from api.workspace import Workspace

METRICS = "/metrics"


class Operation:
    """Of one process."""

    checks: Checks
    figures: StoreFigures

    def __init__(self, settings: Settings, tracing: Tracing | None = None) -> None:
        """Traces go where the environment says, unless given. Raises TracingUnusable."""
        self.ending = Ending()
        self.metrics = Metrics(release())
        self.tracing = tracing or Tracing.configured(release())
        self.log_users = settings.log_users
        self.metrics_are_open = settings.open_metrics
        self.also_open = frozenset({METRICS} if settings.open_metrics else ())
        """Addresses that take no caller, besides those that never do."""

    @contextmanager
    def watching(self, store: Workspace) -> Iterator[None]:
        """While the store is served."""
        self.checks = Checks(store, self.ending)
        self.figures = StoreFigures(store)
        store.log.watcher = Watching(self.metrics, self.tracing)
        try:
            yield
        finally:
            if self.tracing is not None:
                self.tracing.close()
