"""The built-in processes hold what the trade's tables say, written out here a second time."""

from collections import Counter
from importlib import resources

import msgspec
import pytest

from domain.gates import PREDICATES
from domain.process import Evidence, ProbabilityHolds, ProcessPublished, SalesProcess, Words
from domain.process_files import BUILT_IN, built_in_processes, check_process

PROCESSES = {process.id: process for process in built_in_processes()}
KEY_ACCOUNT = PROCESSES["key-account"]

# Stage, name, Chinese name.
KEY_ACCOUNT_NAMES = """
P0 | market planning, account development | 市场规划 客户开发
P1 | needs uncovered, target confirmed | 挖掘需求 锁定目标
P2 | project approved, customer's people won over | 方案立项 客户公关
P3 | solution exchange, middle management won | 设计交流 中层把握
P4 | requirements detailed, top management reached | 需求调研 高层突破
P5 | proposals compared, project commitment | 方案评估 项目承诺
P6 | terms negotiated, signature | 协议谈判 签约成交
P7 | delivered, expanded | 实施结案 升级扩容
"""

# Stage, probability in per cent, expected days, forecast, decision phase.
KEY_ACCOUNT_STAGES = """
P0 | 10 | 30 | pipeline | satisfaction
P1 | 20 | 21 | pipeline | acknowledgement
P2 | 25 | 30 | pipeline | decision
P3 | 30 | 21 | best-case | criteria
P4 | 50 | 30 | best-case | measurement
P5 | 75 | 21 | most-likely | investigation
P6 | 90 | 21 | commit | selection
P7 | 100 | 60 | closed | reconsideration
"""

# Stage, our activity, milestone.
KEY_ACCOUNT_ACTIVITIES = """
P0 | research | interested
P1 | analysis | right person found
P2 | confirmation | tailored preliminary solution
P3 | seeking | track record shown
P4 | refinement | formal proposal submitted
P5 | solving | evaluation passed
P6 | closing | terms agreed, signature
P7 | maintenance | accepted, next need known
"""

# Stage, customer's sign, our sign.
KEY_ACCOUNT_SIGNS = """
P0 | problem found, need voiced | pursuit approved by us
P1 | budget discussed | first contact
P2 | project approved, purchasing group formed | solution designed
P3 | criteria set, aims stable | solution shown
P4 | tender decided, first screening | solution confirmed
P5 | first choice named | project evaluated
P6 | negotiation | negotiation
P7 | contract signed | delivered
"""

# Stage, criterion, predicate of an auto criterion.
KEY_ACCOUNT_CRITERIA = """
P0 | account-and-source-recorded | account-and-source-recorded
P0 | one-stakeholder-recorded | stakeholder-recorded
P0 | verified-by-second-source | verified-by-second-source
P1 | go-no-go-decided | go-no-go-decided
P1 | need-known | need-known
P1 | scale-known | scale-known
P1 | technical-requirement-known | technical-requirement-known
P1 | reachable-contact | reachable-contact
P1 | competitors-known | competitors-known
P1 | next-visit-planned | next-step-planned
P2 | project-approved-by-customer | project-approved
P2 | deal-team-of-two-roles | deal-team-of-two-roles
P2 | win-plan-set | win-plan-set
P2 | reason-to-buy-known | reason-to-buy-known
P2 | leaning-known | leaning-known
P2 | decision-chain-known | decision-chain-known
P2 | purchase-mode-known | purchase-mode-known
P2 | competitor-move-known | competitor-move-known
P2 | close-date-and-amount-forecast | close-date-and-amount-forecast
P3 | front-line-relationship | front-line-relationship
P3 | middle-level-relationship | middle-level-relationship
P3 | decision-chain-detailed | decision-chain-detailed
P3 | approval-steps-listed | approval-steps-listed
P3 | technical-plan-backed | middle-level-supportive
P3 | engineers-met | engineers-met
P4 | decision-maker-met | decision-maker-met
P4 | decision-maker-relationship | decision-maker-relationship
P4 | decision-maker-attitude | decision-maker-attitude
P4 | competitor-moves-recent | competitor-moves-recent
P4 | position-recent | position-recent
P4 | middle-level-supportive | middle-level-supportive
P4 | buying-roles-filled | buying-roles-filled
P4 | proposal-submitted-or-bid-reviewed | proposal-submitted-or-bid-reviewed
P5 | scored-against-strongest-competitor | scored-against-competitor
P5 | value-confirmed | value-confirmed
P5 | first-choice-confirmed | first-choice-confirmed
P5 | concerns-have-owners | concerns-have-owners
P6 | issues-agreed | issues-agreed
P6 | concerns-closed | concerns-closed
P6 | approvals-granted | approvals-granted
P6 | contract-reviewed |
P6 | signed | won
P7 | delivery-accepted | delivery-accepted
P7 | satisfaction-measured | satisfaction-measured
P7 | next-need-recorded | expansion-identified
"""

