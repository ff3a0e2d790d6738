"""The page on the findings: what they are, and what every rule looks at, from the book."""

from collections.abc import Iterable

from msgspec import NODEFAULT, inspect

from api.commands import fields_of, in_words
from api.meanings import field_meaning
from domain.process import BuyingPhase, Words
from projections.findings import Settings, Weight
from projections.findings.book import BOOK
from projections.findings.finding import Kind
from projections.findings.rule import Rule
from projections.findings.sentences import rule_words
from tests.docs.reference.markdown import MADE, table

_MARKS = ", ".join(f"*{weight.value}*" for weight in Weight)
_PHASES = ", ".join(f"{phase.value} (P{n})" for n, phase in enumerate(BuyingPhase))
_KINDS = ", ".join(f"`{kind.value}`" for kind in Kind)
_SECRET = " and ".join(f"`{rule.id}`" for rule in BOOK if rule.secret)

_HEAD = f"""\
# Findings

{MADE}
The practice of key-account selling as code: {len(BOOK)} rules that read the history of one deal
and tell what good work would have done otherwise. The same rules run over a deal that has ended,
to learn from it, and over those under way, as **early warnings**: `dealstate warnings` lists what
holds at a moment.

## What a finding is

A **finding** says that a rule holds from one moment until another:

- **since** and **until**, where *until* is the first moment at which it no longer holds. It ends
  when what was missed is made up for, when the deal ends, or when the event that made it is
  withdrawn; without an end it still holds. What is about the outcome itself begins with the
  outcome and does not end with it.
- **trigger**: the event with which it began. Without one a deadline passed at that moment: that
  needs no event, and a warning is there on the day, whether or not anybody records anything.
- **evidence**: the versions of exactly those events that make it, and no others. What is missing
  has no event of its own; cited is then what its absence is measured from, such as the last
  contact.
- **weight**: {_MARKS}, as those who comment on games of chess mark moves.
- **known**: what was known then, by name; a **sentence** that says so in English and Chinese, with
  people, stages, criteria and issues in words, and the **practice** behind the rule.

A finding rests on what came before it and on nothing that came later; what happens afterwards can
end it, and can never change or remove it. So a question at any date, on both axes of time
([concepts](concepts.md)), tells what could have been warned of then. An event that is entered
late, or withdrawn, changes what was true, and with it what is found of that time.

Nothing is found of the time before the opening, or between the end of a deal and its reopening.

## Phases, not stages

Rules that speak of P0 to P7 mean the phases of the customer's decision cycle, in order:
{_PHASES}. A stage stands for the phase that its process says it assumes, so the rules hold for
every [process](processes.md) that names phases. Where a stage names none, as in many imports,
these rules are silent.

## Not assessable

That nothing is on record of a thing means something only where such things are put on record. A
rule about something missing (nobody met, no competitor known) therefore waits until the deal
holds events of that kind, and begins there at the earliest; until then it is **not assessable**,
and is counted so. A source that always records a kind, such as a CRM in which every visit is
kept, can be named in the settings: then what is missing is missing from the start.

The kinds: {_KINDS}.

## When silence is no fault

While a deal is suspended, from its end to its reopening, and from the deadline of a tender to its
award, a seller is not to blame for silence, and often must be silent. Rules that count days
without something (a contact, a step, a second person, a replacement) do not count these, and
count anew when the pause is over; only minutes are owed whatever comes.

The deadline counts to the end of its day in UTC. The **award** is the moment at which a vendor is
recorded as the first choice; a rank at the opening of the bids is none. It counts for the purchase
declared last: where the customer declares a purchase anew, what was opened and announced before
belongs to one that came to nothing. An award that nobody recorded is not waited for once the deal
has come to the selection (P6), nor longer than `award_days` behind the deadline.

## Secrets

{_SECRET} rest on our marks in a negotiation. Who may not see secrets is told nothing of these
rules, neither what they found nor that they found nothing.

"""

