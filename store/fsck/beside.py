"""What stands beside the events and is not sealed: the id, the commands, the tables themselves."""

from collections.abc import Mapping

from store.fsck.findings import Kind, Problem, Problems
from store.identity import ID, ORIGIN, origin_of
from store.keys.absent import AbsentKeys
from store.keys.ring import KeyRing
from store.recorder import CommandRow, Recorder


def check_identity(recorder: Recorder, keys: KeyRing, problems: Problems) -> str | None:
    """Which store it is, by the log or else by its keys; none where neither says it."""
    told = recorder.properties()
    store_id, by_keys = told.get(ID), None if isinstance(keys, AbsentKeys) else keys.id
    if not store_id:
        _add(problems, Kind.PROPERTY, "the log does not say which store it is of")
    elif by_keys not in {None, store_id}:
        what = f"the log says that it is of the store {store_id}, the keys are of {by_keys}"
        _add(problems, Kind.PROPERTY, what)
    found = store_id or by_keys
    if found and told.get(ORIGIN) != origin_of(found):
        what = f"the origin of the log is {told.get(ORIGIN)}, and has to be {origin_of(found)}"
        _add(problems, Kind.PROPERTY, what)
    return found


def check_tables(recorder: Recorder, problems: Problems) -> None:
    """Tables, triggers and whatever else does something must be those the log was made with."""
    for what in recorder.foreign():
        _add(problems, Kind.TABLES, what)


def check_commands(recorder: Recorder, versions: Mapping[str, int], problems: Problems) -> None:
    """A command tells of versions that its stream has; `versions` are the last ones."""
    for command in recorder.commands():
        last = versions.get(command.stream, 0)
        if command.last_version > last:
            # It may have come since the events were read.
            last = recorder.version(command.stream)
        if not _fits(command, last):
            what = (
                f"the command {command.command_id} of {command.principal} tells of the versions"
                f" {command.first_version} to {command.last_version} of {command.stream}, which has"
                f" {last}"
            )
            _add(problems, Kind.COMMAND, what)


def _fits(command: CommandRow, last: int) -> bool:
    return 1 <= command.first_version <= command.last_version + 1 <= last + 1


def _add(problems: Problems, kind: Kind, what: str) -> None:
    problems.add(Problem(None, kind, what), kind)
