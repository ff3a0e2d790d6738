"""Where the key-encryption key comes from, named by one text in the settings.

- `file:PATH`: a key file, see `key_file.py`;
- `env:NAME`: 32 bytes in base64 in an environment variable;
- `plugin:MODULE:FACTORY`: a function without parameters that returns a
  `KeyEncryption`, for a key management service.
"""

import importlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from store.errors import StoreError
from store.keys.errors import KeyEncryptionMissing, WrongKeyEncryption
from store.keys.key_file import find_in_files, key_of
from store.keys.wrapping import AesKeyEncryption, KeyEncryption

_FORMS = "Name it as file:PATH, env:NAME or plugin:MODULE:FACTORY; none reads what is public."
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FACTORY = re.compile(r"(\w+(?:\.\w+)*):(\w+)")


class EncryptionSource(Protocol):
    """Gives the key-encryption key, also when another process has replaced it meanwhile."""

    def load(self, wanted: str | None) -> KeyEncryption:
        """The key-encryption key of that id, or the one there is.

        Raises WrongKeyEncryption, KeyEncryptionMissing, StoreError.
        """


class GivenEncryption(msgspec.Struct, frozen=True):
    """A key-encryption key that the caller has in hand."""

    encryption: KeyEncryption

    def load(self, wanted: str | None) -> KeyEncryption:
        return _checked(self.encryption, wanted)


class FileSource(msgspec.Struct, frozen=True):
    """A key file. Finds the key also where a rotation was cut short."""

    path: Path

    def load(self, wanted: str | None) -> KeyEncryption:
        return find_in_files(self.path.resolve(), wanted)

    def __str__(self) -> str:
        return f"file:{self.path}"


class EnvironmentSource(msgspec.Struct, frozen=True):
    """An environment variable."""

    name: str

    def load(self, wanted: str | None) -> KeyEncryption:
        return _checked(self._read(os.environ), wanted)

    def _read(self, environment: Mapping[str, str]) -> KeyEncryption:
        text = environment.get(self.name)
        if text is None:
            raise KeyEncryptionMissing(
                f"there is no environment variable {self.name}",
                "Set it to the key-encryption key; without it the personal and secret fields"
                " cannot be read.",
            )
        return AesKeyEncryption(key_of(text, f"the environment variable {self.name}"))

    def __str__(self) -> str:
        return f"env:{self.name}"


class PluginSource(msgspec.Struct, frozen=True):
    """A function of an installed package."""

    module: str
    factory: str

    def load(self, wanted: str | None) -> KeyEncryption:
        try:
            factory = getattr(importlib.import_module(self.module), self.factory)
        except (ImportError, AttributeError) as error:
            raise KeyEncryptionMissing(
                f"{self} cannot be loaded: {error}", "Install the package, or correct the name."
            ) from error
        encryption = factory() if callable(factory) else None
        if not isinstance(encryption, KeyEncryption):
            raise StoreError(
                f"{self} gives no key encryption",
                "Name a function that returns an object with id, wrap and unwrap.",
            )
        return _checked(encryption, wanted)

    def __str__(self) -> str:
        return f"plugin:{self.module}:{self.factory}"


def parse_source(text: str) -> FileSource | EnvironmentSource | PluginSource:
    """Read the setting. Raises StoreError, which does not repeat what may be a key."""
    kind, _, rest = text.partition(":")
    match kind:
        case "file" if rest and "\0" not in rest:
            return FileSource(Path(rest))
        case "env" if _VARIABLE.fullmatch(rest):
            return EnvironmentSource(rest)
        case "plugin" if found := _FACTORY.fullmatch(rest):
            return PluginSource(found[1], found[2])
        case "file" | "env" | "plugin":
            raise StoreError(
                f"the setting of the key-encryption key after {kind}: is wrong", _FORMS
            )
        case _:
            raise StoreError("the setting of the key-encryption key is of no known kind", _FORMS)


def _checked(encryption: KeyEncryption, wanted: str | None) -> KeyEncryption:
    if wanted not in {None, encryption.id}:
        raise WrongKeyEncryption(str(wanted), encryption.id)
    return encryption
