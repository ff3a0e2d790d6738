"""`dealstate negotiation`: offers round by round, concessions, figures, and secrets kept."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.cli.score import figures_told
from api.wire.concessions import SideFigures
from api.wire.negotiation import DealNegotiations, NegotiationLedger
from api.wire.values import Amount
from domain.deal import Deal, History, violations
from domain.negotiation.facts import PressureReading
from domain.process_files import built_in_processes
from store.location import Location
from store.log import DealLog
from tests.api.cli.conftest import Result, Run, run_command
from tests.api.talks import Marks, make

OTHER = Marks("1200", "850", "700", "We need the sale.", "1500", "A hunch.", None)
"""Marks by which nothing was breached, and the zone is another one."""


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make(tmp_path_factory.mktemp("talks"))


@pytest.fixture(scope="module")
def other_talks(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same, save for what only our side knows."""
    return make(tmp_path_factory.mktemp("other-talks"), OTHER)


Ask = Callable[..., Result]


@pytest.fixture
def ask(talks: str) -> Ask:
    def asked(*args: str, **more: Any) -> Result:
        return run_command("--db", talks, "negotiation", "N-1", *args, **more)

    return asked


def answered(ask: Ask, *args: str) -> DealNegotiations:
    return ask("--format", "json", *args).read(DealNegotiations)


def ledger(ask: Ask, *args: str) -> NegotiationLedger:
    return answered(ask, *args).negotiations[0]


def deal_of(url: str) -> tuple[History, Deal]:
    log = DealLog.open(Location.parse(url))
    history = log.history("d-talks")
    log.close()
    return history, history.deal


def test_the_deal_shown_here_is_sound(talks: str, other_talks: str) -> None:
    for url in (talks, other_talks):
        history, _ = deal_of(url)
        assert violations(history.events, built_in_processes()) == []


SCORE = """\
Press line  (N-1), now

quote  issued          total  off list  lines      by
-----------------------------------------------------------
    1  2026-03-04  1,000 USD      20 %  2 × Press  Anna Lee

Negotiation main with Wang Fang, opened 2026-03-05, broken-off 2026-03-26: No way to deliver.

issue  kind          unit    opening  target  walk-away  theirs, est.  weight  per unit  we stand at  they stand at               agreed
----------------------------------------------------------------------------------------------------------------------------------------
price  price         USD        1000     980        880           960    60 %     1 USD          890            890  890 (reopened once)
days   payment-time  days          –       –          –             –       –  2.50 USD           45             90                    –
way    delivery      option        –       –          –             –       –         –         rail              –                    –

round  when              who   offer  price USD  days   way  in return for  answer
------------------------------------------------------------------------------------------------------------
    1  2026-03-06 09:00  we    o1          1000    30  rail  –              –
    2  2026-03-07 09:00  they  t1           800    90        –              –
    3  2026-03-09 09:00  we    o2         ↓ 940  ↓ 45        –              –
    4  2026-03-13 09:00  they  t2         ↓ 870              –              countered 2026-03-15 by Anna Lee
    5  2026-03-19 09:00  we    o3         ⇄ 890              Prepayment     accepted 2026-03-21 by Wang Fang

conceded    who   issue  from → to   size       cost  condition               to whom    tactic                   approved by  to target  to walk-away
------------------------------------------------------------------------------------------------------------------------------------------------------
2026-03-09  we    price  1000 → 940    60     60 USD  none                    Wang Fang  diminishing-steps        –                  -40            40
2026-03-09  we    days   30 → 45       15  37.50 USD  none                    Wang Fang  diminishing-steps        –                    –             –
2026-03-13  they  price  800 → 870     70     70 USD  none                    –          –                        –                 -110           -30
2026-03-19  we    price  940 → 890     50     50 USD  Prepayment (fulfilled)  Wang Fang  condition-for-condition  梅芳               -90            10

approval  when        issue  value  what       by        authority  why
------------------------------------------------------------------------------
      15  2026-03-16  price    890  requested  Anna Lee  director   –
      16  2026-03-17  price    890  granted    梅芳      director   Last step.

Rounds        5
We conceded   3 times, 147.50 USD, 66.7 % with nothing in return
They conceded once, 70 USD, 100 % with nothing in return; accepting cost 20 USD more
Reciprocity   2.1071 (ours ÷ theirs, in money)
Steps         our concessions on price: 0.8333 (always smaller)
Discount      price 11 % off the opening
Pressed       they insisted on price at 870
Breach        price at 940 (offer o2) was past the authority of Anna Lee
Zone          price 880 to 960 (estimated), 12.5 % kept
Reading       price at 870 we take for: bluff

Negotiation extras, opened 2026-03-27, open

issue     kind          unit  opening  target  walk-away  theirs, est.  weight  per unit  we stand at  they stand at  agreed
----------------------------------------------------------------------------------------------------------------------------
training  service-free  days        –       –          –             –       –         –            3              –       –

round  when              who  offer  training days  in return for  answer
-------------------------------------------------------------------------
    1  2026-03-28 09:00  we   o4                 2  –              –
       2026-03-29 09:00  we   o5               ↓ 3  –              –

conceded    who  issue     from → to  size  cost  condition  to whom  tactic  approved by  to target  to walk-away
------------------------------------------------------------------------------------------------------------------
2026-03-29  we   training  2 → 3         1     –  none       –        –       –                    –             –

Rounds        1
We conceded   once, cost unknown, 100 % with nothing in return
They conceded nothing
"""  # noqa: E501


