"""Looking back on deals: a replay with findings and estimates, post-mortems, and their charts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import cached_property
from pathlib import Path

from api.pages.charts.render import svg
from api.pages.charts.style import Spec, chart, rows
from api.pages.postmortem import html
from api.wire.postmortems import PostMortem
from domain.deal import Deal, DealEvent, evolve
from projections.cohort.comparison import Comparison
from projections.cohort.models import CohortModels
from projections.findings import judge
from projections.findings.case import Case
from projections.frames import frames_of
from projections.review import Review, compared, review
from tests.benchmarks import floors
from tests.benchmarks.evidence import Evidence, digest, state_of
from tests.benchmarks.harness import FLOOR, OURS, Check, Row, Timer
from tests.benchmarks.lost import PROCESSES, ZONE, LostDeals, long_deal, models, postmortem

REVIEWS = 20
"""Replays in one run."""
CHARTED = 5
"""Post-mortems whose charts are drawn in one run."""


class Learned:
    """A long lost deal, and models that were trained on deals before it. Made when asked for."""

    def __init__(self, length: int, deals: int, least: int) -> None:
        """`deals`: among so many the deal is chosen, and twice as many are learned from."""
        self.length = length
        self._deals = deals
        self._least = least

    @cached_property
    def events(self) -> list[DealEvent]:
        return long_deal(self.length, self._deals)

    @cached_property
    def models(self) -> CohortModels:
        moments = [frame.at for frame in frames_of(self.events)]
        return models(2 * self._deals, moments, self._least)


def replay(learned: Learned) -> Row:
    """The row of one long deal in memory, replayed with all that is said of its moves."""
    events, cohorts = learned.events, learned.models

    def ours(_: Path, timer: Timer) -> Check:
        with timer.running():
            for _number in range(REVIEWS):
                with timer.one():
                    deal, seen, found = _reviewed(events, cohorts)

        def check() -> Evidence:
            assert _is_whole(seen, found), "something of the replay is missing"
            return _shown(deal, events)

        return check

    def floor(_: Path, timer: Timer) -> Check:
        with timer.running():
            for _number in range(REVIEWS):
                deal = Deal()
                for event in events:
                    deal = evolve(deal, event)
        return lambda: _shown(deal, events)

    return Row(
        name=f"replay-{learned.length}",
        work=f"Replay of a deal of {learned.length:,} events, with findings and estimates",
        unit="replay",
        units=REVIEWS,
        variants={OURS: ours, FLOOR: floor},
        explained={
            OURS: "Of events that are in memory: the frames, what every rule finds, the "
            "indicators of each move, the estimate behind it with what moved it, by the model of "
            "its month, the turning points, and the comparison with won deals at one move. "
            "The models were trained before.",
            FLOOR: "A loop over `evolve` with the same events, which keeps the last state alone.",
        },
        goals="p99 ≤ 60 ms",
    )


def _reviewed(
    events: Sequence[DealEvent], cohorts: CohortModels
) -> tuple[Deal, Review, Comparison | None]:
    """All that is said of a replay, as far as the last event: state, review and comparison."""
    frames = frames_of(events)
    assessment = judge(Case(frames, PROCESSES, frames[-1].at), secrets=True)
    seen = review(frames, PROCESSES, assessment, cohorts, secrets=True)
    running = [index for index, one in enumerate(seen.judged) if one.measured is not None]
    midway = running[len(running) // 2]
    return frames[-1].after, seen, compared(seen, midway, frames, PROCESSES, cohorts)


def _is_whole(seen: Review, found: Comparison | None) -> bool:
    """Findings, estimates and places in the comparison are all there."""
    estimates = [one.estimate for one in seen.judged if one.measured is not None]
    estimated = all(one is not None and one.probability is not None for one in estimates)
    return estimated and found is not None and bool(found.places and seen.assessment.findings)


def _shown(deal: Deal, events: Sequence[DealEvent]) -> Evidence:
    return Evidence(len(events), digest([state_of(events[0].identifier, len(events), deal)]))


def postmortems(lost: LostDeals, many: int) -> Row:
    """The row of the post-mortems of many lost deals of a store, charts apart."""
    deals, plain = lost.deals, lost.stores.plain
    assert lost.ready.exists()

    def ours(_: Path, timer: Timer) -> Check:
        with lost.opened() as store:
            with timer.running():
                for deal in deals:
                    with timer.one():
                        postmortem(store, deal.deal_id)
            histories = [store.log.history(deal.deal_id) for deal in deals]
        return lambda: Evidence(
            sum(history.version for history in histories),
            digest(one.deal.life.outcome_name for one in histories),
        )

    def floor(_: Path, timer: Timer) -> Check:
        with closing(floors.connect(plain)) as connection, timer.running():
            states = [floors.load(connection, deal.stream) for deal in deals]
        return lambda: Evidence(
            sum(version for version, _ in states),
            digest(deal.life.outcome_name for _, deal in states),
        )

    return Row(
        name=f"postmortems-{many}",
        work=f"Post-mortems of {many:,} lost deals",
        unit="post-mortem",
        units=len(deals),
        variants={OURS: ours, FLOOR: floor},
        explained={
            OURS: "`postmortem_of` each lost deal of a store of simulated deals: its history "
            "decrypted, moves, findings, estimates, turning points, the maps of its people, the "
            "negotiations, the comparison with won deals, the lessons. Charts and texts are not "
            "made. The read models are up to date, the models of the estimate trained and kept.",
            FLOOR: "`SELECT` of each deal's bytes from a log with nothing encrypted, `msgspec` "
            "decoding, and a loop over `evolve`.",
        },
        goals="≤ 60 s for 1,000",
    )


def charts(lost: LostDeals) -> Row:
    """The row of the charts of a few post-mortems, those of the deals with the most events."""
    longest = sorted(lost.deals, key=lambda deal: len(deal.drafts))[-CHARTED:]
    with lost.opened() as store:
        specs = [one for deal in longest for one in _specs(postmortem(store, deal.deal_id))]

    def ours(_: Path, timer: Timer) -> Check:
        svg(specs[0])
        with timer.running():
            for spec in specs:
                with timer.one():
                    svg(spec)
        return lambda: Evidence(len(specs))

    def floor(_: Path, timer: Timer) -> Check:
        svg(_DOT)
        with timer.running():
            for _spec in specs:
                svg(_DOT)
        return lambda: Evidence(len(specs))

    return Row(
        name="charts",
        work="Draw the charts of a post-mortem",
        unit="chart",
        units=len(specs),
        variants={OURS: ours, FLOOR: floor},
        explained={
            OURS: f"`svg` of every chart of the post-mortems of the {len(longest)} longest of the "
            "lost deals, by Vega-Lite in the process. The JavaScript engine was started before.",
            FLOOR: "As many charts of one dot.",
        },
        goals="p99 ≤ 100 ms",
    )


_DOT: Spec = chart(data=rows([{}]), mark="point")


def _specs(report: PostMortem) -> list[Spec]:
    """Every chart that the page of a post-mortem draws."""
    specs: list[Spec] = []

    def drawn(spec: Spec) -> str:
        specs.append(spec)
        return ""

    html(report, ZONE, drawn)
    return specs
