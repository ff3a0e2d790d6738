"""A process file is read, or every fault of it is told at once."""

from importlib import resources

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.gates import PREDICATES
from domain.process import (
    BuyingPhase,
    Criterion,
    Evidence,
    Origin,
    ProbabilityHolds,
    PurchaseStep,
    SalesProcess,
    Stage,
    Words,
)
from domain.process_files import (
    BUILT_IN,
    ProcessError,
    check_process,
    decode_process,
    parse_process,
)
from domain.toml.problems import Severity
from domain.values import ForecastCategory

TEXT = """\
id = "short"
version = 2
name = "Short"
probability_holds = "milestone"
[[stages]]
id = "S1"
name = { en = "Talk", zh = "谈" }
probability = 40
forecast = "pipeline"
expected_days = 7
decision_phase = "criteria"
self_check = ["Why now?"]
[[stages.gate]]
id = "heard"
text = "Heard"
origin = "practice"
evidence = "attested"
[[stages.gate]]
id = "dated"
text = "Dated"
origin = "ours"
evidence = "auto"
predicate = "close-date-and-amount-forecast"
[[stages]]
id = "S2"
name = "Sign"
probability = 80
forecast = "commit"
expected_days = 7
[[stages]]
id = "S3"
name = "Deliver"
probability = 100
forecast = "closed"
expected_days = 7
after_win = true
[[purchase_steps]]
id = "asked"
name = { en = "Prices asked", zh = "询价" }
phase = "measurement"
[[purchase_steps]]
id = "audit"
name = "Audit"
"""

PROCESS = SalesProcess(
    id="short",
    version=2,
    name=Words("Short"),
    probability_holds=ProbabilityHolds.MILESTONE,
    stages=(
        Stage(
            id="S1",
            name=Words("Talk", "谈"),
            probability=40,
            forecast=ForecastCategory.PIPELINE,
            expected_days=7,
            decision_phase=BuyingPhase.CRITERIA,
            self_check=(Words("Why now?"),),
            gate=(
                Criterion("heard", Words("Heard"), Origin.PRACTICE, Evidence.ATTESTED),
                Criterion(
                    "dated",
                    Words("Dated"),
                    Origin.OURS,
                    Evidence.AUTO,
                    "close-date-and-amount-forecast",
                ),
            ),
        ),
        Stage("S2", Words("Sign"), 80, ForecastCategory.COMMIT, 7),
        Stage("S3", Words("Deliver"), 100, ForecastCategory.CLOSED, 7, after_win=True),
    ),
    purchase_steps=(
        PurchaseStep("asked", Words("Prices asked", "询价"), BuyingPhase.MEASUREMENT),
        PurchaseStep("audit", Words("Audit")),
    ),
)

ALLOWED = ", ".join(f'"{name}"' for name in sorted(PREDICATES))


def changed(*changes: tuple[str, str]) -> str:
    """The text with each change made once, where it first applies."""
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def told(text: str) -> list[str]:
    return [str(problem).removeprefix("p.toml:") for problem in check_process(text, "p.toml")]


def test_a_file_is_read_as_the_process_it_describes() -> None:
    assert parse_process(TEXT, "p.toml") == PROCESS
    assert told(TEXT) == []


def test_a_process_comes_back_from_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(PROCESS), type=SalesProcess) == PROCESS


