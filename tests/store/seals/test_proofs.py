"""Proof files are read as they are written, and in no other form."""

import base64
import json
import re

import pytest

from store.seals import proofs, tiles
from store.seals.merkle import ProofError
from store.seals.proofs import (
    Consistency,
    Disclosure,
    Receipt,
    SignedCheckpoint,
    parse_add_checkpoint,
    parse_file,
    write_add_checkpoint,
    write_consistency,
    write_receipt,
)
from tests.store.seals.made import (
    DISCLOSURE,
    EVENTS,
    LOG,
    WITNESS_A,
    checkpoint_note,
    consistency,
    receipt,
)


def test_a_receipt_is_a_tlog_proof() -> None:
    text = receipt(4, 300, [DISCLOSURE])
    first, extra, index, *rest = text.split("\n")
    assert (first, index) == ("c2sp.org/tlog-proof@v1", "index 4")
    assert json.loads(base64.b64decode(extra.removeprefix("extra "))) == {
        "event": base64.b64encode(EVENTS[4]).decode(),
        "fields": [
            {
                "field": "text",
                "salt": base64.b64encode(DISCLOSURE.salt).decode(),
                "value": DISCLOSURE.value,
            }
        ],
    }
    blank = rest.index("")
    assert [base64.b64decode(line) for line in rest[:blank]] == tiles.inclusion_proof(LOG, 4, 300)
    assert "\n".join(rest[blank + 1 :]) == checkpoint_note(LOG, 300)


def test_a_receipt_is_read_as_it_is_written() -> None:
    found = parse_file(receipt(4, 300, [DISCLOSURE]))
    assert isinstance(found, Receipt)
    assert (found.event, found.index, found.disclosures) == (EVENTS[4], 4, (DISCLOSURE,))
    assert list(found.hashes) == tiles.inclusion_proof(LOG, 4, 300)
    assert str(found.signed.note) == checkpoint_note(LOG, 300)
    alone = parse_file(receipt())
    assert isinstance(alone, Receipt)
    assert alone.disclosures == ()


def test_a_consistency_file_holds_an_add_checkpoint_request_and_the_old_checkpoint() -> None:
    hashes = tiles.consistency_proof(LOG, 100, 300)
    new, old = checkpoint_note(LOG, 300, witnesses=[WITNESS_A]), checkpoint_note(LOG, 100)
    text = write_consistency(hashes, new, old)
    request = write_add_checkpoint(100, hashes, new)
    assert text == f"dealstate/consistency@v1\n{request}\n{old}"
    found = parse_file(text)
    assert isinstance(found, Consistency)
    assert (list(found.hashes), str(found.new.note), str(found.old.note)) == (hashes, new, old)
    assert parse_add_checkpoint(request) == (100, tuple(hashes), found.new)


def test_anything_else_is_a_bare_checkpoint() -> None:
    found = parse_file(checkpoint_note(LOG, 300))
    assert isinstance(found, SignedCheckpoint)
    assert found.checkpoint.size == 300
    with pytest.raises(ProofError):
        parse_file("c2sp.org/tlog-proof@v2\n" + receipt().partition("\n")[2])


def with_extra(content: bytes) -> str:
    encoded = base64.b64encode(content).decode()
    return re.sub("^extra .*$", f"extra {encoded}", receipt(), flags=re.MULTILINE)


