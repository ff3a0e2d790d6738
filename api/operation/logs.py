"""The log of a server: one line for each thing, as JSON or as text, without personal data.

All loggers of the process write to it. What an unforeseen error says may quote what people
wrote, so its kind and the places that it went through are told, and its words at the level
`debug` alone.
"""

import logging
import os
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from time import time
from types import TracebackType
from typing import IO, Any, TypeAlias

import msgspec
import structlog

from api.operation.levels import LogFormat, LogLevel
from api.operation.requests import CURRENT, Request

Entry: TypeAlias = structlog.typing.EventDict


def configure(shape: LogFormat, level: LogLevel, stream: IO[str] | None = None) -> None:
    """Have every logger of this process write there, to standard error where nothing is given."""
    stream = stream or sys.stderr
    before: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        _add_time,
        _add_request,
        _with_words if level is LogLevel.DEBUG else _without_words,
    ]
    renderer = _renderer(shape, stream)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        _Formatter(
            foreign_pre_chain=[_add_logger, *before],
            is_json=shape is LogFormat.JSON,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.number)
    # What no line tells is not looked up for each: it took as long as writing the line
    # (https://docs.python.org/3/howto/logging.html#optimization).
    logging.logThreads = logging.logMultiprocessing = False
    # These tell every statement and every connection.
    for name in ("asyncio", "urllib3", "watchdog"):
        logging.getLogger(name).setLevel(max(level.number, logging.WARNING))


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Adds nothing, and makes the line of a request, of which there are most, in one step."""

    def __init__(self, *, is_json: bool, **options: Any) -> None:
        super().__init__(**options)
        self._is_json = is_json

    def format(self, record: logging.LogRecord) -> str:
        told = getattr(record, "told", None)
        if not self._is_json or not told or record.exc_info or "request_id" not in told:
            return super().format(record)
        entry = {
            "event": record.getMessage(),
            "logger": record.name,
            "process": record.process,
            **told,
            "level": record.levelname.lower(),
            "time": datetime.fromtimestamp(time(), UTC).isoformat().replace("+00:00", "Z"),
        }
        return _json(entry)


def _renderer(shape: LogFormat, stream: IO[str]) -> Any:
    if shape is LogFormat.JSON:
        return structlog.processors.JSONRenderer(serializer=_json)
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), sort_keys=False, pad_event_to=0)


def _json(entry: Entry, **_: object) -> str:
    return msgspec.json.encode(entry, enc_hook=str).decode()


def _add_logger(_: object, __: str, entry: Entry) -> Entry:
    record = entry.get("_record")
    if record is not None:
        entry["logger"] = record.name
        entry["process"] = record.process
        entry.update(getattr(record, "told", None) or {})
    return entry


_add_time = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")


def _add_request(_: object, __: str, entry: Entry) -> Entry:
    request = CURRENT.get()
    if request is not None and "request_id" not in entry:
        entry["request_id"] = request.id
        if request.trace_id is not None:
            entry["trace_id"] = request.trace_id
    return entry


def _without_words(_: object, __: str, entry: Entry) -> Entry:
    error = _error_of(entry)
    if error is not None:
        entry["fault"] = told_without_words(error)
    return entry


def _with_words(_: object, __: str, entry: Entry) -> Entry:
    error = _error_of(entry)
    if error is not None:
        entry["fault"] = "".join(traceback.format_exception(error))
    return entry


def _error_of(entry: Entry) -> BaseException | None:
    given = entry.pop("exc_info", None)
    if isinstance(given, tuple):
        given = given[1]
    if given is True:
        given = sys.exception()
    return given if isinstance(given, BaseException) else None


def told_without_words(error: BaseException) -> str:
    """Kinds of an error and of those that led to it, and the places they went through."""
    parts: list[str] = []
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        parts.append(f"{type(at).__module__}.{type(at).__qualname__} at {_places(at)}")
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return " from ".join(parts)


def _places(error: BaseException) -> str:
    return " > ".join(_frames(error.__traceback__)) or "no place"


def _frames(at: TracebackType | None) -> list[str]:
    # Lines of code are left out as well: they are in the release.
    return [
        f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_name}:{line}"
        for frame, line in traceback.walk_tb(at)
    ]


_requests = logging.getLogger("dealstate.request")
PROCESS = os.getpid


def tell_request(
    request: Request, status: int, seconds: float, *, users: bool, more: Mapping[str, str]
) -> None:
    """One line for a request that has ended. With `users`, the id of who asked is told."""
    level = logging.WARNING if status >= 500 else logging.INFO
    if not _requests.isEnabledFor(level):
        return
    told: dict[str, object] = {
        "method": request.method,
        "route": request.route,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
        "request_id": request.id,
    }
    if request.trace_id is not None:
        told["trace_id"] = request.trace_id
    if request.code is not None:
        told["code"] = request.code
    if users and request.user is not None:
        told["user"] = request.user
    told.update(more)
    # Without a look at who calls.
    name = _requests.name
    _requests.handle(
        _requests.makeRecord(name, level, "", 0, "request", (), None, extra={"told": told})
    )
