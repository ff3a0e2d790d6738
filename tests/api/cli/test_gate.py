"""`dealstate gate`: what it takes to leave a stage, at any moment of both axes."""

from contextlib import closing

import pytest

from api.wire.deals import DealGate
from api.wire.gates import GateCriterion
from domain.deal import DealFact
from domain.people.facts import BuyingRole, ContactKind, ContactMade, StakeholderIdentified
from domain.stages.facts import GateCriterionAttested
from store.events.writing import Batch
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import Run
from tests.api.small_store import DEALS, on


def asked(run: Run, *args: str) -> DealGate:
    return run("gate", *args, "--format", "json").read(DealGate)


def criterion(answer: DealGate, wanted: str) -> GateCriterion:
    return next(one for one in answer.gate.criteria if one.id == wanted)


@pytest.fixture
def people(own_store: str, write: Run) -> Run:
    """Runs commands on a store in which someone is known of the deal R-1, in P2."""
    facts: list[tuple[str, DealFact]] = [
        ("2026-02-10", StakeholderIdentified("li", "李工", roles=(BuyingRole.USER,))),
        ("2026-02-11", ContactMade("visit", ContactKind.VISIT, ("li",))),
        (
            "2026-02-12",
            GateCriterionAttested(
                "decision-chain-known",
                "The plant decides",
                applies=False,
                contact="visit",
                aspect="recommender",
            ),
        ),
        ("2026-02-13", GateCriterionAttested("win-plan-set", "On paper", contact="visit")),
    ]
    with closing(DealLog.open(Location.parse(own_store))) as log:
        drafts = [on(day, fact) for day, fact in facts]
        log.append([Batch("deal:d-robot", len(DEALS["d-robot"]), drafts)])
    return write


def test_a_criterion_is_met_by_events_in_words(run: Run) -> None:
    answer = asked(run, "R-1")
    assert (answer.deal.id, answer.gate.stage, answer.gate.total) == ("d-robot", "P2", 9)
    forecast = criterion(answer, "close-date-and-amount-forecast")
    assert (forecast.met, forecast.attested, forecast.met_by) == (True, False, None)
    (shown,) = forecast.evidence
    assert (shown.version, shown.actor.name) == (2, "Anna Lee")
    assert shown.occurred_at == "2026-02-03T09:00:00.000000Z"
    assert shown.what.startswith("amount unknown → 1,200,000 JPY; close date unknown")


def test_a_criterion_is_attested_by_someone_with_the_contact(people: Run) -> None:
    plan = criterion(asked(people, "R-1"), "win-plan-set")
    assert (plan.met, plan.attested, plan.met_by) == (True, True, None)
    assert [event.version for event in plan.evidence] == [6]
    (said,) = plan.attestations
    assert (said.by.name, said.note, said.contact) == ("Anna Lee", "On paper", "visit")
    assert (said.applies, said.aspect, said.version) == (True, None, 6)


def test_an_aspect_alone_leaves_a_criterion_missing_and_is_shown(people: Run) -> None:
    chain = criterion(asked(people, "R-1"), "decision-chain-known")
    assert (chain.met, chain.attested, chain.evidence) == (False, False, [])
    assert chain.met_by is not None
    assert chain.met_by.startswith("identify-stakeholder")
    assert [(one.aspect, one.applies) for one in chain.attestations] == [("recommender", False)]


def test_any_stage_can_be_asked_about(people: Run) -> None:
    answer = asked(people, "R-1", "--stage", "P0")
    assert answer.gate.stage == "P0"
    assert criterion(answer, "one-stakeholder-recorded").met
    assert asked(people, "R-1", "--stage", "P5").gate.met == 1
    refused = people("gate", "R-1", "--stage", "P9")
    assert refused.exit_code == 2
    assert "key-account/1 has no stage 'P9'; its stages are P0, P1" in refused.stderr


def test_a_gate_stood_otherwise_before(run: Run) -> None:
    def met(*at: str) -> list[str]:
        gate = asked(run, "P-1", "--stage", "P1", *at).gate
        return [one.id for one in gate.criteria if one.met]

    assert met("--as-of", "2026-02-09") == []
    assert met("--as-of", "2026-02-10") == ["scale-known"]
    assert met("--as-of", "2026-03-01", "--known-at", "2026-02-09") == []


def test_the_text_tells_it_to_people(people: Run) -> None:
    text = people("gate", "R-1").stdout
    for part in (
        "机器人工作站  (R-1), now",
        "To leave P2: 2 of 9 met",
        "   2  2026-02-03  amount unknown → 1,200,000 JPY",
        "   6  attested by Anna Lee on 2026-02-13, contact visit: On paper",
        "   5  recommender attested as not applying by Anna Lee on 2026-02-12, contact visit: ",
        "to meet it: identify-stakeholder",
        "to meet it: approve-project; or attest-gate-criterion",
    ):
        assert part in text
    nothing = people("gate", "R-1", "--stage", "P5").stdout
    assert "nothing stands against it" in nothing
