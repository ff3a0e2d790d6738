"""One deal, and lists of deals."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/deals                            | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/deals/{deal_id}                  | 401  200  404  200  404  200  200  403  200  403  403
GET /v1/deals/{deal_id}/gate             | 401  200  404  200  404  200  200  403  200  403  403
GET /v1/deals/{deal_id}/map              | 401  200  404  200  404  200  200  403  200  403  403
GET /v1/deals/{deal_id}/negotiation      | 401  200  404  200  404  200  200  403  200  403  403
GET /v1/deals/{deal_id}/replay           | 401  200  404  200  404  200  200  403  200  403  403
GET /v1/deals/{deal_id}/replay/{version} | 401  200  404  200  404  200  200  403  200  403  403
GET /v1/deals/{deal_id}/postmortem       | 401  200  404  200  404  200  200  403  200  403  403
GET /v1/deals/{deal_id}/audit            | 401  200  404  200  404  200  200  403  200  403  403
POST /v1/deals/{deal_id}/whatif          | 401  200  404  200  404  200  200  403  200  403  403
"""
BODIES = {"POST /v1/deals/{deal_id}/whatif": {"at": 1}}