def test_the_score_of_a_negotiation(ask: Ask) -> None:
    assert ask().stdout == SCORE


def test_money_shares_and_ratios_are_given_as_numbers(ask: Ask) -> None:
    figures = ledger(ask).figures
    assert msgspec.to_builtins(figures.ours) == {
        "concessions": 3,
        "cost": {"amount": "147.50", "currency": "USD"},
        "known_cost": {"amount": "147.50", "currency": "USD"},
        "without_cost": 0,
        "unilateral_share": "0.6667",
        "cost_of_accepting": {"amount": "0.00", "currency": "USD"},
    }
    assert figures.reciprocity == "2.1071"
    (price, _, _) = figures.issues
    assert msgspec.to_builtins(price.our_shrinking) == {"ratios": ["0.8333"], "always": True}
    assert price.discount is not None
    assert msgspec.to_builtins(price.discount) == {"share": "0.1100", "base": "opening"}


def test_a_concession_has_the_keys_of_the_interface(ask: Ask) -> None:
    assert msgspec.to_builtins(ledger(ask).concessions[-1]) == {
        "issue": "price",
        "side": "us",
        "round": 5,
        "offer": "o3",
        "made_at": "2026-03-19T09:00:00.000000Z",
        "version": 18,
        "from": "940",
        "to": "890",
        "size": "50",
        "cost": {"amount": "50.00", "currency": "USD"},
        "conditional": True,
        "fulfilled": True,
        "in_return_for": "Prepayment",
        "improved": [],
        "came_back": ["30 per cent paid"],
        "made_to": ["wang"],
        "tactic": "condition-for-condition",
        "approval": 16,
        "approved_by": {"id": "u-mei", "name": "梅芳"},
    }


def test_positions_by_round(ask: Ask) -> None:
    found = [
        (one.round, one.ours, one.theirs) for one in ledger(ask).positions if one.issue == "price"
    ]
    assert found == [
        (1, "1000", None),
        (2, "1000", "800"),
        (3, "940", "800"),
        (4, "940", "870"),
        (5, "890", "890"),
    ]


def test_secrets_stand_apart(ask: Ask) -> None:
    secrets = ledger(ask).secrets
    assert secrets is not None
    price = secrets.issues[0]
    assert (price.target, [held.value for held in price.walk_aways]) == ("980", ["900", "880"])
    assert price.zone is not None
    assert (price.zone.size, price.zone.kept, price.zone.share_kept) == ("80", "10", "0.1250")
    assert (price.zone.ours_is, price.zone.theirs_is) == ("known", "estimated")
    assert [(one.offer, one.to_target, one.to_walk_away) for one in secrets.distances] == [
        ("o1", "20", "100"),
        ("t1", "-180", "-100"),
        ("o2", "-40", "40"),
        ("t2", "-110", "-30"),
        ("o3", "-90", "10"),
        ("o3", "-90", "10"),
    ]
    assert secrets.walk_away_breaches == []
    assert [one.reading for one in secrets.readings] == [PressureReading.BLUFF]


def test_a_breach_of_the_walk_away_is_told_to_who_may_know(tmp_path: Path) -> None:
    url = make(tmp_path, Marks(walk_away="950", revised="945"))
    printed = run_command("--db", url, "negotiation", "N-1").lines
    assert "Breach        price at 940 (offer o2) was past our walk-away, not approved" in printed
    assert (
        "Breach        price at 890 (offer o3) was past our walk-away, approved by version 16"
        in printed
    )
    shown_to_analyst = run_command("--db", url, "--as", "u-ann", "negotiation", "N-1").stdout
    assert "walk-away," not in shown_to_analyst


