"""One POST to a receiver: to a pinned address, within one time limit, whatever it answers.

Only the status of an answer counts. Its body is not read, so it may be as long or as slow as
it likes; redirections are not followed. The limit holds for everything together, from the
first packet to the status: a receiver that sends a byte now and then does not stretch it.
Proxies that the environment names are not used.
"""

import io
import socket
import ssl
import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import SplitResult

import msgspec

from api.posting import NotPosted, parse_address
from api.webhooks.addresses import Address, NotSendable, Reach, Resolve, port_of, resolve

SECONDS = 15.0
"""What Standard Webhooks has as the shortest sensible limit, and the usual one."""
LARGEST_BODY_BYTES = 1 << 20

_LONGEST_WAIT_SECONDS = 86_400


class Answered(msgspec.Struct, frozen=True):
    """What became of a POST."""

    status: int | None = None
    """None: there was no answer."""
    error: str | None = None
    """Why it failed, as a code; None: the receiver has taken it."""
    wait_seconds: int = 0
    """How long the receiver asks to be left alone."""

    @property
    def is_taken(self) -> bool:
        return self.error is None


class Sender:
    """Posts bodies. Safe to use from many threads."""

    def __init__(
        self,
        reach: Reach,
        *,
        seconds: float = SECONDS,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = resolve,
    ) -> None:
        """`tls` says which certificates are trusted: those of the system, where it is None."""
        self.reach = reach
        self._seconds = seconds
        self._tls = tls or ssl.create_default_context()
        self._resolve = resolve

    def post(
        self, url: str, body: bytes, headers: dict[str, str], seconds: float | None = None
    ) -> Answered:
        """Post a body, within so many seconds. Whatever goes wrong is part of what it answers."""
        deadline = time.monotonic() + (self._seconds if seconds is None else seconds)
        if len(body) > LARGEST_BODY_BYTES:
            return Answered(error="too-large")
        try:
            parts = parse_address(url)
            addresses = self.reach.addresses(parts, self._resolve)
            path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
            tls = self._tls if parts.scheme == "https" else None
            connection = _Pinned(parts, addresses, deadline, tls)
            try:
                connection.request("POST", path, body, headers)
                return _answered(connection.getresponse())
            finally:
                connection.close()
        except NotSendable as error:
            return Answered(error=error.code)
        except NotPosted:
            return Answered(error="address-unusable")
        except ssl.SSLCertVerificationError:
            return Answered(error="certificate-not-trusted")
        except TimeoutError:
            return Answered(error="timed-out")
        except ssl.SSLError:
            return Answered(error="tls-failed")
        except OSError:
            return Answered(error="not-reached")
        except (HTTPException, ValueError):
            return Answered(error="answer-unusable")


def _answered(response: HTTPResponse) -> Answered:
    status = response.status
    if 200 <= status < 300:
        return Answered(status)
    error = "redirected" if 300 <= status < 400 else "refused"
    return Answered(status, error, _wait(response.getheader("Retry-After", "")))


def _wait(retry_after: str) -> int:
    """Seconds; a date is not looked at, since clocks differ."""
    if not (retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 10):
        return 0
    return min(int(retry_after), _LONGEST_WAIT_SECONDS)


class _Pinned(HTTPConnection):
    """A connection to addresses that were resolved before, all of whose steps end in time."""

    def __init__(
        self,
        parts: SplitResult,
        addresses: Sequence[Address],
        deadline: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        # Before the base class looks at it: a port of its own is left out of `Host`.
        self.default_port = port_of(parts.scheme)
        super().__init__(parts.hostname or "", parts.port)
        self._addresses = addresses
        self._deadline = deadline
        self._tls = tls

    def connect(self) -> None:
        sock = self._connected()
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(_left(self._deadline))
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_hostname=self.host)
        except BaseException:
            sock.close()
            raise
        self.sock: Any = _InTime(sock, self._deadline)

    def _connected(self) -> socket.socket:
        """To the first address that takes the connection."""
        failed: OSError | None = None
        for address in self._addresses:
            try:
                place = (str(address), self.port)
                return socket.create_connection(place, _left(self._deadline))
            except TimeoutError:
                raise
            except OSError as error:
                failed = error
        assert failed is not None, "there is an address"
        raise failed


class _InTime:
    """A socket as `http.client` uses it, none of whose calls goes beyond the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(_left(self._deadline))
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        assert mode == "rb", "a request is sent by sendall"
        return io.BufferedReader(_Incoming(self._sock, self._deadline))

    def close(self) -> None:
        self._sock.close()


class _Incoming(io.RawIOBase):
    """What comes in over a socket, until the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv_into(buffer)


def _left(deadline: float) -> float:
    """How many seconds are left. Raises TimeoutError when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
