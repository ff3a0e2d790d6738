"""What a request sends to say who asks: `Authorization: Bearer TOKEN` (RFC 6750).

A token in the address is not looked at: addresses are logged, and kept by browsers.
"""

import re
from collections.abc import Sequence

LONGEST = 8_192
"""Characters of the header."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)


class UnusableHeader(ValueError):
    """The header cannot be read as credentials of any kind."""


def token_of(headers: Sequence[str]) -> str | None:
    """The token among all headers `Authorization`; None where there is none, or another scheme.

    Raises UnusableHeader.
    """
    if not headers:
        return None
    if len(headers) > 1:
        raise UnusableHeader("Authorization: it is given more than once")
    (header,) = headers
    if len(header) > LONGEST:
        raise UnusableHeader(f"Authorization: it is longer than {LONGEST:,} characters")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    if not _TOKEN.fullmatch(token.strip(" ")):
        raise UnusableHeader("Authorization: it is not of the form Bearer TOKEN")
    return token.strip(" ")