@pytest.mark.parametrize(
    ("estimate", "told"),
    [
        ("850", "Zone          price 880 to 850 (estimated): none"),
        ("880", "Zone          price 880 to 880 (estimated): none"),
        ("900", "Zone          price 880 to 900 (estimated), 50 % kept"),
    ],
)
def test_the_zone_is_told_or_that_there_is_none(tmp_path: Path, estimate: str, told: str) -> None:
    url = make(tmp_path, Marks(estimate=estimate))
    assert told in run_command("--db", url, "negotiation", "N-1").lines


@pytest.mark.parametrize(
    ("known", "without", "told"),
    [
        ("10", 0, "2 times, 10 USD, 50 % with nothing in return"),
        ("10", 1, "2 times, 10 USD and 1 of unknown cost, 50 % with nothing in return"),
        ("0", 2, "2 times, cost unknown, 50 % with nothing in return"),
    ],
)
def test_an_unknown_cost_is_said_beside_what_is_known(
    ask: Ask, known: str, without: int, told: str
) -> None:
    one = ledger(ask)
    money = Amount(known, "USD")
    ours = SideFigures(2, None if without else money, money, without, "0.5000", Amount("0", "USD"))
    replace = msgspec.structs.replace
    changed = replace(one, figures=replace(one.figures, ours=ours))
    assert dict(figures_told(changed))["We conceded"] == told


@pytest.mark.parametrize("shape", ["text", "json"])
def test_histories_that_differ_in_secrets_alone_look_the_same_from_outside(
    talks: str, other_talks: str, shape: str
) -> None:
    def seen(url: str, user: str) -> str:
        asked = ("negotiation", "N-1", "--format", shape, "--as-of", "2026-05-01")
        result = run_command("--db", url, "--as", user, *asked, "--known-at", "2026-05-01")
        assert result.exit_code == 0, result.stderr
        return result.stdout

    assert seen(talks, "u-ann") == seen(other_talks, "u-ann")
    for user in ("u-anna", "u-mei", "u-aud"):
        assert seen(talks, user) != seen(other_talks, user)


def test_an_analyst_sees_neither_secrets_nor_what_is_personal(ask: Ask) -> None:
    answer = answered(ask, "--as", "u-ann")
    assert [one.secrets for one in answer.negotiations] == [None, None]
    assert [(one.id, one.personal.name) for one in answer.people] == [("wang", "[hidden]")]
    printed = ask("--as", "u-ann").stdout + ask("--as", "u-ann", "--format", "json").stdout
    for word in ("Wang Fang", "Prepayment", "980", "880", "960", "Last step", "A new buyer"):
        assert word not in printed
    table = ask("--as", "u-ann").stdout
    assert "Negotiation main with wang, opened 2026-03-05, broken-off 2026-03-26: [hidden]" in table
    assert "price  price         USD        1000  hidden     hidden        hidden" in table


def test_who_may_not_read_the_deal_is_refused(ask: Ask) -> None:
    result = ask("--as", "u-ben")
    assert result.exit_code == 1
    assert "(not-allowed)" in result.stderr
    assert result.stdout == ""


def test_as_it_stood_and_as_it_was_known_then(ask: Ask) -> None:
    early = ledger(ask, "--as-of", "2026-03-13")
    assert (early.figures.rounds, early.conclusion, early.approvals) == (4, None, [])
    assert early.issues[0].our_position == "940"
    assert early.secrets is not None
    assert early.secrets.issues[0].walk_aways[-1].value == "900"
    before = answered(ask, "--as-of", "2026-03-04")
    assert (len(before.quotes), before.negotiations) == (1, [])


def test_where_nothing_was_negotiated_it_is_said(run: Run, ask: Ask) -> None:
    result = run("negotiation", "R-1")
    assert result.exit_code == 0
    assert "Nothing was quoted or negotiated there." in result.stderr
    assert ask("--as-of", "2026-03-04").stdout.count("Negotiation") == 0


def test_an_unknown_deal_is_not_found(run: Run) -> None:
    result = run("negotiation", "nope")
    assert result.exit_code == 1
    assert "(deal-not-found)" in result.stderr
