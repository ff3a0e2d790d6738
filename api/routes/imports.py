"""Importing tables over HTTP: exchange rates and targets, as CSV in the body.

Theory of operation. An import is begun under the key of the request, with a hash of the file, and
then carried out. What is recorded already is not recorded again, so a request that was cut off goes
on where it stopped; and what is told is what was news when it was begun, so it is told alike.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from api.exchange.csv_files.map import Delimiter
from api.exchange.rates.run import import_rates
from api.exchange.report import ImportFailure
from api.exchange.tables import TableReport
from api.exchange.targets import import_targets
from api.problems import Failure
from api.routes.administration import Meant
from api.routes.common import Answer, Parameters, Store, answers, takes
from api.routes.conditions import REPLAYED, REPLAYED_HEADER, RequestFault
from api.wire.administration import TableImport
from api.workspace import Workspace
from domain.access import Action
from domain.history import StreamKind, stream_of
from domain.intent import Intent

router = APIRouter(prefix="/v1", default_response_class=Answer)

CSV = "text/csv"


class Beginning(msgspec.Struct, frozen=True):
    """What tells one import from another."""

    what: str
    options: dict[str, str | None]
    digest: str
    """SHA-256 of the file."""


class Encoding(StrEnum):
    """How the characters of a table are written."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    WESTERN = "iso-8859-1"
    WESTERN_EURO = "iso-8859-15"
    WINDOWS_WESTERN = "cp1252"
    WINDOWS_CENTRAL = "cp1250"
    WINDOWS_CYRILLIC = "cp1251"
    CHINESE = "gb18030"
    CHINESE_TRADITIONAL = "big5"
    JAPANESE = "shift_jis"
    KOREAN = "cp949"


class TableParameters(Parameters):
    """How the table is written, and whether it is recorded."""

    encoding: Encoding = Field(
        Encoding.UTF_8, description="Encoding of the table, with or without a mark in front."
    )
    delimiter: Delimiter | None = Field(
        None, description="What stands between two cells; by default what the first line has most."
    )
    dry_run: bool = Field(False, description="Tell what would be recorded, and record nothing.")

    def options(self) -> dict[str, str | None]:
        return {"delimiter": self.delimiter, "encoding": self.encoding}


class RateTableParameters(TableParameters):
    """How the table is written, and whether it is recorded."""

    base: str | None = Field(
        None, max_length=3, description="The base currency where the file names none."
    )

    def options(self) -> dict[str, str | None]:
        return {**super().options(), "base": self.base}


async def _table(request: Request) -> bytes:
    """The body, which has to be sent as CSV: other kinds browsers send by themselves."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    if kind.strip().lower() != CSV:
        raise RequestFault(
            Failure(
                "unsupported-media-type",
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "The body is not sent as CSV.",
                f"Send it with the header Content-Type: {CSV}.",
            )
        )
    return await request.body()


Sent = Annotated[bytes, Depends(_table)]


def _described(example: str) -> dict[str, Any]:
    content = {CSV: {"schema": {"type": "string"}, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def _answers() -> dict[int | str, dict[str, Any]]:
    found = answers(TableImport, "What came of it, with every row that was left out.")
    found[200]["headers"] = {REPLAYED: REPLAYED_HEADER}
    return found


@router.post(
    "/rates/import",
    tags=["rates"],
    responses=_answers(),
    openapi_extra=_described("date,base,currency,rate\n2026-06-30,EUR,USD,1.0812\n"),
    dependencies=[takes(Action.CONFIGURE)],
)
def import_the_rates(
    store: Store,
    sent: Sent,
    intent: Meant,
    parameters: Annotated[RateTableParameters, Query()],
) -> Answer:
    """Import exchange rates: one to a row, or a day to a row as the European Central Bank does."""
    options = _options(parameters)
    with _file(sent, "rates.csv") as path:
        if parameters.dry_run:
            report = import_rates(store, path, intent.principal, dry_run=True, **options)
            return Answer(TableImport.of(report))
        return _carried_out(
            store,
            intent,
            Beginning("rates", parameters.options(), sha256(sent).hexdigest()),
            lambda begun: import_rates(store, path, begun.principal, begun=begun, **options),
        )


@router.post(
    "/targets/import",
    tags=["targets"],
    responses=_answers(),
    openapi_extra=_described(
        "period,owner,territory,unit,amount,currency\n2026-Q1,anna,,,400000,EUR\n"
    ),
    dependencies=[takes(Action.CONFIGURE)],
)
def import_the_targets(
    store: Store,
    sent: Sent,
    intent: Meant,
    parameters: Annotated[TableParameters, Query()],
) -> Answer:
    """Import targets: one to a row, for at most one of a user, a territory and a unit."""
    options = _options(parameters)
    with _file(sent, "targets.csv") as path:
        if parameters.dry_run:
            report = import_targets(store, path, intent.principal, dry_run=True, **options)
            return Answer(TableImport.of(report))
        return _carried_out(
            store,
            intent,
            Beginning("targets", parameters.options(), sha256(sent).hexdigest()),
            lambda begun: import_targets(
                store,
                path,
                begun.principal,
                command_id=lambda line: part_of(begun.command_id, str(line)),
                **options,
            ),
        )


def part_of(command_id: str, part: str) -> str:
    """The command id of a part of what one command id asks for, always the same one."""
    return sha256(f"{command_id}\0{part}".encode()).hexdigest()


def _options(parameters: TableParameters) -> dict[str, Any]:
    given = parameters.options()
    delimiter = parameters.delimiter
    return {**given, "delimiter": None if delimiter is None else delimiter.character}


@contextmanager
def _file(content: bytes, name: str) -> Iterator[Path]:
    """The body as the importers read it. Raises RequestFault for what is no table at all."""
    with TemporaryDirectory(prefix="dealstate-") as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        try:
            yield path
        except ImportFailure as error:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            raise RequestFault(Failure("import-failed", status, str(error))) from None


def _carried_out(
    store: Workspace, intent: Intent, asked: Beginning, run: Callable[[Intent], TableReport]
) -> Answer:
    stream = stream_of(StreamKind.USER, intent.principal.id)
    begun = store.log.undertake(stream, asked, intent)
    report = run(msgspec.structs.replace(intent, now=begun.begun_at))
    store.notary.checkpoint()
    headers = {REPLAYED: "true"} if begun.repeated else None
    return Answer(TableImport.of(report), headers=headers)
