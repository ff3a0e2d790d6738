"""What somebody may not see has no part in anything that they get to see.

Two stores tell one story and differ in secrets alone, or in what speaks of people
alone. Whoever is not to see that meets equal bytes: in every answer and error of
the command line, in the read models, and in the stored events around the
ciphertext, whose length is the same too. Each example is compared with one store
that is made once, which comes to the same as comparing any two.
"""

import json
import re
import sqlite3
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import chdir, closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from api.examples import story
from domain.access import EVERYTHING, PUBLIC_ONLY, Sensitivity
from domain.history import Fact, Recorded
from projections.tables import metadata
from store.events.fields import NONCE_BYTES
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import Result, run_command
from tests.docs.reference.audience import LONGEST_IN_FIRST_STEP
from tests.laws.told_twice import (
    DEAL,
    INSIDER,
    OUTSIDERS,
    Change,
    Secrets,
    secrets,
    tell,
    texts,
    with_secrets,
    with_words,
)

THEN = ("--as-of", "2026-09-10T12:00", "--known-at", "2026-12-20")
AT_THE_END = ("--as-of", "2026-12-20", "--known-at", "2026-12-20")
OF_A_DEAL = ("show", "gate", "map", "negotiation", "replay")
QUESTIONS = (
    *((name, DEAL, *then) for name in OF_A_DEAL for then in (THEN, AT_THE_END)),
    ("replay", DEAL, *AT_THE_END, "--format", "csv"),
    ("audit", "trail", DEAL),
    ("audit", "trail"),
    ("deals",),
    ("deals", "--sort", "-amount", "--format", "csv"),
    ("pipeline", *AT_THE_END),
    ("pipeline", *THEN, "--by", "owner,stage"),
    ("status",),
)
MARKS = Secrets("121000", "114000", "119000", "A hunch.", None, "115000", None)

# A failure shows what differs at once; making it smaller would take minutes.
few = settings(
    max_examples=max(3, settings().max_examples // 25),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)


TAG_BYTES = 16
"""Behind every ciphertext of AES-GCM."""

_READ_ON = r'"moved_(at|by)": "[^"]*"|\d{4}-\d\d-\d\d \d\d:\d\d  \S+:\d+(?=\n)'
"""When and by which process the read models were made."""

Answers = dict[tuple[str, ...], Result]
"""By the words of the question."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The story with its own words and with `MARKS`."""
    return tell(tmp_path_factory.mktemp("told"), with_secrets(MARKS))


@pytest.fixture(scope="module")
def told_to(told: Path) -> dict[str, Answers]:
    """What the outsiders see of `told`."""
    return {user: seen(told, user) for user in OUTSIDERS}


@pytest.fixture(scope="module")
def retold() -> Iterator[Callable[[Change], Path]]:
    """Tells the story anew, each time in a folder of its own."""
    with TemporaryDirectory() as folder:

        def tell_anew(change: Change) -> Path:
            at = Path(folder) / str(len(list(Path(folder).iterdir())))
            at.mkdir()
            return tell(at, change)

        yield tell_anew


def ask(store: Path, user: str, *args: str) -> Result:
    """What a command prints. Every store is called by the same name."""
    with chdir(store):
        result = run_command("--db", "sqlite:///deals.db", "--as", user, *args)
    if "status" not in args:
        return result
    return msgspec.structs.replace(result, stdout=re.sub(_READ_ON, "", result.stdout))


def seen(store: Path, user: str) -> Answers:
    """Everything that the command line answers to somebody, as text and as JSON."""
    asked = [question for question in QUESTIONS if "csv" not in question]
    questions = [*QUESTIONS, *((*question, "--format", "json") for question in asked)]
    return {question: ask(store, user, *question) for question in questions}


def stored(store: Path) -> list[tuple[Any, ...]]:
    """The rows of the log with their bytes."""
    with closing(sqlite3.connect(store / "deals.db")) as connection:
        query = "SELECT * FROM stored_events ORDER BY position"
        return connection.execute(query).fetchall()


def outside(state: bytes, *, lengths: bool) -> bytes:
    """Stored bytes without ciphertexts and commitments, of which the lengths may be left."""
    event = json.loads(state)
    for field in event.get("encrypted", {}).values():
        for name in ("ciphertext", "commitment"):
            field[name] = len(field[name]) if lengths else 0
    return json.dumps(event).encode()


def around(store: Path, *, lengths: bool = True) -> list[tuple[Any, ...]]:
    """The rows of the log as they are around what is encrypted."""
    return [
        tuple(outside(one, lengths=lengths) if isinstance(one, bytes) else one for one in row)
        for row in stored(store)
    ]


_OF_THE_ENGINE = {"checkpoints", "identity"}
"""Tables that say when and by whom the read models were made."""


def rows(store: Path) -> dict[str, list[Any]]:
    """All rows of the read models, caught up with the log."""
    assert ask(store, "ann", "deals").exit_code == 0
    with closing(sqlite3.connect(store / "deals.views.db")) as connection:
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr)
            for name in metadata.tables.keys() - _OF_THE_ENGINE
        }


