"""Reviews with models: what is kept of them beside the store, damaged or not, and none at all."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.pages.postmortem import html
from api.queries.estimates import cohort_models
from api.queries.instants import Instants
from api.queries.postmortems import postmortem_of
from api.queries.replays import position_of, replay_deal
from api.queries.views import open_view
from api.wire.moves import Axis, Position, Replay
from api.wire.postmortems import PostMortem
from api.workspace import Workspace
from domain.access import PUBLIC_ONLY, Action, Principal, Role
from domain.history import StreamKind
from domain.lifecycle import Status
from store.location import Location
from tests.api.cli.conftest import run_command
from tests.api.serving import read, serving

OPERATOR = Principal("op", frozenset({Role.OPERATOR}))
ENOUGH = 15
"""So many decided deals make a model here, instead of a hundred."""
NOBODY = 65_534


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store of simulated deals. Only for reading."""
    url = f"sqlite:///{tmp_path_factory.mktemp('portfolio')}/deals.db"
    done = run_command(
        "--db", url, "simulate", "--deals", "70", "--seed", "11", "--until", "2026-06-30"
    )
    assert done.exit_code == 0, done.stderr
    return url


@pytest.fixture
def portfolio(simulated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A copy of it, for which few deals are enough."""
    monkeypatch.setattr(
        cohort_models.__wrapped__,  # type: ignore[attr-defined]
        "__kwdefaults__",
        {"least": ENOUGH},
    )
    for file in Path(simulated.removeprefix("sqlite:///")).parent.glob("deals*"):
        shutil.copy(file, tmp_path / file.name, follow_symlinks=False)
    return f"sqlite:///{tmp_path / 'deals.db'}"


THE_END = Instants(
    as_of=datetime(2026, 6, 30, tzinfo=UTC), known_at=datetime(2026, 6, 30, tzinfo=UTC)
)
AS_ASKED = "as_of=2026-06-30T00:00&known_at=2026-06-30T00:00"

Told = tuple[Replay, Position, PostMortem]


def told(url: str) -> Told:
    """All that a review says of a deal, by whoever holds the files; models are made for it."""
    with Workspace.open(Location.parse(url)) as store:
        return told_by(store)


def told_by(store: Workspace) -> Told:
    view = open_view(store, OPERATOR, Action.READ, _longest(store))
    replay = replay_deal(view, THE_END)
    position = position_of(view, THE_END, _last_running(replay))
    return replay, position, postmortem_of(view, THE_END)


def _longest(store: Workspace) -> str:
    """The deal of which most is recorded."""
    streams = store.log.streams(StreamKind.DEAL)
    histories = store.log.events_of(streams, PUBLIC_ONLY)
    return max(streams, key=lambda name: len(histories[name])).partition(":")[2]


def _last_running(replay: Replay) -> int:
    """Version of the last move behind which the deal was open."""
    return [move.version for move in replay.moves if move.status is Status.OPEN][-1]


def served(url: str) -> Told:
    """The same over HTTP, where no model is made for a question."""
    with Workspace.open(Location.parse(url)) as store:
        path = f"/v1/deals/{_longest(store)}"
    with serving(url) as client:
        replay = read(client, f"{path}/replay?{AS_ASKED}", Replay)
        return (
            replay,
            read(client, f"{path}/replay/{_last_running(replay)}?{AS_ASKED}", Position),
            read(client, f"{path}/postmortem?{AS_ASKED}", PostMortem),
        )


def test_a_deal_is_compared_with_those_that_the_reader_may_read(portfolio: str) -> None:
    with Workspace.open(Location.parse(portfolio)) as store:
        names = [name.partition(":")[2] for name in store.log.streams(StreamKind.DEAL)]
        lives = {deal_id: store.log.history(deal_id).deal.life for deal_id in names}
        # Of those that ran for a while, the last one.
        began = {name: str(life.opened_at) for name, life in lives.items()}
        deal_id = max((one for one in names if began[one] < "2026-05-08 03"), key=began.__getitem__)
        owner = lives[deal_id].owner
        assert owner is not None
        theirs = [one for one in lives.values() if owner in {one.owner, *one.team_ids}]
        won = sum(one.status is Status.WON for one in theirs)
        seller = open_view(store, Principal(owner, frozenset({Role.SELLER})), Action.READ, deal_id)
        everyone = open_view(store, OPERATOR, Action.READ, deal_id)
        moves = replay_deal(everyone, THE_END).moves
        at = moves[len(moves) // 2].version
        mine, all_ = (
            (position_of(view, THE_END, at).comparison, postmortem_of(view, THE_END).comparison)
            for view in (seller, everyone)
        )
    for own, whole in zip(mine, all_, strict=True):
        assert own is not None
        assert whole is not None
        assert own.won <= won < whole.won


def estimated(replay: Replay) -> int:
    """How many moves have an estimate."""
    return sum(
        move.estimate is not None and move.estimate.percent is not None for move in replay.moves
    )


def kept_in(url: str) -> list[Path]:
    """The files in which models are kept."""
    return sorted(Path(url.removeprefix("sqlite:///")).parent.glob("deals.cohort*"))


def test_what_is_kept_changes_no_answer(portfolio: str) -> None:
    first = told(portfolio)
    assert estimated(first[0]) > 20
    assert kept_in(portfolio)
    assert told(portfolio) == first
    assert served(portfolio) == first


def test_over_http_what_is_not_made_yet_is_a_caveat(portfolio: str) -> None:
    replay, position, report = served(portfolio)
    assert estimated(replay) == 0
    for answer in (replay, position, report):
        [caveat] = answer.caveats
        assert "the worker makes the models" in caveat
    assert replay.findings == told(portfolio)[0].findings


Damage = Callable[[Path], object]


def _half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _holes(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for start in range(5000, len(content), 20_000):
        content[start : start + 300] = bytes(300)
    file.write_bytes(bytes(content))


def _folder(file: Path) -> None:
    """Can neither be read nor replaced."""
    file.unlink()
    file.mkdir()
    (file / "inside").touch()


DAMAGES: dict[str, Damage] = {
    "empty": lambda file: file.write_bytes(b""),
    "noise": lambda file: file.write_bytes(bytes(range(256)) * 40),
    "half": _half,
    "holes": _holes,
    "text": lambda file: file.write_bytes(b"{}"),
    "a folder": _folder,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_of_models_changes_no_answer(portfolio: str, damage: str) -> None:
    first = told(portfolio)
    for file in kept_in(portfolio):
        DAMAGES[damage](file)
    replay, position, report = served(portfolio)
    assert [move.number for move in replay.moves] == [move.number for move in first[0].moves]
    assert (position.deal, report.findings) == (first[1].deal, first[2].findings)
    for file in kept_in(portfolio):
        if file.is_file():
            DAMAGES[damage](file)
    assert told(portfolio) == first


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the superuser's right to write everything."""
    superuser = os.geteuid() == 0
    if superuser:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if superuser:
            os.seteuid(0)


def test_models_that_cannot_be_kept_fail_no_question(
    portfolio: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In a folder that may not be written any more since the store was opened."""
    first = told(portfolio)
    # Not in the folder of the tests, which others than the superuser may not enter.
    with tempfile.TemporaryDirectory() as folder:
        for file in Path(portfolio.removeprefix("sqlite:///")).parent.glob("deals*"):
            if "cohort" not in file.name:
                shutil.copy(file, Path(folder) / file.name, follow_symlinks=False)
        Path(folder).chmod(0o555)
        with Workspace.open(Location.parse(f"sqlite:///{folder}/deals.db")) as store:
            with store.fresh():
                pass
            with as_nobody():
                assert told_by(store) == first
        assert not list(Path(folder).glob("*cohort*"))
        Path(folder).chmod(0o755)
    assert "the models cannot be kept in" in caplog.text


def test_without_the_library_there_is_a_replay_without_estimates(
    portfolio: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    answers = told(portfolio)
    for answer in answers:
        [caveat] = answer.caveats
        assert "scikit-learn" in caveat
        assert "pip install 'dealstate[analysis]'" in caveat
        assert not caveat.endswith(".")
    assert estimated(answers[0]) == 0
    assert answers[0].findings
    deal_id, version = answers[0].deal.id, answers[1].move.version
    for args in (
        ["replay", deal_id],
        ["postmortem", deal_id],
        ["replay", deal_id, "--at", str(version)],
    ):
        shown = run_command("--db", portfolio, *args)
        assert shown.exit_code == 0
        assert "Note: the cohort estimate needs scikit-learn" in shown.stderr
    page = html(answers[2], ZoneInfo("UTC"))
    assert "pip install &#39;dealstate[analysis]&#39;" in page
    assert "undetermined" not in page


def test_a_position_is_that_of_the_history_cut_off_there(portfolio: str) -> None:
    compared = 0
    with Workspace.open(Location.parse(portfolio)) as store:
        deals = sorted(name.partition(":")[2] for name in store.log.streams(StreamKind.DEAL))
        for deal_id in deals[::9]:
            view = open_view(store, OPERATOR, Action.READ, deal_id)
            for axis in Axis:
                moves = replay_deal(view, Instants(), axis=axis).moves
                for move in moves[:: max(len(moves) // 5, 1)]:
                    at = datetime.fromisoformat(move.at)
                    known_at = at if axis is Axis.KNOWN else None
                    whole = position_of(view, Instants(), move.version, axis)
                    then = position_of(view, Instants(at, known_at), move.version, axis)
                    assert whole == then
                    compared += whole.comparison is not None and bool(whole.comparison.places)
    assert compared > 3
