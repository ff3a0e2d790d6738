"""Puts what people write into words: templates filled with the people and facts of one deal.

A template names them in braces: {dm} decides, {mid} manages, {eng} is their engineer, {user}
uses, {buyer} buys, {fin} counts, {body} approves, {who} is whom a contact is with; {rival} and
{other} compete; {source} told us, {ref} is our reference; {need}, {spec}, {scale}, {value}, {fear}
and {motive} are the customer's own, {need2} and the like others of the same kind; {engineer},
{sponsor}, {delivery} and {manager} are our people. These stay the same through a deal. Numbers and
times, such as {count} or {month}, are drawn for each use.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from random import Random

from api.simulate.material import Pair, Phrase, StepPhrases, phrases
from domain.values import Money

_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAYS_ZH = "一二三四五六日"

_NUMBERS: dict[str, tuple[int, int]] = {
    "count": (2, 6),
    "days": (3, 19),
    "weeks": (2, 7),
    "percent": (2, 9),
    "over": (8, 35),
    "minutes": (20, 90),
    "pages": (38, 180),
    "score": (84, 95),
    "rivalscore": (71, 83),
}


_SENTENCE_START = re.compile(r"(?:^|[.?!]\"? )[a-z]")
_POSSESSIVE = re.compile(r"s's\b")
_SPEAKS_OF_RIVALS = re.compile(r"\{(rival|other|rivalscore)\}")


def _upper(start: re.Match[str]) -> str:
    return start[0].upper()


class _Slots(dict[str, str]):
    """What a template's braces stand for; numbers and times are drawn when they are asked for."""

    def __init__(self, constant: Mapping[str, str], draw: Callable[[str], str]) -> None:
        super().__init__(constant)
        self._draw = draw

    def __missing__(self, name: str) -> str:
        drawn = self[name] = self._draw(name)
        return drawn


class Wording:
    """The voice of one deal. It does not use a template twice while it has others left."""

    def __init__(
        self,
        facts: Mapping[str, Pair],
        tender: bool,
        contested: bool,
        chinese: float,
        rng: Random,
    ) -> None:
        self._english = {name: pair.en for name, pair in facts.items()}
        self._chinese = {name: pair.zh for name, pair in facts.items()}
        self._tender = tender
        self._contested = contested
        self._share = chinese
        self._rng = rng
        self._used: set[str] = set()
        self._steps: list[StepPhrases] = []

    def remark(
        self,
        key: str,
        moment: datetime,
        amount: Money | None,
        *,
        percent: int | None = None,
        over: int | None = None,
        rival: str = "rival",
        who: str = "mid",
    ) -> str:
        """A remark under `key`, such as `slip.customer`, written at a local `moment`.

        `rival` is the fact that stands where a template speaks of the competitor, `who` the
        one that stands for whom a contact is with.
        """
        remarks = phrases().remarks
        special = remarks.get(f"{key}.tender") if self._tender else None
        fits_both = not key.startswith("attest.") and self._rng.random() < 0.5
        phrase = remarks[key] if special is None or fits_both else special
        return self.phrase(phrase, moment, amount, percent=percent, over=over, rival=rival, who=who)

    def phrase(
        self,
        phrase: Phrase,
        moment: datetime,
        amount: Money | None,
        *,
        percent: int | None = None,
        over: int | None = None,
        rival: str = "rival",
        who: str = "mid",
    ) -> str:
        chinese = bool(phrase.zh) and self._rng.random() < self._share
        template = self._fresh(phrase.zh if chinese else phrase.en)
        facts = self._chinese if chinese else self._english
        given = {"rival": facts.get(rival, ""), "who": facts.get(who, "")}
        if percent is not None:
            given["percent"] = str(percent)
        if over is not None:
            given["over"] = str(over)
        return self._filled(template, chinese, given, moment, amount)

    @contextmanager
    def one_language(self) -> Iterator[None]:
        """Remarks that belong together are in one language."""
        share = self._share
        self._share = float(self._rng.random() < share)
        try:
            yield
        finally:
            self._share = share

    def step(self, phase: str) -> StepPhrases:
        """A kind of next step that fits the phase of the customer's decision, mostly in order."""
        kinds = phrases().steps[phase]
        unused = [kind for kind in kinds if kind not in self._steps]
        in_order = unused and self._rng.random() < 0.8
        step = unused[0] if in_order else self._rng.choice(unused or kinds)
        self._steps.append(step)
        return step

    def _fresh(self, templates: Sequence[str]) -> str:
        if not self._contested:
            templates = [t for t in templates if not _SPEAKS_OF_RIVALS.search(t)] or templates
        unused = [template for template in templates if template not in self._used]
        template = self._rng.choice(unused or templates)
        self._used.add(template)
        return template

    def _filled(
        self,
        template: str,
        chinese: bool,
        given: Mapping[str, str],
        moment: datetime,
        amount: Money | None,
    ) -> str:
        def draw(name: str) -> str:
            if name in _NUMBERS:
                return str(self._rng.randint(*_NUMBERS[name]))
            return self._time_or_amount(name, chinese, moment, amount)

        constant = self._chinese if chinese else self._english
        text = template.format_map(_Slots({**constant, **given}, draw))
        return text if chinese else _SENTENCE_START.sub(_upper, _POSSESSIVE.sub("s'", text))

    def _time_or_amount(
        self, name: str, chinese: bool, moment: datetime, amount: Money | None
    ) -> str:
        match name:
            case "month":
                month = (moment.month + self._rng.randint(0, 2)) % 12
                return f"{month + 1}月" if chinese else _MONTHS[month]
            case "weekday":
                day = moment.weekday()
                return f"周{_DAYS_ZH[day]}" if chinese else f"on {_DAYS[day]}"
            case "day":
                return _DAYS[self._rng.randrange(5)]
            case "amount":
                return spoken(amount, chinese)
            case _:
                raise LookupError(f"no template may speak of {{{name}}}")


def spoken(amount: Money | None, chinese: bool) -> str:
    """An amount as people say it, without the small change."""
    if amount is None:
        return "几十万" if chinese else "a six-figure sum"
    whole = int(amount.amount)
    if chinese:
        return f"{whole / 10_000:.0f}万元" if whole >= 100_000 else f"{whole}元"
    rounded = round(whole, -3) if whole >= 20_000 else round(whole, -2)
    return f"{amount.currency} {rounded:,}"
