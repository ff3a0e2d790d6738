"""Why a command is refused: one exception per rule, each with a stable code.

A refusal says what is wrong and what would satisfy the rule. Nothing is
recorded. Codes are part of the public interface and never change; the number
in each docstring is the rule of docs/rules.md it enforces.
"""

from collections.abc import Iterable
from typing import ClassVar


class Refusal(Exception):
    """A command broke a rule."""

    code: ClassVar[str]

    def __init__(self, message: str, satisfied_by: str) -> None:
        assert message, "a refusal says what is wrong"
        assert satisfied_by, "a refusal says what would satisfy it"
        super().__init__(message)
        self.message = message
        self.satisfied_by = satisfied_by

    def __str__(self) -> str:
        return f"{self.message} ({self.code}). {self.satisfied_by}"


class GateNotMet(Refusal):
    """Rule 1: a forward move needs the current stage's gate met, or an override."""

    code = "gate-not-met"


class StagesSkipped(Refusal):
    """Rule 1: skipping stages needs an override."""

    code = "stages-skipped"


class UnknownStage(Refusal):
    """Rule 1: a move names a stage of the deal's process, in the right direction."""

    code = "unknown-stage"


class UnknownCriterion(Refusal):
    """Rule 1: an attestation names a criterion of the deal's process."""

    code = "unknown-criterion"


class ReasonMissing(Refusal):
    """Rule 1: overrides and backward moves need a reason."""

    code = "reason-missing"


class DealNotOpened(Refusal):
    """Rule 2: a deal's history begins with its opening."""

    code = "deal-not-opened"


class DealAlreadyOpened(Refusal):
    """Rule 2: a deal is opened once."""

    code = "deal-already-opened"


class DealClosed(Refusal):
    """Rule 2: after an outcome only corrections, reasons and the like may follow."""

    code = "deal-closed"


class DealNotClosed(Refusal):
    """Rule 2: reopening and outcome reasons need an outcome."""

    code = "deal-not-closed"


class NotWon(Refusal):
    """Rule 2: stages after the signature are entered only after winning."""

    code = "not-won"


class CompetitorMissing(Refusal):
    """Rule 2: losing to a competitor names one."""

    code = "competitor-missing"


class DealSuspended(Refusal):
    """Rule 2: a suspended deal does not move through the stages."""

    code = "deal-suspended"


class DealNotSuspended(Refusal):
    """Rule 2: only a suspended deal can be resumed."""

    code = "deal-not-suspended"


class CurrencyMismatch(Refusal):
    """Rule 3: money on a deal is in the deal's currency."""

    code = "currency-mismatch"


class UnknownCurrency(Refusal):
    """Rule 3: money is in a currency that exists."""

    code = "unknown-currency"


class InvalidRate(Refusal):
    """Rule 3: an exchange rate is a number over 0 of at most twelve significant digits."""

    code = "invalid-rate"


class InvalidQuotes(Refusal):
    """Rule 3: rates are published of one or more currencies, each once, not of their base."""

    code = "invalid-quotes"


class InvalidTarget(Refusal):
    """Rule 3: a target is for days in order, and for one user, territory or unit, or for all."""

    code = "invalid-target"


class InvalidWebhook(Refusal):
    """Rule 3: a webhook posts to an address of http or https; what it replays has an extent."""

    code = "invalid-webhook"


class WebhookSwitchedOff(Refusal):
    """Rule 3: only a webhook that is enabled sends something again."""

    code = "webhook-switched-off"


class OutOfRange(Refusal):
    """Rule 3: numbers lie within the range of their scale."""

    code = "out-of-range"


class TextNotLegible(Refusal):
    """Rule 3: texts say something, and hold no NUL character."""

    code = "text-not-legible"


class UnknownReference(Refusal):
    """Rule 4: ids in a command exist on the deal."""

    code = "unknown-reference"


class IdTaken(Refusal):
    """Rule 4: an id names one thing on the deal."""

    code = "id-taken"


class SecondSourceMissing(Refusal):
    """Rule 4: information is checked with a source other than the first."""

    code = "second-source-missing"


