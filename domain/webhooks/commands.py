"""What can be asked of webhooks."""

from typing import ClassVar

from domain.access import Action
from domain.intent import Command
from domain.values import Identifier, Label
from domain.webhooks.facts import Hours, Position, Url, WhyDisabled

DEFAULT_OVERLAP_HOURS = 24


class WebhookCommand(Command, frozen=True):
    """Base of the commands on a webhook."""

    right: ClassVar[Action] = Action.CONFIGURE
    replaces: ClassVar[bool] = False


class RegisterWebhook(WebhookCommand, tag="register-webhook", frozen=True):
    """Have events posted to an address, in the name of a user."""

    webhook: Identifier
    owner: Identifier
    url: Url
    signing_secret: Identifier
    types: tuple[Identifier, ...] = ()
    deals: tuple[Identifier, ...] = ()
    name: Label | None = None


class ChangeWebhook(WebhookCommand, tag="change-webhook", frozen=True):
    """Give a webhook another address, filter or name. Replaces all of them."""

    replaces: ClassVar[bool] = True

    webhook: Identifier
    url: Url
    types: tuple[Identifier, ...] = ()
    deals: tuple[Identifier, ...] = ()
    name: Label | None = None


class RotateWebhookSecret(WebhookCommand, tag="rotate-webhook-secret", frozen=True):
    """Have a webhook sign with a new secret; those before it sign too for some hours."""

    webhook: Identifier
    signing_secret: Identifier
    overlap_hours: Hours = DEFAULT_OVERLAP_HOURS


class DisableWebhook(WebhookCommand, tag="disable-webhook", frozen=True):
    """Have a webhook send nothing any more."""

    webhook: Identifier
    reason: WhyDisabled = WhyDisabled.ASKED


class EnableWebhook(WebhookCommand, tag="enable-webhook", frozen=True):
    """Have a webhook go on where it stopped."""

    webhook: Identifier


class ReplayWebhook(WebhookCommand, tag="replay-webhook", frozen=True):
    """Have a webhook send once more what it has sent or given up."""

    webhook: Identifier
    after: Position
    until: Position | None = None


AnyWebhookCommand = (
    RegisterWebhook
    | ChangeWebhook
    | RotateWebhookSecret
    | DisableWebhook
    | EnableWebhook
    | ReplayWebhook
)
