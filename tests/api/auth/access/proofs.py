"""Proofs, estimates, and a process tried on all deals."""

from tests.api.small_store import PROCESS

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/deals/{deal_id}/receipts             | 401  200  404  200  404  403  200  403  200  403  403
GET /v1/deals/{deal_id}/receipts/{version}   | 401  200  404  200  404  403  200  403  200  403  403
GET /v1/checkpoints                          | 401  403  403  403  403  403  200  403  200  403  403
GET /v1/checkpoints/latest                   | 401  403  403  403  403  403  200  403  200  403  403
GET /v1/checkpoints/{size}                   | 401  403  403  403  403  403  404  403  404  403  403
GET /v1/checkpoints/{size}/consistency       | 401  403  403  403  403  403  422  403  422  403  403
GET /v1/verifier-keys                        | 401  200  200  200  200  200  200  200  200  403  200
GET /v1/estimates                            | 401  403  403  403  403  200  200  403  200  403  403
POST /v1/whatif                              | 401  403  403  403  403  422  422  403  422  403  403
"""
VALUES = {"size": "7"}
BODIES = {"POST /v1/whatif": {"toml": PROCESS.id}}
