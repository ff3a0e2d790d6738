"""109 real negotiations of a job, replayed and reckoned twice: by the product and beside it.

A recruiter and a worker negotiated salary, weekly holidays, workplace, and the
position at one of four companies. What a position is worth depends on the
company, so the two are one issue here. The file holds who offered what and when,
what every value is worth to either, and which offer was accepted, but not when:
acceptance is put behind the last offer. Eight accepted an offer that was not the last:
its maker then stands by it again.

`Reckoned` works everything out from the file by the definitions, and shares no
code with the domain.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from domain.negotiation import ledger
from domain.negotiation.commands import (
    AgreeTerm,
    AnswerOffer,
    ConcludeNegotiation,
    MakeOffer,
    OpenNegotiation,
)
from domain.negotiation.facts import (
    Better,
    ConcessionMade,
    Issue,
    IssueKind,
    NegotiationResult,
    OfferReply,
    Option,
    Term,
)
from domain.negotiation.figures import figures
from domain.negotiation.positions import Negotiation
from domain.values import Party
from tests.scenario import Scenario, given, on, opened
from tests.shared_data import shared

DIALOGUES = 109
ISSUES = ("Salary", "Weekly holiday", "Workplace", "Position at company")
LONG_BEFORE = -3_000
"""Days: the talks were held in 2018."""

Dialogue = dict[str, Any]


@cache
def dialogues() -> list[Dialogue]:
    text = (shared("negotiation_ji") / "ji_test.json").read_text(encoding="utf-8")
    read: list[Dialogue] = json.loads(text)
    return read


# Worked out from the file alone.


class Conceded(NamedTuple):
    offer: int
    role: str
    issue: str
    from_: str
    to: str
    conditional: bool


def exact(number: float) -> Fraction:
    """The number as it is written in the file."""
    return Fraction(repr(number))


def values_of(body: dict[str, Any]) -> dict[str, str]:
    one = {name: str(body[name]) for name in ISSUES[:3]}
    return one | {"Position at company": f"{body['Position']} at {body['Company']}"}


class Utilities:
    """What values are worth to one of the two."""

    def __init__(self, user: dict[str, Any]) -> None:
        self.role = user["role"]
        self._issues = {issue["name"]: issue for issue in user["utilities"]}

    def worth(self, name: str, value: str) -> Fraction:
        if name == "Position at company":
            position, company = value.split(" at ")
            alone = self._discrete("Company", {"name": company})
            together = self._discrete(
                "Position", {"names": {"Position": position, "Company": company}}
            )
            return alone + together
        if name == "Workplace":
            return self._discrete(name, {"name": value})
        issue = self._issues[name]
        above = Fraction(int(value) - issue["min"], issue["max"] - issue["min"])
        return exact(issue["weight"]) * (above if self.role == "worker" else 1 - above)

    def _discrete(self, name: str, wanted: dict[str, Any]) -> Fraction:
        issue = self._issues[name]
        (weight,) = (
            option["weight"]
            for option in issue["options"]
            if all(option[key] == value for key, value in wanted.items())
        )
        return exact(issue["weight"]) * exact(weight)

    def values(self, name: str) -> list[str]:
        if name == "Workplace":
            return [option["name"] for option in self._issues[name]["options"]]
        pairs = [option["names"] for option in self._issues["Position"]["options"]]
        return [f"{pair['Position']} at {pair['Company']}" for pair in pairs]


class Reckoned:
    """Rounds, positions, concessions and final terms of one dialogue."""

    def __init__(self, dialogue: Dialogue) -> None:
        roles = {user["id"]: user["role"] for user in dialogue["users"]}
        worth = {user["role"]: Utilities(user).worth for user in dialogue["users"]}
        self.rounds: list[int] = []
        self.by_round: dict[int, dict[str, dict[str, str]]] = {}
        self.concessions: list[Conceded] = []
        self.positions: dict[str, dict[str, str]] = {"worker": {}, "recruiter": {}}
        makers = []
        for number, solution in enumerate(dialogue["solutions"]):
            role = roles[solution["user_id"]]
            makers.append(role)
            changed = not self.rounds or role != makers[-2]
            self.rounds.append((self.rounds[-1] if self.rounds else 0) + changed)
            before, after = self.positions[role], values_of(solution["body"])
            gains = {
                name: worth[role](name, after[name]) - worth[role](name, before[name])
                for name in before
            }
            conditional = any(gained > 0 for gained in gains.values())
            self.concessions += [
                Conceded(number, role, name, before[name], after[name], conditional)
                for name, gained in gains.items()
                if gained < 0
            ]
            self.positions[role] = after
            self._note()
        (accepted,) = (
            number for number, one in enumerate(dialogue["solutions"]) if one["accepted"]
        )
        self.accepted = accepted
        self.final = values_of(dialogue["solutions"][accepted]["body"])
        self.positions = {"worker": self.final, "recruiter": self.final}
        self._note()

    def shrink_ratios(self, role: str, name: str) -> tuple[Fraction, ...]:
        """Of an issue whose values are numbers."""
        sizes = [
            abs(int(one.to) - int(one.from_))
            for one in self.concessions
            if (one.role, one.issue) == (role, name)
        ]
        return tuple(Fraction(after, before) for before, after in pairwise(sizes))

    def _note(self) -> None:
        self.by_round[self.rounds[-1]] = {role: dict(at) for role, at in self.positions.items()}


# Replayed by the product.


def worth_text(worth: Fraction) -> str:
    """In billionths of the whole, with nine digits."""
    number = f"{round(worth * 10**18):010d}"
    return f"{number[:-9]}.{number[-9:]}".rstrip("0").rstrip(".")


def declared(dialogue: Dialogue, us: str) -> tuple[Issue, ...]:
    by_role = {user["role"]: Utilities(user) for user in dialogue["users"]}
    ours, theirs = by_role.pop(us), next(iter(by_role.values()))

    def better(utilities: Utilities, name: str) -> Better:
        rises = utilities.worth(name, "4") > utilities.worth(name, "3")
        return Better.HIGHER if rises else Better.LOWER

    numbers = [
        Issue(
            name,
            IssueKind.OTHER,
            better_for_us=better(ours, name),
            better_for_them=better(theirs, name),
        )
        for name in ISSUES[:2]
    ]
    options = [
        Issue(
            name,
            IssueKind.OTHER,
            options=tuple(
                Option(
                    value,
                    worth_text(ours.worth(name, value)),
                    worth_text(theirs.worth(name, value)),
                )
                for value in ours.values(name)
            ),
        )
        for name in ISSUES[2:]
    ]
    return (*numbers, *options)


def replayed(dialogue: Dialogue, us: str) -> Scenario:
    """The dialogue as one deal's negotiation, every step asked for by a command."""
    roles = {user["id"]: user["role"] for user in dialogue["users"]}
    deal = given(on(LONG_BEFORE, opened()))
    talks = deal.when(OpenNegotiation("job", declared(dialogue, us))).accepted()
    for number, solution in enumerate(dialogue["solutions"]):
        side = Party.US if roles[solution["user_id"]] == us else Party.CUSTOMER
        values = values_of(solution["body"])
        terms = tuple(Term(name, values[name]) for name in ISSUES)
        at = datetime.fromisoformat(solution["created_at"])
        talks = talks.when(MakeOffer(str(number), side, terms), at=at).accepted()
    (accepted,) = (number for number, one in enumerate(dialogue["solutions"]) if one["accepted"])
    talks = talks.when(AnswerOffer(str(accepted), OfferReply.ACCEPTED)).accepted()
    for name in ISSUES:
        talks = talks.when(AgreeTerm(name)).accepted()
    return talks.when(ConcludeNegotiation("job", NegotiationResult.AGREED)).accepted()


