"""One deal in full, as text."""

from zoneinfo import ZoneInfo

from api.cli import shown
from api.cli.gate import tell_gate
from api.cli.output import Column, print_table, say
from api.plain import clean
from api.wire.deals import Deal, DealDetail


def tell(detail: DealDetail, when: str, zone: ZoneInfo) -> None:
    """Print the deal: the facts, the way through the stages, the gate, what is on record."""
    deal = detail.deal
    say(clean(f"{deal.name}  ({shown.short_name(deal)}), {when}"))
    say()
    for label, value in _facts(detail, zone):
        say(clean(f"{label:<12}{value}"))
    _tell_visits(detail, zone)
    if detail.gate and detail.gate.criteria:
        say()
        tell_gate(detail.gate, zone)
    _tell_record(detail, zone)


def _facts(detail: DealDetail, zone: ZoneInfo) -> list[tuple[str, str]]:
    deal, account = detail.deal, detail.account
    customer = [account.name, account.industry, account.region, account.size] if account else []
    team = [f"{shown.person(member.user)} ({member.role})" for member in detail.team]
    forecast = [shown.percent(deal.probability), deal.forecast_category]
    facts = [
        ("Status", _status(deal, zone)),
        (
            "Stage",
            f"{deal.stage} of {deal.process}, since {shown.day(deal.stage_entered_at, zone)}",
        ),
        ("Amount", shown.money(deal.amount) if deal.amount else f"unknown ({deal.currency})"),
        ("Closes", shown.whole_day(deal.expected_close)),
        ("Forecast", _joined(forecast)),
        ("Customer", _joined(customer)),
        ("Products", _joined(detail.products)),
        ("Region", _joined([deal.region, deal.territory])),
        ("Business", _joined([deal.business_type, detail.spend_kind, detail.route])),
        ("Source", shown.text(deal.lead_source)),
        ("Alignment", _alignment(detail.alignment)),
        ("Owner", shown.person(deal.owner)),
        ("Team", _joined(team)),
        ("Id", f"{deal.id}, version {deal.version}"),
    ]
    return [(label, value) for label, value in facts if value != shown.NONE]


def _alignment(phases: int | None) -> str:
    if phases is None:
        return shown.NONE
    if phases == 0:
        return "our stage fits the phase of the customer"
    unit = "phase" if abs(phases) == 1 else "phases"
    return (
        f"our stage is {abs(phases)} {unit} {'ahead of' if phases > 0 else 'behind'} the customer"
    )


def _joined(parts: "list[str | None] | list[str]") -> str:
    return ", ".join(part for part in parts if part) or shown.NONE


def _status(deal: Deal, zone: ZoneInfo) -> str:
    opened = f"opened {shown.day(deal.opened_at, zone)}"
    if deal.closed_at is None:
        return f"{deal.status}, {opened}"
    outcome = "" if deal.outcome in {None, deal.status} else f" ({deal.outcome})"
    return f"{deal.status}{outcome} on {shown.day(deal.closed_at, zone)}, {opened}"


def _tell_visits(detail: DealDetail, zone: ZoneInfo) -> None:
    if len(detail.visits) < 2:
        return
    say()
    way = [f"{visit.stage} {shown.day(visit.entered_at, zone)}" for visit in detail.visits]
    say(clean(f"{'Way':<12}{' → '.join(way)}"))


def _tell_record(detail: DealDetail, zone: ZoneInfo) -> None:
    if not detail.on_record:
        return
    say()
    say("On record")
    print_table(
        [Column("version", right=True), Column("when"), Column("by"), Column("what", wraps=True)],
        [
            [
                str(event.version),
                shown.moment(event.occurred_at, zone),
                shown.person(event.actor),
                event.what,
            ]
            for event in detail.on_record
        ],
    )