_SETTINGS = """\
## Settings

Every threshold can be set by a TOML file with these keys; what it does not name stays. A key that
is not known, or a value that is not allowed, is refused with its line.

"""

_EXAMPLE = """
```toml
silent_days = 14

[silent_days_by_phase]
selection = 7

[records]
"import:crm" = ["contacts", "steps"]
```

"""

_FINE_PRINT = """\
## What counts

- The **decision maker** is contacted by any kind of contact with somebody who holds that role and
  has not departed. Where it is attested that nobody holds it, nobody has to be met.
- A **role** is attested absent by an attestation whose aspect is the role ([gates](gates.md)).
  One of the whole criterion names no role, and covers none.
- Somebody is met by way of **receptivity** alone who is assessed to hold that focus and no other.
  A contact with somebody whose focus is not known is not held against anybody.
- **No competitor** is attested by saying that a criterion about competitors (known, their moves,
  a score beside ours) does not apply, under whichever process, or by attesting the one that asks
  whether they are known.
- A **final quote** on the last day for offers is none of our concessions in a competitive
  negotiation and where quotations are requested. In direct purchase and from a single source
  there is no such step.
- A concession is **small** by what it costs, of the deal's amount. Where either is not known, a
  price in money is compared with what it was before.
- `single-threaded` counts those who have not departed, and holds at the earliest when the deal
  has been open for that long.
- A lost supporter is **replaced** by anybody else of such influence who supports us, also by one
  who did so before, and by the same person won back.
- A meeting is **at the top** as levels were known when it was recorded as having taken place.
- A low judgement of a deal counts from the first of those that follow each other without a better
  one.
- A **next step** counts while it is not completed, also when it is overdue.
- **Gates are judged anew**, by what is known when the question is asked, also where somebody let
  the move pass; what was held to be missing then is among what was known (`held_missing`). A move
  that was decided here is judged by all criteria of the stage it left. An imported move carries
  no gate: of its criteria those count of whose kind the deal held something when it moved, those
  that only what is on record can leave open (a concern without an owner, an issue without an
  agreement), and attested ones where anything was attested at all. Where a process has no
  criteria, nothing is skipped.
"""


def findings() -> str:
    """What findings are, the settings, and all rules."""
    return "".join([_HEAD, _SETTINGS, _settings(), _EXAMPLE, _FINE_PRINT, *_rules()])


def _settings() -> str:
    return table(
        ["key", "value", "default", "meaning"],
        (
            [f"`{one.name}`", _type(one.type), _default(one), field_meaning(one, [Settings])]
            for one in fields_of(Settings)
        ),
    )


def _type(kind: inspect.Type) -> str:
    match kind:
        case inspect.DictType(value_type=value):
            return f"table, each value {_type(value)}"
        case inspect.VarTupleType():
            return "list of kinds"
        case _:
            return in_words(kind)


def _default(field: inspect.Field) -> str:
    if field.default is NODEFAULT:
        return "none"
    return f'`"{field.default}"`' if isinstance(field.default, str) else f"`{field.default}`"


def _rules() -> Iterable[str]:
    yield "\n## The rules\n\n"
    yield table(["rule", "weight", "fires when", "good practice"], (_row(one) for one in BOOK))
    yield "\n## 规则（中文）\n\n"
    yield table(["规则", "轻重", "触发条件", "良好做法"], (_chinese_row(one) for one in BOOK))


_WEIGHTS = {Weight.NOTE: "提示", Weight.MISTAKE: "失误", Weight.BLUNDER: "严重失误"}


def _row(rule: Rule) -> list[str]:
    words = rule_words(rule.id)
    return [f"`{rule.id}`", rule.weight.value, words.fires_when.en, words.practice.en]


def _chinese_row(rule: Rule) -> list[str]:
    words = rule_words(rule.id)
    return [
        f"`{rule.id}`",
        _WEIGHTS[rule.weight],
        _zh(words.fires_when),
        _zh(words.practice),
    ]


def _zh(words: Words) -> str:
    assert words.zh is not None, "every rule speaks Chinese"
    return words.zh
