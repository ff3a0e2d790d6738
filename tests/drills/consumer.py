"""A consumer of the feed that may be killed at any moment:
`python -m tests.drills.consumer FILE stream|pages TOKEN PORT…`.

It keeps what it has processed, a line for each event, in a file; the last whole line says where
to go on. It asks any of the servers, and another one when that does not answer.
"""

import http.client
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

PATIENCE_SECONDS = 20
_PAUSE_SECONDS = 0.05
_STREAM_SECONDS = 1.0


def main(file: str, mode: str, token: str, *ports: str) -> None:
    kept = Path(file)
    after = position_in(kept)
    with kept.open("ab", buffering=0) as lines:
        while True:
            try:
                for position, event_id in READ[mode](int(random.choice(ports)), token, after):
                    lines.write(f"{position} {event_id}\n".encode())
                    after = position
            except (OSError, http.client.HTTPException):
                time.sleep(_PAUSE_SECONDS)


def position_in(kept: Path) -> int:
    """Up to where events were processed. What was cut off while it was written was not."""
    content = kept.read_bytes() if kept.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        os.truncate(kept, len(whole))
    return int(whole.splitlines()[-1].split()[0]) if whole else 0


def stream(port: int, token: str, after: int) -> Iterator[tuple[int, str]]:
    """Of server-sent events, for a while."""
    headers = {"Last-Event-ID": str(after), "Authorization": f"Bearer {token}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.request("GET", "/v1/events/stream", headers=headers)
    response = connection.getresponse()
    if response.status != 200:
        raise OSError(response.read())
    until = time.monotonic() + _STREAM_SECONDS
    position = after
    for line in iter(response.readline, b""):
        if line.startswith(b"id: "):
            position = int(line.removeprefix(b"id: "))
        elif line.startswith(b"data: ") and line.endswith(b"\n"):
            yield position, json.loads(line.removeprefix(b"data: "))["id"]
        if time.monotonic() > until:
            connection.close()
            return


def pages(port: int, token: str, after: int) -> Iterator[tuple[int, str]]:
    """Of a page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    path = f"/v1/events?after={after}&limit=50&wait_seconds=1"
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    response = connection.getresponse()
    if response.status != 200:
        raise OSError(response.read())
    for event in json.loads(response.read()):
        yield int(event["position"]), event["id"]


READ = {"stream": stream, "pages": pages}

if __name__ == "__main__":
    main(*sys.argv[1:])
