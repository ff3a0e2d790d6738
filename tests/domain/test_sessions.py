"""What is recorded of sessions."""

import msgspec
import pytest

from domain.sessions import SessionEnded, SessionOpened, describe


def test_it_is_told_in_a_phrase() -> None:
    by_key = SessionOpened("ann", 3_600, "5f1c0a9b3e77")
    assert describe(by_key) == "opened a session of ann with the API key 5f1c0a9b3e77"
    by_token = SessionOpened("ann", 3_600)
    assert describe(by_token) == "opened a session of ann with a token of the identity provider"
    assert describe(SessionEnded("ann")) == "ended a session of ann"


@pytest.mark.parametrize(
    "changes", [{"user": ""}, {"key": ""}, {"lasts_seconds": 0}, {"cookie": "what was handed out"}]
)
def test_it_names_a_user_and_a_key_and_holds_no_cookie(changes: dict[str, object]) -> None:
    fact = {"type": "session-opened", "user": "ann", "lasts_seconds": 60, **changes}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fact, SessionOpened)
