"""`dealstate webhooks`: what is shown, what is refused, what is sent."""

import json
import re
from collections.abc import Iterator

import msgspec
import pytest

from api.webhooks.delivering import Delivering
from api.webhooks.intake import Intake
from api.webhooks.sending import Sender
from api.wire.webhooks import DeliveryPage, IssuedSecret, TriedWebhook, WebhookList
from api.workspace import Workspace
from store.location import Location
from store.outbox.outbox import unchecked
from tests.api.cli.conftest import Run
from tests.api.webhooks.receiving import Receiver
from tests.api.webhooks.selling import LOCAL

SECRET = re.compile("whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("DEALSTATE_WEBHOOK_NETWORKS", "127.0.0.0/8")
    receiver = Receiver().start()
    yield receiver
    receiver.stop()


@pytest.fixture
def db(own_store: str, run: Run) -> tuple[str, str]:
    """A store in which Anna sells, and reads every deal."""
    at = ("--db", own_store)
    for role in ("seller", "auditor"):
        assert run(*at, "users", "grant", "u-anna", role).exit_code == 0
    return at


def added(run: Run, db: tuple[str, str], url: str) -> str:
    """The id of a webhook of Anna's."""
    made = run(*db, "webhooks", "add", url, "--owner", "Anna Lee", "--type", "note-added")
    assert SECRET.fullmatch(made.stdout.strip())
    found = re.search(r"Registered the webhook ([0-9a-f]{16}) to ", made.stderr)
    assert found, made.stderr
    return found[1]


def test_one_is_added_listed_tried_and_disabled(
    run: Run, db: tuple[str, str], receiver: Receiver
) -> None:
    webhook = added(run, db, receiver.url)
    listed = msgspec.json.decode(
        run(*db, "webhooks", "list", "--format", "json").stdout, type=WebhookList
    )
    assert [(one.id, one.owner.id, one.types) for one in listed.webhooks] == [
        (webhook, "u-anna", ["note-added"])
    ]
    assert webhook in run(*db, "webhooks", "list").stdout
    assert run(*db, "webhooks", "list", "--format", "csv").stdout.startswith("id,name,owner_id,")
    tried = run(*db, "webhooks", "test", webhook)
    assert (tried.exit_code, tried.stdout[:35]) == (0, "Taken: the receiver answered 200, a")
    receiver.answer = lambda _: 500
    tried = run(*db, "webhooks", "test", webhook, "--format", "json")
    assert tried.exit_code == 1
    assert msgspec.json.decode(tried.stdout, type=TriedWebhook).error == "refused"
    gone = run(*db, "--as", "u-anna", "webhooks", "disable", webhook)
    assert gone.stdout == f"Disabled the webhook {webhook}.\n"
    assert run(*db, "webhooks", "disable", webhook).stdout == "Nothing changed.\n"
    assert run(*db, "webhooks", "enable", webhook).stdout == f"Enabled the webhook {webhook}.\n"


def test_a_secret_is_rotated(run: Run, db: tuple[str, str], receiver: Receiver) -> None:
    webhook = added(run, db, receiver.url)
    rotated = run(*db, "webhooks", "rotate", webhook, "--overlap", "2", "--format", "json")
    issued = msgspec.json.decode(rotated.stdout, type=IssuedSecret)
    assert SECRET.fullmatch(issued.secret)
    assert issued.secret not in run(*db, "webhooks", "list", "--format", "json").stdout


def test_a_change_replaces_all(run: Run, db: tuple[str, str], receiver: Receiver) -> None:
    webhook = added(run, db, receiver.url)
    changed = run(*db, "webhooks", "change", webhook, receiver.url, "--deal", "d-1")
    assert changed.stdout.startswith(f"Changed the webhook {webhook}, now to 'http://127")
    (one,) = json.loads(run(*db, "webhooks", "list", "--format", "json").stdout)["webhooks"]
    assert (one["types"], one["deals"]) == ([], ["d-1"])


def test_deliveries_are_listed_and_sent_again(
    run: Run, db: tuple[str, str], receiver: Receiver
) -> None:
    webhook = added(run, db, receiver.url)
    assert "0 pending, 0 dead." in run(*db, "webhooks", "deliveries", webhook).stderr
    note = ("record", "P-1", "add-note", "--data", '{"text": "a note"}')
    assert run(*db, *note).exit_code == 0
    _deliver(db[1])
    again = run(*db, "webhooks", "replay", webhook, "--after", "0")
    assert again.stdout.startswith(f"Asked the webhook {webhook} to send again")
    _deliver(db[1])
    assert len(receiver.got) == len({got.message for got in receiver.got}) + 1
    rows = run(*db, "webhooks", "deliveries", webhook, "--state", "delivered").stdout
    assert " delivered " in rows
    page = run(*db, "webhooks", "deliveries", webhook, "--format", "csv").stdout
    assert page.startswith("position,message,state,")


def _deliver(url: str) -> None:
    """What a worker does."""
    with Workspace.open(Location.parse(url)) as store:
        intake = Intake(store, store.outbox, unchecked)
        delivering = Delivering(store, store.outbox, Sender(LOCAL), lambda: 0.0, unchecked)
        for webhook in store.log.webhooks().all.values():
            while intake.take_in(webhook, is_sending=False):
                pass
            for delivery in store.outbox.first_owed(webhook.id, 1_000):
                delivering.deliver(webhook, delivery)


@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (("add", "https://10.0.0.1/", "--owner", "u-anna"), 1, "(invalid-webhook)"),
        (("add", "https://example.com/", "--owner", "nobody"), 1, "nobody"),
        (("add", "https://example.com/"), 2, "--owner"),
        (("list", "--format", "xml"), 2, "xml"),
        (("rotate", "none"), 1, "there is no webhook 'none'"),
        (("disable", "none"), 1, "there is no webhook 'none'"),
        (("deliveries", "none"), 1, "there is no webhook 'none'"),
        (("deliveries", "none", "--state", "lost"), 2, "use one of pending"),
        (("replay", "none"), 2, "give one of --after and --position"),
        (("replay", "none", "--after", "1", "--position", "2"), 2, "give one of"),
    ],
)
def test_what_is_refused(
    run: Run, db: tuple[str, str], given: tuple[str, ...], code: int, told: str
) -> None:
    answer = run(*db, "webhooks", *given)
    assert (answer.exit_code, told in answer.stderr) == (code, True), answer.stderr


def test_a_seller_adds_none(run: Run, db: tuple[str, str]) -> None:
    answer = run(*db, "--as", "u-anna", "webhooks", "add", "https://e.com/", "--owner", "u-anna")
    assert answer.exit_code == 1
    assert "(not-allowed)" in answer.stderr


def test_networks_that_are_none(
    run: Run, db: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEALSTATE_WEBHOOK_NETWORKS", "inside")
    answer = run(*db, "webhooks", "add", "https://example.com/", "--owner", "u-anna")
    assert answer.exit_code == 2
    assert "'inside' does not appear" in answer.stderr


def test_an_empty_page_as_json(run: Run, db: tuple[str, str], receiver: Receiver) -> None:
    webhook = added(run, db, receiver.url)
    page = run(*db, "webhooks", "deliveries", webhook, "--format", "json").stdout
    assert msgspec.json.decode(page, type=DeliveryPage) == DeliveryPage(None, 0, 0, [], None)
