"""Waiting for changes of a log's file: what can go wrong with the watch, and with the word."""

import errno
import os
from contextlib import closing
from pathlib import Path

import pytest
from watchdog.observers import Observer

from store.errors import StoreError, StoreUnavailable
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from store.sqlite.waking import FileWaker
from tests.contract.asking import notes

PATIENCE_SECONDS = 30.0


def test_nobody_waits_for_a_log_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no log at"):
        FileWaker(tmp_path / "deals.db")


def test_a_watch_that_the_system_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    with DealLog.create(Location.beside(tmp_path / "deals.db")) as log:
        monkeypatch.setattr(Observer, "start", refuse)
        with pytest.raises(StoreUnavailable, match="limit reached"):
            FileWaker(log.location.log)


def test_an_append_is_done_though_nobody_could_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise PermissionError

    with DealLog.create(Location.beside(tmp_path / "deals.db")) as log:
        monkeypatch.setattr(os, "utime", fail)
        assert log.append([Batch("deal:d-1", 0, notes(1))]) == 1


def test_a_log_is_watched_behind_a_link(tmp_path: Path) -> None:
    with DealLog.create(Location.beside(tmp_path / "deals.db")) as log:
        link = tmp_path / "link.db"
        link.symlink_to(log.location.log)
        with closing(FileWaker(link)) as waiting:
            while waiting.wait(0.2):
                pass
            log.append([Batch("deal:d-1", 0, notes(1))])
            assert waiting.wait(PATIENCE_SECONDS)
