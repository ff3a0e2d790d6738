"""Webhooks over HTTP: registered, changed, tried; what they sent, and sending it again.

Registering, changing, rotating and enabling take the right to configure, since they decide
where data of deals go. The owner of a webhook, in whose name it reads, sees it, and may
disable it, try it, and have it send again.
"""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import Field
from starlette.exceptions import HTTPException

from api.problems import MEANINGS, Failure
from api.queries.views import LONGEST_NAME
from api.queries.webhooks import (
    WebhookNotFound,
    behind,
    list_deliveries,
    list_webhooks,
    require_may_try,
    show_delivery,
    show_webhook,
    visible_webhook,
)
from api.routes.administration import Meant
from api.routes.common import (
    Answer,
    Caller,
    Parameters,
    Store,
    answers,
    next_link,
    takes,
    waits,
)
from api.routes.conditions import (
    IfMatch,
    IfMatchRequired,
    accepts,
    body_of,
    etag,
    recorded,
    records,
)
from api.routes.failures import problem_answer
from api.webhooks.managing import register, rotate
from api.webhooks.sending import Sender
from api.webhooks.signed import PING_SECONDS, ping
from api.webhooks.trials import NoTrialLeft, TooManyTrials, Trials
from api.wire.recorded import Recording
from api.wire.webhooks import (
    DeliveryHistory,
    DeliveryPage,
    IssuedSecret,
    Nothing,
    RegisteredWebhook,
    TriedWebhook,
    WantedChange,
    WantedReplay,
    WantedRotation,
    WantedWebhook,
    WebhookList,
)
from api.workspace import Workspace
from domain.access import Action
from domain.webhooks import (
    ChangeWebhook,
    DisableWebhook,
    EnableWebhook,
    ReplayWebhook,
    Webhook,
)
from store.handled import Handled
from store.outbox.rows import State

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], default_response_class=Answer)

MOST = 1_000
_TAG = {"description": "Version of its settings.", "schema": {"type": "string"}}

WebhookId = Annotated[str, Path(description="Id of the webhook.", max_length=LONGEST_NAME)]
AtPosition = Annotated[int, Path(description="Position of the event in the feed.", ge=1, lt=2**63)]


def _visible(store: Store, caller: Caller, webhook_id: WebhookId) -> Webhook:
    try:
        return visible_webhook(store, caller, webhook_id)
    except WebhookNotFound:
        raise HTTPException(HTTPStatus.NOT_FOUND) from None


Visible = Annotated[Webhook, Depends(_visible)]
"""The webhook of the path, if the caller may see it; else it is as if it were not there."""


async def _sender(request: Request) -> Sender:
    sender: Sender = request.app.state.sender
    return sender


Sending = Annotated[Sender, Depends(_sender)]


async def _trials(request: Request) -> Trials:
    trials: Trials = request.app.state.trials
    return trials


Trying = Annotated[Trials, Depends(_trials)]


class DeliveryParameters(Parameters):
    """Which deliveries."""

    state: State | None = Field(None, description="Only deliveries in this state.")
    limit: int = Field(200, ge=1, le=MOST, description="At most so many.")
    cursor: str | None = Field(None, description="Goes on where an earlier answer ended.")

    def check(self, store: Workspace) -> None:
        if self.cursor is not None:
            behind(self.cursor, self.state)


@router.get("", responses=answers(WebhookList, "The webhooks."), dependencies=[takes(), waits()])
def list_the_webhooks(store: Store, caller: Caller) -> Answer:
    """Every webhook, for who may configure or audit; for others, those that they own."""
    return Answer(list_webhooks(store, caller))


_REGISTERED = records(IssuedSecret, "The secret, which no other answer tells.")
_RECORDED = records(Recording, "What was recorded; no events: it was so already.")


@router.post(
    "",
    responses=_REGISTERED,
    openapi_extra=accepts(
        WantedWebhook,
        {
            "url": "https://crm.example.com/hooks/deals",
            "owner": "anna",
            "types": ["opportunity-won", "opportunity-lost"],
            "name": "Outcomes for the CRM",
        },
    ),
    dependencies=[takes(Action.CONFIGURE)],
)
def register_a_webhook(
    store: Store,
    sender: Sending,
    wanted: Annotated[WantedWebhook, body_of(WantedWebhook)],
    intent: Meant,
) -> Answer:
    """Have the events of deals that follow posted to an address, as their owner may read them.

    They are signed as Standard Webhooks has it. The secret is told in this answer alone, and
    again to whoever repeats the request under its Idempotency-Key.
    """
    issued, handled = register(store, sender.reach, wanted, intent)
    return recorded(issued, handled)


_SHOWN = answers(RegisteredWebhook, "The webhook.")
_SHOWN[200]["headers"] = {"ETag": _TAG}


@router.get("/{webhook_id}", responses=_SHOWN, dependencies=[takes(), waits()])
def show_the_webhook(store: Store, webhook: Visible) -> Answer:
    """One webhook, as it is set. Its secrets are named and not told."""
    return Answer(show_webhook(store, webhook), headers={"ETag": etag(webhook.version)})


@router.post(
    "/{webhook_id}/change",
    responses=_RECORDED,
    openapi_extra=accepts(
        WantedChange, {"url": "https://crm.example.com/hooks/deals", "deals": ["d-1"]}
    ),
    dependencies=[takes(Action.CONFIGURE)],
)
def change_the_webhook(
    store: Store,
    webhook: Visible,
    sender: Sending,
    *,
    wanted: Annotated[WantedChange, body_of(WantedChange)],
    intent: Meant,
    seen: IfMatchRequired,
) -> Answer:
    """Give a webhook another address, filter or name. What is left out is not set any more."""
    sender.reach.require_form(wanted.url)
    command = ChangeWebhook(webhook.id, wanted.url, wanted.types, wanted.deals, wanted.name)
    return _told(store.log.set_webhook(command, intent, seen))