PREDICATE = 'predicate = "close-date-and-amount-forecast"'
ID_RULE = (
    "allowed are lower-case letters a to z and digits, in words joined by hyphens,"
    " such as key-account."
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([('id = "short"', 'id = "Short one"')], f'1: error: id is "Short one"; {ID_RULE}'),
        ([('id = "short"', 'id = "a/1"')], f'1: error: id is "a/1"; {ID_RULE}'),
        ([('id = "short"', 'id = "a-"')], f'1: error: id is "a-"; {ID_RULE}'),
        (
            [('id = "S2"', 'id = "S2 "')],
            (
                '25: error: stages[1].id is "S2 "; allowed is a text of one line without spaces'
                " around it."
            ),
        ),
        (
            [('id = "heard"', 'id = "he\\nard"')],
            (
                '14: error: stages[0].gate[0].id is "he\\nard"; allowed is a text of one line'
                " without spaces around it."
            ),
        ),
        (
            [('id = "S2"', 'id = "S1"')],
            (
                '25: error: stages[1].id is "S1", the id of another stage already, on line 6.'
                " Give each stage of a process an id of its own."
            ),
        ),
        (
            [('id = "dated"', 'id = "heard"')],
            (
                '19: error: stages[0].gate[1].id is "heard", the id of another criterion already,'
                " on line 14. Give each criterion of a process an id of its own."
            ),
        ),
        (
            [('id = "audit"', 'id = "asked"')],
            (
                '42: error: purchase_steps[1].id is "asked", the id of another purchase step'
                " already, on line 38. Give each purchase step of a process an id of its own."
            ),
        ),
        (
            [('id = "audit"', 'id = " audit"')],
            (
                '42: error: purchase_steps[1].id is " audit"; allowed is a text of one line'
                " without spaces around it."
            ),
        ),
        (
            [('phase = "measurement"', 'phase = "measure"')],
            (
                '40: error: purchase_steps[0].phase is "measure"; allowed is one of'
                ' "satisfaction", "acknowledgement", "decision", "criteria", "measurement",'
                ' "investigation", "selection", "reconsideration". Did you mean "measurement"?'
            ),
        ),
        (
            [('phase = "measurement"', 'phas = "measurement"')],
            (
                "40: error: purchase_steps[0].phas is not a known key; allowed are id, name, phase."
                ' Did you mean "phase"?'
            ),
        ),
        (
            [('name = "Audit"', "")],
            (
                "41: error: purchase_steps[1].name is missing; write a text, or a table with"
                " the keys en, zh."
            ),
        ),
        (
            [(PREDICATE, "")],
            (
                "18: error: stages[0].gate[1].predicate is missing;"
                f' evidence = "auto" needs one of {ALLOWED}. Or write evidence = "attested".'
            ),
        ),
        (
            [(PREDICATE, 'predicate = "win"')],
            (
                f'23: error: stages[0].gate[1].predicate is "win"; allowed is one of {ALLOWED}.'
                ' Did you mean "won"?'
            ),
        ),
        (
            [(PREDICATE, 'predicate = "signature"')],
            f'23: error: stages[0].gate[1].predicate is "signature"; allowed is one of {ALLOWED}.',
        ),
        (
            [('evidence = "auto"', 'evidence = "attested"')],
            (
                '23: error: stages[0].gate[1].predicate belongs to evidence = "auto".'
                ' Remove it, or write evidence = "auto".'
            ),
        ),
        (
            [('evidence = "auto"', 'evidence = "automatic"')],
            (
                '22: error: stages[0].gate[1].evidence is "automatic";'
                ' allowed is one of "auto", "attested". Did you mean "auto"?'
            ),
        ),
        (
            [("expected_days = 7\ndecision", "expected_days = 7\nafter_win = true\ndecision")],
            (
                "25: error: stages[1] comes before winning but stands behind a stage with"
                " after_win = true, on line 5. Stages after winning come last.\n"
                "8: warning: stages[0].probability is 40, though the stage is entered after"
                " winning; 100 is usual."
            ),
        ),
        (
            [("probability = 80", "probability = 30")],
            (
                "27: warning: stages[1].probability is 30, less than the 40 of the selling stage"
                " before it."
            ),
        ),
        (
            [("probability = 100", "probability = 90")],
            (
                "33: warning: stages[2].probability is 90, though the stage is entered after"
                " winning; 100 is usual."
            ),
        ),
        (
            [("probability = 80", "probability = 101")],
            "27: error: stages[1].probability is 101; allowed is a whole number, 0 to 100.",
        ),
        (
            [("expected_days = 7", "expected_days = 0")],
            "10: error: stages[0].expected_days is 0; allowed is a whole number, 1 to 3650.",
        ),
        (
            [("version = 2", "version = 0")],
            "2: error: version is 0; allowed is a whole number, 1 or more.",
        ),
        (
            [('origin = "ours"\n', "")],
            '18: error: stages[0].gate[1].origin is missing; write one of "practice", "ours".',
        ),
        (
            [('text = "Heard"', 'test = "Heard"')],
            (
                "15: error: stages[0].gate[0].test is not a known key;"
                ' allowed are id, text, origin, evidence, predicate. Did you mean "text"?'
            ),
        ),
        (
            [('predicate = "', 'predicat = "')],
            (
                "23: error: stages[0].gate[1].predicat is not a known key;"
                ' allowed are id, text, origin, evidence, predicate. Did you mean "predicate"?'
            ),
        ),
    ],
)
def test_what_is_wrong_and_what_is_allowed(changes: list[tuple[str, str]], expected: str) -> None:
    assert sorted(told(changed(*changes))) == sorted(expected.split("\n"))


