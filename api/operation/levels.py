"""How a log is written, and how much: words that the command line needs before anything else."""

import logging
from enum import StrEnum


class LogFormat(StrEnum):
    """How lines are written."""

    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """What is told at least."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def number(self) -> int:
        return logging.getLevelNamesMapping()[self.upper()]