def opened(store: Path, visible: frozenset[Sensitivity]) -> tuple[Recorded[Fact], ...]:
    """The events of the deal, opened for an audience."""
    with closing(DealLog.open(Location.beside(store / "deals.db"))) as log:
        return log.history(DEAL, visible).events


@few
@given(known=secrets())
def test_secrets_show_in_nothing_that_outsiders_see(
    told: Path,
    told_to: dict[str, Answers],
    retold: Callable[[Change], Path],
    known: Secrets,
) -> None:
    other = retold(with_secrets(known))
    assert around(other) == around(told)
    assert [list(map(len, row[3:])) for row in stored(other)] == [
        list(map(len, row[3:])) for row in stored(told)
    ]
    assert rows(other) == rows(told)
    for user, answers in told_to.items():
        assert seen(other, user) == answers


@few
@given(data=st.data())
def test_what_speaks_of_people_shows_in_nothing_that_an_analyst_sees(
    told: Path,
    told_to: dict[str, Answers],
    retold: Callable[[Change], Path],
    data: st.DataObject,
) -> None:
    """But for its length, in steps of 64 bytes, which shows in the size of the log."""
    numbers = count()
    own = with_secrets(MARKS)
    reworded = with_words(lambda: f"{data.draw(texts())} {next(numbers)}")
    other = retold(lambda step: {**own(step), **reworded(step)})
    assert around(other, lengths=False) == around(told, lengths=False)
    assert rows(other) == rows(told)
    assert _but_for_size(seen(other, "ann")) == _but_for_size(told_to["ann"])


def _but_for_size(answers: Answers) -> Answers:
    return {asked: answer for asked, answer in answers.items() if "status" not in asked}


def test_the_story_holds_every_field_that_is_not_public(told: Path) -> None:
    """So that none is left out above."""
    facts = [event.fact for event in opened(told, EVERYTHING)]
    types = {type(fact) for fact in facts}
    marked = {(one, name) for one in types for name in (*one.personal, *one.secret)}
    default = {
        (type(fact), field.name)
        for fact in facts
        for field in msgspec.structs.fields(type(fact))
        if getattr(fact, field.name) != field.default
    }
    assert len(types) > 80
    assert len(marked & default) > 0.8 * len(marked)


def test_whom_the_secrets_are_for_sees_them_and_outsiders_are_told_so(
    retold: Callable[[Change], Path],
) -> None:
    # A store of its own: whoever is shown secrets is recorded in it.
    told = retold(with_secrets(MARKS))
    other = retold(with_secrets(Secrets(None, "90000", "95000", None, None, "80000", "None left.")))
    question = ("negotiation", DEAL, *THEN)
    assert ask(other, INSIDER, *question).stdout != ask(told, INSIDER, *question).stdout
    for user, code in (("ann", 0), ("sam", 1), ("ada", 1)):
        assert ask(told, user, *question).exit_code == code
    assert ask(told, "ann", "audit", "trail").exit_code == 1
    assert "hidden     hidden        hidden" in ask(told, "ann", *question).stdout
    assert stored(other) != stored(told)
    assert opened(other, PUBLIC_ONLY) == opened(told, PUBLIC_ONLY)
    assert len(story()) > 90


@pytest.mark.parametrize(
    ("length_bytes", "step_bytes"),
    [
        (1, 1_024),
        (LONGEST_IN_FIRST_STEP, 1_024),
        (LONGEST_IN_FIRST_STEP + 1, 4_096),
        (LONGEST_IN_FIRST_STEP + 3 * 1_024, 4_096),
        (LONGEST_IN_FIRST_STEP + 3 * 1_024 + 1, 16_384),
        (20_000, 65_536),
    ],
)
def test_how_long_a_secret_is_shows_in_steps(
    retold: Callable[[Change], Path], length_bytes: int, step_bytes: int
) -> None:
    """As docs/audience.md says it."""
    store = retold(with_secrets(msgspec.structs.replace(MARKS, reason="x" * length_bytes)))
    (revised,) = [row for row in stored(store) if row[3] == "walk-away-revised@1"]
    reason = json.loads(revised[4])["encrypted"]["reason"]
    assert len(b64decode(reason["ciphertext"])) == NONCE_BYTES + step_bytes + TAG_BYTES
