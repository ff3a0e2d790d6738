"""What every command shares: the store to work on, who works, and which time it is there."""

import gc
import getpass
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer

from api.times import DayMeans, TimeError, parse_instant, parse_zone

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from api.queries.instants import Instants
    from api.queries.views import View
    from api.workspace import Workspace
    from domain.access import Principal, Sensitivity
    from projections.findings.settings import Settings
    from store.errors import StoreError
    from store.location import Location


class Terminal:
    """The global options, and what follows from them."""

    def __init__(
        self,
        db: str,
        user: str | None,
        timezone: str,
        kek: str | None = None,
        thresholds: "Path | None" = None,
        *,
        fiscal_year_from: int = 1,
    ) -> None:
        if user is not None and not user.strip():
            raise typer.BadParameter("name a user, or leave it out", param_hint="'--as'")
        self.db = db
        """URL of the store as it was given, with its password where it has one."""
        self._user = user
        self._timezone = timezone
        self.kek = kek
        """Where the key-encryption key comes from; none: from the key file beside the store."""
        self.thresholds = thresholds
        """File that says when the rules of the findings fire; None: as built in."""
        self.fiscal_year_from = fiscal_year_from
        """The month, from 1, with which the fiscal year begins."""
        self.command = "dealstate"
        """The command that runs, without what was given to it."""

    def acting_as(self, user: str | None) -> "Terminal":
        """The same for another user; None: for whoever acts anyway."""
        if user is None:
            return self
        return Terminal(
            self.db,
            user,
            self._timezone,
            self.kek,
            self.thresholds,
            fiscal_year_from=self.fiscal_year_from,
        )

    @cached_property
    def zone(self) -> ZoneInfo:
        try:
            return parse_zone(self._timezone)
        except TimeError as error:
            raise typer.BadParameter(str(error), param_hint="'--timezone'") from None

    @cached_property
    def location(self) -> "Location":
        from store.errors import StoreError
        from store.location import Location

        try:
            location = Location.parse(self.db, self.kek)
        except StoreError as error:
            raise typer.BadParameter(str(error), param_hint="'--db'") from None
        if self.kek is not None:
            self._check_kek(self.kek)
        return location

    def _check_kek(self, kek: str) -> None:
        from store.errors import StoreError
        from store.keys.absent import NONE
        from store.keys.sources import parse_source

        if kek == NONE:
            return
        try:
            parse_source(kek)
        except StoreError as error:
            raise typer.BadParameter(str(error), param_hint="'--kek'") from None

    def _read_thresholds(self) -> "Settings | None":
        """None: those that are built in."""
        if self.thresholds is None:
            return None
        from projections.findings.settings import SettingsError, read_settings

        try:
            return read_settings(self.thresholds)
        except SettingsError as error:
            raise typer.BadParameter(str(error), param_hint="'--thresholds'") from None

    @property
    def has_store(self) -> bool:
        """Whether there is one already. Raises StoreError where its database cannot be asked."""
        from store.opening import exists

        return exists(self.location)

    @contextmanager
    def opened(
        self, *, role_needed: bool = True, doubtful_too: bool = False
    ) -> "Iterator[Workspace]":
        """The store, which has to be there. Raises NotAllowed where --as names one without role.

        With `doubtful_too` also one that should not be used any more, which is said.
        """
        from api.cli.progress import Progress
        from api.workspace import Workspace

        zone, location, thresholds = self.zone, self.location, self._read_thresholds()
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
        with (
            Progress("Reading the log", "events") as progress,
            Workspace.open(
                location, zone, progress=progress.reached, doubtful_too=doubtful_too
            ) as store,
        ):
            store.fiscal_year_from = self.fiscal_year_from
            store.accesses.source, store.accesses.route = "cli", lambda: self.command
            if thresholds is not None:
                store.thresholds = thresholds
            _tell_erasures(store)
            if store.log.doubt is not None:
                _tell(store.log.doubt)
            if role_needed and self._user:
                self.principal(store)
            yield store

    @contextmanager
    def opened_or_made(self) -> "Iterator[Workspace]":
        """The store; where there is none, a new one, which is said. For whoever holds its files."""
        from api.cli.output import note
        from api.workspace import Workspace

        if not self.has_store:
            Workspace.create(self.location, self.zone).close()
            note(f"Made a new store at {self.location}.")
        with self.opened(role_needed=False) as store:
            yield store

    def refuse_user(self) -> None:
        """For what is done to the files of a store, before anybody's roles can be looked up."""
        if self._user:
            raise typer.BadParameter(
                "whoever holds the files does this; leave it out", param_hint="'--as'"
            )

    def user(self, store: "Workspace") -> str:
        """The id of who acts: the local user, or the one of --as."""
        from api.queries.users import named_user

        return named_user(store, self._user) if self._user else f"local:{_login_name()}"

    def principal(self, store: "Workspace") -> "Principal":
        """Who acts, in which roles: whoever holds the files in all, the user of --as in theirs.

        Raises NotAllowed for a user without any role.
        """
        from domain.access import Principal, Role
        from domain.refusals import NotAllowed

        user = self.user(store)
        if not self._user:
            return Principal(user, frozenset({Role.OPERATOR}))
        directory = store.log.organisation().directory
        principal = directory.principal(user)
        if user not in directory.users:
            raise NotAllowed(
                f"there is no user {user!r}",
                f"Add them: dealstate users add {shlex.quote(user)} NAME, and grant them a role",
            )
        if not principal.roles:
            raise NotAllowed(
                f"{user} has no role, and may do nothing",
                f"Grant one: dealstate users grant {shlex.quote(user)} seller",
            )
        return principal

    def readable(self, store: "Workspace", wanted: str) -> "View":
        """A deal, as far as whoever acts may read it. Raises DealNotFound, NotAllowed."""
        from api.queries.listing import find_deal
        from api.queries.views import open_view
        from domain.access import Action

        return open_view(store, self.principal(store), Action.READ, find_deal(store, wanted))

    def audited(self, store: "Workspace") -> "frozenset[Sensitivity]":
        """What whoever acts may see of the trail of everything. Raises NotAllowed."""
        from api.queries.views import visible_in_all
        from domain.access import Action

        return visible_in_all(self.principal(store), Action.AUDIT)

    def instant(self, text: str | None, option: str, now: "datetime") -> "datetime | None":
        """The moment that an option names; a bare date is the end of that day."""
        return None if text is None else self._parsed(text, option, now, DayMeans.END)

    def start(self, text: str | None, option: str, now: "datetime") -> "datetime | None":
        """The moment that an option names; a bare date is the start of that day."""
        return None if text is None else self._parsed(text, option, now, DayMeans.START)

    def _parsed(self, text: str, option: str, now: "datetime", day_means: DayMeans) -> "datetime":
        try:
            return parse_instant(text, self.zone, now, day_means)
        except TimeError as error:
            raise typer.BadParameter(str(error), param_hint=f"'{option}'") from None

    def instants(self, store: "Workspace", as_of: str | None, known_at: str | None) -> "Instants":
        """Both axes, as --as-of and --known-at give them."""
        from api.queries.instants import Instants

        now = store.now()
        return Instants(
            self.instant(as_of, "--as-of", now), self.instant(known_at, "--known-at", now)
        )


def _tell_erasures(store: "Workspace") -> None:
    """An erasure that was cut short is finished when the store is opened; not in silence."""
    from api.cli.output import note

    if store.log.erasures_finished:
        note("Finished an erasure that was cut short.")
    if store.log.keys_returned:
        note(
            "The key store was an older one: keys of people whom the log calls erased were in it"
            f" again, and are destroyed ({store.log.keys_returned:,})."
        )
    if store.log.erasure_unfinished is not None:
        note(f"An erasure is not finished yet: {store.log.erasure_unfinished}")


def _tell(doubt: "StoreError") -> None:
    from api.cli.output import note

    note(f"Warning: {doubt}")


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _command(context: "typer.Context") -> str:
    """What runs, by name, without what was given to it; however the program was called."""
    names: list[str] = []
    at: Any = context
    while at.parent is not None:
        names.insert(0, at.info_name or "")
        at = at.parent
    return " ".join(["dealstate", *names])


def terminal(context: typer.Context) -> Terminal:
    """The terminal that the root command set up."""
    found = context.find_object(Terminal)
    assert found is not None
    found.command = _command(context)
    return found
