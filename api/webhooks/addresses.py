"""Where webhooks may be posted to: the public internet by https, and networks that are named.

Whoever may register a webhook could else have this server ask inside the network that it
stands in (server-side request forgery). So the name is resolved once, every address that it
has must be allowed, and the connection goes to one of these addresses and no other. What is
allowed is looked at each time something is sent, not only when a webhook is registered.
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import SplitResult

import msgspec

from api.posting import NotPosted, parse_address
from domain.refusals import InvalidWebhook

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]

_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
"""What IANA has handed out to be reached from everywhere, less the networks below."""
_SPECIAL: tuple[Network, ...] = (
    IPv4Network("192.88.99.0/24"),  # Relays of 6to4, given up by RFC 7526.
    IPv6Network("2001::/23"),  # Protocols, Teredo among them (RFC 2928).
    IPv6Network("2001:db8::/32"),  # Documentation (RFC 3849).
    IPv6Network("3fff::/20"),  # Documentation (RFC 9637).
)
"""What the tables of `ipaddress` have as global, in one release or another, and is not meant."""
_LOW_32_BITS = 0xFFFFFFFF


class NotSendable(Exception):
    """Nothing may, or can, be sent there. `code` says why, without saying where."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, each once. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


class Reach(msgspec.Struct, frozen=True):
    """What may be posted to: public addresses, and those of these networks."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, networks: Iterable[str]) -> "Reach":
        """Networks in CIDR notation, as 10.1.0.0/16. Raises ValueError."""
        return cls(tuple(ip_network(one) for one in networks))

    def addresses(self, parts: SplitResult, resolve: Resolve = resolve) -> list[Address]:
        """The addresses of a host, if something may be posted to all of them.

        Raises NotSendable.
        """
        host, port = parts.hostname or "", parts.port or port_of(parts.scheme)
        try:
            found = [ip_address(one.partition("%")[0]) for one in resolve(host, port)]
        except (OSError, UnicodeError, ValueError):
            raise NotSendable("host-unknown") from None
        if not found:
            raise NotSendable("host-unknown")
        for address in found:
            self._require(parts.scheme, address)
        return found

    def require_form(self, url: str) -> None:
        """Raise InvalidWebhook where it can be told from an address alone that it is not allowed.

        A name is not looked up.
        """
        try:
            parts = parse_address(url)
            self._require(parts.scheme, ip_address(parts.hostname or ""))
        except NotPosted as error:
            raise InvalidWebhook(str(error), "Give one that begins with https://.") from None
        except ValueError:
            if parts.scheme != "https" and not self._has_loopback:
                raise _not_allowed("address-insecure") from None
        except NotSendable as error:
            raise _not_allowed(error.code) from None

    @property
    def _has_loopback(self) -> bool:
        return any(network.is_loopback for network in self.networks)

    def _require(self, scheme: str, address: Address) -> None:
        meant = _meant(address)
        named = any(one in network for network in self.networks for one in {address, meant})
        if not named and not _is_public(meant):
            raise NotSendable("address-not-public")
        if scheme != "https" and not (named and meant.is_loopback):
            raise NotSendable("address-insecure")


def port_of(scheme: str) -> int:
    """The port of an address that names none."""
    return 443 if scheme == "https" else 80


def _is_public(address: Address) -> bool:
    """Whether it is one of the internet. For IPv6 the networks that are, are listed: tables of
    those that are not end with the release of Python."""
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast


def _meant(address: Address) -> Address:
    """The IPv4 address that one of IPv6 stands for, where it does; else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & _LOW_32_BITS)
    return address


def _not_allowed(code: str) -> InvalidWebhook:
    if code == "address-insecure":
        return InvalidWebhook(
            "webhooks are posted by https", "Give an address that begins with https://."
        )
    return InvalidWebhook(
        "webhooks are not posted to addresses that are not public",
        "Give a public one, or have the network named in DEALSTATE_WEBHOOK_NETWORKS.",
    )
