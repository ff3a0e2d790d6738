"""What is decided beside the deals: on which stream, on what, and who may ask for it again.

One question for each kind of command, which the log carries out like a command on a deal. They
rest on the fold of several streams, and each records on one.
"""

from collections.abc import Callable, Sequence
from datetime import tzinfo

import msgspec

from domain.access import NO_DEAL, require
from domain.history import Fact, StreamKind, stream_of
from domain.intent import Intent
from domain.organisation import AnyOrganisationCommand, stream_for
from domain.organisation import decide as decide_organisation
from domain.process import ProcessPublished, SalesProcess
from domain.rates import PublishRates, decide_rates, stream_of_base
from domain.refusals import IdTaken
from domain.repeating import require_may_repeat_configuring
from domain.targets import SetTarget, decide_target, stream_of_period
from domain.webhooks import (
    AnyWebhookCommand,
    decide_webhook,
    require_may_command,
    stream_of_webhook,
)
from store.recorder import CommandRow
from store.streams import Streams


def _anybody(_: Streams, _earlier: CommandRow | None = None) -> None:
    """Nothing is asked for."""


class Question(msgspec.Struct, frozen=True):
    """What a command comes to, on what is in memory then. Each part raises Refusal."""

    stream: str
    facts: Callable[[Streams], Sequence[Fact]]
    require_may_repeat: Callable[[Streams, CommandRow], None] = _anybody
    """As of now: without the right to ask, even a known command id tells nothing."""
    require_may_ask: Callable[[Streams], None] = _anybody
    """Before the version of the stream is told."""


def publication(process: SalesProcess) -> Question:
    """Of a version of a process, which never changes once it is published."""

    def facts(streams: Streams) -> Sequence[Fact]:
        book = streams.processes()
        if process.ref not in book:
            return (ProcessPublished(process),)
        if book.get(process.ref) != process:
            raise IdTaken(
                f"{process.ref} is published with other content",
                "Published versions never change; publish it under the next version.",
            )
        return ()

    return Question(stream_of(StreamKind.PROCESS, process.id), facts)


def configuration(command: AnyOrganisationCommand, intent: Intent) -> Question:
    """Of the organisation."""

    def require_may(_: Streams, earlier: CommandRow) -> None:
        changed = earlier.first_version <= earlier.last_version
        require_may_repeat_configuring(command, intent.principal, changed=changed)

    return Question(
        stream_for(command),
        lambda streams: decide_organisation(command, streams.organisation(), intent),
        require_may,
    )


def rates(command: PublishRates, intent: Intent, zone: tzinfo) -> Question:
    """Exchange rates of one day."""
    return Question(
        stream_of_base(command.base),
        lambda streams: decide_rates(command, streams.rates(), intent, zone),
        lambda *_: _require_right(command, intent),
    )


def target(command: SetTarget, intent: Intent) -> Question:
    """A target of a period."""

    def facts(streams: Streams) -> Sequence[Fact]:
        directory = streams.organisation().directory
        return decide_target(command, streams.targets(), directory, intent)

    return Question(
        stream_of_period(command.first, command.last),
        facts,
        lambda *_: _require_right(command, intent),
    )


def webhook(command: AnyWebhookCommand, intent: Intent) -> Question:
    """A webhook. Who may do nothing on it is not told that it is at another version."""

    def facts(streams: Streams) -> Sequence[Fact]:
        directory = streams.organisation().directory
        return decide_webhook(command, streams.webhooks(), directory, intent)

    def require_may(streams: Streams, _: CommandRow | None = None) -> None:
        require_may_command(command, streams.webhooks(), intent.principal)

    return Question(stream_of_webhook(command.webhook), facts, require_may, require_may)


def nothing(stream: str) -> Question:
    """Nothing is recorded but that it was asked."""
    return Question(stream, lambda _: ())


def _require_right(command: PublishRates | SetTarget, intent: Intent) -> None:
    require(intent.principal, command.right, NO_DEAL)
