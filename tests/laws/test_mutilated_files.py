"""Files mutilated at random: never a crash, never a deal imported in part."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.exchange.report import ImportFailure, Kind
from domain.deal import violations
from tests.api.exchange.importing import HEADER, LOST, OPEN, WON, Importer, types
from tests.api.exchange.salesforce.test_deals import DEAL, HISTORY, OPPORTUNITY, ROWS
from tests.api.exchange.salesforce.test_deals import WON as WON_ROW

DEALS = "\r\n".join(
    [
        HEADER,
        OPEN,
        WON,
        LOST,
        'D4,"Press, big","Jörg ""Jo"" Ek",Mei,Press 5,客户,Won,1,,2026-03-05,2026-05-04,99',
        OPEN.replace("D1", "D5"),
        WON.replace("D2", "D6"),
        "",
    ]
).encode()

PARTS = {
    "Offer": ["opportunity-opened", "team-member-assigned", "forecast-revised"],
    "Won": ["opportunity-opened", "team-member-assigned", "forecast-revised", "opportunity-won"],
    "Lost": ["opportunity-opened", "team-member-assigned", "forecast-revised", "opportunity-lost"],
}
"""What a row of each phase leads to, where it says all that the rows above say."""

JUNK = [b"", b"\0", b"\xff", b'"', b'""', b",", b"\n", b"\r", b"\xef\xbb\xbf", b"9", b"-", b"\xc3"]


fewer = settings(max_examples=settings().max_examples // 4)
"""Each example makes a store of its own, which takes its time."""


@st.composite
def mutilated(draw: st.DrawFn, content: bytes) -> bytes:
    """The content with bytes lost, doubled, replaced or put in, perhaps cut."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(start + draw(st.sampled_from([0, 0, 1, 3, 40])), len(content))
        put = draw(st.one_of(st.sampled_from(JUNK), st.binary(max_size=6)))
        content = content[:start] + put + content[end:]
    if draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content)))]
    return content


@contextmanager
def an_importer() -> Iterator[Importer]:
    with tempfile.TemporaryDirectory() as folder:
        importer = Importer(Path(folder))
        try:
            yield importer
        finally:
            importer.log.close()


@fewer
@given(mutilated(DEALS))
@example(DEALS[:200])
@example(DEALS.replace(b'big"', b"big"))
@example(b"\xff\xfe" + DEALS)
def test_a_mutilated_file_of_deals_is_imported_in_whole_deals_or_told(content: bytes) -> None:
    with an_importer() as importer:
        try:
            report = importer.csv_text(content)
        except ImportFailure:
            assert importer.histories() == {}
            return
        histories = importer.histories()
        for history in histories.values():
            assert violations(history.events, importer.log.processes()) == []
            assert types(history.events)[0] == "opportunity-opened"
            ended = types(history.events)[-1].removeprefix("opportunity-") in ("won", "lost")
            assert ended == history.deal.life.status.closed
        rows = report.counts.rows["deals.csv"]
        assert rows == len(histories) + report.counts.deals_left_out
        assert all(e.line is not None for e in report.entries if e.effect == "left-out")
        assert importer.csv_text(content).counts.events == 0


@fewer
@given(st.integers(0, len(DEALS)))
def test_a_cut_file_gives_the_whole_deals_before_the_cut(cut: int) -> None:
    content = DEALS[:cut]
    whole = content[: max(content.rfind(b"\r"), content.rfind(b"\n")) + 1].decode()
    expected = {row["id"]: row["phase"] for row in csv.DictReader(io.StringIO(whole, newline=""))}
    with an_importer() as importer:
        try:
            report = importer.csv_text(content)
        except ImportFailure:
            assert expected == {}
            return
        histories = importer.histories()
        extra = histories.keys() - expected.keys()
        # A last row that has all its cells may be whole or cut in its last cell: it is told.
        assert len(extra) <= len(report.of(Kind.UNTERMINATED_LAST_ROW))
        assert expected.keys() <= histories.keys()
        for reference, phase in expected.items():
            assert [t for t in PARTS[phase] if t in types(histories[reference].events)] == types(
                histories[reference].events
            )
        completed = importer.csv_text(DEALS)
        assert completed.counts.deals == 6 - len(histories)
        assert len(importer.histories()) == 6


SALESFORCE = {
    "Opportunity.csv": "\n".join([OPPORTUNITY, DEAL, DEAL.replace("O1", "O2"), ""]).encode(),
    "OpportunityHistory.csv": "\n".join(
        [
            HISTORY,
            *ROWS,
            *(row.replace("O1", "O2").replace("H", "K") for row in (*ROWS, WON_ROW)),
            "",
        ]
    ).encode(),
}


@fewer
@given(st.data(), st.sampled_from(sorted(SALESFORCE)))
def test_a_mutilated_salesforce_export_is_imported_in_whole_deals_or_refused(
    data: st.DataObject, name: str
) -> None:
    content = data.draw(mutilated(SALESFORCE[name]))
    with an_importer() as importer:
        for file, sound in SALESFORCE.items():
            importer.write(file, content if file == name else sound)
        try:
            importer.salesforce()
        except ImportFailure:
            assert importer.log.head() == 0
            return
        for history in importer.histories().values():
            assert violations(history.events, importer.log.processes()) == []
        assert importer.salesforce().counts.events == 0
