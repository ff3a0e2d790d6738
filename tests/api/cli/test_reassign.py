"""`dealstate reassign`: handing the deals of one user to another."""

import pytest

from api.wire.reassignments import Reassigned
from tests.api.cli.conftest import Run

FROM_TO = ("reassign", "--from", "Anna Lee", "--to", "u-ben")


def test_deals_are_handed_over(write: Run) -> None:
    dry = write(*FROM_TO, "--dry-run")
    assert dry.lines == ["Would hand over 2 deals.", "  S-1", "  R-1"]
    done = write(*FROM_TO, "--reason", "on leave", "--format", "json")
    assert {one.deal_id for one in done.read(Reassigned).done} == {"d-rest", "d-robot"}
    again = write(*FROM_TO)
    assert again.stdout.splitlines() == ["Handed over 0 deals."]


def test_named_deals_and_filters(write: Run) -> None:
    named = write(*FROM_TO, "--deal", "d-rest", "--deal", "d-mill", "--dry-run")
    assert named.stdout.splitlines() == ["Would hand over 1 deal.", "  S-1"]
    assert "Not theirs, over, or not there: d-mill." in named.stderr
    found = write(*FROM_TO, "--where", "product=Robot", "--dry-run")
    assert found.stdout.splitlines() == ["Would hand over 1 deal.", "  R-1"]


def test_what_is_refused_is_told_and_exits_with_1(write: Run) -> None:
    write("users", "grant", "u-mei", "auditor")
    write("users", "grant", "u-mei", "seller")
    refused = write("--as", "u-mei", *FROM_TO)
    assert refused.exit_code == 1
    assert "not-allowed" in refused.stdout
    assert "Refused for 2 deals:" in refused.stderr


@pytest.mark.parametrize("where", ["status=open", "region", "owner=u-ben"])
def test_what_is_no_filter(write: Run, where: str) -> None:
    assert write(*FROM_TO, "--where", where).exit_code == 2
