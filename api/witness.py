"""A witness over HTTP: `POST /add-checkpoint`, after C2SP tlog-witness.

What it may answer is decided by `store.seals.witness`; here are only the limits
of a request, and what a fault of the witness itself looks like from outside.
"""

import logging

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from store.seals.witness import MAX_REQUEST_BYTES, Witness, WitnessError

_log = logging.getLogger("dealstate.witness")
_TEXT = "text/plain; charset=utf-8"


def create_witness(witness: Witness) -> FastAPI:
    """The service of one witness."""
    app = FastAPI(title="witness", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/add-checkpoint")
    async def add_checkpoint(request: Request) -> Response:
        body = await _limited(request)
        if body is None:
            return Response("the request is too long\n", 413, media_type=_TEXT)
        try:
            answer = await run_in_threadpool(witness.add_checkpoint, body)
        except (WitnessError, OSError) as error:
            _log.error("nothing was cosigned: %s", error)
            return Response("the witness cannot work at the moment\n", 500, media_type=_TEXT)
        # Given as a header, the type is sent as it is.
        headers = {"content-type": answer.media_type}
        return Response(answer.body, answer.status, headers=headers)

    return app


async def _limited(request: Request) -> bytes | None:
    """The body, None where it is longer than a request can be."""
    parts: list[bytes] = []
    size_bytes = 0
    async for part in request.stream():
        size_bytes += len(part)
        if size_bytes > MAX_REQUEST_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
