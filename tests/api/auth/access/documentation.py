"""Documentation: for everybody."""

from api.problem_pages import ADDRESSES

_EVERYBODY = "200  200  200  200  200  200  200  200  200  200  200"
_PAGES = "\n".join(f"GET {address} | {_EVERYBODY}" for address in sorted(ADDRESSES))

ACCESS = f"""
route | none seller bo mei eva analyst auditor admin first idle record
GET /docs                                | {_EVERYBODY}
GET /docs/style.css                      | {_EVERYBODY}
GET /docs/problems                       | {_EVERYBODY}
GET /openapi.json                        | {_EVERYBODY}
{_PAGES}
"""
