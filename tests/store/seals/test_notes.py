"""Notes, keys and cosignatures: published ones verify, and whatever is malformed is refused."""

import base64
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.seals import notes
from store.seals.notes import (
    Checkpoint,
    Note,
    NoteError,
    SignatureType,
    SigningKey,
    cosign,
    decode_base64,
    parse_checkpoint,
    parse_note,
    parse_number,
    parse_signing_key,
    parse_verifier_key,
    sign,
    verify,
    with_cosignatures,
)

# The example of C2SP signed-note.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

# The example of golang.org/x/mod/sumdb/note, where the private key is published too.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SIGNING_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)

# A checkpoint of a public log, with the log's signatures (one of a type not known here) and
# those of public witnesses.
PUBLIC_LOG = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
PUBLIC_WITNESSES = [
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    (
        "transparency.dev/DEV:witness-little-garden+d8042a87"
        "+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM"
    ),
]
PUBLIC_CHECKPOINT = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
— witness.stagemole.eu Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN9DAg==
"""  # noqa: E501

# The example of C2SP tlog-cosignature; its keys are not published.
SPEC_CHECKPOINT = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""  # noqa: E501

LOG = SigningKey.from_seed("log.example/1", SignatureType.ED25519, b"l" * 32)
WITNESS = SigningKey.from_seed("witness.example/w", SignatureType.COSIGNATURE, b"w" * 32)
CHECKPOINT = Checkpoint("log.example/1", 7, b"r" * 32)


@pytest.mark.parametrize(("key", "note"), [(SPEC_KEY, SPEC_NOTE), (GO_KEY, GO_NOTE)])
def test_a_published_note_verifies(key: str, note: str) -> None:
    parsed = parse_note(note)
    (verified,) = verify(parsed, [parse_verifier_key(key)])
    assert verified.time is None
    assert str(verified.key) == key
    assert str(parsed) == note


def test_signing_gives_the_published_note() -> None:
    key = parse_signing_key(GO_SIGNING_KEY)
    assert sign(GO_TEXT, [key]) == GO_NOTE
    assert str(key.verifier) == GO_KEY
    assert key.secret_text() == GO_SIGNING_KEY


def test_a_public_checkpoint_verifies_with_its_cosignatures() -> None:
    parsed = parse_note(PUBLIC_CHECKPOINT)
    keys = [parse_verifier_key(key) for key in (PUBLIC_LOG, *PUBLIC_WITNESSES)]
    verified = verify(parsed, keys)
    assert {one.key for one in verified} == set(keys)
    assert {one.time for one in verified} == {None, 0x6A122120}
    assert parse_checkpoint(parsed.text).size == 1432088532
    assert str(parsed) == PUBLIC_CHECKPOINT
    changed = Note(parsed.text.replace("1432088532", "1432088533"), parsed.signatures)
    for key in keys:
        with pytest.raises(NoteError, match="does not verify"):
            verify(changed, [key])


def test_the_example_of_a_cosigned_checkpoint_is_read() -> None:
    parsed = parse_note(SPEC_CHECKPOINT)
    assert parse_checkpoint(parsed.text).text() == parsed.text
    assert [one.name for one in parsed.signatures] == [
        "example.com/behind-the-sofa",
        "witness.example.com/w1",
    ]
    assert int.from_bytes(parsed.signatures[1].value[:8], "big") == 1679315147
    assert str(parsed) == SPEC_CHECKPOINT


def test_a_text_may_hold_empty_lines_and_accents() -> None:
    text = "Ognuno sta solo:\n\ned è subito sera.\n"
    assert parse_note(sign(text, [LOG])).text == text


@pytest.mark.parametrize(
    ("malformed", "reason"),
    [
        ("", "does not end in signature lines"),
        ("text\n", "does not end in signature lines"),
        (SPEC_NOTE.removesuffix("\n"), "does not end in signature lines"),
        (SPEC_NOTE + "\n", "does not end in signature lines"),
        (SPEC_NOTE + "x", "does not end in signature lines"),
        (SPEC_NOTE + "x\n", "a signature line is not"),
        (SPEC_NOTE + " \n", "a signature line is not"),
        (SPEC_NOTE.replace("\n\n", "\n"), "does not end in signature lines"),
        (SPEC_NOTE.replace("—", "-"), "a signature line is not"),
        (SPEC_NOTE.replace("— ", "—"), "a signature line is not"),
        (SPEC_NOTE.replace("— ", "—  "), "a key name is empty"),
        (SPEC_NOTE.replace("/foo ", "/foo  "), "base64"),
        (SPEC_NOTE.replace("/foo", "/f+o"), "a key name"),
        (SPEC_NOTE.replace("/foo", "/f\u2003o"), "a key name"),
        (SPEC_NOTE.replace("/foo", "/f\u00a0o"), "a key name"),
        (SPEC_NOTE.replace("QM=\n", "QM= \n"), "base64"),
        (SPEC_NOTE.replace("QM=\n", "QM\n"), "base64"),
        (SPEC_NOTE.replace("QM=\n", "QN=\n"), "canonical"),
        (SPEC_NOTE.replace("QM=\n", "QM==\n"), "base64"),
        (SPEC_NOTE.replace("Kn", "-n").replace("u72", "_72"), "base64"),
        (SPEC_NOTE.replace("\n", "\r\n"), "control"),
        (SPEC_NOTE.replace(" an ", "\tan "), "control"),
        (SPEC_NOTE.replace(" an ", "\0an "), "control"),
        (SPEC_NOTE.replace(" an ", "\ud800an "), "not Unicode"),
        ("text\n\n— name AAAA\n", "base64|too short"),
        ("text\n\n— name AAAAAA==\n", "too short"),
        ("a" * notes.MAX_NOTE_BYTES + SPEC_NOTE, "longer than"),
        ("text\n\n" + "— name AAAAAAA=\n" * 101, "more than 100"),
    ],
)
def test_a_malformed_note_is_refused(malformed: str, reason: str) -> None:
    with pytest.raises(NoteError, match=reason):
        verify(parse_note(malformed), [parse_verifier_key(SPEC_KEY)])


def test_signatures_of_unknown_keys_are_ignored() -> None:
    other = SigningKey.from_seed("example.com/foo", SignatureType.ED25519, b"o" * 32)
    both = parse_note(sign("text\n", [other, LOG]))
    assert [one.key for one in verify(both, [LOG.verifier])] == [LOG.verifier]
    with pytest.raises(NoteError, match="not signed by a trusted key"):
        verify(both, [parse_verifier_key(SPEC_KEY)])
    with pytest.raises(NoteError, match="not signed by a trusted key"):
        verify(both, [])


def test_a_key_counts_under_its_own_type_alone() -> None:
    """The same private key as a witness's has another id, and signs another message."""
    twin = SigningKey.from_seed(LOG.name, SignatureType.COSIGNATURE, b"l" * 32)
    note = parse_note(sign("text\n", [LOG]))
    assert twin.verifier.id != LOG.verifier.id
    with pytest.raises(NoteError, match="not signed by a trusted key"):
        verify(note, [twin.verifier])
    forged = dataclasses.replace(note.signatures[0], key_id=twin.verifier.id)
    with pytest.raises(NoteError, match="does not verify"):
        verify(Note(note.text, (forged,)), [twin.verifier])


