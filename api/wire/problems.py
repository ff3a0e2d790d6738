"""What went wrong, in the form of RFC 9457 (problem details)."""

import msgspec


class ParameterProblem(msgspec.Struct, frozen=True):
    """One parameter that cannot be used."""

    parameter: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a request was not answered. Keys without a value are left out."""

    type: str
    """Leads to the page that explains the code."""
    title: str
    status: int
    detail: str
    code: str
    """Stable."""
    satisfied_by: str | None = None
    """What would make it succeed."""
    errors: list[ParameterProblem] = []
