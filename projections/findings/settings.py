"""The thresholds of the rules. All of them can be set, by a TOML file of the same names."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import msgspec

from domain.process import BuyingPhase
from domain.toml.problems import Problem, Report, did_you_mean, listed, shown
from domain.toml.tables import Table, known, read_table
from domain.values import decimal_text
from projections.findings.finding import Kind

Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


class SettingsError(ValueError):
    """Settings that cannot be used. `problems` holds all that is wrong, in the file's order."""

    def __init__(self, message: str, problems: Collection[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When the rules fire."""

    silent_days: Days = 21
    """Without a contact: `gone-silent`."""
    silent_days_by_phase: dict[str, Days] = {}
    """Other limits for it, by the phase of the decision cycle that the stage assumes."""
    contact_window_days: Days = 30
    """How far back contacts count for `single-threaded` and `receptive-only`."""
    champion_days: Days = 21
    """Within which a lost supporter is to be replaced: `champion-lost`."""
    champion_influence: Annotated[int, msgspec.Meta(ge=1, le=5)] = 4
    """From which influence on a supporter counts for it."""
    floor_hours: Annotated[int, msgspec.Meta(ge=1, le=8760)] = 48
    """How long before a concession a worsened walk-away counts: `floor-moved`."""
    small_concession_percent: str = "0.5"
    """Of the deal's amount: a `unilateral-concession` below it is a note. A number in quotes."""
    lagging_days: Days = 30
    """Behind without a strategy chosen since: `lagging-unanswered`."""
    concern_days: Days = 14
    """For an open concern in P6 without a step on it: `concern-unresolved`."""
    promise_days: Days = 7
    """To respond to a broken promise of theirs: `promise-broken`."""
    minutes_days: Days = 2
    """To send the minutes: `minutes-missing`."""
    not_worth_days: Days = 60
    """Of going on with what is `not-worth-winning`."""
    not_worth_score: Annotated[int, msgspec.Meta(ge=1, le=5)] = 2
    """Up to which worth winning and can win are low for it."""
    optimistic_points: Annotated[int, msgspec.Meta(ge=1, le=100)] = 15
    """By which an override lies above its stage: `optimistic-forecast`."""
    ahead_phases: Annotated[int, msgspec.Meta(ge=1, le=7)] = 2
    """By which our stage is ahead: `ahead-of-buyer`."""
    next_step_days: Days = 7
    """Without a step ahead: `next-step-missing`."""
    award_days: Days = 90
    """For an award to come, from a tender's deadline on; silence is a fault again behind them."""
    records: dict[str, tuple[Kind, ...]] = {}
    """By source of a deal's opening (`api`, `import:crm`): what it always puts on record.

    Of the rest, nothing on record means nothing before the first event of that kind.
    """


DEFAULTS = Settings()


def read_settings(path: Path) -> Settings:
    """The settings of a TOML file; what it does not name stays. Raises SettingsError."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} cannot be read: it is not UTF-8") from None
    return parse_settings(text, str(path))


def parse_settings(text: str, where: str = "<text>") -> Settings:
    """Settings from TOML. `where` names the text in messages. Raises SettingsError."""
    table, report = read_table(text, where, Settings)
    _check_phases(table, report)
    _check_percent(table, report)
    if report.has_errors:
        raise SettingsError("\n".join(map(str, report.problems)), report.problems)
    return msgspec.convert(table, Settings)


def _check_phases(table: Table, report: Report) -> None:
    phases = [phase.value for phase in BuyingPhase]
    for name in known(table, "silent_days_by_phase") or ():
        if name not in phases:
            report.error(
                ("silent_days_by_phase", name),
                f"is not a phase; allowed are {listed(phases)}.{did_you_mean(name, phases)}",
            )


def _check_percent(table: Table, report: Report) -> None:
    percent = known(table, "small_concession_percent")
    if percent is None:
        return
    try:
        in_range = 0 <= float(decimal_text(percent)) <= 100
    except ValueError:
        in_range = False
    if not in_range:
        report.error(
            ("small_concession_percent",),
            f'is {shown(percent)}; allowed is a number from 0 to 100 in quotes, such as "0.5".',
        )
