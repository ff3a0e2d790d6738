"""Adds the golden events that are missing: `python -m tests.golden.write`.

What is there stays as it is. A line that no longer loads, or no longer gives the
same bytes, means that the code broke the stored contract; the line is right.
"""

from domain.history import Fact, stored_name
from store.events.codec import REGISTERED
from tests.golden.files import golden_file, golden_lines
from tests.golden.samples import samples
from tests.stored import to_row


def missing(fact_type: type[Fact]) -> list[bytes]:
    """The sample events of a type that its golden file does not hold yet."""
    known = set(golden_lines(topic_of(fact_type)))
    return [line for line in _lines(fact_type) if line not in known]


def topic_of(fact_type: type[Fact]) -> str:
    """The topic under which facts of this type are stored today."""
    return f"{stored_name(fact_type)}@{fact_type.schema_version}"


def _lines(fact_type: type[Fact]) -> list[bytes]:
    return [to_row(event)[3] for event in samples(fact_type)]


def write_missing() -> None:
    """Add what is missing to the files, and say to which."""
    for fact_type in REGISTERED:
        lines = missing(fact_type)
        if lines:
            path = golden_file(topic_of(fact_type))
            with path.open("ab") as file:
                file.writelines(line + b"\n" for line in lines)
            print(f"{path.name}: {len(lines)} added")  # noqa: T201


if __name__ == "__main__":
    write_missing()
