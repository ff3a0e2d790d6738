"""Where a store lives: its files, and on PostgreSQL its database, from one URL."""

from pathlib import Path
from typing import Self
from urllib.parse import unquote

import msgspec

from store.errors import StoreError
from store.postgres.address import SCHEMES, Database

_EXAMPLE = (
    "Name a file, as in sqlite:///dealstate.db (beside you) or sqlite:////var/lib/deals.db,"
    " or a database, as in postgresql://ann@localhost/deals."
)


class Location(msgspec.Struct, frozen=True):
    """The files of one store: log, keys, and the read models, which can be rebuilt from the log."""

    log: Path
    views: Path
    keys: Path
    """The keys of encrypted fields and of signatures, each wrapped."""
    encryption: str
    """Where the key that wraps them comes from; see `store.keys.sources`."""
    database: Database | None = None
    """Where the log is instead, on PostgreSQL; then there is no file `log`."""

    @classmethod
    def parse(cls, url: str, encryption: str | None = None) -> Self:
        """Read `sqlite:///<path>`: three slashes, then the path, relative or absolute.

        Or read `postgresql://user@host:port/database?home=…&schema=…`: the local
        files then lie in the folder `home`, which is the current one unless named.
        Without `encryption` the key that wraps the others is in a file beside the
        other files. Raises StoreError for anything else.
        """
        scheme, separator, rest = url.partition("://")
        if not separator:
            raise StoreError(f"{url!r} is not the URL of a store", _EXAMPLE)
        if scheme in SCHEMES:
            return cls.around(Database.parse(url), encryption)
        if scheme != "sqlite":
            raise StoreError(f"stores of kind {scheme!r} are not supported", _EXAMPLE)
        if not rest.startswith("/"):
            raise StoreError(f"{url!r} names a host, a store is a file", _EXAMPLE)
        name = unquote(rest[1:])
        if not name or name.endswith("/") or ":memory:" in name or "?" in rest or "\0" in name:
            raise StoreError(f"{url!r} does not name a file", _EXAMPLE)
        return cls.beside(Path(name), encryption)

    @classmethod
    def beside(cls, log: Path, encryption: str | None = None) -> Self:
        """The location whose log is this file; all else lies beside it."""
        stem = log.name.removesuffix(".db") or log.name
        return cls(
            log,
            log.with_name(f"{stem}.views.db"),
            log.with_name(f"{stem}.keys.db"),
            encryption or f"file:{log.with_name(f'{stem}.key')}",
        )

    @classmethod
    def around(cls, database: Database, encryption: str | None = None) -> Self:
        """The location whose log is in this database; all else lies in its home."""
        beside = cls.beside(Path(database.home) / f"{database.stem}.db", encryption)
        return msgspec.structs.replace(beside, database=database)

    @property
    def outbox(self) -> Path:
        """What webhooks are to send; on PostgreSQL it is in the database instead."""
        stem = self.views.name.removesuffix(".views.db")
        return self.views.with_name(f"{stem}.outbox.db")

    def __str__(self) -> str:
        if self.database is not None:
            return str(self.database)
        path = str(self.log).replace("%", "%25").replace("?", "%3F")
        return f"sqlite:///{path}"
