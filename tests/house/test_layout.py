"""Every folder of modules is a package, so that a test's name says where it is."""

from pathlib import Path

from tests.house.measures import PACKAGES, REPOSITORY, folders_without_init, project_files, relative


def test_every_folder_of_modules_is_a_package() -> None:
    ours = [path for name in (*PACKAGES, "tests") for path in project_files(REPOSITORY / name)]
    assert [relative(folder) for folder in folders_without_init(ours)] == []


def test_every_test_module_is_collected() -> None:
    """A file of tests whose name does not start with `test_` would never run."""
    missed = [
        relative(path)
        for path in project_files(REPOSITORY / "tests")
        if path.suffix == ".py"
        and not path.name.startswith("test_")
        and "\ndef test_" in path.read_text(encoding="utf-8")
    ]
    assert missed == []


def test_a_folder_without_init_is_found() -> None:
    paths = [Path("a/__init__.py"), Path("a/x.py"), Path("a/b/y.py"), Path("a/data/z.toml")]
    assert folders_without_init(paths) == [Path("a/b")]
