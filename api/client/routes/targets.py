"""Routes of 'targets'. Written by tests/api/client/generation.py."""

from typing import Literal, TypedDict, Unpack

from api.client.asking import Routes
from api.wire.administration import TableImport
from api.wire.targets import TargetList


class TargetParameters(TypedDict, total=False):
    period: str | None
    known_at: str | None


class TableParameters(TypedDict, total=False):
    encoding: Literal[
        "utf-8",
        "utf-16",
        "iso-8859-1",
        "iso-8859-15",
        "cp1252",
        "cp1250",
        "cp1251",
        "gb18030",
        "big5",
        "shift_jis",
        "cp949",
    ]
    delimiter: Literal[",", ";", "|", "tab"] | None
    dry_run: bool


class TargetsRoutes(Routes):
    """Routes of 'targets'."""

    def list_the_targets(self, **parameters: Unpack[TargetParameters]) -> TargetList:
        """What is to be won, by period, and by whom or where."""
        return self._read("/v1/targets", TargetList, parameters)

    def import_the_targets(
        self, body: bytes, *, key: str | None = None, **parameters: Unpack[TableParameters]
    ) -> TableImport:
        """Import targets: one to a row, for at most one of a user, a territory and a unit."""
        return self._write("/v1/targets/import", TableImport, body, parameters, key=key)
