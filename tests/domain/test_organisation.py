"""The organisation: what its commands lead to, and whose deals are in whose scope."""

from datetime import date, timedelta
from typing import get_args

import pytest

from domain.access import NO_DEAL, Action, DealScope, Principal, Role
from domain.directory import (
    ApiKeyIssued,
    ApiKeyRevoked,
    Directory,
    MembershipEnded,
    MembershipGranted,
    UnitRegistered,
    UserRegistered,
)
from domain.history import Draft, Fact, Recorded
from domain.intent import CLOCK_TOLERANCE, Intent, command_name
from domain.lifecycle.commands import AddNote
from domain.lifecycle.facts import TeamMemberAssigned
from domain.negotiation import AuthorityLimits, RoleLimits, TermLimit
from domain.negotiation.commands import GrantApproval
from domain.negotiation.facts import ApprovalGranted, IssueKind, NegotiationOpened
from domain.organisation import (
    LIMITS_STREAM,
    AnyOrganisationCommand,
    AnyOrganisationFact,
    AuthorityLimitsSet,
    EndMembership,
    GrantMembership,
    IssueApiKey,
    Organisation,
    RegisterUnit,
    RegisterUser,
    RevokeApiKey,
    SetAuthorityLimits,
    decide,
    describe,
    stream_for,
)
from domain.refusals import (
    ApprovalMissing,
    GateNotMet,
    IdTaken,
    InTheFuture,
    InvalidOrganisation,
    NotAllowed,
    OutOfRange,
    Refusal,
    TextNotLegible,
    UnknownReference,
)
from domain.stages.commands import AdvanceStage
from domain.stages.facts import StageAdvanced
from tests.domain.negotiation.table import PRICE, US, offer
from tests.scenario import OPERATOR, day, given, opened

ADMIN = Principal("ada", frozenset({Role.ADMIN}))
LIMITS = AuthorityLimits((RoleLimits(Role.SELLER, "5"), RoleLimits(Role.MANAGER, "20")))

WORLD, WEST = UnitRegistered("world", "World"), UnitRegistered("west", "West", "world")
ANN = UserRegistered("ann", "Ann", "0057")
SELLS = MembershipGranted("ann", Role.SELLER, "west")
DIGEST = "0f" * 32
KEY = ApiKeyIssued("ann", "k-1", DIGEST, "export", (Action.READ,), date(2027, 1, 31))
ISSUE = IssueApiKey("ann", "k-1", DIGEST, "export", (Action.READ,), date(2027, 1, 31))
REVOKED = ApiKeyRevoked("ann", "k-1")


def organisation(*facts: AnyOrganisationFact) -> Organisation:
    """What these facts fold to, each on the stream of its own."""
    streams: dict[str, list[Recorded[Fact]]] = {}
    for number, fact in enumerate(facts):
        match fact:
            case UnitRegistered(unit=unit):
                name = f"unit:{unit}"
            case AuthorityLimitsSet():
                name = LIMITS_STREAM
            case _:
                name = f"user:{fact.user}"
        events = streams.setdefault(name, [])
        draft = Draft[Fact](fact, day(number), "op", "cli", "c", "c")
        events.append(draft.recorded(name, len(events) + 1, day(number)))
    return Organisation.of(streams.values())


USUAL = organisation(WORLD, WEST, ANN, SELLS)


def asked(
    command: AnyOrganisationCommand,
    there: Organisation = USUAL,
    by: Principal = ADMIN,
    ahead: timedelta = timedelta(0),
) -> tuple[AnyOrganisationFact, ...]:
    intent = Intent("c-1", by, "cli", now=day(50), occurred_at=day(50) + ahead)
    return decide(command, there, intent)


