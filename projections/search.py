"""How deals are found by parts of their names and by values they have: an inverted index.

Theory of operation. A deal's name, its customer's name and its reference are folded
and kept in `deals.folded`, a line each. Every character of a line, every two
neighbours, and the value of each column that deals are filtered by, is a word; the
words of a deal stand in `deals.words`, with blanks between. The databases keep an
index from words to deals: SQLite an FTS5 table, which triggers keep in step,
PostgreSQL a GIN index. A deal that holds a text has all words of the text, so few
deals are left to be looked at, and those are compared with the text itself.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import add

FILTERS = ("status", "outcome", "stage", "owner", "region", "industry", "territory", "product",
           "business_type", "currency", "process", "manager")  # fmt: skip
"""The columns that deals are filtered by. Their order is part of the words: see `deals.VERSION`."""

WORDS_ASKED = 12
"""Of a text at most so many words are looked up: the deals are compared with all of it anyway."""

FOLDED_START = "substr(folded, 1, 60)"
"""What the start of a name is looked up in: an index takes no texts of any length."""

_LONGEST_VALUE = 60
_VALUES_KEPT = 10_000

# What SQLite's tokenizer would split words at is written in characters of private use, and so
# is what a word for a column's value begins with.
_UNSPLIT = {code: 0xE000 + code for code in range(128) if not chr(code).isalnum()}
_UNSPLIT_IN_LINES = {code: put for code, put in _UNSPLIT.items() if chr(code) != "\n"}
_PREFIXES = {name: chr(0xE100 + number) for number, name in enumerate(FILTERS)}

# Without positions and lengths, which only phrases and ranking need.
_WORDS_TABLE = """
CREATE VIRTUAL TABLE deal_words USING fts5(
    words, content='deals', content_rowid='number', detail='none', columnsize=0, tokenize='ascii')
"""
_FILL = "INSERT INTO deal_words(deal_words) VALUES ('rebuild')"
_WHEN_ADDED = """
CREATE TRIGGER deal_words_added AFTER INSERT ON deals BEGIN
    INSERT INTO deal_words(rowid, words) VALUES (new.number, new.words);
END
"""
_WHEN_REMOVED = """
CREATE TRIGGER deal_words_removed AFTER DELETE ON deals BEGIN
    INSERT INTO deal_words(deal_words, rowid, words) VALUES ('delete', old.number, old.words);
END
"""
INDEX_ON_SQLITE = (_WORDS_TABLE, _FILL, _WHEN_ADDED, _WHEN_REMOVED)
INDEX_ON_POSTGRESQL = (
    "CREATE INDEX deals_by_words ON deals USING gin (string_to_array(words, ' '))",
)


def fold(text: str) -> str:
    """A text without what a search looks past: upper case, full width, ligatures."""
    return unicodedata.normalize("NFKC", text).casefold().replace("\n", " ")


def folded(*texts: str | None) -> str:
    """Texts as they are searched, a line each."""
    return "\n".join(fold(text) for text in texts if text)


def words_of(folded: str, values: Mapping[str, str | None]) -> str:
    """The words of a deal by its folded texts and the columns that it is filtered by."""
    parts: set[str] = set()
    for line in folded.translate(_UNSPLIT_IN_LINES).split("\n"):
        parts.update(line)
        parts.update(map(add, line, line[1:]))
    return " ".join([*sorted(parts), *_of_values(values)])


def words_asked(folded: str, values: Mapping[str, str]) -> list[str]:
    """Words that all deals have which hold this folded text, if any, and these values.

    An empty value is that of deals without one.
    """
    pairs = list(dict.fromkeys(_pairs(folded))) or list(folded)
    every = max(1, -(-len(pairs) // WORDS_ASKED))
    return [*(pair.translate(_UNSPLIT) for pair in pairs[::every]), *_of_values(values)]


def _pairs(line: str) -> list[str]:
    return [line[at : at + 2] for at in range(len(line) - 1)]


def _of_values(values: Mapping[str, str | None]) -> Iterable[str]:
    return (_of_value(name, (value or "")[:_LONGEST_VALUE]) for name, value in values.items())


@lru_cache(_VALUES_KEPT)
def _of_value(name: str, value: str) -> str:
    return (_PREFIXES[name] + value).translate(_UNSPLIT)
