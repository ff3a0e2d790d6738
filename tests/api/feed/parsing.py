"""A strict parser of server-sent events, from the grammar in the HTML standard.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
Stricter than browsers, which take anything: a field that nobody knows is a fault here.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

_FIELD = re.compile(rb"(id|data|event|retry): ([^\r\n]*)")


class Dispatched(msgspec.Struct, frozen=True):
    """What a reader makes of a block of lines."""

    last_id: str
    """From which it resumes."""
    data: Any
    """The event, None where the block hands out none."""


def parsed(lines: Iterable[bytes]) -> Iterator[Dispatched]:
    """The blocks of a stream, each as soon as it is whole. Raises AssertionError."""
    last_id, data = "", list[bytes]()
    for line in lines:
        assert line.endswith(b"\n"), f"cut off: {line!r}"
        assert line.count(b"\n") == 1
        assert b"\r" not in line
        match line[:-1]:
            case b"":
                text = b"\n".join(data)
                yield Dispatched(last_id, json.loads(text) if data else None)
                data = []
            case comment if comment.startswith(b":"):
                comment.decode()
            case field:
                found = _FIELD.fullmatch(field)
                assert found is not None, f"no field: {field!r}"
                name, value = found[1], found[2].decode()
                if name == b"id":
                    assert "\0" not in value
                    last_id = value
                elif name == b"data":
                    data.append(value.encode())
                elif name == b"retry":
                    assert value.isascii()
                    assert value.isdecimal()
    assert not data, "an event that is not ended is thrown away"
