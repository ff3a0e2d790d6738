"""Accesses on the command line: who is on record, and who may see the record."""

from pathlib import Path

import pytest

from api.wire.trails import AuditTrail
from domain.access import EVERYTHING
from domain.accesses import DataExported, SecretsRead
from tests.api import talks
from tests.api.cli.conftest import Result, run_command

DEAL = "d-talks"
ALL = tuple(sorted(EVERYTHING))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return talks.make(tmp_path)


def run(url: str, *args: str) -> Result:
    return run_command("--db", url, *args)


def listed(url: str, *args: str) -> AuditTrail:
    return run(url, "audit", "accesses", *args, "--format", "json").read(AuditTrail)


def test_whoever_reads_as_somebody_is_on_record(url: str) -> None:
    assert run(url, "show", DEAL).exit_code == 0
    assert listed(url).entries == []
    for user in ("u-anna", "u-mei", "u-ann"):
        assert run(url, "--as", user, "negotiation", DEAL).exit_code == 0
    assert run(url, "--as", "u-anna", "show", DEAL).exit_code == 0
    assert run(url, "--as", "u-aud", "audit", "trail", "--limit", "1").exit_code == 0
    first, second, third = listed(url).entries
    assert first.fact == SecretsRead(DEAL, "dealstate negotiation", ALL)
    assert (first.actor.id, second.actor.id, first.source) == ("u-anna", "u-mei", "cli")
    assert third.fact == DataExported("audit", "dealstate audit trail", ALL)
    assert [entry.position for entry in listed(url, "--deal", DEAL).entries] == [
        first.position,
        second.position,
    ]
    assert listed(url, "--actor", "Aud Moe").entries == [third]


def test_it_is_told_as_a_table_and_to_auditors_alone(url: str) -> None:
    run(url, "--as", "u-anna", "show", DEAL)
    lines = run(url, "--as", "u-aud", "audit", "accesses").lines
    assert any("read deal d-talks with its secrets: dealstate show" in line for line in lines)
    assert any("Anna Lee" in line for line in lines)
    refused = run(url, "--as", "u-anna", "audit", "accesses")
    assert refused.exit_code == 1
    assert "not-allowed" in refused.stderr
    # Checking the log shows no secret.
    assert run(url, "--as", "u-aud", "audit", "checkpoint").exit_code in {0, 1}
    assert len(listed(url).entries) == 1
