"""In what words a sentence speaks of the things of a deal that rules name by their id."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import cycle

from domain.deal import Deal
from domain.naming import called
from domain.negotiation.facts import IssueKind
from domain.process import SalesProcess, Stage, Words
from projections.findings.finding import Told
from projections.findings.sentences import Terms, word

_Named = Callable[[Deal, SalesProcess | None], Mapping[str, Words]]


def terms_of(deal: Deal, process: SalesProcess | None, told: Told) -> Terms:
    """What stands for the ids in what a rule tells."""
    return {name: of(deal, process) for name in told if (of := _named(name)) is not None}


def _named(name: str) -> _Named | None:
    return _stages if name.startswith("stage") else _BY_NAME.get(name)


_CODE = re.compile(r"[A-Z]{1,2}\d{1,2}")


def _stages(_: Deal, process: SalesProcess | None) -> Mapping[str, Words]:
    """A stage whose id is a code, such as P3, is called by it, others by their names."""
    return {one.id: _stage(one) for one in (process.stages if process else ())}


def _stage(one: Stage) -> Words:
    code = _CODE.fullmatch(one.id) is not None
    return Words(one.id, one.id) if code else _in_quotes(one.name)


def _gate_criteria(_: Deal, process: SalesProcess | None) -> Mapping[str, Words]:
    stages = process.stages if process else ()
    return {one.id: _in_quotes(one.text) for stage in stages for one in stage.gate}


def _issues(deal: Deal, _: SalesProcess | None) -> Mapping[str, Words]:
    """What each is about; with its id where several are about the same, or about what is rare."""
    found = {one.issue.id: one.issue for each in deal.negotiations.opened for one in each.issues}
    alike = Counter(one.kind for one in found.values())
    return {
        one.id: _quoted(one.id, one.id)
        if one.kind is IssueKind.OTHER
        else _one_of_several(one.id, one.kind)
        if alike[one.kind] > 1
        else word(one.kind)
        for one in found.values()
    }


def _one_of_several(its_id: str, kind: IssueKind) -> Words:
    said = word(kind)
    return Words(f"{said.en} (“{its_id}”)", f"{said.zh or said.en}（“{its_id}”）")


_BY_NAME: Mapping[str, _Named] = {
    "missing": _gate_criteria,
    "issue": _issues,
    "issues": _issues,
    "concern": lambda deal, _: {
        one.id: _quoted(one.id, one.raised.fact.topic) for one in deal.needs.concerns
    },
    "commitment": lambda deal, _: {
        one.id: _quoted(one.id, one.recorded.fact.what) for one in deal.purchase.commitments
    },
    "requirement": lambda deal, _: {
        one.fact.id: _quoted(one.fact.id, one.fact.text) for one in deal.needs.requirements
    },
    "needs": lambda deal, _: {one.id: _quoted(one.id, one.statement) for one in deal.needs.needs},
    "criteria": lambda deal, _: {
        one.id: _quoted(one.id, one.set.fact.text) for one in deal.purchase.criteria
    },
}


def _quoted(its_id: str, text: str) -> Words:
    """The text in quotation marks, or the id where the text may not be seen."""
    said = called(its_id, text)
    return _in_quotes(Words(said, said))


def _in_quotes(words: Words) -> Words:
    return Words(_in_marks(words.en), _in_marks(words.zh or words.en))


def _in_marks(text: str) -> str:
    """In quotation marks; its own become single ones, and those around all of it go."""
    said = text.strip().rstrip(".。")
    if re.fullmatch('“[^“”]*”|"[^"]*"', said):
        said = said[1:-1].rstrip(".。")
    single = cycle("‘’")
    said = re.sub('"', lambda _: next(single), said)
    return f"“{said.replace('“', '‘').replace('”', '’')}”"
