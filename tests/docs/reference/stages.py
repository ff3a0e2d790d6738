"""The stages of the built-in processes as pictures, drawn from their data."""

from collections.abc import Callable, Iterator
from functools import partial
from html import escape

from domain.process import Evidence, SalesProcess, Stage
from domain.process_files import built_in_processes

_WIDTH = 880
_MARGIN = 28
_TOP = 92
_ROW = 92
_BOX = (192, 52)
_TEXT = _MARGIN + _BOX[0] + 24
_BAR = (160, 10)

_STYLE = """\
.ground { fill: #ffffff; stroke: #d0d7de }
.box { fill: #ddf4ff; stroke: #0969da }
.after { fill: #dafbe1; stroke: #1a7f37 }
.arrow { stroke: #59636e; stroke-width: 1.5; fill: none }
.tip { fill: #59636e }
.track { fill: #d0d7de }
.bar { fill: #0969da }
text { fill: #1f2328; font: 14px system-ui, "Segoe UI", "Noto Sans", "PingFang SC",
  "Microsoft YaHei", "Noto Sans CJK SC", sans-serif }
.title { font-size: 20px; font-weight: 600 }
.name { font-size: 15px; font-weight: 600 }
.soft { fill: #59636e; font-size: 13px; font-weight: 400 }
@media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117; stroke: #3d444d }
  .box { fill: #121d2f; stroke: #4493f8 }
  .after { fill: #12261e; stroke: #3fb950 }
  .arrow { stroke: #9198a1 }
  .tip { fill: #9198a1 }
  .track { fill: #3d444d }
  .bar { fill: #4493f8 }
  text { fill: #f0f6fc }
  .soft { fill: #9198a1 }
}
"""

_RULES = (
    "A criterion is shown by what is recorded on the deal, or attested: confirmed by a person.",
    "Forward through the gate, or by an override with a reason; back to an earlier stage with one.",
    "A deal can end in every stage before the signature, and be reopened there or earlier.",
)


def pictures() -> dict[str, Callable[[], str]]:
    """By the name of its file, how the picture of each built-in process is drawn."""
    return {
        f"stages/{process.id}.svg": partial(picture, process) for process in built_in_processes()
    }


def picture(process: SalesProcess) -> str:
    """The stages of a process from top to bottom, as SVG; readable on light and dark."""
    rows = len(process.stages)
    height = _TOP + rows * _ROW + 20 * len(_RULES) + _MARGIN
    title = f"The stages of {process.ref}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"',
        f'  width="{_WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
        f"<style>\n{_STYLE}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="8"/>',
        *_heading(process),
    ]
    following: list[Stage | None] = [*process.stages[1:], None]
    for number, (stage, after) in enumerate(zip(process.stages, following, strict=True)):
        lines += _stage(stage, _TOP + number * _ROW)
        lines += _way_on(stage, after, _TOP + number * _ROW + _BOX[1])
    for number, rule in enumerate(_RULES):
        lines.append(_words(_MARGIN, _TOP + rows * _ROW + 16 + number * 20, rule, "soft"))
    return "\n".join([*lines, "</svg>", ""])


def _heading(process: SalesProcess) -> Iterator[str]:
    yield _words(_MARGIN, 40, process.name.en, "title", process.name.zh)
    held = {"entry": "on entering the stage", "milestone": "once the gate is met"}
    chance = f"chance of winning {held[process.probability_holds.value]}"
    yield _words(_MARGIN, 64, f"{process.id}, version {process.version}", "soft")
    yield _words(_WIDTH - _MARGIN, 64, chance, "soft", anchor="end")


def _stage(stage: Stage, y: int) -> Iterator[str]:
    width, height = _BOX
    kind = "after" if stage.after_win else "box"
    yield f'<rect class="{kind}" x="{_MARGIN}" y="{y}" width="{width}" height="{height}" rx="6"/>'
    middle = _MARGIN + width // 2
    yield _words(middle, y + 31, stage.id, "name", anchor="middle")
    yield _words(_TEXT, y + 21, stage.name.en, "name", stage.name.zh)
    phase = f", customer in {stage.decision_phase}" if stage.decision_phase else ""
    yield _words(_TEXT, y + 43, f"{stage.forecast}, {stage.expected_days} days{phase}", "soft")
    bar, thin = _BAR
    x = _WIDTH - _MARGIN - bar
    for name, length in {"track": bar, "bar": bar * stage.probability // 100}.items():
        yield f'<rect class="{name}" x="{x}" y="{y + 33}" width="{length}" height="{thin}" rx="3"/>'
    yield _words(_WIDTH - _MARGIN, y + 21, f"{stage.probability} %", "name", anchor="end")


def _way_on(stage: Stage, after: Stage | None, y: int) -> Iterator[str]:
    """The arrow to the next stage, and what it takes."""
    x, end = _MARGIN + _BOX[0] // 2, y + _ROW - _BOX[1]
    if after is not None:
        yield f'<path class="arrow" d="M{x} {y} V{end - 6}"/>'
        yield f'<path class="tip" d="M{x - 5} {end - 8} H{x + 5} L{x} {end} Z"/>'
    before = "gate" if after is not None else "to close the deal"
    signed = after is not None and after.after_win and not stage.after_win
    yield _words(
        x + 14, y + 24, f"{before}: {_gate(stage)}{', and the signature' if signed else ''}", "soft"
    )


def _gate(stage: Stage) -> str:
    if not stage.gate:
        return "no criteria"
    attested = sum(criterion.evidence is Evidence.ATTESTED for criterion in stage.gate)
    count = f"{len(stage.gate)} {'criterion' if len(stage.gate) == 1 else 'criteria'}"
    return f"{count}, {attested} attested" if attested else count


def _words(
    x: int, y: int, text: str, kind: str, beside: str | None = None, *, anchor: str = "start"
) -> str:
    more = f' <tspan class="soft" dx="6">{escape(beside)}</tspan>' if beside else ""
    return (
        f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}{more}</text>'
    )
