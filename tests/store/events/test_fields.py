"""Single fields are encrypted for those they belong to, bound to their place, and committed to."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import EVERYTHING, PUBLIC_ONLY, Sensitivity
from domain.history import LOST, Draft, Fact, Recorded
from domain.lifecycle.facts import DebriefRecorded, NoteAdded
from domain.negotiation.facts import Issue, IssueKind, NegotiationOpened, Term, WalkAwayRevised
from domain.people.facts import ContactKind, ContactMade, StakeholderIdentified
from domain.subjects import Subjects
from store.errors import UnreadableEvent
from store.events.fields import (
    Encrypted,
    FieldCipher,
    KeyErased,
    KeyLost,
    KeyMissing,
    Place,
    context,
)
from store.seals import commitments
from tests.stored import GivenKeys, to_event, to_row

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = Place("deal:d-1", 3, "note-added", "text")
ANNA = StakeholderIdentified("s-1", "Anna Kovacs", person="p-1")
BEN = StakeholderIdentified("s-2", "Ben Okri")
PEOPLE = Subjects().after(ANNA).after(BEN)

names = st.text(min_size=1, max_size=20)
values = st.binary(max_size=3_000)


def recorded(fact: Fact) -> Recorded[Fact]:
    return Draft(fact, NOON, "ann", "api", "c-1", "c-1").recorded("deal:d-1", 3, NOON)


def encrypted(fact: Fact, subjects: Subjects = PEOPLE) -> dict[str, Encrypted]:
    """The encrypted fields in the stored bytes of a fact."""
    state = to_row(recorded(fact), subjects)[3]
    fields = msgspec.json.decode(state).get("encrypted", {})
    return msgspec.convert(fields, dict[str, Encrypted], builtin_types=())


def read(fact: Fact, *, erased: str = "", visible: frozenset[Sensitivity] = EVERYTHING) -> Fact:
    """What is read of a fact that was stored, by an audience, after somebody was erased."""
    keys = GivenKeys()
    keys.erased.add(erased)
    return to_event(*to_row(recorded(fact), PEOPLE), visible, keys).fact


@given(
    value=values,
    outer=st.sets(names, min_size=1, max_size=3),
    inner=st.sets(names, max_size=3),
    secret=st.booleans(),
)
def test_what_was_encrypted_is_decrypted(
    value: bytes, outer: set[str], inner: set[str], secret: bool
) -> None:
    cipher = FieldCipher(GivenKeys())
    keys = tuple(sorted(outer))
    closed = cipher.encrypt(PLACE, keys, tuple(sorted(inner - outer)), value, secret=secret)
    opened = FieldCipher(GivenKeys()).decrypt(PLACE, closed)
    assert opened.value == value
    assert commitments.commitment(opened.salt, context(PLACE, keys), value) == closed.commitment
    assert value not in closed.ciphertext or len(value) < 4


def test_what_is_prepared_for_some_fields_encrypts_these_and_no_more() -> None:
    keys = GivenKeys()
    cipher = FieldCipher(keys)
    prepared = cipher.prepared({"a", "b"}, fields=2)
    # What is at hand stays so: the append that it is for is refused elsewhere.
    keys.lost |= {"a", "b"}
    one, other = (prepared.encrypt(PLACE, ("a",), ("b",), b'"x"', secret=False) for _ in "12")
    keys.lost.clear()
    assert {cipher.decrypt(PLACE, closed).value for closed in (one, other)} == {b'"x"'}
    salts = {cipher.decrypt(PLACE, closed).salt for closed in (one, other)}
    assert len(salts) == len({one.ciphertext[:12], other.ciphertext[:12]}) == 2
    with pytest.raises(AssertionError, match="more fields"):
        prepared.encrypt(PLACE, ("a",), (), b'"x"', secret=False)


@given(lost=st.sampled_from(["a", "b", "c", "d"]), erased=st.booleans())
def test_every_key_is_needed(lost: str, erased: bool) -> None:
    closed = FieldCipher(GivenKeys()).encrypt(PLACE, ("a", "b"), ("c", "d"), b'"x"', secret=False)
    keys = GivenKeys()
    (keys.erased if erased else keys.lost).add(lost)
    with pytest.raises(KeyErased if erased else KeyMissing):
        FieldCipher(keys).decrypt(PLACE, closed)


def test_what_was_given_up_is_lost_and_never_hides_a_key_that_is_missing() -> None:
    closed = FieldCipher(GivenKeys()).encrypt(PLACE, ("a", "b"), ("c",), b'"x"', secret=False)
    keys = GivenKeys()
    keys.given_up.add("c")
    with pytest.raises(KeyLost):
        FieldCipher(keys).decrypt(PLACE, closed)
    keys.given_up = {"a"}
    with pytest.raises(KeyLost):
        FieldCipher(keys).decrypt(PLACE, closed)
    keys.lost.add("b")
    with pytest.raises(KeyMissing, match=r"^b$"):
        FieldCipher(keys).decrypt(PLACE, closed)
    keys.erased.add("b")
    with pytest.raises(KeyErased):
        FieldCipher(keys).decrypt(PLACE, closed)


@pytest.mark.parametrize(
    "elsewhere",
    [
        PLACE._replace(stream="deal:d-2"),
        PLACE._replace(version=4),
        PLACE._replace(type="debrief-recorded"),
        PLACE._replace(field="note"),
    ],
)
def test_a_ciphertext_opens_at_its_place_alone(elsewhere: Place) -> None:
    cipher = FieldCipher(GivenKeys())
    closed = cipher.encrypt(PLACE, ("a",), (), b'"x"', secret=False)
    with pytest.raises(ValueError, match="does not belong"):
        cipher.decrypt(elsewhere, closed)


@given(at=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_a_changed_byte_does_not_open(at: int, flip: int) -> None:
    cipher = FieldCipher(GivenKeys())
    closed = cipher.encrypt(PLACE, ("a",), ("b",), b'"x"', secret=False)
    changed = bytearray(closed.ciphertext)
    changed[at % len(changed)] ^= flip
    with pytest.raises(ValueError, match="does not belong"):
        cipher.decrypt(PLACE, Encrypted(closed.keys, closed.commitment, bytes(changed)))


def test_a_commitment_to_something_else_does_not_pass() -> None:
    cipher = FieldCipher(GivenKeys())
    closed = cipher.encrypt(PLACE, ("a",), (), b'"x"', secret=False)
    with pytest.raises(ValueError, match="commitment"):
        cipher.decrypt(PLACE, Encrypted(closed.keys, bytes(32), closed.ciphertext))


@given(
    place=st.builds(Place, st.text(), st.integers(1, 10**9), st.text(), st.text()),
    keys=st.lists(st.text()),
)
def test_the_context_is_the_one_that_verifiers_make(place: Place, keys: list[str]) -> None:
    assert context(place, tuple(keys)) == commitments.context(*place, keys)


@given(first=st.text(max_size=150), second=st.text(max_size=150))
def test_a_secret_does_not_show_in_its_length(first: str, second: str) -> None:
    one, other = (
        encrypted(WalkAwayRevised("price", "90" + text, text or None)) for text in (first, second)
    )
    assert one.keys() == other.keys() == {"walk_away", "reason"}
    for field in one:
        assert len(one[field].ciphertext) == len(other[field].ciphertext)
        assert one[field].keys == other[field].keys == ("deal:d-1",)


@pytest.mark.parametrize(
    ("characters", "size_bytes"), [(1, 1_024), (2_000, 4_096), (20_000, 65_536)]
)
def test_a_long_secret_takes_the_next_step(characters: int, size_bytes: int) -> None:
    nonce_and_tag = 28
    found = encrypted(WalkAwayRevised("price", "90", "x" * characters))
    assert len(found["reason"].ciphertext) == size_bytes + nonce_and_tag


def test_whether_there_is_a_secret_does_not_show() -> None:
    issues = (Issue("price", IssueKind.PRICE),)
    without = encrypted(NegotiationOpened("n", issues))
    having = encrypted(NegotiationOpened("n", issues, targets=(Term("price", "90"),)))
    assert {f: len(e.ciphertext) for f, e in without.items()} == {
        f: len(e.ciphertext) for f, e in having.items()
    }


def test_an_empty_personal_field_is_not_stored() -> None:
    assert encrypted(ContactMade("c", ContactKind.CALL, ("s-1",))).keys() == set()


def test_a_summary_needs_the_keys_of_all_who_took_part_and_of_whom_it_names() -> None:
    contact = ContactMade("c", ContactKind.CALL, ("s-1",), summary="She will ask Ben Okri.")
    assert encrypted(contact)["summary"].keys == ("person:p-1",)
    assert read(contact) == contact
    for name in ("person:p-1", "stakeholder:d-1/s-2"):
        without = msgspec.structs.replace(contact, summary="[erased]")
        assert read(contact, erased=name) == without


def test_what_may_not_be_seen_is_hidden_by_its_kind() -> None:
    assert read(NoteAdded("x"), visible=PUBLIC_ONLY) == NoteAdded("[hidden]")
    assert read(DebriefRecorded(("x", "y")), visible=PUBLIC_ONLY) == DebriefRecorded(("[hidden]",))
    without_secrets = frozenset({Sensitivity.PUBLIC, Sensitivity.PERSONAL})
    revised = WalkAwayRevised("price", "90", "because")
    assert read(revised, visible=without_secrets) == WalkAwayRevised("price", "[hidden]")
    assert read(NoteAdded("x"), visible=without_secrets) == NoteAdded("x")


def test_what_may_not_be_seen_is_hidden_also_when_it_was_erased() -> None:
    assert read(NoteAdded("x"), erased="deal:d-1", visible=PUBLIC_ONLY) == NoteAdded("[hidden]")
    assert read(NoteAdded("x"), erased="deal:d-1") == NoteAdded("[erased]")


def test_what_was_lost_reads_so_to_whom_may_see_it() -> None:
    keys = GivenKeys()
    keys.given_up.add("deal:d-1")
    row = to_row(recorded(NoteAdded("x")))
    assert to_event(*row, EVERYTHING, keys).fact == NoteAdded(LOST)
    assert to_event(*row, PUBLIC_ONLY, keys).fact == NoteAdded("[hidden]")


def test_a_key_that_nobody_erased_is_missed() -> None:
    keys = GivenKeys()
    keys.lost.add("deal:d-1")
    with pytest.raises(UnreadableEvent, match=r"no key deal:d-1.*Restore the key store"):
        to_event(*to_row(recorded(NoteAdded("x"))), EVERYTHING, keys)
    hidden = to_event(*to_row(recorded(NoteAdded("x"))), PUBLIC_ONLY, keys)
    assert hidden.fact == NoteAdded("[hidden]")


def test_keys_are_forgotten_when_the_ring_has_moved_on() -> None:
    keys = GivenKeys()
    cipher = FieldCipher(keys)
    closed = cipher.encrypt(PLACE, ("a",), (), b'"x"', secret=False)
    keys.erased.add("a")
    assert not cipher.refresh()
    keys.generation += 1
    assert cipher.refresh()
    with pytest.raises(KeyErased):
        cipher.decrypt(PLACE, closed)
