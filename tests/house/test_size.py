"""Functions and modules stay small enough to be read whole."""

from tests.house.measures import lines_per_function, relative, source_files

FUNCTION_LINES = 70
MODULE_LINES = 500


def test_there_is_code_to_measure() -> None:
    assert source_files()


def test_no_function_is_over_70_lines() -> None:
    long = {
        f"{relative(path)}:{name}": lines
        for path in source_files()
        for name, lines in lines_per_function(path.read_text(encoding="utf-8")).items()
        if lines > FUNCTION_LINES
    }
    assert long == {}


def test_no_module_is_over_500_lines() -> None:
    lengths = {
        relative(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in source_files()
    }
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_a_function_is_measured_from_def_to_its_last_line() -> None:
    source = "@decorated\nasync def a():\n    x = 1\n\n    def b():\n        return x\n"
    assert lines_per_function(source) == {"a:2": 5, "b:5": 2}
