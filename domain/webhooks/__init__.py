"""Webhooks: who is told of events as they happen, at which address, in whose name.

Theory of operation. A webhook is configuration beside the deals: a small stream
`webhook:<id>` of what it was set to, folded into one `Webhook`. It acts in the name of a
user, its owner: what is sent is what that user may read when it is sent. What was said
last holds, so it is folded in order of version.

The log names signing secrets and never holds one: each is made of a key in the key store.
A rotated secret goes on signing beside the new one for some hours, so that receivers can
change over. Asking for a replay is an event too, so it is on record who had what sent again.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, assert_never

import msgspec

from domain.access import NO_DEAL, Action, Principal, Role, require
from domain.deal import FACT_TYPES
from domain.deciding import mirrored, require_legible
from domain.history import Recorded, StreamKind, stored_name, stream_of
from domain.refusals import (
    IdTaken,
    InvalidWebhook,
    NotAllowed,
    OutOfRange,
    UnknownReference,
    WebhookSwitchedOff,
    require_range,
    there_are,
)
from domain.webhooks.commands import (
    DEFAULT_OVERLAP_HOURS,
    AnyWebhookCommand,
    ChangeWebhook,
    DisableWebhook,
    EnableWebhook,
    RegisterWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
)
from domain.webhooks.facts import (
    LONGEST_OVERLAP_HOURS,
    AnyWebhookFact,
    Hours,
    Position,
    Url,
    WebhookChanged,
    WebhookDisabled,
    WebhookEnabled,
    WebhookRegistered,
    WebhookReplayAsked,
    WebhookSecretRotated,
    WhyDisabled,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from domain.directory import Directory
    from domain.history import Fact
    from domain.intent import Intent

MOST_NAMED = 500
"""So many deals, or types of event, a webhook can be limited to."""

_URL = re.compile(r"https?://[^\s/?#@\\]+([/?][!-\"$-~]*)?", re.ASCII)
_TYPES = frozenset(stored_name(one) for one in FACT_TYPES)

OF_THE_OWNER = (DisableWebhook, ReplayWebhook)
"""What the owner of a webhook may do without the right to configure: neither sends anything
anywhere that it was not sent before."""


class SigningSecret(msgspec.Struct, frozen=True):
    """A secret of a webhook, by name."""

    name: str
    until: datetime | None = None
    """It signs until then; None: it is the present one."""


class Webhook(msgspec.Struct, frozen=True):
    """One webhook, as it is set."""

    id: str
    owner: str
    url: str
    secrets: tuple[SigningSecret, ...]
    """The present one first, then those before it, the newest first."""
    registered_at: datetime
    types: frozenset[str] = frozenset()
    deals: frozenset[str] = frozenset()
    name: str | None = None
    disabled: WhyDisabled | None = None
    """None: it sends."""
    version: int = 1
    """Of its stream."""

    def wants(self, stream: str, type_: str) -> bool:
        """Whether events of this type in this stream are sent, if its owner may read them."""
        kind, _, identifier = stream.partition(":")
        if kind != StreamKind.DEAL or (self.deals and identifier not in self.deals):
            return False
        return not self.types or type_ in self.types

    def signing(self, now: datetime) -> tuple[str, ...]:
        """Names of the secrets that sign now, the present one first."""
        return tuple(one.name for one in self.secrets if one.until is None or now < one.until)


class Webhooks(msgspec.Struct, frozen=True):
    """All webhooks by id."""

    all: Mapping[str, Webhook] = {}

    @classmethod
    def of(cls, streams: Iterable[Iterable[Recorded[Fact]]]) -> Webhooks:
        """The fold of the streams of webhooks. Total."""
        found: dict[str, Webhook] = {}
        for stream in streams:
            for event in sorted(stream, key=lambda one: one.version):
                webhook = _evolve(found.get(event.identifier), event)
                if webhook is not None:
                    found[event.identifier] = webhook
        return cls({name: found[name] for name in sorted(found)})

    def get(self, webhook_id: str) -> Webhook | None:
        return self.all.get(webhook_id)


def _evolve(webhook: Webhook | None, event: Recorded[Fact]) -> Webhook | None:
    """The webhook after an event; None where none was registered. Total."""
    fact = event.fact
    if isinstance(fact, WebhookRegistered):
        return Webhook(
            fact.webhook,
            fact.owner,
            fact.url,
            (SigningSecret(fact.signing_secret),),
            event.recorded_at,
            frozenset(fact.types),
            frozenset(fact.deals),
            fact.name,
            version=event.version,
        )
    if webhook is None:
        return None
    webhook = msgspec.structs.replace(webhook, version=event.version)
    match fact:
        case WebhookChanged(url=url, types=types, deals=deals, name=name):
            return msgspec.structs.replace(
                webhook, url=url, types=frozenset(types), deals=frozenset(deals), name=name
            )
        case WebhookSecretRotated():
            return msgspec.structs.replace(
                webhook, secrets=_rotated(webhook.secrets, fact, event.recorded_at)
            )
        case WebhookDisabled(reason=reason):
            return msgspec.structs.replace(webhook, disabled=reason)
        case WebhookEnabled():
            return msgspec.structs.replace(webhook, disabled=None)
        case _:
            return webhook


def _rotated(
    secrets: tuple[SigningSecret, ...], fact: WebhookSecretRotated, at: datetime
) -> tuple[SigningSecret, ...]:
    """The new one first; none before it signs longer than it would have, or past the overlap."""
    end = at + timedelta(hours=fact.overlap_hours)
    earlier = (
        SigningSecret(one.name, end if one.until is None else min(one.until, end))
        for one in secrets
    )
    return (SigningSecret(fact.signing_secret), *earlier)


def stream_of_webhook(webhook_id: str) -> str:
    """The stream of a webhook."""
    return stream_of(StreamKind.WEBHOOK, webhook_id)


def require_may_command(command: AnyWebhookCommand, webhooks: Webhooks, who: Principal) -> None:
    """Whoever may configure; the owner too, for what sends nothing anywhere new.

    A webhook shows what its owner may read, so that a key that is not good to read is not good
    for one either. Raises NotAllowed.
    """
    if isinstance(command, OF_THE_OWNER) and may_see(webhooks.get(command.webhook), who):
        return
    require(who, command.right, NO_DEAL)
    if who.limited_to is not None and Action.READ not in who.limited_to:
        raise NotAllowed(
            f"the API key of {who.id} is not good to read, which a webhook does",
            "Use a key that is good to configure and to read.",
        )


def may_see(webhook: Webhook | None, who: Principal) -> bool:
    """Whether somebody owns a webhook, and holds a role; a limited key is good to read at least."""
    if webhook is None or webhook.owner != who.id or not who.roles:
        return False
    return who.limited_to is None or Action.READ in who.limited_to


def decide_webhook(
    command: AnyWebhookCommand, webhooks: Webhooks, directory: Directory, intent: Intent
) -> tuple[AnyWebhookFact, ...]:
    """The facts that `command` leads to; none where it changes nothing. Raises Refusal."""
    intent.require_past()
    require_may_command(command, webhooks, intent.principal)
    require_legible(command)
    if isinstance(command, RegisterWebhook):
        return _register(command, webhooks, directory)
    webhook = _known(command.webhook, webhooks)
    match command:
        case ChangeWebhook():
            return _change(command, webhook)
        case RotateWebhookSecret(signing_secret=secret, overlap_hours=hours):
            return _rotate(webhook, secret, hours)
        case DisableWebhook(reason=reason):
            return () if webhook.disabled else (WebhookDisabled(webhook.id, reason),)
        case EnableWebhook():
            return (WebhookEnabled(webhook.id),) if webhook.disabled else ()
        case ReplayWebhook(after=after, until=until):
            return _replay(webhook, after, until)
        case _:
            assert_never(command)


def _known(webhook_id: str, webhooks: Webhooks) -> Webhook:
    webhook = webhooks.get(webhook_id)
    if webhook is None:
        raise UnknownReference(
            f"there is no webhook {webhook_id!r}", there_are(webhooks.all) or "Register it first."
        )
    return webhook


def _register(
    command: RegisterWebhook, webhooks: Webhooks, directory: Directory
) -> tuple[WebhookRegistered, ...]:
    if command.webhook in webhooks.all:
        raise IdTaken(f"there is a webhook {command.webhook!r}", "Give the new one another id.")
    owner = directory.users.get(command.owner)
    if owner is None or owner.registered is None:
        raise UnknownReference(f"there is no user {command.owner!r}", "Register them first.")
    types, deals = _filters(command)
    return (mirrored(command, WebhookRegistered, types=types, deals=deals),)


def _change(command: ChangeWebhook, webhook: Webhook) -> tuple[WebhookChanged, ...]:
    types, deals = _filters(command)
    as_it_is = (webhook.url, webhook.types, webhook.deals, webhook.name)
    if (command.url, frozenset(types), frozenset(deals), command.name) == as_it_is:
        return ()
    return (mirrored(command, WebhookChanged, types=types, deals=deals),)


def _filters(
    command: RegisterWebhook | ChangeWebhook,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Types and deals of a command, each once and in order. Raises Refusal."""
    if not _URL.fullmatch(command.url):
        raise InvalidWebhook(
            "that is not an address to post to",
            "Give one that begins with https:// and has no user, password or fragment in it.",
        )
    unknown = sorted(set(command.types) - _TYPES)
    if unknown:
        raise UnknownReference(
            f"no event of a deal is called {unknown[0]!r}", "docs/events.md lists them."
        )
    for what, named in (("types", command.types), ("deals", command.deals)):
        if len(named) > MOST_NAMED:
            raise OutOfRange(f"{len(named)} {what} are named", f"Name at most {MOST_NAMED}.")
    return tuple(sorted(set(command.types))), tuple(sorted(set(command.deals)))