class ReportingLoop(Refusal):
    """Rule 4: nobody stands above themselves in the reporting lines."""

    code = "reporting-loop"


class SamePerson(Refusal):
    """Rule 4: where a fact names several people, they are different people."""

    code = "same-person"


class PersonErased(Refusal):
    """Rule 4: nothing personal is recorded of an erased person."""

    code = "person-erased"


class OfferOutsideNegotiation(Refusal):
    """Rule 5: an offer, its answer and its concessions belong to an open negotiation."""

    code = "offer-outside-negotiation"


class NegotiationEnded(Refusal):
    """Rule 5: a negotiation is concluded once."""

    code = "negotiation-ended"


class UnknownIssue(Refusal):
    """Rule 5: an issue is declared in an open negotiation."""

    code = "unknown-issue"


class InvalidIssue(Refusal):
    """Rule 5: an issue is a number with directions, or options with worths."""

    code = "invalid-issue"


class UnknownValue(Refusal):
    """Rule 5: a value is one that the issue can take."""

    code = "unknown-value"


class OrderMissing(Refusal):
    """Rule 5: a target or walk-away needs our order on the issue."""

    code = "order-missing"


class OfferNotOpen(Refusal):
    """Rule 5: an offer is answered once."""

    code = "offer-not-open"


class NotAConcession(Refusal):
    """Rule 5: a concession starts at its maker's position and worsens its maker's own order."""

    code = "not-a-concession"


class NotAtThatValue(Refusal):
    """Rule 5: agreeing a term needs both sides at that value."""

    code = "not-at-that-value"


class TermSettled(Refusal):
    """Rule 5: an agreed term stays until it is reopened."""

    code = "term-settled"


class IssuesOpen(Refusal):
    """Rule 5: concluding with agreement needs every issue agreed."""

    code = "issues-open"


class ApprovalMissing(Refusal):
    """Rule 6: past our walk-away or the actor's authority a concession needs an approval."""

    code = "approval-missing"


class AuthorityExceeded(Refusal):
    """Rule 6: an approval is granted by someone whose own authority reaches that far."""

    code = "authority-exceeded"


class InTheFuture(Refusal):
    """Rule 7: nothing has occurred in the future."""

    code = "in-the-future"


class BeforeOpening(Refusal):
    """Rule 7: nothing of a deal occurred before it was opened."""

    code = "before-opening"


class BreaksLaterHistory(Refusal):
    """Rule 7: the moves and outcomes that follow a late entry stay legal."""

    code = "breaks-later-history"


class CommandIdReused(Refusal):
    """Rule 8: one command id, one payload."""

    code = "command-id-reused"


class VersionConflict(Refusal):
    """Rule 9: the deal has moved on from the version the command named."""

    code = "version-conflict"


class NotAllowed(Refusal):
    """Rule 13: the principal has no right to this."""

    code = "not-allowed"


class InvalidOrganisation(Refusal):
    """Rule 13: managers manage units, units have no loops, limits name each role once."""

    code = "invalid-organisation"


class CannotWithdraw(Refusal):
    """Corrections: openings, erasures and withdrawals stand; a command is withdrawn whole."""

    code = "cannot-withdraw"


class UnknownProcess(Refusal):
    """A deal runs under a published version of a process."""

    code = "unknown-process"


MOST_NAMED = 20


def there_are(known: Iterable[str]) -> str:
    """A sentence that names what could have been meant, at most twenty; nothing for nothing."""
    names = list(known)
    more = ", …" if len(names) > MOST_NAMED else ""
    return f"There are: {', '.join(names[:MOST_NAMED])}{more}." if names else ""


def require_range(name: str, value: int, lowest: int, highest: int) -> None:
    """Raise OutOfRange unless `lowest` ≤ `value` ≤ `highest`."""
    if not lowest <= value <= highest:
        raise OutOfRange(f"{name} is {value}", f"Give a number from {lowest} to {highest}.")


def every_refusal() -> list[type[Refusal]]:
    """All refusals, in the order in which they are declared."""
    return list(Refusal.__subclasses__())
