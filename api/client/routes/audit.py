"""Routes of 'audit'. Written by tests/api/client/generation.py."""

from collections.abc import Iterator
from typing import TypedDict, Unpack

from api.client.asking import Routes
from api.wire.trails import AuditEntry, AuditTrail


class TrailParameters(TypedDict, total=False):
    actor: str | None
    since: str | None
    until: str | None
    limit: int
    cursor: int


class AccessParameters(TypedDict, total=False):
    actor: str | None
    since: str | None
    until: str | None
    limit: int
    cursor: int
    deal: str | None


class AuditRoutes(Routes):
    """Routes of 'audit'."""

    def audit_everything(self, **parameters: Unpack[TrailParameters]) -> AuditTrail:
        """Every event of an actor or a period, of all streams."""
        return self._read("/v1/audit", AuditTrail, parameters)

    def each_of_audit_everything(
        self, **parameters: Unpack[TrailParameters]
    ) -> Iterator[AuditEntry]:
        """All of `audit_everything`, page by page."""
        return self._each("/v1/audit", AuditTrail, "entries", parameters)

    def list_accesses(self, **parameters: Unpack[AccessParameters]) -> AuditTrail:
        """Who was shown the secrets of deals, or took them out, once a day for each user and
        deal.
        """
        return self._read("/v1/accesses", AuditTrail, parameters)

    def each_of_accesses(self, **parameters: Unpack[AccessParameters]) -> Iterator[AuditEntry]:
        """All of `list_accesses`, page by page."""
        return self._each("/v1/accesses", AuditTrail, "entries", parameters)
