"""The lock covers what the project asks for, so that a fresh environment is complete."""

import re
import tomllib

from tests.house.measures import REPOSITORY


def required_names() -> set[str]:
    """The packages that the project and its extras ask for by name."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    required = [*project["dependencies"], *(line for extra in extras for line in extra)]
    return {str(re.split(r"[^\w.-]", line, maxsplit=1)[0]).lower() for line in required}


def locked_names() -> set[str]:
    """The packages in the lock, each on a line of its own with an exact version."""
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    return set(re.findall(r"^([\w.-]+)==\S+", lock, flags=re.MULTILINE))


def test_all_that_is_required_is_locked() -> None:
    assert {"eventsourcing", "pytest", "scikit-learn"} <= required_names()
    assert required_names() - locked_names() == set()
