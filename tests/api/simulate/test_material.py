"""The phrases and the market are complete: no remark is asked for that is not there."""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

import api.simulate
from api.simulate.cast import DEALS_PER_OFFICE
from api.simulate.centre import KEYS
from api.simulate.customers import projects
from api.simulate.material import Phrase, market, phrases
from api.simulate.portfolio import UNTIL, period, premise
from api.simulate.wording import Wording
from domain.buying.facts import CustomerEventKind, OurPart
from domain.competition.facts import Rank
from domain.lifecycle.facts import (
    DeliveryMilestone,
    LostOutcome,
    ReasonDriver,
    Strategy,
    Teller,
)
from domain.needs.facts import ConcernCause, RequirementKind, Topic
from domain.negotiation.facts import OfferReply
from domain.process import BuyingPhase
from domain.process_files import built_in_processes
from domain.values import Money, ProcessRef, Side

SOURCES = sorted(Path(api.simulate.__file__).parent.rglob("*.py"))
PROCESSES = ("key-account", "four-phase")
MOMENT = datetime(2025, 5, 6, 9, 30, tzinfo=UTC)
WESTERN, CHINESE = 1, 7
"""Numbers of a deal in a western and of one in a Chinese territory, under seed 7."""


def literals() -> set[str]:
    """Every text in the code that could be a key."""
    return {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def made_of_enumerations() -> set[str]:
    causes = ("us", "customer", "tender", "unknown", "correction")
    selling = list(BuyingPhase)[:-1]
    concerns = set(ConcernCause) - {ConcernCause.OTHER}
    return {
        *(f"attest.{criterion}" for criterion in shown_by_the_customer()),
        *(f"lost.{outcome}" for outcome in set(LostOutcome) - {LostOutcome.LOST_TO_COMPETITOR}),
        *(f"lost.to.{driver}" for driver in ReasonDriver),
        *(f"strategy.{strategy}" for strategy in Strategy),
        *(f"reason.{teller}.{driver}" for teller in Teller for driver in ReasonDriver),
        *(f"{key}.{side}" for key in ("regress", "revoke") for side in Side),
        *(f"delivery.{milestone}" for milestone in DeliveryMilestone),
        *(f"category.{name}" for name in ("commit", "best-case", "omitted")),
        *(f"plan.{theme}" for theme in ("access", "criteria", "people", "defence")),
        *(f"slip.{cause}" for cause in causes),
        *(f"{kind}.{key}" for kind in ("call", "mail") for key in KEYS),
        *(f"motive.{kind}.{key}" for kind in ("business", "personal") for key in KEYS),
        *(f"visit.with.{key}" for key in ("user", "mid", "dm")),
        *(f"{kind}.{phase}" for kind in ("visit", "purpose", "phase") for phase in selling),
        *(f"leaning.{side}" for side in ("us", "nobody", "rival")),
        *(f"departure.{way}" for way in ("left", "moved")),
        *(f"requirement.{kind}" for kind in set(RequirementKind) - NEVER_ASKED),
        *(f"fact.{topic}" for topic in set(Topic) - {Topic.OTHER}),
        *(f"{key}.{cause}" for key in ("concern", "resolved") for cause in concerns),
        *(f"criterion.{name}" for name in CRITERIA),
        *(f"part.{part}" for part in OurPart),
        *(f"promise.{side}.{kind}" for side in ("ours", "theirs") for kind in PROMISES),
        *(f"promise.broken.{side}" for side in ("us", "them")),
        *(f"event.{kind}" for kind in CustomerEventKind),
        *(f"position.{rank}" for rank in set(Rank) - {Rank.UNKNOWN}),
        *(f"competitor.{part}" for part in ("background", "products", "price", "sales")),
        *(f"name.{kind}" for kind in OTHER_WAYS),
        *(f"{kind}.background" for kind in OTHER_WAYS),
        *(f"talk.{result}" for result in ("impasse", "broken-off")),
        *(f"answer.{reply}" for reply in OfferReply),
    }


NEVER_ASKED = {RequirementKind.COMMERCIAL, RequirementKind.OTHER}
CRITERIA = ("technical", "price", "service", "references", "schedule")
PROMISES = ("pilot", "documents", "visit", "reference", "figures")
OTHER_WAYS = ("in-house", "doing-nothing")
OURS = {
    "account-and-source-recorded",
    "go-no-go-decided",
    "next-step-planned",
    "deal-team-of-two-roles",
    "win-plan-set",
    "close-date-and-amount-forecast",
    "won",
}
"""Predicates over what we do ourselves: nobody needs to attest it."""


def shown_by_the_customer() -> set[str]:
    """Criteria of which somebody may say that they are met."""
    return {
        criterion.id
        for process_id in PROCESSES
        for stage in built_in_processes().get(ProcessRef(process_id, 1)).stages
        for criterion in stage.gate
        if not stage.after_win and criterion.predicate not in OURS
    }


def variants() -> set[str]:
    """Keys that stand in for another one in some deals."""
    remarks = phrases().remarks
    special = {key for key in remarks if key.endswith((".tender", ".early", ".overdue", ".signed"))}
    criteria = {c.id for process in built_in_processes() for s in process.stages for c in s.gate}
    absent = {key for key in remarks if key.removeprefix("absent.") in criteria}
    return absent | {key for key in special if key.rpartition(".")[0] in remarks}


def test_every_remark_that_can_be_asked_for_is_there() -> None:
    assert made_of_enumerations() - phrases().remarks.keys() == set()


def test_every_remark_can_be_asked_for() -> None:
    used = made_of_enumerations() | variants() | literals()
    assert phrases().remarks.keys() - used == set()


def test_there_are_steps_for_every_phase_before_delivery() -> None:
    assert list(phrases().steps) == list(BuyingPhase)[:-1]


def every_phrase() -> list[tuple[str, Phrase]]:
    steps = [
        (f"{phase}.{part}", getattr(step, part))
        for phase, kinds in phrases().steps.items()
        for step in kinds
        for part in ("what", "objective", "result")
    ]
    return [*phrases().remarks.items(), *steps]


@pytest.mark.parametrize("number", [WESTERN, CHINESE])
def test_every_template_can_be_filled(number: int) -> None:
    about = premise(7, number, period(24, UNTIL))
    wording = Wording(about.facts, True, True, 0.0, Random(1))
    for key, phrase in every_phrase():
        for template in phrase.en + (phrase.zh if number == CHINESE else ()):
            text = wording.phrase(Phrase((template,)), MOMENT, about.amount)
            assert not re.search(r"[{}]|  |\bthe the\b|\.\.|^[^\w\"]", text), (key, text)


def test_the_two_premises_are_what_they_are_called() -> None:
    cultures = [
        premise(7, number, period(24, UNTIL)).project.territory.culture
        for number in (WESTERN, CHINESE)
    ]
    assert cultures[0] != "chinese"
    assert cultures[1] == "chinese"


def test_remarks_are_sentences() -> None:
    unended = [
        template
        for key, phrase in phrases().remarks.items()
        if key != "factor"
        for template in phrase.en + phrase.zh
        if not template.endswith((".", "?", "!", "。", "？", '"'))
    ]
    assert [t for t in unended if t not in phrases().remarks["factor"].zh] == []


def test_languages_are_not_mixed_up() -> None:
    for key, phrase in every_phrase():
        assert not any(letter >= "一" for template in phrase.en for letter in template), key
        for template in phrase.zh:
            assert not re.search(r"[A-Za-z]{4}", re.sub(r"{\w+}", "", template)), (key, template)


def test_no_template_is_there_twice() -> None:
    for key, phrase in every_phrase():
        assert len(set(phrase.en)) == len(phrase.en), key
        assert len(set(phrase.zh)) == len(phrase.zh), key


def test_the_market_fits_together() -> None:
    products = {product.id for product in market().products}
    for territory in market().territories:
        assert len(territory.months) == 12
        assert territory.culture in market().cultures
        assert all(territory.region in rival.strength for rival in market().rivals)
        assert Money.parse("1", territory.currency).amount == 1
        assert territory.sellers >= 2, "a deal can be handed over"
    for industry in market().industries:
        assert set(industry.products) <= products
        assert set(industry.suffixes) >= set(market().cultures)
    for culture in market().cultures.values():
        assert len(culture.latin_sites) in (0, len(culture.sites))


@pytest.mark.parametrize("office", [0, 1])
def test_no_two_projects_of_an_office_are_the_same(office: int) -> None:
    made = projects(3, office)
    assert len(made) == DEALS_PER_OFFICE
    keys = {(p.customer.account.id, p.product.id, p.site.en) for p in made}
    assert len(keys) == DEALS_PER_OFFICE
