"""The receiver of the documentation, run as it stands there."""

import re
import threading
import time
from http.server import HTTPServer
from pathlib import Path
from typing import Any

from api.webhooks.sending import Sender
from api.webhooks.signing import headers_for, token
from tests.api.webhooks.selling import LOCAL, STARTED_AT

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"
SECRET = bytes(range(32))


def _written() -> dict[str, Any]:
    """What the Python of the page defines."""
    code = "\n".join(
        re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    )
    names: dict[str, Any] = {"__name__": "documented"}
    exec(code, names)
    return names


def test_the_receiver_takes_what_is_genuine_and_nothing_else(capsys: Any) -> None:
    names = _written()
    names["SECRET"] = token(SECRET)
    now = STARTED_AT.fromtimestamp(time.time(), tz=STARTED_AT.tzinfo)
    body = b'{"id": "deal:d-1@2"}'
    genuine = headers_for([bytes(32), SECRET], "m-1", now, body)
    old = headers_for([SECRET], "m-2", STARTED_AT, body)
    forged = headers_for([bytes(32)], "m-3", now, body)
    with HTTPServer(("127.0.0.1", 0), names["Receiver"]) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        send = Sender(LOCAL).post
        statuses = [send(url, body, sent).status for sent in (genuine, genuine, old, forged)]
        changed = send(url, body + b" ", genuine).status
        server.shutdown()
    assert (statuses, changed) == ([204, 204, 401, 401], 401)
    assert names["seen"] == {"m-1"}
    assert capsys.readouterr().out.count("deal:d-1@2") == 1
