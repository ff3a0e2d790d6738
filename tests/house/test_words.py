"""The project speaks of itself alone: no path of one machine, no host of a package registry."""

import pytest

from tests.house.measures import foreign_words, project_files, relative


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = {relative(path): foreign_words(path.read_bytes()) for path in project_files()}
    assert {path: words for path, words in found.items() if words} == {}


def test_the_search_covers_code_tests_docs_and_settings() -> None:
    names = {relative(path) for path in project_files()}
    assert names >= {"Makefile", "pyproject.toml", "requirements.lock", "CHANGELOG.md", ".ci/run"}
    assert names >= {"domain/values.py", "tests/house/test_words.py"}
    assert not any(name.startswith((".venv/", ".git/", ".demo/")) for name in names)


@pytest.mark.parametrize(
    "text",
    [
        "cd /wo" + "rk/main",
        "'/ro" + "ot/.cache'",
        "open('/ho" + "me/ann/x')",
        "https://py" + "pi.org/simple",
        "https://files.python" + "hosted.org/a",
    ],
)
def test_a_foreign_word_is_found(text: str) -> None:
    assert foreign_words(text.encode())


@pytest.mark.parametrize("text", ["frame" + "work/", "./ro" + "ot/", "homework", "a/ho" + "me/b"])
def test_an_innocent_word_is_not(text: str) -> None:
    assert foreign_words(text.encode()) == []
