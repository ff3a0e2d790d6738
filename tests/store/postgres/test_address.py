"""One URL names the database; its password is never shown."""

from pathlib import Path

import pytest

from store.errors import StoreError
from store.location import Location
from store.postgres.address import Database


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql:///deals", Database("deals")),
        ("postgres://h/deals", Database("deals", host="h")),
        ("postgresql://ann@h:5433/deals", Database("deals", "ann", host="h", port="5433")),
        ("postgresql://ann@[::1]/deals", Database("deals", "ann", host="::1")),
        (
            "postgresql:///deals?host=/run/pg&schema=q3",
            Database("deals", host="/run/pg", schema="q3"),
        ),
        ("postgresql:///deals?home=/var/lib/x%20y", Database("deals", home="/var/lib/x y")),
        ("postgresql://a%40b@h/%E4%BA%A4?user=c", Database("交", "c", host="h")),
        (
            "postgresql://h/deals?sslmode=verify-full&connect_timeout=3",
            Database(
                "deals", host="h", options=(("connect_timeout", "3"), ("sslmode", "verify-full"))
            ),
        ),
    ],
)
def test_a_url_names_a_database(url: str, expected: Database) -> None:
    database = Database.parse(url)
    assert database == expected
    assert Database.parse(str(database)) == database


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hunter2@h/deals",
        "postgresql://ann@h/deals?password=hunter2",
        "postgresql://ann@h/deals?sslpassword=hunter2",
    ],
)
def test_passwords_are_not_shown(url: str) -> None:
    location = Location.parse(url)
    assert location.database is not None
    assert str(location) == "postgresql://ann@h/deals"
    assert "hunter2" not in f"{location!r} {location.database!r}"
    held = (location.database.password, *dict(location.database.options).values())
    assert "hunter2" in held


@pytest.mark.parametrize(
    "url",
    [
        *("postgresql://h", "postgresql://h/", "postgresql://h/a/b", "postgresql://h/.."),
        *("postgresql://h:x:hunter2/deals", "postgresql://h/de%00als", "postgresql://h/deals?x"),
        *(
            "postgresql://h/deals?schema=",
            f"postgresql://h/{'x' * 64}",
            "postgresql://h/d?schema=a/b",
        ),
        "postgresql://u:hunter2@h/",
    ],
)
def test_anything_else_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Location.parse(url)
    assert "postgresql://ann@localhost:5432/deals" in caught.value.advice
    assert "hunter2" not in str(caught.value)


def test_the_local_files_are_named_after_the_database() -> None:
    location = Location.parse("postgresql://h/deals?home=/srv/x")
    assert (location.views, location.keys) == (
        Path("/srv/x/deals.views.db"),
        Path("/srv/x/deals.keys.db"),
    )
    assert location.encryption == "file:/srv/x/deals.key"
    assert Location.parse("postgresql://h/deals").views == Path("deals.views.db")
    assert Location.parse("postgresql://h/deals?schema=q3").views == Path("deals.q3.views.db")
    assert Location.parse(str(location)) == location
