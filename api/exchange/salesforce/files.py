"""The files of a Salesforce CSV export: which are there, which columns they need and have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.exchange.report import ImportFailure, Kind, Origin
from api.exchange.rows import CsvFile, csv_files_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from api.exchange.report import GapReport

OPPORTUNITY, HISTORY = "Opportunity", "OpportunityHistory"
ACCOUNT, USER, STAGE = "Account", "User", "OpportunityStage"
CONTACT, ROLE = "Contact", "OpportunityContactRole"
FILES = (OPPORTUNITY, HISTORY, ACCOUNT, USER, STAGE, CONTACT, ROLE)
"""The files that are read, by the name of their object."""

_REQUIRED = {
    OPPORTUNITY: ("Id", "Name", "StageName", "CreatedDate", "LastModifiedDate"),
    HISTORY: ("Id", "OpportunityId", "CreatedDate", "StageName"),
    ACCOUNT: ("Id", "Name"),
    USER: ("Id", "Name"),
    STAGE: ("MasterLabel",),
    CONTACT: ("Id",),
    ROLE: ("Id", "OpportunityId", "ContactId"),
}
_READ = {
    OPPORTUNITY: (
        *_REQUIRED[OPPORTUNITY],
        *("AccountId", "OwnerId", "Amount", "CloseDate", "Probability", "ForecastCategory"),
        *("LeadSource", "IsClosed", "IsWon", "IsDeleted", "CurrencyIsoCode", "LastModifiedById"),
    ),
    HISTORY: (
        *_REQUIRED[HISTORY],
        *("CreatedById", "Amount", "CloseDate", "Probability", "ForecastCategory", "IsDeleted"),
    ),
    ACCOUNT: ("Id", "Name", "Industry", "BillingState", "BillingCountry", "NumberOfEmployees"),
    USER: ("Id", "Name", "ManagerId"),
    STAGE: (
        *("MasterLabel", "ApiName", "DefaultProbability", "ForecastCategoryName"),
        *("IsClosed", "IsWon", "SortOrder"),
    ),
    CONTACT: (
        *("Id", "Name", "FirstName", "LastName", "Title", "Department", "ReportsToId"),
        *("Phone", "MobilePhone", "Email", "LastModifiedById", "IsDeleted"),
    ),
    ROLE: (*_REQUIRED[ROLE], "Role", "CreatedDate", "CreatedById", "IsDeleted"),
}


def find_files(paths: Iterable[Path], report: GapReport) -> dict[str, Path]:
    """The files to read, by object; folders are searched. Tells of those that are not read.

    Raises ImportFailure without Opportunity, with a file twice, or with one
    named that no import reads.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise ImportFailure(f"{path} is not there", "Check the path.")
        in_folder = path.is_dir()
        for file in csv_files_in(path) if in_folder else [path]:
            name = next((name for name in FILES if name.casefold() == file.stem.casefold()), None)
            if name is None and not in_folder:
                raise ImportFailure(
                    f"{file.name} is not a file that is read",
                    f"Read are: {', '.join(f'{name}.csv' for name in FILES)}.",
                )
            if name is None:
                report.add(Kind.FILE_NOT_READ, "this version does not read it", Origin(file.name))
            elif name in found:
                raise ImportFailure(f"{file.name} is there twice", "Name one of them.")
            else:
                found[name] = file
    if OPPORTUNITY not in found:
        raise ImportFailure(
            "there is no Opportunity.csv", "Give its folder, or the file and those beside it."
        )
    if CONTACT in found and ROLE not in found:
        unread = found.pop(CONTACT).name
        report.add(Kind.FILE_NOT_READ, f"read only beside {ROLE}.csv", Origin(unread))
    return found


def opened(path: Path, name: str, report: GapReport, encoding: str) -> CsvFile:
    """One of the files, its header checked. Raises ImportFailure. Tells of columns not read."""
    file = CsvFile(path, path.name, encoding=encoding)
    try:
        file.require(_REQUIRED[name])
    except ImportFailure:
        file.close()
        raise
    unread = [column for column in file.header if column and column not in _READ[name]]
    if unread:
        reason = f"not read by this version: {', '.join(unread)}"
        report.add(Kind.COLUMNS_NOT_READ, reason, file.origin(1))
    return file