def test_a_process_needs_a_stage_before_winning() -> None:
    text = TEXT[: TEXT.index("[[stages]]")] + TEXT[TEXT.rindex("[[stages]]") :]
    assert told(text) == [
        (
            "5: error: stages has no stage before winning;"
            " allowed is one or more without after_win = true."
        )
    ]


@pytest.mark.parametrize("stages", ["", "stages = []\n"])
def test_a_process_needs_stages(stages: str) -> None:
    text = TEXT[: TEXT.index("[[stages]]")] + stages
    (problem,) = check_process(text, "p.toml")
    assert problem.path == "stages"
    assert problem.message.endswith("1 to 100 tables, each under [[stages]].")


def test_all_faults_of_a_file_are_told_at_once() -> None:
    text = changed(
        ('id = "S2"', 'id = "S1"'),
        ("version = 2", ""),
        ('name = "Sign"', "name = 3"),
        ('origin = "ours"', 'origin = "theirs"'),
        (PREDICATE, 'predicate = "wonn"'),
    )
    with pytest.raises(ProcessError) as raised:
        parse_process(text, "p.toml")
    assert [(problem.line, problem.path) for problem in raised.value.problems] == [
        (None, "version"),
        (21, "stages[0].gate[1].origin"),
        (23, "stages[0].gate[1].predicate"),
        (25, "stages[1].id"),
        (26, "stages[1].name"),
    ]
    assert str(raised.value) == "\n".join(map(str, raised.value.problems))


@pytest.mark.parametrize("wrong", ['after_win = "yes"', "afterwin = true"])
def test_a_stage_of_unknown_place_brings_no_further_faults(wrong: str) -> None:
    text = changed(("probability = 100", "probability = 10"), ("after_win = true", wrong))
    assert len(check_process(text)) == 1


def test_a_criterion_is_unique_across_the_stages_of_a_process() -> None:
    gate = TEXT[TEXT.index("[[stages.gate]]") : TEXT.index('[[stages.gate]]\nid = "dated"')]
    problems = check_process(TEXT + gate)
    assert [problem.path for problem in problems] == ["stages[2].gate[0].id"]


def test_a_warning_does_not_stop_a_file() -> None:
    text = changed(("probability = 80", "probability = 30"))
    assert [problem.severity for problem in check_process(text)] == [Severity.WARNING]
    assert parse_process(text).stages[1].probability == 30


def test_a_probability_is_compared_with_the_stage_before_it() -> None:
    middle = TEXT[TEXT.index('[[stages]]\nid = "S2"') : TEXT.rindex("[[stages]]")]
    lower = middle.replace("S2", "S4").replace("80", "20")
    higher = middle.replace("S2", "S5").replace("80", "30")
    problems = check_process(TEXT.replace(middle, middle + lower + higher))
    assert [problem.path for problem in problems] == ["stages[2].probability"]


