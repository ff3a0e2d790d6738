"""Pages over HTTP: in the language asked for."""

from pathlib import Path

import pytest

from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.pages.test_wording import LOST
from tests.api.serving import serving
from tests.api.small_store import on


@pytest.mark.parametrize("layout", ["html", "markdown"])
def test_the_language_is_a_parameter(tmp_path: Path, layout: str) -> None:
    location = Location.beside(tmp_path / "deals.db")
    with DealLog.create(location) as log:
        drafts = [on(f"2026-03-{day:02}", fact) for day, fact in enumerate(LOST, start=2)]
        log.append([Batch("deal:lost", 0, drafts)])
    url = f"/v1/deals/lost/postmortem?format={layout}"
    with serving(str(location)) as client:
        told = {one: client.get(f"{url}&language={one}").text for one in ("en", "zh", "both")}
        assert client.get(f"{url}&language=fr").status_code == 422
        assert "\u6211\u4eec" not in client.get(url).text
    assert ["\u6211\u4eec" in told[one] for one in ("en", "zh", "both")] == [False, True, True]
    assert len(set(told.values())) == 3
