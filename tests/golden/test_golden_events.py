"""Events of every past release still load, and today's code writes the same bytes."""

import pytest

from domain.deal import FACT_TYPES, Deal, DealEvent, evolve
from domain.history import Fact, Recorded, StreamKind, stored_name
from domain.lifecycle.facts import OpportunityWon
from domain.values import Money
from store.events.codec import REGISTERED
from tests.golden.files import golden_lines, golden_topics
from tests.golden.samples import KINDS
from tests.golden.write import missing, topic_of
from tests.stored import to_event, to_row

KINDS_BY_NAME = {stored_name(fact_type): kind for fact_type, kind in KINDS.items()}
CURRENT = {topic_of(fact_type): fact_type for fact_type in REGISTERED}


def load(topic: str) -> list[Recorded[Fact]]:
    """The golden events of a topic. Every line is of version 2 of 4f1c, of the kind of the fact."""
    kind = KINDS_BY_NAME.get(topic.partition("@")[0], StreamKind.DEAL)
    return [to_event(f"{kind}:4f1c", 2, topic, line) for line in golden_lines(topic)]


@pytest.mark.parametrize("fact_type", REGISTERED, ids=stored_name)
def test_every_type_has_golden_events_of_each_of_its_schemas(fact_type: type[Fact]) -> None:
    name = stored_name(fact_type)
    expected = {f"{name}@{schema}" for schema in range(1, fact_type.schema_version + 1)}
    assert expected <= set(golden_topics()), "add them with: python -m tests.golden.write"


@pytest.mark.parametrize("fact_type", REGISTERED, ids=stored_name)
def test_golden_events_touch_the_whole_shape_of_their_type(fact_type: type[Fact]) -> None:
    assert missing(fact_type) == [], "add them with: python -m tests.golden.write"


@pytest.mark.parametrize("topic", golden_topics())
def test_golden_events_load(topic: str) -> None:
    events = load(topic)
    assert events
    assert {event.type for event in events} == {topic.partition("@")[0]}


@pytest.mark.parametrize("topic", sorted(CURRENT))
def test_golden_events_of_current_schemas_are_written_as_they_were(topic: str) -> None:
    rows = [to_row(event) for event in load(topic)]
    assert [row[2] for row in rows] == [topic] * len(rows)
    assert [row[3] for row in rows] == golden_lines(topic)


@pytest.mark.parametrize("topic", golden_topics())
def test_deals_evolve_over_golden_events(topic: str) -> None:
    for event in load(topic):
        if type(event.fact) in FACT_TYPES:
            deal_event: DealEvent = event  # type: ignore[assignment]
            assert isinstance(evolve(Deal(), deal_event), Deal)


def test_a_win_with_one_reason_loads_as_a_win_with_a_list_of_reasons() -> None:
    without, with_reason = load("opportunity-won@1")
    assert without.fact == OpportunityWon()
    assert isinstance(with_reason.fact, OpportunityWon)
    assert with_reason.fact.reasons == ("reason “一” of 2",)
    assert with_reason.fact.value == Money.parse("1054.50", "USD")
    assert with_reason.fact.share_percent == 3
