"""Batches: one transaction each, others who write meanwhile, and users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.exchange.identity import Identity
from api.exchange.intake import engine
from domain.directory import UserRegistered
from domain.history import Draft
from domain.lifecycle.facts import NoteAdded, OpportunityOpened
from domain.refusals import VersionConflict
from store.events.writing import Batch
from store.log import DealLog
from tests.api.exchange.importing import OPEN, WON, Importer, types

if TYPE_CHECKING:
    from collections.abc import Sequence


def interfering(importer: Importer, monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """Let someone else write to D1 just before the import appends, that many times."""
    append = DealLog.append
    sizes: list[int] = []

    def append_second(log: DealLog, batches: Sequence[Batch]) -> int:
        sizes.append(len(batches))
        if len(sizes) <= times:
            stream = f"deal:{Identity('crm').deal('D1')}"
            version = importer.histories()["D1"].version
            note = Draft(
                fact=NoteAdded(f"seen {len(sizes)}"),
                occurred_at=importer.clock(),
                actor="zoe",
                source="api",
                command_id=f"note {len(sizes)}",
                correlation_id=f"note {len(sizes)}",
            )
            append(log, [Batch(stream, version, (note,))])
        return append(log, batches)

    monkeypatch.setattr(DealLog, "append", append_second)
    return sizes


def test_a_batch_is_decided_anew_when_someone_wrote_meanwhile(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer.csv(OPEN)
    interfering(importer, monkeypatch, times=2)
    report = importer.csv(OPEN.replace("1000", "1500"), WON)
    assert (report.counts.deals, report.counts.deals_revised) == (1, 1)
    assert types(importer.histories()["D1"].events)[-3:] == [
        "note-added",
        "note-added",
        "forecast-revised",
    ]
    assert len(report.entries) == len({str(entry) for entry in report.entries})


def test_a_user_whom_another_import_registered_meanwhile_is_not_registered_twice(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = DealLog.append
    bo = Identity("crm").user("Bo")

    def append_second(log: DealLog, batches: Sequence[Batch]) -> int:
        monkeypatch.setattr(DealLog, "append", append)
        registered = Draft(
            fact=UserRegistered(bo, "Bo", "Bo"),
            occurred_at=importer.clock(),
            actor="zoe",
            source="import:crm",
            command_id="registered",
            correlation_id="registered",
        )
        append(log, [Batch(f"user:{bo}", 0, (registered,))])
        return append(log, batches)

    monkeypatch.setattr(DealLog, "append", append_second)
    report = importer.csv(WON)
    assert (report.counts.deals, report.counts.users) == (1, 1)
    assert len(importer.log.events_in(f"user:{bo}")) == 1


def test_an_import_gives_up_on_a_deal_that_never_rests(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer.csv(OPEN)
    interfering(importer, monkeypatch, times=engine.ATTEMPTS)
    with pytest.raises(VersionConflict):
        importer.csv(OPEN.replace("1000", "1500"), WON)
    assert importer.histories().keys() == {"D1"}


def test_nothing_is_appended_for_unchanged_deals(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer.csv(OPEN, WON)
    sizes = interfering(importer, monkeypatch, times=0)
    importer.csv(OPEN, WON)
    assert sizes == []


def test_names_are_in_the_log_no_later_than_deals_that_need_them(
    importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "DEALS_PER_TRANSACTION", 1)
    importer.csv(OPEN, WON)
    known: set[str] = set()
    for positioned in importer.log.feed(0, 1_000):
        event = positioned.event
        if event.type == "user-registered":
            known.add(event.identifier)
        if isinstance(event.fact, OpportunityOpened):
            assert event.fact.owner in known


def test_users_of_deals_left_out_are_not_registered(importer: Importer) -> None:
    importer.csv(OPEN, WON.replace("2026-03-03", "2030-01-01").replace("2026-05-04", "2030-01-02"))
    assert {user.name for user in importer.log.users().values()} == {"Ann", "Mei"}
