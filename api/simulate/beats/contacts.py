"""Contacts with the customer's people: visits, calls, demos, meetings at the top, and minutes."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial

from api.simulate.beats import needs, people
from api.simulate.causes import NO_MINUTES, TOO_EARLY
from api.simulate.plot import Chapter, Cue, Entries, Plot
from domain.people.commands import RecordContact, SendMinutes
from domain.people.facts import Channel, ContactKind, ContactOutcome
from domain.process import BuyingPhase
from domain.values import Party

_CHANNELS: dict[ContactKind, tuple[Channel, ...]] = {
    ContactKind.CALL: (Channel.PHONE, Channel.PHONE, Channel.VIDEO),
    ContactKind.MAIL: (Channel.MAIL,),
    ContactKind.DEMO: (Channel.IN_PERSON, Channel.VIDEO),
    ContactKind.PITCH: (Channel.IN_PERSON, Channel.VIDEO),
    ContactKind.TECHNICAL_EXCHANGE: (Channel.IN_PERSON, Channel.IN_PERSON, Channel.VIDEO),
    ContactKind.NEGOTIATION: (Channel.IN_PERSON, Channel.IN_PERSON, Channel.VIDEO),
}
_WITH_ENGINEER = {
    ContactKind.DEMO,
    ContactKind.TECHNICAL_EXCHANGE,
    ContactKind.WORKSHOP,
    ContactKind.REFERENCE_VISIT,
}
_SILENT_CAUSES = {"no-decision", "unknown"}


def cues(plot: Plot, chapter: Chapter) -> list[Cue]:
    """Calls and mails between the visits, demos too early, and evenings."""
    habits = plot.owner.habits
    mean = chapter.days / 30 * (0.7 + 1.1 * habits.diligence)
    fading = chapter.outcome is not None and chapter.outcome.value in _SILENT_CAUSES
    count = max(0, round(mean * plot.rng.uniform(0.5, 1.4) * (0.4 if fading else 1.0)))
    until = 0.45 if fading else 0.95
    planned = [Cue(chapter.moment(plot.rng.uniform(0.05, until)), in_touch) for _ in range(count)]
    early = chapter.phase in (BuyingPhase.SATISFACTION, BuyingPhase.ACKNOWLEDGEMENT)
    hasty = early and plot.flaw(TOO_EARLY) is None
    if hasty and plot.chance(0.25 * (1 - habits.discipline)):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.3, 0.8)), hasty_demo))
    if chapter.phase is BuyingPhase.CRITERIA and plot.chance(0.3 + 0.4 * habits.discipline):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.4, 0.8)), show_reference))
    if chapter.phase in _SHOWING and plot.chance(0.45):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.3, 0.7)), demonstrate))
    if plot.position > 0 and plot.chance(0.12):
        planned.append(Cue(chapter.moment(plot.rng.uniform(0.2, until)), spend_an_evening))
    return planned


_SHOWING = (BuyingPhase.CRITERIA, BuyingPhase.MEASUREMENT)


def hold(
    plot: Plot,
    kind: ContactKind,
    keys: Iterable[str],
    remarks: Sequence[str],
    *,
    purpose: str | None = None,
    outcome: ContactOutcome | None = None,
    hasty: bool = False,
) -> Entries:
    """Meet those who fill these functions; whoever is new is put on the map first.

    `remarks` are the keys of what the summary says. The contact becomes that of the scene.
    """
    if kind in _SHOWN and not hasty and plot.flaw(TOO_EARLY) is not None:
        yield from needs.make_explicit(plot)
    there = list(dict.fromkeys(keys))
    for key in there:
        yield from people.identify(plot, key)
        plot.centre.meet(key)
    plot.contact = plot.name("contact")
    yield plot.happened(
        RecordContact(
            id=plot.contact,
            kind=kind,
            their_people=tuple(plot.centre[key].id for key in there),
            our_people=_ours(plot, kind),
            channel=plot.rng.choice(_CHANNELS.get(kind, (Channel.IN_PERSON,))),
            initiated_by=_initiator(plot, kind),
            purpose=purpose,
            summary=" ".join(plot.texts(remarks, who=there[0])) or None,
            outcome=outcome or _outcome(plot),
        )
    )
    if plot.flaw(NO_MINUTES) is not None:
        yield from _minute_by_plan(plot, plot.contact, "dm" in there)


_SHOWN = (ContactKind.DEMO, ContactKind.PITCH)


def _minute_by_plan(plot: Plot, contact: str, top: bool) -> Entries:
    """Minutes of every meeting at the top, or of none; and of one other, as there are some."""
    some = any(one.minutes for one in plot.deal.people.contacts)
    if (top and not plot.flaw(NO_MINUTES)) or not (top or some):
        yield plot.happened(SendMinutes(contact))


def _ours(plot: Plot, kind: ContactKind) -> tuple[str, ...]:
    ours = [plot.writer.id]
    team = plot.deal.life.team_ids
    if kind in _WITH_ENGINEER or (plot.engineer.id in team and plot.chance(0.2)):
        ours.append(plot.engineer.id)
    sponsor = plot.premise.team.sponsor.id
    if kind is ContactKind.TOP_EXCHANGE and (sponsor in team or plot.chance(0.5)):
        ours.append(sponsor)
    return tuple(dict.fromkeys(ours))


def _initiator(plot: Plot, kind: ContactKind) -> Party | None:
    if plot.chance(0.25):
        return None
    theirs = kind in (ContactKind.CALL, ContactKind.MAIL) and plot.chance(0.3 + 0.1 * plot.health)
    return Party.CUSTOMER if theirs else Party.US


def _outcome(plot: Plot) -> ContactOutcome | None:
    if plot.chance(0.25):
        return None
    chapter = plot.chapter
    going = chapter is None or chapter.goes_on
    if plot.chance(0.55 + 0.1 * plot.health if going else 0.2):
        return ContactOutcome.ADVANCE
    lost = not going and plot.chance(0.06)
    return ContactOutcome.NO_SALE if lost else ContactOutcome.CONTINUATION


# What happens between the visits.


def in_touch(plot: Plot) -> Entries:
    """A call or a mail; a few are put on record only long after."""
    known = plot.known_people
    if plot.flaw(NO_MINUTES) is not None:
        known = [key for key in known if key != "dm"]
    if not known:
        return
    key = plot.rng.choice(known)
    kind = plot.rng.choice((ContactKind.CALL, ContactKind.CALL, ContactKind.MAIL))
    entries = hold(plot, kind, [key], [f"{kind.value}.{key}"])
    if not plot.chance(0.02 + 0.14 * (1 - plot.owner.habits.diligence)):
        yield from entries
        return
    plot.centre.meet(key)
    yield plot.known_later(
        RecordContact(
            id=plot.name("contact"),
            kind=kind,
            their_people=(plot.centre[key].id,),
            our_people=(plot.writer.id,),
            channel=Channel.MAIL if kind is ContactKind.MAIL else Channel.PHONE,
            summary=plot.text(f"{kind.value}.{key}"),
        ),
        plot.days(5, 25),
    )


def hasty_demo(plot: Plot) -> Entries:
    """Show the product before anybody has asked what it is for."""
    plot.feels(-0.15)
    kind = plot.rng.choice((ContactKind.DEMO, ContactKind.PITCH))
    key = plot.rng.choice(plot.known_people or ["user"])
    purpose = plot.text("purpose.hasty")
    yield from hold(plot, kind, [key], ["contact.hasty"], purpose=purpose, hasty=True)


def demonstrate(plot: Plot) -> Entries:
    """Show how it works to those who will use it."""
    plot.feels(0.01)
    keys = ["user", "eng"] if plot.chance(0.5) else ["eng", "mid"]
    purpose = plot.text("purpose.demo")
    yield from hold(plot, ContactKind.DEMO, keys, ["contact.demo"], purpose=purpose)


def show_reference(plot: Plot) -> Entries:
    """Take them to a customer of ours."""
    plot.feels(0.05)
    purpose = plot.text("purpose.reference")
    keys = ["mid", plot.rng.choice(("eng", "user", "dm"))]
    yield from hold(plot, ContactKind.REFERENCE_VISIT, keys, ["contact.reference"], purpose=purpose)


def spend_an_evening(plot: Plot) -> Entries:
    """A meal or a fair: nothing is decided, something is heard."""
    key = plot.rng.choice([key for key in plot.known_people if key != "eng"] or ["mid"])
    outcome = ContactOutcome.CONTINUATION
    yield from hold(plot, ContactKind.SOCIAL, [key], ["contact.social"], outcome=outcome)


def at_the_top(plot: Plot, remarks: Sequence[str], purpose: str | None = None) -> Entries:
    """See the decision maker, with minutes where somebody is careful."""
    kind = ContactKind.TOP_EXCHANGE if plot.chance(0.6) else ContactKind.VISIT
    keys = ["dm", "mid"] if plot.chance(0.4) else ["dm"]
    yield from hold(plot, kind, keys, remarks, purpose=purpose or plot.text("purpose.top"))
    yield from minute(plot)


def minute(plot: Plot) -> Entries:
    """Send the minutes of the scene's contact, mostly the next day."""
    contact, habits = plot.contact, plot.owner.habits
    if plot.flaw(NO_MINUTES) is not None:
        return
    if contact is None or not plot.chance(0.15 + 0.75 * habits.discipline * habits.diligence):
        return
    late = plot.chance(0.15)
    yield plot.known_later(SendMinutes(contact), plot.days(4, 9) if late else plot.days(0.7, 1.6))


def once_more(plot: Plot, key: str, remarks: Sequence[str]) -> Entries:
    """See somebody again on another day."""
    plot.scene(plot.desk + plot.days(1, 5), lag=timedelta(hours=2))
    if key == "dm":
        yield from at_the_top(plot, remarks)
        return
    kind = plot.rng.choice((ContactKind.VISIT, ContactKind.CALL))
    yield from hold(plot, kind, [key], remarks)


def seeing(key: str, remark: str) -> partial[Entries]:
    """A beat that sees somebody about something."""
    return partial(_see, key=key, remark=remark)


def _see(plot: Plot, key: str, remark: str) -> Entries:
    yield from hold(plot, ContactKind.VISIT, [key], [remark])
