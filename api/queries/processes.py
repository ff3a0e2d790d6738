"""Sales processes."""

from api.wire.processes import Process, ProcessList, ProcessSummary
from domain.process import ProcessBook
from domain.process_files import built_in_processes
from domain.values import ProcessRef


def list_processes(book: ProcessBook) -> ProcessList:
    """Every process, the built-in ones first."""
    built_in = built_in_processes()
    return ProcessList([ProcessSummary.of(p, p.ref in built_in) for p in book])


def stage_names(book: ProcessBook) -> dict[str, str]:
    """Stage id to id and name, for ids that have one name throughout the book."""
    called: dict[str, set[str]] = {}
    for stage in (stage for process in book for stage in process.stages):
        called.setdefault(stage.id, set()).add(stage.name.en)
    return {
        stage_id: f"{stage_id} {name}"
        for stage_id, (name, *others) in called.items()
        if not others and name.casefold() != stage_id.casefold()
    }


def show_process(book: ProcessBook, process_id: str, number: int | None = None) -> Process:
    """A version of a process, the newest where none is given. Raises UnknownProcess."""
    ref = ProcessRef(process_id, number) if number else book.latest(process_id).ref
    return Process.of(book.get(ref), ref in built_in_processes())