def test_a_stage_in_the_wrong_place_is_told_once() -> None:
    after = TEXT[TEXT.rindex("[[stages]]") : TEXT.index("[[purchase_steps]]")]
    text = TEXT.replace('[[stages]]\nid = "S2"', after + '[[stages]]\nid = "S2"', 1)
    text = text.replace(after, after.replace("S3", "S4") + after.replace("S3", "S5"), 1)
    assert told(text) == [
        (
            "38: error: stages[3] comes before winning but stands behind a stage with"
            " after_win = true, on line 24. Stages after winning come last."
        )
    ]


def test_an_id_is_compared_with_the_first_of_its_name() -> None:
    text = TEXT.replace('id = "S2"', 'id = "S1"').replace('id = "S3"', 'id = "S1"')
    assert [problem.message[:51] for problem in check_process(text)] == [
        'is "S1", the id of another stage already, on line 6'
    ] * 2


def test_equal_probabilities_are_not_worth_a_warning() -> None:
    assert check_process(changed(("probability = 80", "probability = 40"))) == []


def test_the_known_predicates_are_those_passed_in() -> None:
    assert parse_process(TEXT, predicates={"close-date-and-amount-forecast"}) == PROCESS
    (problem,) = check_process(TEXT, predicates={"dated"})
    assert problem.message.endswith('allowed is one of "dated".')


def test_a_text_that_is_not_toml_is_told_with_its_line() -> None:
    with pytest.raises(ProcessError, match=r"^p\.toml:2: error: The text is not valid TOML: "):
        parse_process('id = "a"\nversion 2\n', "p.toml")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_may_begin_with_a_byte_order_mark(mark: bytes) -> None:
    assert parse_process(decode_process(mark + TEXT.encode(), "p.toml")) == PROCESS


def test_a_file_in_another_encoding_is_told_with_its_line() -> None:
    with pytest.raises(ProcessError) as raised:
        decode_process('id = "a"\nname = "Büro"\n'.encode("latin-1"), "p.toml")
    assert str(raised.value) == (
        "p.toml:2: error: The byte 0xfc is not UTF-8; save the file as UTF-8."
    )


TEXTS = [TEXT] + [
    resources.files("domain").joinpath("processes", f"{name}.toml").read_text("utf-8")
    for name in BUILT_IN
]
MARKS = ['"', '"""', "'", "'''", "[", "]", "[[", "]]", "{", "}", "=", ",", ".", "#", "\\"]
HEADERS = [
    "[[stages]]\n",
    "[[stages.gate]]\n",
    "[[purchase_steps]]\n",
    "[stages]\n",
    "[stages.gate]\n",
]
VALUES = ["true", "0", "-1", "1e9", "nan", "1979-05-27 07:32:00", "id = 1\n", "after_win = true\n"]
PIECES = st.one_of(
    st.sampled_from([*MARKS, *HEADERS, *VALUES, "\n", "\r\n", "\0"]),
    st.text(max_size=8),
)


@st.composite
def mutated_texts(draw: st.DrawFn) -> str:
    """A process file with a few stretches of it replaced, most of them short."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        length = draw(st.one_of(st.integers(0, 3), st.integers(0, 200)))
        text = text[:start] + draw(PIECES) + text[start + length :]
    return text


@st.composite
def shuffled_lines(draw: st.DrawFn) -> str:
    """Lines of a process file in another order, some of them missing or repeated."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    return "\n".join(draw(st.lists(st.sampled_from(lines), max_size=40)))


@given(st.one_of(mutated_texts(), shuffled_lines(), st.text()))
def test_any_text_is_a_process_or_a_list_of_faults(text: str) -> None:
    problems = check_process(text, "p.toml")
    lines = text.count("\n") + 1
    assert all(problem.line is None or 1 <= problem.line <= lines for problem in problems)
    if any(problem.severity is Severity.ERROR for problem in problems):
        with pytest.raises(ProcessError) as raised:
            parse_process(text, "p.toml")
        assert list(raised.value.problems) == problems
    else:
        process = parse_process(text, "p.toml")
        stored = msgspec.json.encode(process)
        assert msgspec.json.decode(stored, type=SalesProcess) == process