def test_a_bad_signature_of_a_known_key_spoils_the_note() -> None:
    note = parse_note(sign("text\n", [LOG]))
    bad = dataclasses.replace(note.signatures[0], value=b"\0" * 64)
    with pytest.raises(NoteError, match=r"log\.example/1 does not verify"):
        verify(Note(note.text, (*note.signatures, bad)), [LOG.verifier])


def test_a_key_that_signs_twice_counts_once() -> None:
    note = parse_note(sign("text\n", [LOG, LOG]))
    assert len(note.signatures) == 2
    assert len(verify(note, [LOG.verifier])) == 1
    renamed = SigningKey.from_seed("log.example/2", SignatureType.ED25519, b"l" * 32)
    note = parse_note(sign("text\n", [LOG, renamed]))
    assert len(verify(note, [LOG.verifier, renamed.verifier])) == 1


def test_two_keys_of_one_name_and_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = SigningKey.from_seed(LOG.name, SignatureType.ED25519, b"o" * 32)
    monkeypatch.setattr(notes.VerifierKey, "id", b"same")
    with pytest.raises(NoteError, match="two different keys"):
        verify(parse_note(sign("text\n", [LOG])), [LOG.verifier, other.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        SPEC_KEY + "\n",
        SPEC_KEY.replace("530d903a", "530D903A"),
        SPEC_KEY.replace("530d903a", "530d903b"),
        SPEC_KEY.replace("530d903a", "0530d903a"),
        SPEC_KEY.replace("/foo", "/fob"),
        SPEC_KEY.replace("foo", "f o"),
        SPEC_KEY.replace("U2k", "U2l"),
        SPEC_KEY.replace("U2k", ""),
        "+530d903a+" + SPEC_KEY.rpartition("+")[2],
        "name+00000000+",
        "name+00000000+Ag==",
        "name+12345678+" + base64.b64encode(b"\x06" + b"k" * 32).decode(),
    ],
)
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_verifier_key(text)


def test_a_malformed_signing_key_is_refused_without_being_shown() -> None:
    for text in (GO_KEY, GO_SIGNING_KEY[:-4], GO_SIGNING_KEY.replace("c74f", "c74e"), ""):
        with pytest.raises(NoteError) as caught:
            parse_signing_key(text)
        assert "FALVFGy" not in str(caught.value)
    assert "FALVFGy" not in repr(parse_signing_key(GO_SIGNING_KEY))


def test_keys_are_written_as_they_are_read() -> None:
    for key in (LOG, WITNESS):
        assert parse_verifier_key(str(key.verifier)) == key.verifier
        assert parse_signing_key(key.secret_text()).verifier == key.verifier
    assert str(WITNESS.verifier).startswith(f"witness.example/w+{WITNESS.verifier.id.hex()}+B")


