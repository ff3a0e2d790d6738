"""Webhooks: what is decided, and what a webhook wants and signs with."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.access import Action, Principal, Role
from domain.directory import Directory, User, UserRegistered
from domain.history import Draft, Fact, Recorded
from domain.intent import Intent
from domain.refusals import (
    IdTaken,
    InvalidWebhook,
    NotAllowed,
    OutOfRange,
    Refusal,
    TextNotLegible,
    UnknownReference,
    WebhookSwitchedOff,
)
from domain.webhooks import (
    AnyWebhookCommand,
    ChangeWebhook,
    DisableWebhook,
    EnableWebhook,
    RegisterWebhook,
    ReplayWebhook,
    RotateWebhookSecret,
    Webhook,
    WebhookChanged,
    WebhookDisabled,
    WebhookEnabled,
    WebhookRegistered,
    WebhookReplayAsked,
    Webhooks,
    WebhookSecretRotated,
    WhyDisabled,
    decide_webhook,
    describe,
    may_see,
)

NOW = datetime(2026, 5, 4, 9, tzinfo=UTC)
ADMIN = Principal("root", frozenset({Role.ADMIN}))
ANNA = Principal("anna", frozenset({Role.SELLER}))
BO = Principal("bo", frozenset({Role.SELLER}))
URL = "https://example.com/hooks"
DIRECTORY = Directory({"anna": User("anna", UserRegistered("anna", "Anna"))})
REGISTERED = WebhookRegistered("w", "anna", URL, "s-1", ("note-added",), ("d-1",), "CRM")
REGISTER = RegisterWebhook("w", "anna", URL, "s-1", ("note-added",), ("d-1",), "CRM")


def recorded(*facts: Fact, every: timedelta = timedelta(hours=1)) -> list[Recorded[Fact]]:
    """Events that were recorded one after the other, from NOW on."""
    found = []
    for at, fact in enumerate(facts):
        moment = NOW + at * every
        draft = Draft(fact, moment, "root", "api", f"c-{at}", f"c-{at}")
        found.append(draft.recorded("webhook:w", at + 1, moment))
    return found


def of(*facts: Fact) -> Webhooks:
    return Webhooks.of([recorded(*facts)])


def webhook(*facts: Fact) -> Webhook:
    return of(REGISTERED, *facts).all["w"]


def decided(
    command: AnyWebhookCommand, given: Sequence[Fact] = (REGISTERED,), by: Principal = ADMIN
) -> tuple[Fact, ...]:
    return decide_webhook(command, of(*given), DIRECTORY, Intent("c", by, "api", NOW, NOW))


DISABLED = WebhookDisabled("w", WhyDisabled.ASKED)


@pytest.mark.parametrize(
    ("given", "command", "facts"),
    [
        ((), REGISTER, (REGISTERED,)),
        (
            (),
            RegisterWebhook("w", "anna", URL, "s", ("note-added",) * 2, ("b", "a", "b")),
            (WebhookRegistered("w", "anna", URL, "s", ("note-added",), ("a", "b")),),
        ),
        ((REGISTERED,), ChangeWebhook("w", URL, ("note-added",), ("d-1",), "CRM"), ()),
        ((REGISTERED,), ChangeWebhook("w", URL), (WebhookChanged("w", URL),)),
        (
            (REGISTERED,),
            RotateWebhookSecret("w", "s-2", 2),
            (WebhookSecretRotated("w", "s-2", 2),),
        ),
        ((REGISTERED,), RotateWebhookSecret("w", "s-1"), ()),
        ((REGISTERED,), DisableWebhook("w"), (DISABLED,)),
        ((REGISTERED, DISABLED), DisableWebhook("w"), ()),
        ((REGISTERED,), EnableWebhook("w"), ()),
        ((REGISTERED, DISABLED), EnableWebhook("w"), (WebhookEnabled("w"),)),
        ((REGISTERED,), ReplayWebhook("w", 3), (WebhookReplayAsked("w", 3),)),
        ((REGISTERED,), ReplayWebhook("w", 3, 4), (WebhookReplayAsked("w", 3, 4),)),
    ],
)
def test_what_a_command_leads_to(
    given: Sequence[Fact], command: AnyWebhookCommand, facts: Sequence[Fact]
) -> None:
    assert decided(command, given) == facts


def registering(**more: Any) -> RegisterWebhook:
    usual = {"webhook": "w", "owner": "anna", "url": URL, "signing_secret": "s"}
    return RegisterWebhook(**(usual | more))


@pytest.mark.parametrize(
    ("given", "command", "refusal"),
    [
        ((REGISTERED,), REGISTER, IdTaken),
        ((), registering(owner="nobody"), UnknownReference),
        ((), registering(types=("note",)), UnknownReference),
        ((), registering(types=("webhook-registered",)), UnknownReference),
        ((), registering(deals=tuple(f"d-{one}" for one in range(501))), OutOfRange),
        ((), registering(name="\n"), TextNotLegible),
        ((), ChangeWebhook("w", URL), UnknownReference),
        ((REGISTERED,), ChangeWebhook("w", "example.com"), InvalidWebhook),
        (
            (REGISTERED, WebhookSecretRotated("w", "s-2", 2)),
            RotateWebhookSecret("w", "s-1"),
            IdTaken,
        ),
        ((REGISTERED,), RotateWebhookSecret("w", "s-2", 169), OutOfRange),
        ((REGISTERED, DISABLED), ReplayWebhook("w", 3), WebhookSwitchedOff),
        ((REGISTERED,), ReplayWebhook("w", 3, 3), InvalidWebhook),
    ],
)
def test_what_is_refused(
    given: Sequence[Fact], command: AnyWebhookCommand, refusal: type[Refusal]
) -> None:
    with pytest.raises(refusal):
        decided(command, given)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "https:///hooks",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https://example.com/a b",
        "https://example.com\\@other.example/",
        "https://example.com/\r\nX: y",
        "javascript:alert(1)",
        "https://example.com/\u202e",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises((InvalidWebhook, TextNotLegible)):
        decided(registering(url=url), ())


@pytest.mark.parametrize(
    "url", [URL, "https://example.com", "http://127.0.0.1:8080/?a=b", "https://[::1]:1/"]
)
def test_addresses(url: str) -> None:
    assert decided(registering(url=url), ())


@pytest.mark.parametrize(
    ("command", "owner_may"),
    [
        (REGISTER, False),
        (ChangeWebhook("w", URL), False),
        (RotateWebhookSecret("w", "s-2"), False),
        (EnableWebhook("w"), False),
        (DisableWebhook("w"), True),
        (ReplayWebhook("w", 0), True),
    ],
)
def test_the_owner_sends_nothing_anywhere_new(command: AnyWebhookCommand, owner_may: bool) -> None:
    given = () if command is REGISTER else (REGISTERED,)
    if owner_may:
        assert decided(command, given, ANNA)
    else:
        with pytest.raises(NotAllowed):
            decided(command, given, ANNA)
    for nobody in (BO, Principal("anna"), Principal("x", frozenset({Role.AUDITOR}))):
        with pytest.raises(NotAllowed):
            decided(command, given, nobody)


def test_a_key_of_the_owner_has_to_be_good_to_read() -> None:
    def key(*actions: Action) -> Principal:
        return Principal("anna", frozenset({Role.SELLER}), limited_to=frozenset(actions))

    assert may_see(webhook(), key(Action.READ))
    assert not may_see(webhook(), key(Action.RECORD))
    assert not may_see(None, ANNA)


def test_a_key_that_is_good_to_configure_alone_registers_none() -> None:
    """It could else read what it is not good for, by the eyes of whoever owns the webhook."""
    for also, allowed in (((), False), ((Action.READ,), True)):
        limit = frozenset({Action.CONFIGURE, *also})
        key = Principal("mia", frozenset({Role.ADMIN}), limited_to=limit)
        if allowed:
            assert decided(REGISTER, (), key)
        else:
            with pytest.raises(NotAllowed, match="not good to read"):
                decided(REGISTER, (), key)


def test_what_it_wants() -> None:
    one = webhook()
    assert one.wants("deal:d-1", "note-added")
    assert not one.wants("deal:d-2", "note-added")
    assert not one.wants("deal:d-1", "owner-changed")
    everything = webhook(WebhookChanged("w", URL))
    assert everything.wants("deal:d-2", "owner-changed")
    assert not everything.wants("user:anna", "user-registered")
    assert not everything.wants("access:d-1", "field-disclosed")


def test_an_old_secret_signs_until_its_overlap_ends() -> None:
    one = webhook(WebhookSecretRotated("w", "s-2", 2))
    rotated_at = NOW + timedelta(hours=1)
    assert one.signing(rotated_at) == ("s-2", "s-1")
    assert one.signing(rotated_at + timedelta(hours=2, microseconds=-1)) == ("s-2", "s-1")
    assert one.signing(rotated_at + timedelta(hours=2)) == ("s-2",)


def test_a_later_rotation_lengthens_no_earlier_overlap() -> None:
    one = webhook(WebhookSecretRotated("w", "s-2", 2), WebhookSecretRotated("w", "s-3", 100))
    assert one.signing(NOW + timedelta(hours=2)) == ("s-3", "s-2", "s-1")
    assert one.signing(NOW + timedelta(hours=4)) == ("s-3", "s-2")
    at_once = webhook(WebhookSecretRotated("w", "s-2", 9), WebhookSecretRotated("w", "s-3", 0))
    assert at_once.signing(NOW + timedelta(hours=2)) == ("s-3",)


def test_what_was_said_last_holds_whatever_the_clock_said() -> None:
    events = recorded(REGISTERED, DISABLED, WebhookEnabled("w"), every=timedelta(hours=-1))
    one = Webhooks.of([events]).all["w"]
    assert (one.disabled, one.version) == (None, 3)


def test_the_fold_is_total() -> None:
    assert Webhooks.of([recorded(DISABLED)]).all == {}
    one = webhook(WebhookReplayAsked("w", 3), REGISTERED)
    assert (one.version, one.name) == (3, "CRM")


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (REGISTERED, f"registered the webhook w to '{URL}' in the name of anna"),
        (WebhookChanged("w", URL), f"changed the webhook w, now to '{URL}'"),
        (
            WebhookSecretRotated("w", "s-2", 2),
            "rotated the secret of the webhook w; the old one signs 2 h more",
        ),
        (DISABLED, "disabled the webhook w"),
        (
            WebhookDisabled("w", WhyDisabled.GONE),
            "disabled the webhook w, since its receiver is gone",
        ),
        (WebhookEnabled("w"), "enabled the webhook w"),
        (
            WebhookReplayAsked("w", 3),
            "asked the webhook w to send again what lies behind 3",
        ),
        (
            WebhookReplayAsked("w", 3, 4),
            "asked the webhook w to send again what lies behind 3 up to 4",
        ),
    ],
)
def test_in_words(fact: Any, words: str) -> None:
    assert describe(fact) == words
