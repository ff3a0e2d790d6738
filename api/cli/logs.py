"""Options of the commands that run until they are stopped: how they log, and how much."""

import sys
from typing import Annotated

import typer

from api.operation.levels import LogFormat, LogLevel

LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option(
        metavar="json|text",
        envvar="DEALSTATE_LOG_FORMAT",
        help="How to write the log. That of a server goes to standard error, on a terminal as"
        " text, else as json.",
        show_default=False,
    ),
]
LogLevelOption = Annotated[
    LogLevel,
    typer.Option(
        metavar="debug|info|warning|error",
        envvar="DEALSTATE_LOG_LEVEL",
        help="What to log at least. Only debug tells the words of unforeseen errors, which can"
        " quote what people wrote.",
    ),
]


def shape_of_log(wanted: LogFormat | None) -> LogFormat:
    """As wanted, or as standard error can show it best."""
    if wanted is not None:
        return wanted
    return LogFormat.TEXT if sys.stderr.isatty() else LogFormat.JSON
