"""The page on proof files: its examples are real ones, and verify."""

import base64
import json
import re

from store.seals.notes import MAX_NOTE_BYTES, MAX_SIGNATURES, parse_verifier_key
from store.seals.proofs import CONSISTENCY_LINE, MAX_PROOF_HASHES, RECEIPT_LINE
from store.seals.verify import ConsistencyFinding, ReceiptFinding, Trust, verify_text
from tests.house.measures import REPOSITORY

PAGE = (REPOSITORY / "docs" / "proofs.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
USAGE, KEYS, RECEIPT, CONSISTENCY = (text for language, text in BLOCKS if not language)
(EVENT,) = (text for language, text in BLOCKS if language == "json")
LOG, WITNESS = (parse_verifier_key(line) for line in KEYS.splitlines())
TRUST = Trust((LOG,), (WITNESS,), 1)


def test_the_receipt_verifies_and_holds_the_event_shown() -> None:
    finding = verify_text(RECEIPT, TRUST)
    assert isinstance(finding, ReceiptFinding)
    assert finding.stored == EVENT.removesuffix("\n").encode()
    assert [one.field for one in finding.disclosed] == ["text"]
    extra = json.loads(base64.b64decode(RECEIPT.split("\n")[1].removeprefix("extra ")))
    assert all(f"`{name}`" in PAGE for name in (*extra, *extra["fields"][0]))


def test_the_consistency_file_verifies() -> None:
    finding = verify_text(CONSISTENCY, TRUST)
    assert isinstance(finding, ConsistencyFinding)
    assert (finding.old.checkpoint.size, finding.new.checkpoint.size) == (2, 3)


def test_the_limits_and_first_lines_are_those_of_the_code() -> None:
    assert f"At most {MAX_NOTE_BYTES:,} bytes and {MAX_SIGNATURES} signatures" in PAGE
    assert PAGE.count(f"0 to {MAX_PROOF_HASHES}") == 2
    assert RECEIPT.startswith(RECEIPT_LINE + "\n")
    assert CONSISTENCY.startswith(CONSISTENCY_LINE + "\n")


def test_the_options_are_those_of_the_command() -> None:
    assert set(re.findall(r"--[\w-]+", USAGE)) == {"--key", "--witness-key", "--witnesses"}
