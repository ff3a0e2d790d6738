"""The organisation in the log: who may what, and how far, from the moment it is recorded."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from domain.access import PUBLIC_ONLY, Principal, Role
from domain.directory import ApiKeyIssued, MembershipGranted, UserRegistered
from domain.history import HIDDEN, Fact, StreamKind
from domain.lifecycle.commands import AddNote, OpenOpportunity
from domain.negotiation import AuthorityLimits, RoleLimits
from domain.negotiation.commands import GrantApproval, MakeOffer, OpenNegotiation
from domain.negotiation.facts import ApprovalGranted, Better, Issue, IssueKind, OfferMade, Term
from domain.organisation import (
    AnyOrganisationCommand,
    AuthorityLimitsSet,
    EndMembership,
    GrantMembership,
    IssueApiKey,
    Organisation,
    RegisterUnit,
    RegisterUser,
    RevokeApiKey,
    SetAuthorityLimits,
)
from domain.refusals import (
    ApprovalMissing,
    CommandIdReused,
    InvalidOrganisation,
    NotAllowed,
    UnknownReference,
)
from domain.values import Party
from store.events.writing import Batch
from store.handled import Handled
from store.location import Location
from store.log import DealLog
from tests.contract.asking import draft, intent

LIMITS = AuthorityLimits((RoleLimits(Role.SELLER, "5"), RoleLimits(Role.MANAGER, "20")))
STAFF: tuple[AnyOrganisationCommand, ...] = (
    RegisterUnit("world", "World"),
    RegisterUnit("west", "West", "world"),
    RegisterUser("ann", "Ann"),
    RegisterUser("mei", "Mei"),
    GrantMembership("ann", Role.SELLER, "west"),
    GrantMembership("mei", Role.MANAGER, "world"),
)
PRICE = Issue("price", IssueKind.PRICE, better_for_us=Better.HIGHER, our_opening="1000")


def configure(log: DealLog, *commands: AnyOrganisationCommand) -> list[Handled]:
    start = log.head()
    return [
        log.configure(command, intent(f"set-{start}-{number}"))
        for number, command in enumerate(commands)
    ]


def facts(handled: Handled) -> list[Fact]:
    return [event.fact for event in handled.events]


def someone(log: DealLog, name: str) -> Principal:
    return log.organisation().directory.principal(name)


def test_an_empty_log_has_an_empty_organisation(log: DealLog) -> None:
    assert log.organisation() == Organisation()


def test_each_command_writes_to_the_stream_of_its_own(log: DealLog) -> None:
    done = configure(log, *STAFF, SetAuthorityLimits(LIMITS))
    assert facts(done[4]) == [MembershipGranted("ann", Role.SELLER, "west")]
    assert (done[4].stream, done[4].version) == ("user:ann", 2)
    assert facts(done[6]) == [AuthorityLimitsSet(LIMITS)]
    assert log.streams(StreamKind.UNIT) == ["unit:world", "unit:west"]
    assert log.streams(StreamKind.AUTHORITY) == ["authority:limits"]
    organisation = log.organisation()
    assert organisation.limits == LIMITS
    assert organisation.directory.units_of("ann") == {"west", "world"}


def test_a_command_id_is_carried_out_once(log: DealLog) -> None:
    first = log.configure(STAFF[0], intent("c-1"))
    again = log.configure(STAFF[0], intent("c-1"))
    assert (again.repeated, again.events) == (True, first.events)
    with pytest.raises(CommandIdReused):
        log.configure(STAFF[1], intent("c-1"))


def test_a_key_is_kept_as_its_hash_and_what_it_is_for_encrypted(log: DealLog) -> None:
    issue = IssueApiKey("ann", "k-1", "ab" * 32, "Ann's nightly export")
    configure(log, *STAFF)
    first = log.configure(issue, intent("issue"))
    again = log.configure(issue, intent("issue"))
    assert (again.repeated, again.events) == (True, first.events)
    key = log.organisation().directory.key("k-1")
    assert key is not None
    assert (key.user, key.name) == ("ann", "Ann's nightly export")
    hidden = log.events_in("user:ann", PUBLIC_ONLY)[-1].fact
    assert isinstance(hidden, ApiKeyIssued)
    assert (hidden.digest, hidden.name) == ("ab" * 32, HIDDEN)
    log.configure(RevokeApiKey("ann", "k-1"), intent("revoke"))
    assert log.organisation().directory.key("k-1") is None


def test_what_changes_nothing_records_nothing(log: DealLog) -> None:
    configure(log, *STAFF)
    head = log.head()
    assert all(handled.events == () for handled in configure(log, *STAFF))
    assert log.head() == head


@pytest.mark.parametrize("role", [Role.SELLER, Role.MANAGER, Role.ANALYST, Role.AUDITOR, None])
def test_without_the_right_nothing_is_recorded(log: DealLog, role: Role | None) -> None:
    eve = Principal("eve", frozenset({role} if role else ()), frozenset({"world"}))
    for number, command in enumerate((*STAFF, SetAuthorityLimits(LIMITS))):
        with pytest.raises(NotAllowed):
            log.configure(command, intent(f"c-{number}", by=eve))
    assert log.head() == 0


def test_past_the_limit_a_seller_needs_an_approval_that_a_manager_can_grant(log: DealLog) -> None:
    configure(log, *STAFF, SetAuthorityLimits(LIMITS))
    ann, mei = someone(log, "ann"), someone(log, "mei")
    log.handle("d-1", OpenOpportunity("Press line", "ann", "USD"), intent("open", ann))
    log.handle("d-1", OpenNegotiation("main", (PRICE,)), intent("negotiate", ann))
    far = MakeOffer("o-1", Party.US, (Term("price", "900"),))
    with pytest.raises(ApprovalMissing):
        log.handle("d-1", far, intent("offer", ann))
    with pytest.raises(NotAllowed):
        log.handle("d-1", GrantApproval("price", "900"), intent("grant", ann))
    granted = log.handle("d-1", GrantApproval("price", "900"), intent("grant", mei))
    assert facts(granted) == [ApprovalGranted("price", "900")]
    (offer,) = facts(log.handle("d-1", far, intent("offer", ann)))
    assert isinstance(offer, OfferMade)


def test_limits_hold_from_the_moment_they_are_set_or_lifted(log: DealLog) -> None:
    configure(log, *STAFF)
    ann = someone(log, "ann")
    log.handle("d-1", OpenOpportunity("Press line", "ann", "USD"), intent("open", ann))
    log.handle("d-1", OpenNegotiation("main", (PRICE,)), intent("negotiate", ann))
    configure(log, SetAuthorityLimits(LIMITS))
    low = MakeOffer("o-1", Party.US, (Term("price", "900"),))
    with pytest.raises(ApprovalMissing):
        log.handle("d-1", low, intent("offer", ann))
    configure(log, SetAuthorityLimits(AuthorityLimits()))
    assert log.handle("d-1", low, intent("offer", ann)).events


def test_a_manager_reaches_the_deals_of_the_owners_units_as_they_are_now(log: DealLog) -> None:
    configure(log, *STAFF)
    log.handle("d-1", OpenOpportunity("Press", "ann", "USD"), intent("open", someone(log, "ann")))
    mei = someone(log, "mei")
    assert log.handle("d-1", AddNote("seen"), intent("n-1", mei)).events
    configure(log, RegisterUnit("west", "West"))
    with pytest.raises(NotAllowed):
        log.handle("d-1", AddNote("again"), intent("n-2", mei))
    configure(log, RegisterUnit("west", "West", "world"))
    assert log.handle("d-1", AddNote("again"), intent("n-2", mei)).events
    configure(log, EndMembership("mei", Role.MANAGER, "world"))
    with pytest.raises(NotAllowed):
        log.handle("d-1", AddNote("more"), intent("n-3", someone(log, "mei")))


def test_what_another_process_writes_is_seen(location: Location) -> None:
    with DealLog.create(location) as ours, DealLog.open(location) as theirs:
        configure(ours, *STAFF[:2])
        assert set(theirs.organisation().directory.units) == {"world", "west"}
        configure(theirs, RegisterUnit("east", "East"), SetAuthorityLimits(LIMITS))
        assert set(ours.organisation().directory.units) == {"world", "west", "east"}
        assert ours.organisation().limits == LIMITS
        configure(theirs, RegisterUser("bo", "Bo"), GrantMembership("bo", Role.ADMIN))
        assert someone(ours, "bo").roles == {Role.ADMIN}


def test_users_that_were_appended_can_be_granted_roles(log: DealLog) -> None:
    with pytest.raises(UnknownReference):
        configure(log, GrantMembership("ann", Role.ANALYST))
    log.append([Batch("user:ann", 0, [draft(UserRegistered("ann", "Ann", "0057"))])])
    (granted,) = configure(log, GrantMembership("ann", Role.ANALYST))
    assert granted.version == 2
    assert log.users()["ann"] == UserRegistered("ann", "Ann", "0057")


def test_of_two_moves_that_would_make_a_loop_one_is_refused(location: Location) -> None:
    """Each writes to a stream of its own, so no version tells them apart."""
    with DealLog.create(location) as log, DealLog.open(location) as other:
        for attempt in range(10):
            a, b = f"a-{attempt}", f"b-{attempt}"
            configure(log, RegisterUnit(a, "A"), RegisterUnit(b, "B"))
            ready = Barrier(2)

            def move(
                to: DealLog, unit: str, under: str, ready: Barrier = ready
            ) -> list[Fact] | None:
                ready.wait()
                try:
                    return facts(to.configure(RegisterUnit(unit, "X", under), intent(f"m-{unit}")))
                except InvalidOrganisation:
                    return None

            with ThreadPoolExecutor(2) as both:
                one, two = both.submit(move, log, a, b), both.submit(move, other, b, a)
                done = [one.result(), two.result()]
            assert done.count(None) == 1