# Step, name, decision phase.
KEY_ACCOUNT_PURCHASE_STEPS = """
tender-received | tender received | measurement
tender-clarified | tender clarified | measurement
bids-in | bids handed in | investigation
bids-opened | bids opened | investigation
bids-evaluated | bids evaluated | investigation
candidates-published | candidates published | selection
awarded | awarded | selection
contract-signed | contract signed | selection
"""

# Process, stage, name, probability in per cent.
OTHER_STAGES = """
four-phase | recognition-of-needs | recognition of needs | 20
four-phase | evaluation-of-options | evaluation of options | 45
four-phase | resolution-of-concerns | resolution of concerns | 75
four-phase | implementation | implementation | 100
five-step | identify | identify | 10
five-step | contact | contact | 25
five-step | design-solution | design solution | 50
five-step | negotiate-and-close | negotiate and close | 80
five-step | after-sales | after-sales | 100
"""


def rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(cell.strip() for cell in line.split("|")) for line in table.strip().splitlines()]


def english(words: Words | None) -> str:
    """A text as it stands within a sentence."""
    assert words is not None
    return words.en[0].lower() + words.en[1:]


def words_of(process: SalesProcess) -> list[Words]:
    """Every text of a process."""
    found = [process.name, *([process.description] if process.description else [])]
    found += [step.name for step in process.purchase_steps]
    for stage in process.stages:
        parts = (stage.activity, stage.customer_sign, stage.our_sign, stage.milestone)
        found += [stage.name, *(part for part in parts if part), *stage.self_check]
        found += [criterion.text for criterion in stage.gate]
    return found


def test_the_names_of_key_account_are_those_of_the_table() -> None:
    names = [(stage.id, english(stage.name), stage.name.zh) for stage in KEY_ACCOUNT.stages]
    assert names == rows(KEY_ACCOUNT_NAMES)


def test_the_stages_of_key_account_are_those_of_the_table() -> None:
    stages = [
        (
            stage.id,
            str(stage.probability),
            str(stage.expected_days),
            stage.forecast.value,
            stage.decision_phase and stage.decision_phase.value,
        )
        for stage in KEY_ACCOUNT.stages
    ]
    assert stages == rows(KEY_ACCOUNT_STAGES)


def test_the_activities_of_key_account_are_those_of_the_table() -> None:
    activities = [
        (stage.id, english(stage.activity), english(stage.milestone))
        for stage in KEY_ACCOUNT.stages
    ]
    assert activities == rows(KEY_ACCOUNT_ACTIVITIES)


def test_the_signs_of_key_account_are_those_of_the_table() -> None:
    signs = [
        (stage.id, english(stage.customer_sign), english(stage.our_sign))
        for stage in KEY_ACCOUNT.stages
    ]
    assert signs == rows(KEY_ACCOUNT_SIGNS)


