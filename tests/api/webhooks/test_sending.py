"""One POST: where it may go, how long it may take, and what of an answer counts."""

import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.webhooks.addresses import Reach
from api.webhooks.sending import LARGEST_BODY_BYTES, Answered, Sender
from domain.refusals import InvalidWebhook
from tests.api.webhooks.receiving import Receiver, raw_receiver
from tests.api.webhooks.selling import LOCAL

NOWHERE = Reach()
SECONDS = 0.4


def sent(url: str, reach: Reach = LOCAL, resolved: list[str] | None = None) -> Answered:
    """What becomes of an empty POST."""
    if resolved is None:
        sender = Sender(reach, seconds=SECONDS)
    else:
        sender = Sender(reach, seconds=SECONDS, resolve=lambda *_: resolved)
    return sender.post(url, b"{}", {"Content-Type": "application/json"})


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.8",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "2002:a00:1::",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        "2001:0:4136:e378:8000:63bf:a27b:eb2e",
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b:1::7f00:1",
        "64:ff9b::c058:6301",
        "2002:c058:6301::",
        "fec0::1",
        "5f00::1",
        "100::1",
        "192.88.99.1",
        "::ffff:192.88.99.1",
        "2001:20::1",
        "2001:db8::1",
        "3fff::1",
    ],
)
def test_nothing_is_posted_into_networks_that_are_not_public(address: str) -> None:
    found = sent("https://hooks.example.com/", NOWHERE, [address])
    assert found == Answered(error="address-not-public")


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "::ffff:93.184.216.34",
        "64:ff9b::5db8:d822",
        "2002:5db8:d822::1",
        "2001:4860:4860::8888",
        "2606:2800:21f::1",
        "2a00:1450::1",
    ],
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert NOWHERE.addresses(urlsplit("https://hooks.example.com/"), lambda *_: [address])


def test_one_address_that_is_not_public_is_enough() -> None:
    """A name that has both could else be asked until the other one comes."""
    found = sent("https://hooks.example.com/", NOWHERE, ["93.184.216.34", "127.0.0.1"])
    assert found == Answered(error="address-not-public")


@pytest.mark.parametrize("url", ["http://hooks.example.com/", "http://93.184.216.34/"])
def test_nothing_is_posted_by_http_but_to_loopback(url: str) -> None:
    assert sent(url, LOCAL, ["93.184.216.34"]) == Answered(error="address-insecure")
    inside = Reach.of(["10.0.0.0/8"])
    assert sent(url, inside, ["10.0.0.8"]) == Answered(error="address-insecure")


def test_the_address_that_was_looked_at_is_the_one_that_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server that answers otherwise the second time is not asked twice."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    real = socket.getaddrinfo

    def numeric_only(host: str, *rest: object, **more: object) -> object:
        assert host == "127.0.0.1", "a name is not resolved again"
        return real(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", numeric_only)
    url = f"http://rebinding.example.com:{receiver.port}/"
    sender = Sender(LOCAL, seconds=SECONDS, resolve=resolve)
    assert sender.post(url, b"{}", {}) == Answered(200)
    assert asked == ["rebinding.example.com"]
    assert receiver.got[0].headers["host"] == f"rebinding.example.com:{receiver.port}"


def test_what_can_be_told_from_the_address_alone_is_refused_at_once() -> None:
    for url in (
        "https://127.0.0.1/",
        "https://[::1]/",
        "http://example.com/",
        "https://u:p@x.com/",
    ):
        with pytest.raises(InvalidWebhook):
            NOWHERE.require_form(url)
    NOWHERE.require_form("https://example.com/hooks")
    LOCAL.require_form("http://127.0.0.1:8080/")
    LOCAL.require_form("http://localhost:8080/")


def test_a_name_that_nobody_knows() -> None:
    def unknown(*_: object) -> list[str]:
        raise socket.gaierror

    sender = Sender(LOCAL, resolve=unknown)
    assert sender.post("https://nowhere.example/", b"", {}) == Answered(error="host-unknown")


def test_the_second_address_is_tried_where_the_first_does_not_answer(receiver: Receiver) -> None:
    url = f"http://two.example.com:{receiver.port}/"
    assert sent(url, LOCAL, ["127.0.0.2", "127.0.0.1"]).status == 200


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((taken, None) for taken in (200, 204, 299)),
        *((moved, "redirected") for moved in (301, 307)),
        *((refused, "refused") for refused in (400, 410, 500)),
    ],
)
def test_only_the_status_counts(receiver: Receiver, status: int, error: str | None) -> None:
    receiver.answer = lambda _: (status, {"Location": receiver.url})
    assert sent(receiver.url) == Answered(status, error)
    assert len(receiver.got) == 1, "a redirection is not followed"