def _rotate(webhook: Webhook, secret: str, hours: int) -> tuple[WebhookSecretRotated, ...]:
    if secret == webhook.secrets[0].name:
        return ()
    if any(one.name == secret for one in webhook.secrets):
        raise IdTaken(f"there was a secret {secret!r}", "Give the new one another name.")
    require_range("the overlap in hours", hours, 0, LONGEST_OVERLAP_HOURS)
    return (WebhookSecretRotated(webhook.id, secret, hours),)


def _replay(webhook: Webhook, after: int, until: int | None) -> tuple[WebhookReplayAsked, ...]:
    if webhook.disabled:
        raise WebhookSwitchedOff(f"the webhook {webhook.id} is disabled", "Enable it first.")
    if until is not None and until <= after:
        raise InvalidWebhook(
            f"nothing lies behind position {after} and up to {until}", "Give a later end, or none."
        )
    return (WebhookReplayAsked(webhook.id, after, until),)


def describe(fact: AnyWebhookFact) -> str:
    """What happened, in one English phrase."""
    match fact:
        case WebhookRegistered(webhook=webhook, owner=owner, url=url):
            return f"registered the webhook {webhook} to {url!r} in the name of {owner}"
        case WebhookChanged(webhook=webhook, url=url):
            return f"changed the webhook {webhook}, now to {url!r}"
        case WebhookSecretRotated(webhook=webhook, overlap_hours=hours):
            return f"rotated the secret of the webhook {webhook}; the old one signs {hours} h more"
        case WebhookDisabled(webhook=webhook, reason=reason):
            why = ", since its receiver is gone" if reason is WhyDisabled.GONE else ""
            return f"disabled the webhook {webhook}{why}"
        case WebhookEnabled(webhook=webhook):
            return f"enabled the webhook {webhook}"
        case WebhookReplayAsked(webhook=webhook, after=after, until=until):
            end = "" if until is None else f" up to {until}"
            return f"asked the webhook {webhook} to send again what lies behind {after}{end}"
        case _:
            assert_never(fact)


DELIVERER = Principal("system", frozenset({Role.OPERATOR}))
"""Who disables a webhook whose receiver is gone."""

__all__ = [
    "DEFAULT_OVERLAP_HOURS",
    "DELIVERER",
    "LONGEST_OVERLAP_HOURS",
    "MOST_NAMED",
    "OF_THE_OWNER",
    "AnyWebhookCommand",
    "AnyWebhookFact",
    "ChangeWebhook",
    "DisableWebhook",
    "EnableWebhook",
    "Hours",
    "Position",
    "RegisterWebhook",
    "ReplayWebhook",
    "RotateWebhookSecret",
    "SigningSecret",
    "Url",
    "Webhook",
    "WebhookChanged",
    "WebhookDisabled",
    "WebhookEnabled",
    "WebhookRegistered",
    "WebhookReplayAsked",
    "WebhookSecretRotated",
    "Webhooks",
    "WhyDisabled",
    "decide_webhook",
    "describe",
    "may_see",
    "require_may_command",
    "stream_of_webhook",
]