@pytest.mark.parametrize(
    ("command", "fact"),
    [
        (RegisterUser("bo", "Bo"), UserRegistered("bo", "Bo")),
        (RegisterUser("ann", "Ann Lee"), UserRegistered("ann", "Ann Lee", "0057")),
        (RegisterUnit("east", "East"), UnitRegistered("east", "East")),
        (RegisterUnit("town", "Town", "west"), UnitRegistered("town", "Town", "west")),
        (RegisterUnit("west", "West"), UnitRegistered("west", "West")),
        (RegisterUnit("west", "W", "world"), UnitRegistered("west", "W", "world")),
        (GrantMembership("ann", Role.SELLER), MembershipGranted("ann", Role.SELLER)),
        (
            GrantMembership("ann", Role.MANAGER, "west"),
            MembershipGranted("ann", Role.MANAGER, "west"),
        ),
        (GrantMembership("ann", Role.ADMIN), MembershipGranted("ann", Role.ADMIN)),
        (
            EndMembership("ann", Role.SELLER, "west"),
            MembershipEnded("ann", Role.SELLER, "west"),
        ),
        (SetAuthorityLimits(LIMITS), AuthorityLimitsSet(LIMITS)),
        (ISSUE, KEY),
        (IssueApiKey("ann", "k-2", DIGEST, "all"), ApiKeyIssued("ann", "k-2", DIGEST, "all")),
    ],
)
def test_acts_and_is_quiet_when_repeated(
    command: AnyOrganisationCommand, fact: AnyOrganisationFact
) -> None:
    assert asked(command) == (fact,)
    assert asked(command, organisation(WORLD, WEST, ANN, SELLS, fact)) == ()


@pytest.mark.parametrize(
    "command",
    [
        RegisterUser("ann", "Ann"),
        RegisterUnit("west", "West", "world"),
        GrantMembership("ann", Role.SELLER, "west"),
        SetAuthorityLimits(AuthorityLimits()),
    ],
)
def test_what_is_so_already_changes_nothing(command: AnyOrganisationCommand) -> None:
    assert asked(command) == ()


@pytest.mark.parametrize(
    ("command", "refusal", "words"),
    [
        (RegisterUnit("town", "Town", "wets"), UnknownReference, "known: west, world"),
        (RegisterUnit("west", "West", "west"), InvalidOrganisation, "west itself"),
        (RegisterUnit("new", "New", "new"), InvalidOrganisation, "new itself"),
        (RegisterUnit("world", "World", "west"), InvalidOrganisation, "stands below it"),
        (GrantMembership("bo", Role.SELLER), UnknownReference, "no user 'bo'"),
        (EndMembership("bo", Role.SELLER), UnknownReference, "no user 'bo'"),
        (GrantMembership("ann", Role.SELLER, "wets"), UnknownReference, "no unit 'wets'"),
        (GrantMembership("ann", Role.MANAGER), InvalidOrganisation, "Name the unit"),
        (GrantMembership("ann", Role.OPERATOR), InvalidOrganisation, "holds the files"),
        *(
            (GrantMembership("ann", role, "west"), InvalidOrganisation, "Leave out the unit")
            for role in (Role.ANALYST, Role.AUDITOR, Role.ADMIN)
        ),
        (EndMembership("ann", Role.SELLER), UnknownReference, "Held now: seller of west"),
        (IssueApiKey("bo", "k-1", DIGEST, "export"), UnknownReference, "no user 'bo'"),
        (RevokeApiKey("bo", "k-1"), UnknownReference, "no user 'bo'"),
        (RevokeApiKey("ann", "k-9"), UnknownReference, "Keys now: none"),
        (IssueApiKey("ann", "k-1", DIGEST, " "), TextNotLegible, "blank"),
        *(
            (IssueApiKey("ann", "k-1", digest, "export"), OutOfRange, "64 digits")
            for digest in (DIGEST[1:], DIGEST + "0", DIGEST.upper(), "é" * 64)
        ),
        (RegisterUser("bo", " "), TextNotLegible, "blank"),
        (RegisterUnit("east", "E\0"), TextNotLegible, "NUL"),
        *(
            (
                SetAuthorityLimits(AuthorityLimits((RoleLimits(Role.SELLER, percent),))),
                OutOfRange,
                "0 to 100",
            )
            for percent in ("100.1", "-1")
        ),
        (
            SetAuthorityLimits(AuthorityLimits((RoleLimits(Role.SELLER, "5"),) * 2)),
            InvalidOrganisation,
            "given 2 times",
        ),
        (
            SetAuthorityLimits(
                AuthorityLimits(
                    (RoleLimits(Role.SELLER, terms=(TermLimit(IssueKind.OTHER, " "),)),)
                )
            ),
            TextNotLegible,
            "blank",
        ),
    ],
)
def test_refuses(command: AnyOrganisationCommand, refusal: type[Refusal], words: str) -> None:
    with pytest.raises(refusal) as refused:
        asked(command)
    assert type(refused.value) is refusal
    assert words in str(refused.value)


LIMITED = Principal(
    "ada", frozenset({Role.ADMIN}), limited_to=frozenset({Action.CONFIGURE, Action.READ})
)


def issuing(*actions: Action) -> IssueApiKey:
    return IssueApiKey("ann", "k-9", DIGEST, "export", actions)


