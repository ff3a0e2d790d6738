"""The deals that hold people."""

from domain.people.facts import StakeholderIdentified
from tests.benchmarks.told import encrypted_share, told


def test_there_are_as_many_events_as_asked_for_and_people_among_them() -> None:
    deals = told(500)
    assert sum(len(deal.drafts) for deal in deals) == 500
    assert [deal.deal_id for deal in told(400)] == [deal.deal_id for deal in deals][
        : len(told(400))
    ]
    facts = [draft.fact for deal in deals for draft in deal.drafts]
    assert any(isinstance(fact, StakeholderIdentified) for fact in facts)


def test_most_of_their_events_have_encrypted_fields() -> None:
    share = encrypted_share()
    assert 0.5 < share["share"] < 1
    assert share["fields"] > share["share"]