def negotiation_of(scenario: Scenario) -> Negotiation:
    (negotiation,) = scenario.deal.negotiations.opened
    return negotiation


def role_of(side: Party, us: str) -> str:
    them = "worker" if us == "recruiter" else "recruiter"
    return us if side is Party.US else them


@pytest.mark.parametrize("us", ["recruiter", "worker"])
def test_the_product_reckons_as_the_file_says(us: str, subtests: pytest.Subtests) -> None:
    for dialogue in dialogues():
        with subtests.test(dialogue=dialogue["id"]):
            the_same_is_reckoned(dialogue, us)


def the_same_is_reckoned(dialogue: Dialogue, us: str) -> None:
    them = role_of(Party.CUSTOMER, us)
    reckoned = Reckoned(dialogue)
    scenario = replayed(dialogue, us)
    negotiation = negotiation_of(scenario)

    assert [offer.round for offer in negotiation.offers] == reckoned.rounds
    assert [offer.made.fact.round for offer in negotiation.offers] == reckoned.rounds
    assert [
        (row.round, row.issue, row.ours, row.theirs)
        for row in ledger.positions_by_round(negotiation)
    ] == [
        (number, name, at[us].get(name), at[them].get(name))
        for number, at in reckoned.by_round.items()
        for name in ISSUES
    ]
    for side in Party:
        standing = {one.issue.id: one.position(side) for one in negotiation.issues}
        assert standing == reckoned.positions[role_of(side, us)]

    facts = [event.fact for event in scenario.history.events]
    assert [
        Conceded(
            int(fact.offer),
            role_of(fact.side, us),
            fact.issue,
            fact.from_,
            fact.to,
            fact.conditional,
        )
        for fact in facts
        if isinstance(fact, ConcessionMade)
    ] == reckoned.concessions
    assert Counter(
        Conceded(
            int(one.move.offer),
            role_of(one.move.side, us),
            one.move.issue,
            one.move.from_,
            one.move.to,
            one.conditional,
        )
        for one in ledger.concessions(negotiation)
    ) == Counter(reckoned.concessions)

    found = figures(negotiation)
    assert found.rounds == reckoned.rounds[-1]
    for side, given_up in ((Party.US, found.ours), (Party.CUSTOMER, found.theirs)):
        theirs = [one for one in reckoned.concessions if one.role == role_of(side, us)]
        unilateral = sum(not one.conditional for one in theirs)
        assert given_up.concessions == len(theirs)
        assert given_up.unilateral_share == (Fraction(unilateral, len(theirs)) if theirs else None)
    for one in found.issues[:2]:
        for side, shrinking in (
            (Party.US, one.our_shrinking),
            (Party.CUSTOMER, one.their_shrinking),
        ):
            assert shrinking.ratios == reckoned.shrink_ratios(role_of(side, us), one.issue)

    agreed = {one.issue.id: one.agreed.fact.value for one in negotiation.issues if one.agreed}
    assert agreed == reckoned.final
    assert negotiation.concluded is not None


