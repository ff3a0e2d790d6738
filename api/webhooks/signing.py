"""Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body."""

import hmac
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

PREFIX = "whsec_"


def token(secret: bytes) -> str:
    """A signing secret as receivers take it: `whsec_` and base64."""
    return PREFIX + b64encode(secret).decode()


def signature(secret: bytes, message: str, seconds: int, body: bytes) -> str:
    """`v1,` and the HMAC of `message.seconds.body` in base64."""
    signed = b"%s.%d.%s" % (message.encode(), seconds, body)
    return "v1," + b64encode(hmac.digest(secret, signed, sha256)).decode()


def headers_for(
    secrets: Iterable[bytes], message: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The headers that name, date and sign a message: one signature for each secret."""
    seconds = int(at.timestamp())
    signatures = (signature(secret, message, seconds, body) for secret in secrets)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signatures),
    }
