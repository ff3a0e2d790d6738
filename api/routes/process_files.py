"""Process files that requests bear."""

from http import HTTPStatus

from api.problems import Failure
from api.routes.conditions import RequestFault
from api.wire.problems import ParameterProblem
from domain.process import SalesProcess
from domain.process_files import ProcessError, parse_process


def process_of(toml: str) -> SalesProcess:
    """The process of a file, the field `toml` of a body. Raises RequestFault with each error."""
    try:
        return parse_process(toml, "toml")
    except ProcessError as error:
        problems = [ParameterProblem("toml", str(one)) for one in error.problems]
        failure = Failure(
            "invalid-parameter",
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"toml: the process has {len(problems)} errors or warnings.",
        )
        raise RequestFault(failure, problems) from None
