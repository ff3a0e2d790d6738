"""Where the key-encryption key comes from: one text in the settings, and what it leads to."""

import base64
import types
from pathlib import Path

import pytest

from store.errors import StoreError
from store.keys.errors import KeyEncryptionMissing, WrongKeyEncryption
from store.keys.key_file import create_key_file
from store.keys.sources import EnvironmentSource, FileSource, PluginSource, parse_source
from tests.store.keys.making import ENCRYPTION, given

HERE = "tests.store.keys.test_sources"


def a_service() -> object:
    """A factory, as a plugin has it."""
    return ENCRYPTION


def nothing() -> object:
    """A factory that returns no key encryption."""
    return types.SimpleNamespace(id="x")


NOT_A_FUNCTION = 3


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("file:x.key", FileSource(Path("x.key"))),
        ("file:/a b/x:y.key", FileSource(Path("/a b/x:y.key"))),
        ("env:MY_KEY", EnvironmentSource("MY_KEY")),
        ("plugin:a_b.c:make", PluginSource("a_b.c", "make")),
    ],
)
def test_the_setting_is_read_and_written(text: str, source: object) -> None:
    assert parse_source(text) == source
    assert str(source) == text


@pytest.mark.parametrize(
    "text",
    ["", "file", "file:", "file:a\0b", "env:", "env:A-B", "env:1A", "plugin:", "plugin:a",
     "plugin:a:", "plugin:a:b:c", "plugin:a b:c", "kms:x", "File:x"],
)  # fmt: skip
def test_another_setting_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(StoreError, match="file:PATH, env:NAME or plugin:MODULE:FACTORY"):
        parse_source(text)


def test_a_key_in_place_of_the_setting_is_not_repeated() -> None:
    secret = base64.b64encode(b"k" * 32).decode()
    for text in (secret, f"env:{secret}", f"plugin:{secret}"):
        with pytest.raises(StoreError) as caught:
            parse_source(text)
        assert secret not in str(caught.value)


def test_an_environment_variable_holds_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", base64.b64encode(bytes(range(32))).decode() + "\n")
    assert EnvironmentSource("MY_KEY").load(None).id == ENCRYPTION.id
    assert EnvironmentSource("MY_KEY").load(ENCRYPTION.id).id == ENCRYPTION.id
    with pytest.raises(WrongKeyEncryption):
        EnvironmentSource("MY_KEY").load("0" * 16)


def test_a_missing_variable_says_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(KeyEncryptionMissing, match=r"MY_KEY.*cannot be read"):
        EnvironmentSource("MY_KEY").load(None)


@pytest.mark.parametrize("text", ["", "c2hvcnQ=", "not base64!", "é" * 44, "A" * 43 + "\x80"])
def test_a_variable_without_a_key_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", text)
    with pytest.raises(StoreError, match="variable MY_KEY does not hold a key") as caught:
        EnvironmentSource("MY_KEY").load(None)
    assert not text or text not in str(caught.value)


def test_a_plugin_gives_the_key_encryption() -> None:
    source = parse_source(f"plugin:{HERE}:a_service")
    assert source.load(None) is ENCRYPTION
    with pytest.raises(WrongKeyEncryption):
        source.load("0" * 16)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (f"{HERE}:missing", "cannot be loaded"),
        ("tests.nowhere:f", "cannot be loaded"),
        (f"{HERE}:nothing", "gives no key encryption"),
        (f"{HERE}:NOT_A_FUNCTION", "gives no key encryption"),
    ],
)
def test_a_plugin_that_does_not_fit_is_refused(name: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason):
        parse_source(f"plugin:{name}").load(None)


def test_a_file_is_found_and_checked(tmp_path: Path) -> None:
    made = create_key_file(tmp_path / "x.key")
    source = parse_source(f"file:{tmp_path / 'x.key'}")
    assert source.load(None).id == source.load(made.id).id == made.id
    with pytest.raises(WrongKeyEncryption, match=f"under the key-encryption key {'0' * 16}, and"):
        source.load("0" * 16)


def test_a_given_key_encryption_is_checked() -> None:
    assert given().load(ENCRYPTION.id) is ENCRYPTION
    with pytest.raises(WrongKeyEncryption) as caught:
        given().load("0" * 16)
    assert (caught.value.wanted, caught.value.given) == ("0" * 16, ENCRYPTION.id)
