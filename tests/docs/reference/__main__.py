"""Writes the pages of the reference."""

from tests.docs.reference import PAGES, page

for name, render in PAGES.items():
    page(name).parent.mkdir(exist_ok=True)
    page(name).write_text(render(), encoding="utf-8")