@pytest.mark.parametrize(
    "command",
    [
        issuing(),
        issuing(Action.ERASE),
        issuing(Action.CONFIGURE, Action.ERASE),
        GrantMembership("ann", Role.ADMIN),
        GrantMembership("ann", Role.AUDITOR),
        GrantMembership("ann", Role.MANAGER, "west"),
        GrantMembership("ada", Role.ANALYST),
    ],
)
def test_a_limited_key_lifts_no_limit(command: AnyOrganisationCommand) -> None:
    there = organisation(WORLD, WEST, ANN, SELLS, UserRegistered("ada", "Ada"))
    with pytest.raises(NotAllowed, match="the API key of ada"):
        asked(command, there, LIMITED)
    assert asked(command, there)


@pytest.mark.parametrize(
    "command",
    [
        issuing(Action.READ),
        issuing(Action.CONFIGURE, Action.READ),
        GrantMembership("ann", Role.ANALYST),
        RegisterUser("bo", "Bo"),
        EndMembership("ann", Role.SELLER, "west"),
    ],
)
def test_a_limited_key_hands_on_what_it_is_good_for(command: AnyOrganisationCommand) -> None:
    assert asked(command, by=LIMITED)


def test_a_key_is_good_for_its_last_day_at_least() -> None:
    today = day(50).date()
    assert asked(IssueApiKey("ann", "k-1", DIGEST, "export", last_day=today))
    with pytest.raises(OutOfRange, match="is over"):
        asked(IssueApiKey("ann", "k-1", DIGEST, "export", last_day=today - timedelta(days=1)))


def test_a_key_is_revoked_once_and_its_id_is_used_up() -> None:
    keyed = organisation(ANN, KEY)
    assert asked(RevokeApiKey("ann", "k-1"), keyed) == (REVOKED,)
    gone = organisation(ANN, KEY, REVOKED)
    assert asked(RevokeApiKey("ann", "k-1"), gone) == ()
    for there in (gone, keyed):
        with pytest.raises(IdTaken, match="there is, or was, a key 'k-1'"):
            asked(IssueApiKey("ann", "k-1", "ee" * 32, "another"), there)


def test_the_key_of_somebody_else_is_not_revoked_and_its_id_not_given_again() -> None:
    both = organisation(ANN, UserRegistered("bo", "Bo"), KEY)
    with pytest.raises(UnknownReference, match="bo has no key 'k-1'"):
        asked(RevokeApiKey("bo", "k-1"), both)
    with pytest.raises(IdTaken):
        asked(IssueApiKey("bo", "k-1", DIGEST, "export"), both)


@pytest.mark.parametrize("percent", ["0", "100"])
def test_a_discount_of_nothing_and_of_all_can_be_set(percent: str) -> None:
    assert asked(SetAuthorityLimits(AuthorityLimits((RoleLimits(Role.SELLER, percent),))))


def test_a_loop_over_several_units_is_refused() -> None:
    deeper = organisation(WORLD, WEST, UnitRegistered("town", "Town", "west"))
    with pytest.raises(InvalidOrganisation):
        asked(RegisterUnit("world", "World", "town"), deeper)


@pytest.mark.parametrize("role", set(Role) - {Role.ADMIN, Role.OPERATOR})
@pytest.mark.parametrize(
    "command",
    [
        RegisterUser("bo", "Bo"),
        RegisterUnit("east", "East"),
        GrantMembership("ann", Role.AUDITOR),
        EndMembership("ann", Role.SELLER, "west"),
        SetAuthorityLimits(LIMITS),
        ISSUE,
    ],
)
def test_only_who_may_configure_changes_it(role: Role, command: AnyOrganisationCommand) -> None:
    with pytest.raises(NotAllowed):
        asked(command, by=Principal("eve", frozenset({role}), frozenset({"world"})))
    assert asked(command, by=OPERATOR)


def test_it_has_happened() -> None:
    assert asked(RegisterUser("bo", "Bo"), ahead=CLOCK_TOLERANCE)
    with pytest.raises(InTheFuture):
        asked(RegisterUser("bo", "Bo"), ahead=CLOCK_TOLERANCE + timedelta(microseconds=1))


def test_the_latest_limits_hold() -> None:
    wider = AuthorityLimits((RoleLimits(Role.SELLER, "9"),))
    assert organisation().limits == AuthorityLimits()
    assert organisation(AuthorityLimitsSet(LIMITS), AuthorityLimitsSet(wider)).limits == wider


