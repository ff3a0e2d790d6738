"""A deal as far as somebody may see it: what they may not see is not decrypted."""

from collections.abc import Iterator

import pytest

from api.queries.deals import show_deal, stakeholder_map
from api.queries.instants import Instants
from api.queries.negotiations import negotiations_of
from api.queries.replays import replay_deal
from api.queries.trails import TrailQuery, entries_of_events, trail_of_deal
from api.queries.views import View, open_view, view_of_recorder, visible_in_all
from api.workspace import Workspace
from domain.access import EVERYTHING, Action, Principal, Role, Sensitivity
from domain.refusals import NotAllowed
from projections.deals import DealNotFound
from store.events.fields import Encrypted, FieldCipher, Opened, Place
from store.location import Location
from tests.api.talks import make

DEAL = "d-talks"
ANALYST = Principal("u-ann", frozenset({Role.ANALYST}))
OWNER = Principal("u-anna", frozenset({Role.SELLER}))
OTHER = Principal("u-ben", frozenset({Role.SELLER}))
AUDITOR = Principal("u-aud", frozenset({Role.AUDITOR}))
NOW = Instants()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    url = make(tmp_path_factory.mktemp("talks"))
    with Workspace.open(Location.parse(url)) as opened:
        yield opened


@pytest.fixture
def decrypted(monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """Which fields of deals are decrypted."""
    places: list[Place] = []
    decrypt = FieldCipher.decrypt

    def noted(self: FieldCipher, place: Place, encrypted: Encrypted) -> Opened:
        if place.stream.startswith("deal:"):
            places.append(place)
        return decrypt(self, place, encrypted)

    monkeypatch.setattr(FieldCipher, "decrypt", noted)
    return places


def ask_everything(view: View) -> None:
    for question in (show_deal, replay_deal, stakeholder_map, negotiations_of):
        question(view, NOW)
    trail_of_deal(view, TrailQuery())
    entries_of_events(view, [1, 4])


def test_for_who_sees_what_is_public_nothing_of_a_deal_is_decrypted(
    store: Workspace, decrypted: list[Place]
) -> None:
    ask_everything(open_view(store, ANALYST, Action.READ, DEAL))
    assert decrypted == []
    ask_everything(open_view(store, AUDITOR, Action.READ, DEAL))
    assert {place.field for place in decrypted} >= {"name", "walk_aways", "reading", "basis"}


def test_of_what_is_personal_no_secret_is_decrypted(
    store: Workspace, decrypted: list[Place]
) -> None:
    visible = frozenset({Sensitivity.PUBLIC, Sensitivity.PERSONAL})
    view = View(store, DEAL, visible, AUDITOR)
    ask_everything(view)
    assert {place.type for place in decrypted} >= {"stakeholder-identified", "offer-made"}
    assert not {place.field for place in decrypted} & {"targets", "walk_aways", "walk_away"}
    (ledger, _) = negotiations_of(view, NOW).negotiations
    assert (ledger.secrets, ledger.offers[-1].in_return_for) == (None, "Prepayment")


def test_whether_somebody_may_is_decided_by_what_is_public(
    store: Workspace, decrypted: list[Place]
) -> None:
    with pytest.raises(NotAllowed, match=r"u-ben \(seller\) may not read here"):
        open_view(store, OTHER, Action.READ, DEAL)
    assert open_view(store, OWNER, Action.READ, DEAL).visible == EVERYTHING
    assert decrypted == []


def test_whoever_recorded_is_answered_with_what_they_may_read(store: Workspace) -> None:
    assert view_of_recorder(store, OWNER, DEAL).visible == EVERYTHING
    view = view_of_recorder(store, OTHER, DEAL)
    assert view.visible == frozenset()
    (told,) = entries_of_events(view, [2])
    assert told.what == "wang identified: [hidden], purchaser"


@pytest.mark.parametrize("deal_id", ["", "d-none", "x" * 201, "\0"])
def test_a_deal_that_is_not_there_is_not_found(store: Workspace, deal_id: str) -> None:
    with pytest.raises(DealNotFound):
        open_view(store, AUDITOR, Action.READ, deal_id)


def test_the_trail_of_everything_is_for_who_may_audit() -> None:
    assert visible_in_all(AUDITOR, Action.AUDIT) == EVERYTHING
    with pytest.raises(NotAllowed, match="may not audit"):
        visible_in_all(ANALYST, Action.AUDIT)