@router.post(
    "/{webhook_id}/rotate-secret",
    responses=_REGISTERED,
    openapi_extra=accepts(WantedRotation, {"overlap_hours": 24}),
    dependencies=[takes(Action.CONFIGURE)],
)
def rotate_the_secret(
    store: Store,
    webhook: Visible,
    wanted: Annotated[WantedRotation, body_of(WantedRotation)],
    intent: Meant,
    seen: IfMatch,
) -> Answer:
    """Sign with a new secret, and for some hours with the old one too.

    The new one is told in this answer alone, and again to whoever repeats the request under
    its Idempotency-Key.
    """
    issued, handled = rotate(store, webhook.id, wanted.overlap_hours, intent, seen)
    return recorded(issued, handled)


@router.post(
    "/{webhook_id}/enable",
    responses=_RECORDED,
    openapi_extra=accepts(Nothing, {}),
    dependencies=[takes(Action.CONFIGURE)],
)
def enable_the_webhook(
    store: Store,
    webhook: Visible,
    _: Annotated[Nothing, body_of(Nothing)],
    intent: Meant,
    seen: IfMatch,
) -> Answer:
    """Have a webhook go on where it stopped: everything since is sent."""
    return _told(store.log.set_webhook(EnableWebhook(webhook.id), intent, seen))


@router.post(
    "/{webhook_id}/disable",
    responses=_RECORDED,
    openapi_extra=accepts(Nothing, {}),
    dependencies=[takes()],
)
def disable_the_webhook(
    store: Store,
    webhook: Visible,
    _: Annotated[Nothing, body_of(Nothing)],
    intent: Meant,
    seen: IfMatch,
) -> Answer:
    """Have a webhook send nothing any more. Its owner may do so too."""
    return _told(store.log.set_webhook(DisableWebhook(webhook.id), intent, seen))


@router.post(
    "/{webhook_id}/test",
    responses=answers(TriedWebhook, "What the receiver made of it."),
    openapi_extra=accepts(Nothing, {}),
    dependencies=[takes()],
)
async def try_the_webhook(
    store: Store,
    caller: Caller,
    webhook: Visible,
    sender: Sending,
    trials: Trying,
    *,
    _: Annotated[Nothing, body_of(Nothing)],
) -> Response:
    """Send the receiver an event of type dealstate.ping, and wait 5 seconds for its answer.

    Nothing is recorded, and it is sent once. A webhook that is disabled can be tried too. A user
    tries two receivers at once; further ones are refused with too-many-requests.
    """
    require_may_try(webhook, caller)
    try:
        return Answer(await trials.run(caller.id, lambda: ping(store, sender, webhook)))
    except (TooManyTrials, NoTrialLeft) as error:
        return _not_tried(error)


def _not_tried(error: TooManyTrials | NoTrialLeft) -> Response:
    if isinstance(error, TooManyTrials):
        code, status = "too-many-requests", HTTPStatus.TOO_MANY_REQUESTS
    else:
        code, status = "too-busy", HTTPStatus.SERVICE_UNAVAILABLE
    wait = {"Retry-After": f"{PING_SECONDS:.0f}"}
    return problem_answer(Failure(code, status, MEANINGS[code]), headers=wait)


@router.get(
    "/{webhook_id}/deliveries",
    responses=answers(DeliveryPage, "The deliveries."),
    dependencies=[takes(), waits(DeliveryParameters)],
)
def list_the_deliveries(
    request: Request,
    store: Store,
    webhook: Visible,
    parameters: Annotated[DeliveryParameters, Query()],
) -> Answer:
    """What was sent, is due, or was given up, the newest event first. `Link` leads on."""
    page = list_deliveries(store, webhook, parameters.state, parameters.limit, parameters.cursor)
    return Answer(page, headers=next_link(request, page.cursor))


@router.get(
    "/{webhook_id}/deliveries/{position}",
    responses=answers(DeliveryHistory, "The delivery."),
    dependencies=[takes(), waits()],
)
def show_the_delivery(store: Store, webhook: Visible, position: AtPosition) -> Answer:
    """The delivery of one event, with every attempt."""
    return Answer(_delivery(store, webhook, position))


@router.post(
    "/{webhook_id}/deliveries/{position}/replay",
    responses=_RECORDED,
    openapi_extra=accepts(Nothing, {}),
    dependencies=[takes()],
)
def replay_the_delivery(
    store: Store,
    webhook: Visible,
    position: AtPosition,
    _: Annotated[Nothing, body_of(Nothing)],
    intent: Meant,
) -> Answer:
    """Send one event once more, whatever became of it."""
    _delivery(store, webhook, position)
    command = ReplayWebhook(webhook.id, position - 1, position)
    return _told(store.log.set_webhook(command, intent))


@router.post(
    "/{webhook_id}/replay",
    responses=_RECORDED,
    openapi_extra=accepts(WantedReplay, {"after": 4711}),
    dependencies=[takes()],
)
def replay_the_webhook(
    store: Store,
    webhook: Visible,
    wanted: Annotated[WantedReplay, body_of(WantedReplay)],
    intent: Meant,
) -> Answer:
    """Send every event behind a position once more, in the order of the feed.

    Also what came before the webhook was registered, if its owner may read it.
    """
    command = ReplayWebhook(webhook.id, wanted.after, wanted.until)
    return _told(store.log.set_webhook(command, intent))


def _delivery(store: Workspace, webhook: Webhook, position: int) -> DeliveryHistory:
    found = show_delivery(store, webhook, position)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return found


def _told(handled: Handled) -> Answer:
    return recorded(Recording.of(handled.stream, handled.version, handled.events), handled)
