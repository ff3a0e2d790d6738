"""Where a store lives: its files, from one URL."""

from pathlib import Path
from typing import Self
from urllib.parse import unquote

import msgspec

from store.errors import StoreError

_EXAMPLE = "Name a file, as in sqlite:///dealstate.db (beside you) or sqlite:////var/lib/deals.db."


class Location(msgspec.Struct, frozen=True):
    """The files of one store: the log, and the read models that can be rebuilt from it."""

    log: Path
    views: Path

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `sqlite:///<path>`: three slashes, then the path, relative or absolute.

        Raises StoreError for anything else.
        """
        scheme, separator, rest = url.partition("://")
        if not separator:
            raise StoreError(f"{url!r} is not the URL of a store", _EXAMPLE)
        if scheme != "sqlite":
            raise StoreError(f"stores of kind {scheme!r} are not supported", _EXAMPLE)
        if not rest.startswith("/"):
            raise StoreError(f"{url!r} names a host, a store is a file", _EXAMPLE)
        name = unquote(rest[1:])
        if not name or name.endswith("/") or ":memory:" in name or "?" in rest or "\0" in name:
            raise StoreError(f"{url!r} does not name a file", _EXAMPLE)
        return cls.beside(Path(name))

    @classmethod
    def beside(cls, log: Path) -> Self:
        """The location whose log is this file; the views lie beside it."""
        stem = log.name.removesuffix(".db") or log.name
        return cls(log, log.with_name(f"{stem}.views.db"))

    def __str__(self) -> str:
        path = str(self.log).replace("%", "%25").replace("?", "%3F")
        return f"sqlite:///{path}"
