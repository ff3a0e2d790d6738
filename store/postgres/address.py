"""Where a log on PostgreSQL is: one database, one schema, from one URL."""

from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import msgspec

from store.errors import StoreError

SCHEMES = ("postgresql", "postgres")
DEFAULT_SCHEMA = "dealstate"

_EXAMPLE = "Name one, as in postgresql://ann@localhost:5432/deals."
_LONGEST_NAME_BYTES = 63
"""Of a database or schema; PostgreSQL cuts off the rest (NAMEDATALEN)."""


class Database(msgspec.Struct, frozen=True):
    """A schema in a database on a server. Written out without its password."""

    name: str
    user: str = ""
    password: str = ""
    host: str = ""
    port: str = ""
    schema: str = DEFAULT_SCHEMA
    options: tuple[tuple[str, str], ...] = ()
    """Further parameters for libpq, such as sslmode."""
    home: str = ""
    """Folder of the local files of the store; the current one unless named."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `postgresql://user:password@host:port/database?schema=…&home=…`.

        All but the database may be left out; user, password, host and port then
        come from the variables of libpq (PGHOST, PGPASSWORD, …) or its files.
        Further parameters go to libpq as they are. Raises StoreError, which never
        shows the password.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
            asked = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
        except ValueError:
            raise StoreError("this is not the URL of a database", _EXAMPLE) from None
        fields = {
            "name": unquote(parts.path.removeprefix("/")),
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "host": unquote(parts.hostname or ""),
            "port": str(port or ""),
            "schema": DEFAULT_SCHEMA,
            "home": "",
        }
        named = {key: asked.pop(key) for key in fields if key in asked and key != "name"}
        database = cls(**(fields | named), options=tuple(sorted(asked.items())))
        database._check()
        return database

    def _check(self) -> None:
        for what, name in (("database", self.name), ("schema", self.schema)):
            unfit = not name or "/" in name or not name.isprintable() or name.startswith(".")
            if unfit or len(name.encode()) > _LONGEST_NAME_BYTES:
                raise StoreError(f"{self} does not name a {what}", _EXAMPLE)

    @property
    def stem(self) -> str:
        """What the local files of the store are called."""
        return self.name if self.schema == DEFAULT_SCHEMA else f"{self.name}.{self.schema}"

    def __str__(self) -> str:
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        aside = "/" in self.host or "," in self.host
        place = "" if aside else quote(self.host, safe=":")
        place = f"[{place}]" if ":" in place else place
        port = f":{self.port}" if self.port else ""
        asked = {
            **({"host": self.host} if aside else {}),
            **({} if self.schema == DEFAULT_SCHEMA else {"schema": self.schema}),
            **({"home": self.home} if self.home else {}),
            **{key: value for key, value in self.options if "password" not in key},
        }
        query = f"?{urlencode(asked, quote_via=quote)}" if asked else ""
        return f"postgresql://{user}{place}{port}/{quote(self.name, safe='')}{query}"

    def __repr__(self) -> str:
        return f"Database({str(self)!r})"
