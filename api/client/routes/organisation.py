"""Routes of 'organisation'. Written by tests/api/client/generation.py."""

from collections.abc import Iterator
from typing import TypedDict, Unpack

from api.client.asking import Routes
from api.client.sending import segment
from api.wire.administration import IssuedKey, KeyPage, LimitsInForce, NewApiKey, UnitPage, UserPage
from api.wire.organisation import ApiKey, RegisteredUser, Unit


class PageParameters(TypedDict, total=False):
    limit: int
    cursor: str | None


class KeyParameters(TypedDict, total=False):
    limit: int
    cursor: str | None
    user: str | None


class OrganisationRoutes(Routes):
    """Routes of 'organisation'."""

    def list_the_users(self, **parameters: Unpack[PageParameters]) -> UserPage:
        """Every user with the roles they hold now. `Link` leads to those that follow."""
        return self._read("/v1/users", UserPage, parameters)

    def each_of_the_users(self, **parameters: Unpack[PageParameters]) -> Iterator[RegisteredUser]:
        """All of `list_the_users`, page by page."""
        return self._each("/v1/users", UserPage, "users", parameters)

    def show_the_user(self, user_id: str) -> RegisteredUser:
        """One user, and the roles they hold now."""
        return self._read(f"/v1/users/{segment(user_id)}", RegisteredUser, {})

    def list_the_units(self, **parameters: Unpack[PageParameters]) -> UnitPage:
        """Every unit, the unit above it, and who is in it. `Link` leads to those that follow."""
        return self._read("/v1/units", UnitPage, parameters)

    def each_of_the_units(self, **parameters: Unpack[PageParameters]) -> Iterator[Unit]:
        """All of `list_the_units`, page by page."""
        return self._each("/v1/units", UnitPage, "units", parameters)

    def show_the_unit(self, unit_id: str) -> Unit:
        """One unit, the unit above it, and who is in it now."""
        return self._read(f"/v1/units/{segment(unit_id)}", Unit, {})

    def show_the_limits(self) -> LimitsInForce:
        """How far each role may go alone in a negotiation. `ETag` is for replacing them."""
        return self._read("/v1/limits", LimitsInForce, {})

    def list_the_keys(self, **parameters: Unpack[KeyParameters]) -> KeyPage:
        """The API keys that were not revoked: whose, what for and until when, not what is sent."""
        return self._read("/v1/keys", KeyPage, parameters)

    def each_of_the_keys(self, **parameters: Unpack[KeyParameters]) -> Iterator[ApiKey]:
        """All of `list_the_keys`, page by page."""
        return self._each("/v1/keys", KeyPage, "keys", parameters)

    def issue_api_key(
        self, body: NewApiKey, *, key: str | None = None, if_version: int | None = None
    ) -> IssuedKey:
        """Let a program act as a user, by a key that is told in this answer alone.

        It can do no more than the user may do at that moment, whatever their roles are then. Who
        repeats the request under its Idempotency-Key is told the same key again.
        """
        return self._write(
            "/v1/organisation/issue-api-key", IssuedKey, body, {}, key=key, if_version=if_version
        )
