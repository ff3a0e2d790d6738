"""Deals that a read model cannot take in: what is told of them, and `retry`; and `worker`."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from api.wire.deals import DealDetail, DealPage
from api.wire.health import RetryResult, StoreStatus
from api.wire.pipelines import Pipeline
from projections import deals, periods
from projections.models import ReadModel, Rows, Told
from tests.api.cli.conftest import Run
from tests.api.small_store import DEALS
from tests.shared_data import REPOSITORY

LEFT_OUT = "1 deal is left out, since the read model deals failed on it; dealstate status tells how"


def failing_on(model: ReadModel, deal_id: str, patch: pytest.MonkeyPatch) -> None:
    original = model.rows

    def rows(told: Told) -> Rows:
        if told.identifier == deal_id:
            raise ValueError("a fault of the model")
        return original(told)

    patch.setattr(model, "rows", rows)


@pytest.fixture
def parked(write: Run) -> Iterator[pytest.MonkeyPatch]:
    """P-1 is parked in deals and in deal-periods until the fault is undone."""
    with pytest.MonkeyPatch.context() as patch:
        for model in (deals, periods):
            failing_on(model, "d-press", patch)
        assert write("rebuild").exit_code == 0
        yield patch


@pytest.mark.usefixtures("parked")
def test_status_lists_what_is_parked_and_what_to_do(write: Run) -> None:
    answer = write("status", "--format", "json").read(StoreStatus)
    assert [(one.model, one.stream, one.called) for one in answer.parked] == [
        ("deal-periods", "deal:d-press", "P-1"),
        ("deals", "deal:d-press", "P-1"),
    ]
    assert {one.error for one in answer.parked} == {"ValueError: a fault of the model"}
    assert {one.version for one in answer.parked} == {len(DEALS["d-press"])}
    assert {one.model: one.parked for one in answer.models} == {
        "audit": 0, "deal-periods": 1, "deals": 1,
    }  # fmt: skip
    told = write("status").stdout
    assert "Parked (2)" in told
    assert "ValueError: a fault of the model" in told
    assert "dealstate retry" in told


@pytest.mark.usefixtures("parked")
def test_answers_say_what_they_leave_out(write: Run) -> None:
    page = write("deals", "--format", "json").read(DealPage)
    assert len(page.deals) == len(DEALS) - 1
    assert page.caveats == [LEFT_OUT]
    assert f"Note: {LEFT_OUT}." in write("deals").stderr
    assert f"Note: {LEFT_OUT}." in write("deals", "--format", "csv").stderr
    caveats = write("pipeline", "--format", "json").read(Pipeline).caveats
    assert LEFT_OUT.replace("deals failed", "deal-periods failed") in caveats


def test_answers_that_leave_nothing_out_say_nothing(run: Run) -> None:
    assert run("deals", "--format", "json").read(DealPage).caveats == []


@pytest.mark.usefixtures("parked")
@pytest.mark.parametrize("name", ["d-press", "P-1"])
def test_a_parked_deal_is_found_and_shown_from_the_log(write: Run, name: str) -> None:
    assert write("show", name, "--format", "json").read(DealDetail).deal.id == "d-press"


def test_retry_tells_what_came_of_it(write: Run, parked: pytest.MonkeyPatch) -> None:
    still = write("retry", "deals", "P-1")
    assert still.exit_code == 1
    assert still.stdout == (
        "deal:d-press is still parked in deals: ValueError: a fault of the model\n"
    )
    parked.undo()
    done = write("retry", "deals", "P-1", "--format", "json").read(RetryResult)
    assert (done.stream, done.outcome, done.error) == ("deal:d-press", "taken-in", None)
    assert write("retry", "deal-periods", "d-press").lines == [
        "deal-periods has taken in deal:d-press."
    ]
    assert write("retry", "deals", "Press line").lines == [
        "deal:d-press is not parked in deals: there is nothing to do."
    ]
    assert write("deals", "--format", "json").read(DealPage).caveats == []
    assert write("rebuild", "--check").exit_code == 0


@pytest.mark.usefixtures("parked")
def test_retry_names_what_it_does_not_know(write: Run) -> None:
    assert write("retry", "deals", "nope").exit_code == 1
    unknown = write("retry", "nope", "P-1")
    assert (unknown.exit_code, "there is no read model 'nope'" in unknown.stderr) == (2, True)


def test_a_worker_says_what_it_does_and_ends_when_it_is_told(own_store: str) -> None:
    command = [sys.executable, "-c", "from api.cli.entry import main; main()"]
    with subprocess.Popen(
        [*command, "--db", own_store, "--kek", "none", "worker", "deals"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as worker:
        try:
            assert worker.stdout is not None
            assert (
                worker.stdout.readline()
                .rstrip()
                .endswith(f"works on {own_store}; stop it with Ctrl-C")
            )
            assert "delivers no webhooks: the store was opened" in worker.stdout.readline()
            assert worker.stdout.readline().rstrip().endswith("keeps up to date: deals")
            worker.send_signal(signal.SIGTERM)
            rest, _ = worker.communicate(timeout=20)
        finally:
            worker.kill()
    assert (worker.returncode, rest.rstrip().endswith("  stops")) == (0, True)


@pytest.mark.parametrize("thread", ["read models", "maintenance"])
def test_a_worker_ends_in_the_middle_of_a_statement(own_store: str, thread: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.api.cli.stuck", thread, "--db", own_store, "worker"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as worker:
        try:
            assert worker.stdout is not None
            assert any(line == "is stuck\n" for line in worker.stdout)
            worker.send_signal(signal.SIGTERM)
            rest, _ = worker.communicate(timeout=20)
        finally:
            worker.kill()
    assert (worker.returncode, "  stops\n" in rest) == (0, True)
