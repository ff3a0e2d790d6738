"""No key in what is printed: not in a repr, not in an error, not in the file."""

import base64
import logging
import traceback
from pathlib import Path

import pytest

from store.errors import StoreError
from store.keys.ring import KeyRing
from store.keys.wrapping import Wrapping
from tests.store.keys.making import ENCRYPTION, OTHER, ask, bytes_of_all_files, given, reopen, sign


def forms(key: bytes) -> set[str]:
    return {key.hex(), base64.b64encode(key).decode(), repr(key), repr(key)[2:-1], str(list(key))}


def test_no_repr_shows_a_key(ring: KeyRing, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = [*ring.ensure(["person:a"]).values(), bytes(range(32))]
    ring.add_signing_key("s")
    secrets += [ring._vault._erasure_key, ring._vault._fingerprint_key]
    shown = " ".join(
        repr(each)
        for each in (
            ring,
            ring._vault,
            ring._vault.wrapping,
            ENCRYPTION,
            given(),
            Wrapping("s", ENCRYPTION),
            ring.describe(),
            sign(ring, "m"),
            ring._vault.signer,
        )
    )
    for key in secrets:
        assert not any(form in shown + caplog.text for form in forms(key))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE keys SET wrapped = zeroblob(60)",
        "UPDATE store_keys SET wrapped = zeroblob(60)",
        "UPDATE keys SET wrapped = substr(wrapped, 1, 40)",
        "DROP TABLE erased",
    ],
)
def test_no_error_shows_a_key(ring: KeyRing, path: Path, damage: str) -> None:
    key = ring.ensure(["person:a"])["person:a"]
    wrapped = ask(path, "SELECT wrapped FROM keys")[0][0]
    ask(path, damage)
    with pytest.raises(StoreError) as caught, reopen(path) as again:
        again.find(["person:a"])
    told = "".join(traceback.format_exception(caught.value))
    for each in (key, wrapped, bytes(range(32))):
        assert not any(form in told for form in forms(each))


def test_no_plain_key_reaches_the_file(ring: KeyRing, path: Path) -> None:
    plain = [*ring.ensure([f"person:{number}" for number in range(50)]).values()]
    plain += [ring._vault._erasure_key, ring._vault._fingerprint_key, bytes(range(32))]
    ring.copy_to(path.with_name("copy.db"))
    ring.rotate(OTHER)
    content = bytes_of_all_files(path.parent)
    assert not any(key in content for key in plain)
