"""Routes of 'processes'. Written by tests/api/client/generation.py."""

from api.client.asking import Routes
from api.client.sending import segment
from api.wire.administration import NewProcess
from api.wire.processes import Process, ProcessList
from api.wire.recorded import Recording


class ProcessesRoutes(Routes):
    """Routes of 'processes'."""

    def list_the_processes(self) -> ProcessList:
        """The processes that deals can run under."""
        return self._read("/v1/processes", ProcessList, {})

    def show_the_process(self, process_id: str, version: int) -> Process:
        """The stages of one version of a process, and their gates."""
        return self._read(f"/v1/processes/{segment(process_id)}/{segment(version)}", Process, {})

    def publish_a_process(
        self, body: NewProcess, *, key: str | None = None, if_version: int | None = None
    ) -> Recording:
        """Publish a version of a process, given as its file. Published versions never change."""
        return self._write("/v1/processes", Recording, body, {}, key=key, if_version=if_version)