def _silent(_: socket.socket) -> None:
    time.sleep(SECONDS * 2)


def _dripping(connection: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100:
        connection.sendall(bytes([byte]))
        time.sleep(SECONDS / 10)


def _going_on(connection: socket.socket) -> None:
    for _ in range(100):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(SECONDS / 10)


@pytest.mark.parametrize("say", [_silent, _dripping, _going_on])
def test_a_receiver_that_takes_too_long(say: Callable[[socket.socket], None]) -> None:
    with raw_receiver(say) as url:
        began = time.monotonic()
        assert sent(url) == Answered(error="timed-out")
        assert SECONDS * 0.9 < time.monotonic() - began < SECONDS * 3


def _huge(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    for _ in range(10_000):
        connection.sendall(bytes(65_536))


def _endless_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-More: x\r\n" * 10_000)


def _one_long_line(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 " + b"x" * 1_000_000)


def test_the_body_of_an_answer_is_not_read() -> None:
    with raw_receiver(_huge) as url:
        began = time.monotonic()
        assert sent(url) == Answered(200)
        assert time.monotonic() - began < SECONDS


@pytest.mark.parametrize(
    "say", [_endless_headers, _one_long_line, lambda it: it.sendall(b"\xff\x00 hello\r\n\r\n")]
)
def test_an_answer_that_is_none(say: Callable[[socket.socket], None]) -> None:
    with raw_receiver(say) as url:
        assert sent(url) == Answered(error="answer-unusable")


def test_a_receiver_that_hangs_up() -> None:
    with raw_receiver(lambda it: it.close()) as url:
        assert sent(url).error in {"not-reached", "answer-unusable"}


def test_a_body_that_is_too_large_is_not_sent(receiver: Receiver) -> None:
    body = bytes(LARGEST_BODY_BYTES + 1)
    assert Sender(LOCAL).post(receiver.url, body, {}) == Answered(error="too-large")
    assert receiver.got == []


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [("60", 60), ("999999", 86_400), ("-1", 0), ("soon", 0), ("٣", 0), ("9" * 400, 0)],
)
def test_how_long_a_receiver_asks_to_be_left_alone(asked: str, seconds: int) -> None:
    def say(connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 429 No\r\nRetry-After: {asked}\r\n\r\n".encode())

    with raw_receiver(say) as url:
        assert sent(url) == Answered(429, "refused", seconds)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """For hooks.example.com, signed by itself; with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example.com")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("hooks.example.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_tls_is_spoken_with_whoever_has_a_certificate_of_that_name(certificate: Path) -> None:
    receiver = Receiver()
    receiver.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    receiver.tls.load_cert_chain(certificate)
    receiver.start()
    trusting = ssl.create_default_context(cafile=str(certificate))

    def post(host: str, tls: ssl.SSLContext | None) -> Answered:
        sender = Sender(LOCAL, seconds=5, tls=tls, resolve=lambda *_: ["127.0.0.1"])
        return sender.post(f"https://{host}:{receiver.port}/", b"{}", {})

    try:
        assert post("hooks.example.com", trusting) == Answered(200)
        assert post("other.example.com", trusting) == Answered(error="certificate-not-trusted")
        assert post("hooks.example.com", None) == Answered(error="certificate-not-trusted")
    finally:
        receiver.stop()
    assert len(receiver.got) == 1


def test_a_receiver_that_does_not_shake_hands() -> None:
    with raw_receiver(_silent) as url:
        assert sent(url.replace("http:", "https:")) == Answered(error="timed-out")
