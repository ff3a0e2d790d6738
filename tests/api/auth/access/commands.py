"""Commands on deals. Each names a version that the deal is not at, so that none is carried out.

Who may give the command is told so (412); who may read the deal and not give it is refused (403);
to others the deal does not exist.
"""

from typing import Any

from api.commands import BY_NAME
from api.examples import example
from api.recording import ON_A_DEAL
from domain.access import Action

_RIGHTS = {
    Action.RECORD: "412  404  412  404  403  403  403  403  403  412",
    Action.WITHDRAW: "412  404  412  404  403  403  403  403  403  403",
    Action.APPROVE: "403  403  412  404  403  403  403  403  403  403",
}


def _path(name: str) -> str:
    return f"POST /v1/deals/{{deal_id}}/{name}"


_ROWS = "\n".join(f"{_path(name)} | 401 {_RIGHTS[one.right]}" for name, one in ON_A_DEAL.items())

ACCESS = f"""
route | none seller bo mei eva analyst auditor admin first idle record
POST /v1/deals | 401  422  422  422  422  403  403  403  403  403  422
{_ROWS}
"""
BODIES: dict[str, Any] = {_path(name): example(one) for name, one in ON_A_DEAL.items()}
# No such process: a deal that was opened would be in the answers of other rows.
BODIES["POST /v1/deals"] = example(BY_NAME["open-opportunity"]) | {
    "process": {"id": "none", "version": 1}
}
# The deal that goes on has to be one that is read, else the answer is about that.
BODIES[_path("merge-deal")] = {"into": "d-anna", "reason": "The same project."}
HEADERS = {_path(name): {"If-Match": '"99"'} for name in ON_A_DEAL}