EVENT = base64.b64encode(EVENTS[4]).decode()
SALT = base64.b64encode(b"s" * 32).decode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        b'{"event":5}',
        b'{"event":null}',
        b'{"event":["AAAA"]}',
        b'{"event":"A"}',
        f'{{"event": "{EVENT}"}}'.encode(),
        f'{{"event":"{EVENT}","more":1}}'.encode(),
        f'{{"event":"{EVENT}","event":"{EVENT}"}}'.encode(),
        f'{{"event":"{EVENT}"}}\n'.encode(),
        f'{{"\\u0065vent":"{EVENT}"}}'.encode(),
        f'{{"event":"{EVENT}","fields":[]}}'.encode(),
        f'{{"event":"{EVENT}","fields":null}}'.encode(),
        f'{{"event":"{EVENT}","fields":{{}}}}'.encode(),
        f'{{"event":"{EVENT}","fields":[{{}}]}}'.encode(),
        f'{{"event":"{EVENT}","fields":[1]}}'.encode(),
        f'{{"event":"{EVENT}","fields":[{{"field":"f","salt":"AAAA","value":"1"}}]}}'.encode(),
        f'{{"event":"{EVENT}","fields":[{{"field":1,"salt":"{SALT}","value":"1"}}]}}'.encode(),
        f'{{"event":"{EVENT}","fields":[{{"field":"f","salt":"{SALT}","value":1}}]}}'.encode(),
        f'{{"event":"{EVENT}","fields":[{{"salt":"{SALT}","field":"f","value":"1"}}]}}'.encode(),
        f'{{"event":"{EVENT}","fields":[{{"field":"f","salt":"{SALT}","value":"\\ud800"}}]}}'.encode(),
        b"[" * 100_000,
    ],
)
def test_an_extra_line_of_another_form_is_refused(content: bytes) -> None:
    with pytest.raises(ProofError):
        parse_file(with_extra(content))


def test_the_extra_line_itself_is_let_through() -> None:
    """Without this, the test above could pass for the wrong reason."""
    disclosure = f'{{"field":"é","salt":"{SALT}","value":"1"}}'
    for content in (f'{{"event":"{EVENT}"}}', f'{{"event":"{EVENT}","fields":[{disclosure}]}}'):
        parse_file(with_extra(content.encode()))


@pytest.mark.parametrize(
    "text",
    [
        receipt().replace("index 4", "index 04"),
        receipt().replace("index 4", "index  4"),
        receipt().replace("index 4", "index -4"),
        receipt().replace("index 4\n", ""),
        receipt().replace("extra ", "extra  "),
        receipt().replace("extra ", "Extra "),
        re.sub("^extra .*\n", "", receipt(), flags=re.MULTILINE),
        receipt().replace("index 4\n", "index 4\n\n"),
        receipt().replace("index 4\n", "index 4\nAAAA\n"),
        receipt().replace("index 4\n", "index 4\n" + 60 * f"{SALT}\n"),
        receipt() + "\n",
        receipt() + "more\n",
        receipt()[:-1],
        receipt() + receipt(),
        receipt().partition("\n\n")[0],
        receipt().replace("\n", "\r\n"),
        "\ufeff" + receipt(),
        consistency().replace("old 100", "old 99"),
        consistency().replace("old 100", "old 0100"),
        consistency().replace("old 100", "new 100"),
        consistency() + "\n",
        consistency()[:-1],
        consistency().replace("\n\n", "\n\n\n", 1),
        consistency() + "\n" + checkpoint_note(LOG, 1),
        consistency().rpartition("\n\n")[0] + "\n",
        "",
        "\n",
        "dealstate/consistency@v1",
        "c2sp.org/tlog-proof@v1",
    ],
)
def test_a_file_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ProofError):
        parse_file(text)


def test_a_file_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = receipt()
    monkeypatch.setattr(proofs, "MAX_FILE_CHARACTERS", len(text))
    parse_file(text)
    monkeypatch.setattr(proofs, "MAX_FILE_CHARACTERS", len(text) - 1)
    with pytest.raises(ProofError, match="longer than"):
        parse_file(text)


def test_a_file_that_could_not_be_read_back_is_not_written() -> None:
    note = checkpoint_note(LOG, 300)
    with pytest.raises(ProofError):
        write_receipt(b"", -1, [], note)
    with pytest.raises(ProofError):
        write_receipt(b"", 1, [b"short"], note)
    with pytest.raises(ProofError):
        write_receipt(b"", 1, [], "no note")
    with pytest.raises(ProofError):
        write_receipt(b"", 1, [], note, [Disclosure("f", b"short", "1")])
    with pytest.raises(ProofError):
        write_consistency([b"short"], note, note)
