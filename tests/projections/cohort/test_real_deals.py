"""The report on real deals is honest: where the record does not tell who wins, it says so."""

from pathlib import Path

import pytest

from api.wire.estimates import EstimateQuality
from tests.api.cli.conftest import run_command
from tests.shared_data import shared


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store that holds the deals of a seller of computer hardware, imported."""
    folder: Path = shared("maven_crm")
    url = f"sqlite:///{tmp_path_factory.mktemp('maven')}/deals.db"
    done = run_command("--db", url, "import", str(folder), "--from", "csv", "--map", "maven-crm")
    assert done.exit_code == 0, done.stderr
    return url


def test_what_was_not_known_then_has_no_models(store: str) -> None:
    """The file does not say when anything was known, so nothing was before the import."""
    answer = run_command("--db", store, "estimates", "--format", "json").read(EstimateQuality)
    assert (answer.decided, answer.scores) == (6711, [])
    assert answer.verdict.startswith("Nothing can be said")
    assert "--as-occurred" in answer.caveats[0]


def test_stage_and_age_alone_do_not_tell_who_wins(store: str) -> None:
    """These deals have one stage and no people: the estimate finds nothing, and says so."""
    done = run_command("--db", store, "estimates", "--as-occurred", "--format", "json")
    answer = done.read(EstimateQuality)
    overall = answer.scores[0]
    assert (overall.group, overall.deals) == ("all", 5940)
    assert overall.cohort == pytest.approx(overall.base_rate, abs=0.01)
    against_base = answer.differences[0]
    assert (against_base.against, against_base.verdict) == ("base-rate", "no-better")
    assert against_base.low < 0 < against_base.high
    assert "no better than the base rate" in answer.verdict