def test_the_gates_of_key_account_are_those_of_the_table() -> None:
    criteria = [
        (stage.id, criterion.id, criterion.predicate or "")
        for stage in KEY_ACCOUNT.stages
        for criterion in stage.gate
    ]
    assert criteria == rows(KEY_ACCOUNT_CRITERIA)


def test_the_purchase_steps_of_key_account_are_those_of_the_table() -> None:
    steps = [(step.id, english(step.name), step.phase) for step in KEY_ACCOUNT.purchase_steps]
    assert steps == rows(KEY_ACCOUNT_PURCHASE_STEPS)


def test_the_stages_of_the_other_processes() -> None:
    stages = [
        (process.id, stage.id, english(stage.name), str(stage.probability))
        for process in (PROCESSES["four-phase"], PROCESSES["five-step"])
        for stage in process.stages
    ]
    assert stages == rows(OTHER_STAGES)


def test_the_book_holds_each_file_of_the_folder_once() -> None:
    files = resources.files("domain").joinpath("processes").iterdir()
    assert sorted(file.name for file in files) == sorted(f"{name}.toml" for name in BUILT_IN)
    assert [str(process.ref) for process in built_in_processes()] == [
        "key-account/1",
        "four-phase/1",
        "five-step/1",
    ]


def test_the_book_is_read_once() -> None:
    assert built_in_processes() is built_in_processes()


@pytest.mark.parametrize("name", BUILT_IN)
class TestEachBuiltIn:
    def test_its_file_has_neither_errors_nor_warnings(self, name: str) -> None:
        file = resources.files("domain").joinpath("processes", f"{name}.toml")
        assert check_process(file.read_text("utf-8"), name) == []

    def test_its_last_stage_alone_comes_after_winning(self, name: str) -> None:
        process = PROCESSES[name]
        last = process.stages[-1].id
        assert [stage.id for stage in process.stages if stage.after_win] == [last]

    def test_its_last_selling_stage_ends_with_the_signature(self, name: str) -> None:
        gates_with_win = [
            stage.id
            for stage in PROCESSES[name].stages
            if any(criterion.predicate == "won" for criterion in stage.gate)
        ]
        assert gates_with_win == [PROCESSES[name].stages[-2].id]

    def test_its_probability_holds_on_entry(self, name: str) -> None:
        assert PROCESSES[name].probability_holds is ProbabilityHolds.ENTRY

    def test_its_ids_are_unique(self, name: str) -> None:
        stages = PROCESSES[name].stages
        for ids in (
            [stage.id for stage in stages],
            [criterion.id for stage in stages for criterion in stage.gate],
            [step.id for step in PROCESSES[name].purchase_steps],
        ):
            assert [id_ for id_, count in Counter(ids).items() if count > 1] == []

    def test_every_text_is_in_both_languages(self, name: str) -> None:
        assert [words.en for words in words_of(PROCESSES[name]) if words.zh is None] == []

    def test_no_text_stands_in_the_wrong_language(self, name: str) -> None:
        for words in words_of(PROCESSES[name]):
            assert words.en.isascii()
            assert words.zh is not None
            assert any("一" <= character <= "鿿" for character in words.zh)

    def test_every_stage_has_two_to_four_questions_and_a_gate(self, name: str) -> None:
        for stage in PROCESSES[name].stages:
            assert 2 <= len(stage.self_check) <= 4
            assert stage.gate

    def test_auto_criteria_and_they_alone_have_a_known_predicate(self, name: str) -> None:
        for stage in PROCESSES[name].stages:
            for criterion in stage.gate:
                is_auto = criterion.evidence is Evidence.AUTO
                assert (criterion.predicate in PREDICATES) is is_auto
                assert (criterion.predicate is not None) is is_auto

    def test_it_comes_back_from_its_stored_form(self, name: str) -> None:
        fact = ProcessPublished(PROCESSES[name])
        stored = msgspec.json.encode(fact)
        assert msgspec.json.decode(stored, type=ProcessPublished) == fact
