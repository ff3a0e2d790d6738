"""What another process takes away counts at the next request, though callers are kept in memory."""

from pathlib import Path

from fastapi.testclient import TestClient

from api.app import create_app
from api.auth.callers import Callers
from api.cli.configuring import carried_out
from api.settings import Settings
from api.workspace import Workspace
from domain.access import Role
from domain.organisation import EndMembership
from store.location import Location
from tests.drills.serving import furnish
from tests.scenario import OPERATOR


def test_a_role_that_another_process_takes_away_counts_at_once(tmp_path: Path) -> None:
    location = Location.beside(tmp_path / "deals.db")
    headers = {"Authorization": f"Bearer {furnish(location)}"}
    app = create_app(Settings(db=str(location), worker=False))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        callers = app.state.authenticate
        assert isinstance(callers, Callers)
        assert client.get("/v1/deals", headers=headers).status_code == 200
        assert callers.at_hand([headers["Authorization"]]) is not None
        with Workspace.open(location) as other:
            carried_out(other, OPERATOR, EndMembership("u-anna", Role.SELLER))
            assert callers.at_hand([headers["Authorization"]]) is None
        assert client.get("/v1/deals", headers=headers).status_code == 403