def test_whose_a_deal_is_follows_from_its_owner_and_team() -> None:
    team = frozenset({"ann", "bo"})
    assert USUAL.scope("ann", team) == DealScope(team, frozenset({"west", "world"}))
    assert USUAL.scope("bo", team) == DealScope(team)
    assert USUAL.scope(None, frozenset()) == NO_DEAL


@pytest.mark.parametrize("command", get_args(AnyOrganisationCommand))
def test_every_command_has_a_name_and_takes_the_right_to_configure(
    command: type[AnyOrganisationCommand],
) -> None:
    assert command_name(command).count("-") >= 1
    assert command.right is Action.CONFIGURE


@pytest.mark.parametrize(
    ("command", "stream"),
    [
        (RegisterUser("ann", "Ann"), "user:ann"),
        (GrantMembership("ann", Role.SELLER), "user:ann"),
        (EndMembership("ann", Role.SELLER), "user:ann"),
        (RegisterUnit("west", "West"), "unit:west"),
        (SetAuthorityLimits(LIMITS), "authority:limits"),
        (ISSUE, "user:ann"),
        (RevokeApiKey("ann", "k-1"), "user:ann"),
    ],
)
def test_each_command_writes_to_one_stream(command: AnyOrganisationCommand, stream: str) -> None:
    assert stream_for(command) == stream


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (ANN, "registered ann as 'Ann'"),
        (WORLD, "registered the unit world as 'World'"),
        (WEST, "registered the unit west as 'West' under world"),
        (SELLS, "made ann seller of west"),
        (MembershipEnded("ann", Role.ADMIN), "ann is no longer admin"),
        (KEY, "issued ann the API key k-1 for 'export', good until 2027-01-31"),
        (ApiKeyIssued("ann", "k-2", DIGEST, "all"), "issued ann the API key k-2 for 'all'"),
        (REVOKED, "revoked the API key k-1 of ann"),
        (AuthorityLimitsSet(LIMITS), "set the authority limits (roles limited: seller, manager)"),
        (AuthorityLimitsSet(AuthorityLimits()), "set the authority limits (roles limited: none)"),
    ],
)
def test_what_happened_is_told(fact: AnyOrganisationFact, words: str) -> None:
    assert describe(fact) == words


# What follows for deals.

MEI = MembershipGranted("mei", Role.MANAGER, "world")
EAST = UnitRegistered("east", "East", "world")
EVA = MembershipGranted("eva", Role.MANAGER, "east")
STAFF = organisation(
    *(WORLD, WEST, EAST, ANN, SELLS, UserRegistered("mei", "Mei"), MEI),
    *(UserRegistered("eva", "Eva"), EVA, AuthorityLimitsSet(LIMITS)),
)


def someone(name: str) -> Principal:
    return STAFF.directory.principal(name)


def test_a_manager_manages_the_units_below_theirs_and_no_others() -> None:
    deal = given(opened(), StageAdvanced("contact", "proposal"))
    override = AdvanceStage("closing", "in a hurry")
    deal.when(override, by=someone("ann"), organisation=STAFF).refused(GateNotMet)
    deal.when(override, by=someone("mei"), organisation=STAFF).accepted()
    deal.when(override, by=someone("eva"), organisation=STAFF).refused(NotAllowed, "may not record")


def test_who_leaves_the_unit_leaves_its_deals_at_once_also_for_late_entries() -> None:
    ended = MembershipEnded("mei", Role.MANAGER, "world")
    now = organisation(WORLD, WEST, ANN, SELLS, UserRegistered("mei", "Mei"), MEI, ended)
    left = now.directory.principal("mei")
    given(opened()).when(AddNote("late"), by=left, at=day(0), organisation=now).refused(NotAllowed)


def test_a_manager_on_a_team_outside_of_their_units_has_the_authority_of_a_seller() -> None:
    price = offer("o1", US, {"price": 900})
    deal = given(opened(), TeamMemberAssigned("eva", "expert"), NegotiationOpened("n", (PRICE,)))
    deal.when(price, by=someone("eva"), organisation=STAFF).refused(ApprovalMissing)
    deal.when(price, by=someone("mei"), organisation=STAFF).accepted()
    grant = GrantApproval("price", "900")
    deal.when(grant, by=someone("eva"), organisation=STAFF).refused(NotAllowed)
    deal.when(grant, by=someone("mei"), organisation=STAFF).then(ApprovalGranted("price", "900"))


def test_the_directory_is_empty_to_begin_with() -> None:
    assert Organisation() == Organisation.of([])
    assert Organisation().directory == Directory()