@given(content=st.binary(max_size=40), place=st.integers(0, 60), symbol=st.characters())
def test_base64_has_one_form(content: bytes, place: int, symbol: str) -> None:
    text = base64.b64encode(content).decode()
    assert decode_base64(text) == content
    changed = text[:place] + symbol + text[place + 1 :]
    try:
        decoded = decode_base64(changed)
    except NoteError:
        return
    assert (decoded == content) == (changed == text)


@pytest.mark.parametrize(
    "text", ["", "00", "01", "-1", "+1", " 1", "1 ", "1\n", "\u0661", "1_0", str(2**63)]
)
def test_a_number_has_one_form(text: str) -> None:
    with pytest.raises(NoteError):
        parse_number(text)
    assert parse_number("0") == 0
    assert parse_number(str(2**63 - 1)) == 2**63 - 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n",
        "o\n1\n",
        "o\n1\n" + base64.b64encode(b"r" * 32).decode(),
        "o\n01\n" + base64.b64encode(b"r" * 32).decode() + "\n",
        "o\n1\n" + base64.b64encode(b"r" * 31).decode() + "\n",
        "\n1\n" + base64.b64encode(b"r" * 32).decode() + "\n",
        "o\n1\n" + base64.b64encode(b"r" * 32).decode() + "\n\nextension\n",
        "o\n1\n" + base64.b64encode(b"r" * 32).decode() + "\n\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(text)


@pytest.mark.parametrize("extensions", [(), ("one",), ("one", "two words")])
def test_a_checkpoint_is_written_as_it_is_read(extensions: tuple[str, ...]) -> None:
    checkpoint = Checkpoint("dealstate/4f1c", 0, b"r" * 32, extensions)
    assert parse_checkpoint(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, b"r" * 32, ()),
        ("a\nb", 1, b"r" * 32, ()),
        ("a\tb", 1, b"r" * 32, ()),
        ("a", -1, b"r" * 32, ()),
        ("a", 2**63, b"r" * 32, ()),
        ("a", 1, b"r", ()),
        ("a", 1, b"r" * 32, ("",)),
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_made(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    with pytest.raises(NoteError):
        Checkpoint(origin, size, root, extensions)


def test_a_cosignature_signs_the_time_with_the_text() -> None:
    text = CHECKPOINT.text()
    signature = cosign(text, WITNESS, 1_700_000_000)
    message = f"cosignature/v1\ntime 1700000000\n{text}".encode()
    WITNESS.private.public_key().verify(signature.value[8:], message)
    (verified,) = verify(Note(text, (signature,)), [WITNESS.verifier])
    assert verified.time == 1_700_000_000
    later = dataclasses.replace(signature, value=(1_700_000_001).to_bytes(8) + signature.value[8:])
    for bad in (later, dataclasses.replace(signature, value=signature.value[:7])):
        with pytest.raises(NoteError, match="does not verify"):
            verify(Note(text, (bad,)), [WITNESS.verifier])


def test_a_cosignature_of_an_impossible_time_is_refused() -> None:
    time = 2**63
    message = f"cosignature/v1\ntime {time}\n{CHECKPOINT.text()}".encode()
    value = time.to_bytes(8, "big") + WITNESS.private.sign(message)
    signature = notes.Signature(WITNESS.name, WITNESS.verifier.id, value)
    with pytest.raises(NoteError, match="impossible time"):
        verify(Note(CHECKPOINT.text(), (signature,)), [WITNESS.verifier])
    with pytest.raises(NoteError):
        cosign(CHECKPOINT.text(), WITNESS, time)


def test_a_key_signs_in_the_way_of_its_type_alone() -> None:
    with pytest.raises(NoteError):
        sign("text\n", [WITNESS])
    with pytest.raises(NoteError):
        cosign("text\n", LOG, 1)
    with pytest.raises(NoteError):
        sign("text without an end", [LOG])
    with pytest.raises(NoteError, match="does not end in signature lines"):
        sign("text\n", [])


def test_cosignatures_are_added_once_they_verify() -> None:
    text = CHECKPOINT.text()
    note = parse_note(sign(text, [LOG]))
    first, second = (cosign(text, WITNESS, time) for time in (1, 2))
    unknown = SigningKey.from_seed("other.example", SignatureType.COSIGNATURE, b"o" * 32)
    answer = cosign(text, unknown, 1).line() + first.line()
    cosigned = with_cosignatures(note, answer, [WITNESS.verifier])
    assert cosigned.signatures == (*note.signatures, first)
    renewed = with_cosignatures(cosigned, second.line(), [WITNESS.verifier])
    assert renewed.signatures == (*note.signatures, second)
    for bad in ("", "no line", cosign(text, unknown, 1).line(), first.line().rstrip("\n"),
                cosign(text + "x\n", WITNESS, 1).line()):  # fmt: skip
        with pytest.raises(NoteError):
            with_cosignatures(note, bad, [WITNESS.verifier])
