"""The commands beside the deals: on the organisation, on rates, on targets. One table of them.

A command that is added to the unions of the domain is offered over HTTP, described, and asked for
an example, without another line here.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, NamedTuple, TypeAlias, get_args

import msgspec

from api.workspace import Workspace
from domain.intent import Command, Intent, command_name
from domain.organisation import AnyOrganisationCommand
from domain.rates import PublishRates
from domain.targets import SetTarget
from store.handled import Handled

CarryOut: TypeAlias = Callable[[Workspace, Any, Intent, int | None], Handled]


class Room(NamedTuple):
    """Commands that are carried out alike."""

    name: str
    commands: tuple[type[Command], ...]
    carry_out: CarryOut


def _configure(
    store: Workspace, command: AnyOrganisationCommand, intent: Intent, seen: int | None
) -> Handled:
    return store.log.configure(command, intent, seen)


def _publish(store: Workspace, command: PublishRates, intent: Intent, seen: int | None) -> Handled:
    return store.log.publish_rates(command, intent, store.zone, seen)


def _aim(store: Workspace, command: SetTarget, intent: Intent, seen: int | None) -> Handled:
    return store.log.set_target(command, intent, seen)


ROOMS = (
    Room("organisation", get_args(AnyOrganisationCommand), _configure),
    Room("rates", (PublishRates,), _publish),
    Room("targets", (SetTarget,), _aim),
)
"""Where each command belongs."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One command of the story."""

    command: str
    data: dict[str, Any]


class _Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    step: tuple[Step, ...]


@cache
def story() -> tuple[Step, ...]:
    """All examples, in an order in which they are accepted."""
    text = resources.files("api").joinpath("administration.toml").read_text(encoding="utf-8")
    return msgspec.convert(msgspec.to_builtins(tomllib.loads(text)), _Story).step


def example(wanted: type[Command]) -> Mapping[str, Any]:
    """The fields of a command, in an example."""
    return next(step.data for step in story() if step.command == command_name(wanted))
