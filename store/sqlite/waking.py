"""Waits until somebody has appended to a log on SQLite; see `store.sqlite.notices`.

By the means of the operating system that report changes of a file (inotify on
Linux), through the library watchdog, whose threads sleep until one is reported.
"""

import logging
from pathlib import Path
from threading import Event

from watchdog.events import (
    FileAttribEvent,
    FileModifiedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from store.errors import StoreError, StoreUnavailable

# The library reports as an error that a file changed at the moment when its watch was ended.
logging.getLogger("watchdog.observers.inotify").setLevel(logging.CRITICAL)

_CHANGES: list[type[FileSystemEvent]] = [FileAttribEvent, FileModifiedEvent]


class FileWaker:
    """A `store.waking.Waker` by the changes of a log's file."""

    def __init__(self, log: Path) -> None:
        if not log.is_file():
            raise StoreError(f"there is no log at {log}", "Make one with `dealstate init`.")
        self._due = Event()
        self._observer = Observer()
        self._observer.daemon = True
        try:
            self._observer.schedule(_Handler(self._due), str(log.resolve()), event_filter=_CHANGES)
            self._observer.start()
        except OSError as error:
            raise StoreUnavailable(
                f"changes of {log} cannot be watched: {error}",
                "Raise the limits of the system (on Linux fs.inotify.max_user_instances and"
                " fs.inotify.max_user_watches), or close other programs.",
            ) from error

    def wait(self, timeout_seconds: float) -> bool:
        is_due = self._due.wait(timeout_seconds)
        # Before the reader reads: what is committed from here on ends the next wait.
        self._due.clear()
        return is_due

    def wake(self) -> None:
        self._due.set()

    def close(self) -> None:
        self._observer.stop()
        self._observer.join()


class _Handler(FileSystemEventHandler):
    def __init__(self, due: Event) -> None:
        self._due = due

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._due.set()
