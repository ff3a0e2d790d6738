"""Where the golden events are: a file for every stored type and schema version ever released.

Each line holds the canonical bytes of one event. Lines are added, never changed
or removed: released logs hold bytes like these for ever.
"""

from pathlib import Path

EVENTS = Path(__file__).parent / "events"


def golden_file(topic: str) -> Path:
    """The file of one topic, `<stored name>@<schema>`."""
    return EVENTS / f"{topic}.jsonl"


def golden_topics() -> list[str]:
    """The topics that have a file."""
    return sorted(path.name.removesuffix(".jsonl") for path in EVENTS.glob("*.jsonl"))


def golden_lines(topic: str) -> list[bytes]:
    """The events of a file, byte for byte; none where there is no file."""
    path = golden_file(topic)
    return path.read_bytes().splitlines() if path.exists() else []
