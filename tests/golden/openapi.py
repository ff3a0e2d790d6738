"""The OpenAPI document as it was released; renewed by `python -m tests.golden.openapi`.

A change here is a change of the public interface: say so in the changelog.
"""

import json
from pathlib import Path
from typing import Any

from api.app import create_app
from api.settings import Settings

GOLDEN = Path(__file__).parent / "openapi.json"


def document() -> dict[str, Any]:
    """What the service says of itself. No store is opened for it."""
    return create_app(Settings(db="sqlite:///none.db")).openapi()


def rendered() -> str:
    """The document as it stands in the file; the release changes without it."""
    found = document()
    found["info"] = {**found["info"], "version": "…"}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    GOLDEN.write_text(rendered(), encoding="utf-8")
