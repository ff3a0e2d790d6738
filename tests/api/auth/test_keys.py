"""API keys: whose they are, and when they are good for nothing."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth.keys import NewKey, holder_of, make_key
from domain.access import Action, Principal, Role
from domain.directory import ApiKeyIssued, ApiKeyRevoked, Directory, MembershipGranted
from domain.history import Draft, Fact

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SELLS = MembershipGranted("ann", Role.SELLER)
KEY = make_key()


def issued(
    key: NewKey = KEY, actions: tuple[Action, ...] = (), last_day: date | None = None
) -> ApiKeyIssued:
    return ApiKeyIssued("ann", key.id, key.digest, "export", actions, last_day)


def directory(*facts: Fact) -> Directory:
    drafts = (Draft[Fact](fact, NOW, "op", "cli", "c", "c") for fact in facts)
    return Directory.of([[one.recorded("user:ann", n, NOW) for n, one in enumerate(drafts, 1)]])


def test_a_key_is_made_of_random_bits_and_only_its_hash_is_kept() -> None:
    one, other = make_key(), make_key()
    found = re.fullmatch("dealstate_([0-9a-f]{12})_([0-9a-f]{64})", one.token)
    assert found
    assert (one.id, one.digest) == (found[1], sha256(found[2].encode()).hexdigest())
    assert not {one.id, one.token, one.digest} & {other.id, other.token, other.digest}


def test_a_key_acts_in_the_roles_that_its_user_holds_now() -> None:
    ann = Principal("ann", frozenset({Role.SELLER}))
    assert holder_of(KEY.token, directory(SELLS, issued()), NOW) == ann
    assert holder_of(KEY.token, directory(issued()), NOW) == Principal("ann")


def test_a_key_can_be_good_for_less() -> None:
    found = holder_of(KEY.token, directory(SELLS, issued(actions=(Action.READ,))), NOW)
    assert found == Principal("ann", frozenset({Role.SELLER}), limited_to=frozenset({Action.READ}))


def test_a_key_is_good_until_the_end_of_its_last_day_in_utc() -> None:
    there = directory(SELLS, issued(last_day=NOW.date()))
    last = datetime(2026, 11, 22, 23, 59, 59, 999_999, tzinfo=UTC)
    after = last + timedelta(microseconds=1)
    assert holder_of(KEY.token, there, last)
    assert holder_of(KEY.token, there, after) is None
    assert holder_of(KEY.token, there, after.astimezone(timezone(timedelta(hours=-9)))) is None


def test_a_revoked_key_is_nobodys() -> None:
    assert (
        holder_of(KEY.token, directory(SELLS, issued(), ApiKeyRevoked("ann", KEY.id)), NOW) is None
    )


@pytest.mark.parametrize(
    "token",
    [
        "",
        KEY.token[:-1],
        KEY.token + "0",
        KEY.token + "\n",
        KEY.token.upper(),
        KEY.token.replace("dealstate_", ""),
        f"dealstate_{KEY.id}_{'0' * 64}",
        f"dealstate_{'0' * 12}_{KEY.token[-64:]}",
        f"dealstate_{KEY.id}_{KEY.digest}",
        f"dealstate_{KEY.id}_{'é' * 64}",
    ],
    # Made of a key that is another one in each run, and in each process of a run.
    ids=range(10),
)
def test_another_token_is_nobodys(token: str) -> None:
    assert holder_of(token, directory(SELLS, issued()), NOW) is None


@given(at=st.integers(0, len(KEY.token) - 1), put=st.sampled_from("0123456789abcdef_"))
def test_no_character_can_be_another(at: int, put: str) -> None:
    changed = KEY.token[:at] + put + KEY.token[at + 1 :]
    found = holder_of(changed, directory(SELLS, issued()), NOW)
    assert (found is not None) is (changed == KEY.token)
