"""An identity provider for tests: a server on this machine with keys that can change."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

AUDIENCE = "dealstate-test"

RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"})
OTHER_RSA = RSAKey.generate_key(2048, {"kid": "rsa-2"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed-1"})


class FakeIssuer:
    """What it publishes may be changed while it runs."""

    def __init__(self) -> None:
        self.keys: list[Any] = [key.as_dict(private=False) for key in (RSA, EC, ED)]
        self.answers = True
        self.asked = 0
        self.says: dict[str, Any] = {}
        self.address = ""

    def document(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.address, "jwks_uri": f"{self.address}/keys", **self.says}
        return {"keys": self.keys} if path == "/keys" else None

    def claims(self, now: float, **changes: Any) -> dict[str, Any]:
        usual = {"iss": self.address, "aud": AUDIENCE, "sub": "ann", "iat": int(now)}
        told = usual | {"exp": int(now) + 300} | changes
        return {name: value for name, value in told.items() if value is not None}


def signed(
    claims: Any, key: Key = RSA, alg: str = "RS256", header: dict[str, Any] | None = None
) -> str:
    """A token with these claims. Nothing is checked, so that anything can be signed."""
    told = {"alg": alg, "kid": key.kid, "typ": "JWT", **(header or {})}
    told = {name: value for name, value in told.items() if value is not None}
    content = claims if isinstance(claims, str) else json.dumps(claims)
    registry = _Anything(algorithms=[alg], strict_check_header=False)
    return jws.serialize_compact(told, content, key, registry=registry)


class _Anything(jws.JWSRegistry):
    """Signs without words on algorithms that are out of fashion."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]

    def check_header(self, header: Any) -> None:
        del header


@contextmanager
def serving_keys() -> Iterator[FakeIssuer]:
    issuer = FakeIssuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            found = issuer.document(self.path) if issuer.answers else None
            content = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(503 if found is None else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # It looks that often whether it is to end: half a second a test is long.
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        issuer.address = f"http://127.0.0.1:{server.server_port}"
        yield issuer
        server.shutdown()
        thread.join()
