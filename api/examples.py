"""The examples of the commands: steps of one story, kept in `examples.toml`.

The steps, in order, make up one deal. The first step of a command is its example.
"""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from domain.intent import Command, command_name


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One command of the story."""

    on: date
    """The day on which it happened."""
    command: str
    data: dict[str, Any]
    """The fields of the command, as in JSON."""
    leads_to: tuple[str, ...]
    """Stored names of what it is recorded as, each once."""


class _Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    step: tuple[Step, ...]


@cache
def story() -> tuple[Step, ...]:
    """All steps, in order."""
    text = resources.files("api").joinpath("examples.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Story).step


@cache
def _examples() -> Mapping[str, Step]:
    return {step.command: step for step in reversed(story())}


def example(wanted: type[Command]) -> dict[str, Any]:
    """The fields of a command, in an example that is accepted where it stands in the story."""
    return _examples()[command_name(wanted)].data


def leads_to(wanted: type[Command]) -> list[str]:
    """Stored names of the facts that a command leads to."""
    mine = (step for step in story() if step.command == command_name(wanted))
    return list(dict.fromkeys(name for step in mine for name in step.leads_to))
