"""One URL names all files of a store."""

from pathlib import Path

import pytest

from store.errors import StoreError
from store.location import Location


@pytest.mark.parametrize(
    ("url", "log", "views"),
    [
        ("sqlite:///dealstate.db", "dealstate.db", "dealstate.views.db"),
        ("sqlite:///data/q3.db", "data/q3.db", "data/q3.views.db"),
        ("sqlite:////var/lib/deals.db", "/var/lib/deals.db", "/var/lib/deals.views.db"),
        ("sqlite:///deals", "deals", "deals.views.db"),
        ("sqlite:///deals.sqlite", "deals.sqlite", "deals.sqlite.views.db"),
        ("sqlite:///.db", ".db", ".db.views.db"),
        ("sqlite:///with%20space.db", "with space.db", "with space.views.db"),
        ("sqlite:///50%25%3F.db", "50%?.db", "50%?.views.db"),
        ("sqlite:///交易.db", "交易.db", "交易.views.db"),
    ],
)
def test_a_url_names_the_log_and_the_views_beside_it(url: str, log: str, views: str) -> None:
    location = Location.parse(url)
    assert (location.log, location.views) == (Path(log), Path(views))
    assert location.keys == location.views.with_name(location.views.name.replace("views", "keys"))
    assert location.encryption == f"file:{str(location.views).replace('.views.db', '.key')}"
    assert Location.parse(str(location)) == location


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("dealstate.db", "is not the URL of a store"),
        ("", "is not the URL of a store"),
        ("mysql://localhost/deals", "kind 'mysql' are not supported"),
        ("sqlite://dealstate.db", "names a host"),
        ("sqlite://", "names a host"),
        ("sqlite:///", "does not name a file"),
        ("sqlite:///data/", "does not name a file"),
        ("sqlite:///:memory:", "does not name a file"),
        ("sqlite:///deals.db?mode=ro", "does not name a file"),
        ("sqlite:///de%00als.db", "does not name a file"),
    ],
)
def test_anything_else_is_refused_with_an_example(url: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason) as caught:
        Location.parse(url)
    assert "sqlite:///dealstate.db" in caught.value.advice
