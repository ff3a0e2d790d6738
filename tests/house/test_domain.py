"""The domain is written with the standard library and msgspec alone.

The import contracts name the libraries and the parts of the standard library
that it may not use; this test also notices a library that nobody has thought of.
"""

import sys

from tests.house.measures import imported_roots, relative, source_files

ALLOWED = sys.stdlib_module_names | {"domain", "msgspec"}


def test_the_domain_imports_the_standard_library_and_msgspec_alone() -> None:
    foreign = {
        relative(path): imported_roots(path.read_text(encoding="utf-8")) - ALLOWED
        for path in source_files()
        if relative(path).startswith("domain/")
    }
    assert foreign
    assert {path: names for path, names in foreign.items() if names} == {}


def test_every_form_of_import_is_read() -> None:
    source = "import a.b, c\nfrom d.e import f\ndef g():\n    import h\nfrom . import i\n"
    assert imported_roots(source) == {"a", "c", "d", "h"}
