"""Text from the store stays text in Markdown, as a CommonMark renderer reads it."""

from collections.abc import Iterator
from html import unescape

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from api.pages.markup import escaped

RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = [
    "[click](javascript:alert(1))",
    "\\[click](http://evil.example)",
    "\\\\[click](x) ![p](http://evil.example/p.png)",
    "**bold** __bold__ *a* _b_ ~~gone~~",
    "<b>x</b> <script>alert(1)</script> <!-- -->",
    "<http://evil.example> and `code` and ``code``",
    "# heading",
    "- item",
    "1. item",
    "> quoted",
    "a | b \\| c",
    "&lt;b&gt; &#42;",
    "---",
    "a\n\n# b\n- c",
    "[a]: http://evil.example",
    "\\",
]
TEXT = {"inline", "text", "paragraph_open", "paragraph_close"}


def flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from flat(token.children or [])


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_rendered_as_it_was_written(text: str) -> None:
    plain = " ".join(text.split())
    assert {token.type for token in flat(RENDERER.parse(escaped(text)))} <= TEXT
    shown = unescape(RENDERER.render(escaped(text)).removeprefix("<p>").removesuffix("</p>\n"))
    assert shown == plain
    item = {token.type for token in flat(RENDERER.parse(f"- {escaped(text)}"))}
    assert item <= {*TEXT, "bullet_list_open", "bullet_list_close", "list_item_open",
                    "list_item_close"}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_in_its_cell(text: str) -> None:
    page = RENDERER.render(f"| a | b |\n| --- | --- |\n| {escaped(text)} | last |\n")
    cell, last = page.split("<tbody>")[1].split("</td>")[:2]
    assert unescape(cell.split("<td>")[1]) == " ".join(text.split())
    assert last.strip() == "<td>last"


@pytest.mark.parametrize("text", ["http://evil.example", "www.evil.example", "a@evil.example"])
def test_a_bare_address_is_interrupted(text: str) -> None:
    assert text not in escaped(text)
    assert RENDERER.render(escaped(text)) == f"<p>{text}</p>\n"


def test_what_cannot_be_read_says_so() -> None:
    assert escaped("Met [hidden] and [erased]") == "Met (hidden) and (erased)"