def test_the_declared_worths_order_values_as_the_utilities_do() -> None:
    """A worth keeps nine digits behind the point, which has to tell any two values apart."""
    users = [user for dialogue in dialogues() for user in dialogue["users"]]
    for utilities in map(Utilities, users):
        for name in ISSUES[2:]:
            worths = sorted(utilities.worth(name, value) for value in utilities.values(name))
            for lower, higher in pairwise(worths):
                kept = Fraction(worth_text(lower)), Fraction(worth_text(higher))
                assert (lower < higher) is (kept[0] < kept[1])


def test_the_file_holds_what_is_said_of_it() -> None:
    reckoned = [Reckoned(dialogue) for dialogue in dialogues()]
    assert len(reckoned) == DIALOGUES
    assert sum(len(one.rounds) for one in reckoned) == 270
    assert sum(len(one.rounds) == 1 for one in reckoned) == 36
    assert sum(one.accepted != len(one.rounds) - 1 for one in reckoned) == 8
    conceded = [one for each in reckoned for one in each.concessions]
    assert Counter((one.role, one.conditional) for one in conceded) == {
        ("recruiter", False): 51,
        ("recruiter", True): 22,
        ("worker", False): 29,
        ("worker", True): 19,
    }
    assert max(one.rounds[-1] for one in reckoned) == 5
