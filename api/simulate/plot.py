"""One deal while its story is told: its moment, its people, its chances, its words.

Theory of operation. A story is a sequence of scenes; a scene is played by beats; a beat yields
entries. In a scene things happen from `moment` on, and are put on record at the `desk`, minutes to
days later, by the habits of whoever holds the deal. A beat may look at `deal`, the state by the
entries made so far, because each entry is made before the beat goes on.

A deal's `health` is what its end depends on. It starts from how well we fit, and every beat that
shows good or bad work moves it: so the traces that a story leaves have to do with how it ends.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random
from typing import TypeAlias

import msgspec

from api.simulate.bargain import Talks
from api.simulate.cast import Period, Team, User
from api.simulate.causes import Fate
from api.simulate.centre import KEYS, Centre
from api.simulate.chronicle import Chronicle, Entry
from api.simulate.customers import Project
from api.simulate.material import Pair, Phrase, StepPhrases
from api.simulate.wording import Wording
from api.simulate.workdays import Workdays, workdays
from domain.deal import Deal, DealCommand
from domain.gates import GateState, gate_state
from domain.lifecycle.facts import LostOutcome, ReasonDriver
from domain.process import BuyingPhase, ProcessBook, SalesProcess, Stage
from domain.values import BusinessType, Money, ProcessRef

Entries: TypeAlias = Iterator[Entry]
Beat: TypeAlias = Callable[["Plot"], Entries]


class Premise(msgspec.Struct, frozen=True):
    """What is settled before a story begins."""

    number: int
    deal_id: str
    reference: str
    project: Project
    team: Team
    seller: User
    period: Period
    opened_at: datetime
    name: str
    business_type: BusinessType
    amount: Money
    """What the customer would spend, as far as anybody can know."""
    process: ProcessRef
    stage: int
    """Position of the stage in which the deal is opened."""
    lead_source: str | None
    route: str
    tender: bool
    contested: bool
    """Whether a competitor is there."""
    fit: float
    """How well we fit this customer; most lie between -1.5 and 1.5."""
    tempo: float
    """Days the customer takes, against the days that the process expects."""
    duplicate_of: str | None
    """The id of the deal that this one turns out to repeat."""
    facts: Mapping[str, Pair]


class Cue(msgspec.Struct, frozen=True):
    """A scene to come."""

    at: datetime
    beat: Beat


class Chapter(msgspec.Struct, frozen=True):
    """One stay in a stage, with the end it will come to."""

    stage: Stage
    phase: BuyingPhase
    start: datetime
    end: datetime
    goes_on: bool
    """Whether the deal is won or moves forward from here."""
    last: bool
    """Whether it is the last stage before winning."""
    outcome: LostOutcome | None = None
    cause: ReasonDriver | None = None
    """What the deal is lost by, where it is lost in this stay."""

    @property
    def days(self) -> float:
        return (self.end - self.start) / timedelta(days=1)

    def moment(self, share: float) -> datetime:
        """The moment at which this share of the stay is over."""
        return self.start + (self.end - self.start) * share


class Plot:
    """The state of the telling. What happened in the deal itself is in `deal`."""

    def __init__(
        self, premise: Premise, processes: ProcessBook, key: str, fate: Fate | None = None
    ) -> None:
        self.premise = premise
        self.fate = fate
        """Given where causes of losing are planted, and nothing else has to do with the end."""
        self.processes = processes
        self.rng = Random(f"{key}/plot")
        self.chronicle = Chronicle(
            premise.deal_id,
            premise.reference,
            processes,
            premise.team.organisation,
            premise.period.last_moment,
        )
        self.owner = premise.seller
        self.engineer = self.rng.choice(premise.team.engineers)
        self.moment = premise.opened_at
        self.desk = premise.opened_at
        self.health = premise.fit + 0.5 * (premise.seller.habits.discipline - 0.6)
        self.tempo = premise.tempo
        self.reviewed_on = premise.opened_at.date()
        self.bant_learned = tuple(self.rng.gauss(mean, 0.3) for mean in (-0.1, -0.2, 0.35, 0.0))
        """How early we learn of budget, authority, need and timeline in this deal."""
        functions = {key: premise.facts[key] for key in KEYS}
        self.centre = Centre(premise.project, functions, premise.fit, Random(f"{key}/centre"))
        self.contact: str | None = None
        """Id of the contact of the scene, where there is one."""
        self.talks: Talks | None = None
        """The negotiation that is going on."""
        self.cause: ReasonDriver | None = None
        """What the deal was lost by."""
        self.gap: int | None = None
        """By how many per cent we were too dear, where the deal was lost."""
        self.priced = False
        """Whether a proposal was priced."""
        self.pushes = 0
        """How often the close date was moved out."""
        self.reopened = False
        self.revoked = False
        self.steps = 0
        self.open_step: tuple[str, StepPhrases] | None = None
        self.chapter: Chapter | None = None
        self._scene = 0
        self._names: Counter[str] = Counter()
        self._wording = Wording(
            premise.facts,
            premise.tender,
            premise.contested,
            premise.seller.habits.chinese,
            Random(f"{key}/words"),
        )

    # The deal.

    @property
    def deal(self) -> Deal:
        return self.chronicle.history.deal

    @property
    def version(self) -> int:
        """Version of the last event."""
        return self.chronicle.history.version

    @property
    def process(self) -> SalesProcess:
        assert self.deal.life.process is not None
        return self.processes.get(self.deal.life.process)

    @property
    def position(self) -> int:
        """Index of the stage in which the deal stands."""
        position = self.process.position(self.deal.stages.stage or "")
        assert position is not None
        return position

    @property
    def stage(self) -> Stage:
        return self.process.stages[self.position]

    @property
    def selling(self) -> list[Stage]:
        return [stage for stage in self.process.stages if not stage.after_win]

    @property
    def gate(self) -> GateState:
        """As it stands for what is decided next, which takes a few minutes."""
        at = max(self.moment, self.desk) + timedelta(minutes=5)
        return gate_state(self.deal, self.stage, at)

    @property
    def price_agreed(self) -> bool:
        """Whether a price was agreed at the table."""
        issues = (state for one in self.deal.negotiations.opened for state in one.issues)
        return any(state.issue.id == "price" and state.agreed for state in issues)

    def money(self, amount: float, digits: int = 2) -> Money:
        """An amount in the deal's currency, rounded to so many leading digits."""
        return rounded(amount, digits, self.premise.amount.currency)

    # Chance.

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def days(self, least: float, most: float) -> timedelta:
        return timedelta(days=self.rng.uniform(least, most))

    def feels(self, change: float) -> None:
        """The deal fares better or worse by this, unless its fate is settled."""
        if self.fate is None:
            self.health += change

    def flaw(self, cause: str) -> bool | None:
        """Whether the deal has a flaw; None where its habits decide, as in the usual stories."""
        return self.fate.flaw(cause) if self.fate is not None else None

    # Names.

    def name(self, kind: str) -> str:
        """A new id for something of this kind on the deal, such as `need-2`."""
        self._names[kind] += 1
        return f"{kind}-{self._names[kind]}"

    def knows(self, key: str) -> str | None:
        """The id of who fills a function at the customer, where our side knows them."""
        person = self.centre[key].id
        return person if self.deal.people.stakeholder(person) is not None else None

    def met(self, key: str) -> str | None:
        """The id of who fills a function, where a contact with them is on record."""
        person = self.knows(key)
        there = (one.made.fact.their_people for one in self.deal.people.contacts)
        return person if any(person in people for people in there) else None

    @property
    def met_people(self) -> list[str]:
        """The functions at the customer of which our side has met who fills them."""
        return [key for key in KEYS if self.met(key) is not None]

    @property
    def known_people(self) -> list[str]:
        """The functions at the customer of which our side knows who fills them."""
        return [key for key in KEYS if self.knows(key) is not None]

    @property
    def rivals(self) -> list[str]:
        """The ids of the competing vendors we know of, the one to fear first."""
        known = {event.fact.id for event in self.deal.field.competitors}
        return [one for one in (self.rival("rival"), self.rival("other")) if one in known]

    def rival(self, which: str) -> str:
        """The id by which a competitor is named on the deal, known of or not."""
        return self.premise.facts[which].en.lower().replace(" ", "-")

    # People.

    @property
    def manager(self) -> User:
        return self.premise.team.manager

    @property
    def hours(self) -> Workdays:
        territory = self.premise.project.territory
        return workdays(territory.culture, territory.zone)

    @property
    def today(self) -> date:
        """The local day of the scene."""
        return self.hours.day(self.moment)

    @property
    def writer(self) -> User:
        """The owner, or once they have left, their manager."""
        return self.owner if self.owner.here_on(self.hours.day(self.desk)) else self.manager

    # Words.

    def text(
        self,
        key: str,
        rival: str = "rival",
        *,
        amount: Money | None = None,
        percent: int | None = None,
        who: str = "mid",
    ) -> str:
        """A remark under `key`; `rival` or `other` is the competitor that it speaks of.

        Where it speaks of an amount, by default it is the deal's.
        """
        now = self.hours.local(self.moment)
        return self._wording.remark(
            key,
            now,
            amount or self.deal.amount,
            percent=percent,
            over=self.gap,
            rival=rival,
            who=who,
        )

    def label(self, key: str) -> str:
        """A remark without its full stop, for what is named rather than said."""
        return self.text(key).rstrip(".。")

    def texts(self, keys: Sequence[str], rival: str = "rival", who: str = "mid") -> tuple[str, ...]:
        """Remarks that belong together, in one language."""
        with self._wording.one_language():
            return tuple(self.text(key, rival, who=who) for key in keys)

    def clauses(self, key: str, count: int) -> tuple[str, ...]:
        """So many remarks for a list, in one language and without their full stops."""
        return tuple(text.rstrip(".。") for text in self.texts([key] * count))

    def phrase(self, phrase: Phrase) -> str:
        return self._wording.phrase(phrase, self.hours.local(self.moment), self.deal.amount)

    def step_phrases(self, phase: BuyingPhase) -> StepPhrases:
        return self._wording.step(phase.value)

    # Scenes and entries.

    def scene(self, at: datetime, lag: timedelta | None = None) -> None:
        """Begin a scene, in office hours and not before the last one was put on record.

        Without `lag` the owner's habits say when it is put on record; not after a move or an end
        that comes before.
        """
        self._scene += 1
        earliest = max(at, self.desk + timedelta(minutes=10))
        earliest += self._breath(at)
        begin = self.hours.in_office_hours(earliest)
        if begin > earliest:
            begin = self.hours.meeting(self.hours.day(begin), self.rng)
        begin = begin.replace(second=0, microsecond=0) + timedelta(minutes=1)
        self.moment = begin
        self.contact = None
        self.desk = self._put_on_record(begin) if lag is None else self._after(begin, lag)
        if self.chapter is not None and begin < self.chapter.end < self.desk:
            self.desk = begin + timedelta(minutes=self.rng.randint(4, 90), seconds=self._second())

    def record_promptly(self) -> None:
        """The scene that begins is put on record within the hour, whatever the habits."""
        self.desk = min(self.desk, self.moment + timedelta(minutes=self.rng.randint(4, 60)))

    def _breath(self, at: datetime) -> timedelta:
        """A late scene does not follow on the heels of the last, where there is time left."""
        chapter = self.chapter
        if chapter is None or chapter.last or not at < self.desk < chapter.end:
            return timedelta()
        return (chapter.end - self.desk) * self.rng.uniform(0, 0.15)

    def _after(self, begin: datetime, lag: timedelta) -> datetime:
        return self.hours.in_office_hours(begin + lag) + self._pause(0, 50)

    def _put_on_record(self, begin: datetime) -> datetime:
        diligence = self.owner.habits.diligence
        if self.chance(0.35 + 0.5 * diligence):
            return begin + timedelta(minutes=self.rng.randint(4, 90), seconds=self._second())
        if self.chance(0.3 + 0.5 * diligence):
            tomorrow = self.hours.day(begin) + timedelta(days=1)
            return self.hours.morning(tomorrow, self.rng)
        later = self.hours.day(begin) + timedelta(days=self.rng.randint(2, 6))
        return self.hours.morning(later, self.rng)

    def happened(self, command: DealCommand, by: User | None = None) -> Entry:
        """It happened in the scene, and is put on record when the scene is."""
        occurred_at = self.moment
        self.desk = max(self.desk, occurred_at + timedelta(seconds=30)) + self._pause(15, 90)
        self.moment += timedelta(minutes=self.rng.randint(1, 5))
        return self._entry(command, by, occurred_at, self.desk)

    def at_once(self, command: DealCommand) -> Entry:
        """It happened together with what comes next, as a no does with another offer."""
        moment = self.moment
        entry = self.happened(command)
        self.moment = moment
        return entry

    def typed(self, command: DealCommand, by: User | None = None) -> Entry:
        """It happened by being put on record: a plan, a judgement, a forecast."""
        self.desk = max(self.desk, self.moment) + self._pause(20, 150)
        self.moment = self.desk
        return self._entry(command, by, self.desk, self.desk)

    def known_later(self, command: DealCommand, delay: timedelta) -> Entry:
        """It happened in the scene, but is put on record only after a delay."""
        occurred_at = self.moment
        self.desk = max(self.desk, occurred_at)
        self.moment += timedelta(minutes=self.rng.randint(3, 12))
        known_at = self.hours.in_office_hours(occurred_at + delay) + self._pause(60, 9000)
        known_at = max(known_at, self.desk)
        stays = self.owner.here_on(self.hours.day(known_at))
        by = self.owner if stays else self.manager
        return self._entry(command, by, occurred_at, known_at, deputy=self.manager)

    def catch_up(self) -> None:
        """Let late entries in before a decision is taken on what is on record."""
        self.desk = max(self.desk, self.moment) + self._pause(20, 90)
        self.chronicle.make_waiting(self.desk)

    def _entry(
        self,
        command: DealCommand,
        by: User | None,
        occurred_at: datetime,
        known_at: datetime,
        deputy: User | None = None,
    ) -> Entry:
        return Entry(command, by or self.writer, occurred_at, known_at, self._scene, deputy)

    def _pause(self, least: int, most: int) -> timedelta:
        return timedelta(seconds=self.rng.randint(least, most))

    def _second(self) -> int:
        return self.rng.randrange(60)


def rounded(amount: float, digits: int, currency: str) -> Money:
    """A whole amount with so many leading digits, as people estimate."""
    whole = max(1, round(amount))
    step = 10 ** max(0, len(str(whole)) - digits)
    return Money.parse(str(round(whole / step) * step), currency)
