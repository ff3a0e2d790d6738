"""Webhooks: the one of the rows is Anna's, and none of the requests changes it."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/webhooks                                            | 401 200 200 200 200 200 200 200 200 403 200
POST /v1/webhooks                                           | 401 403 403 403 403 403 403 409 409 403 403
GET /v1/webhooks/{webhook_id}                               | 401 200 404 404 404 404 200 200 200 403 404
POST /v1/webhooks/{webhook_id}/change                       | 401 403 403 403 403 403 403 412 412 403 403
POST /v1/webhooks/{webhook_id}/rotate-secret                | 401 403 403 403 403 403 403 412 412 403 403
POST /v1/webhooks/{webhook_id}/enable                       | 401 403 403 403 403 403 403 200 200 403 403
POST /v1/webhooks/{webhook_id}/disable                      | 401 412 404 404 404 404 403 412 412 403 404
POST /v1/webhooks/{webhook_id}/test                         | 401 200 404 404 404 404 403 200 200 403 404
GET /v1/webhooks/{webhook_id}/deliveries                    | 401 200 404 404 404 404 200 200 200 403 404
GET /v1/webhooks/{webhook_id}/deliveries/{position}         | 401 404 404 404 404 404 404 404 404 403 404
POST /v1/webhooks/{webhook_id}/deliveries/{position}/replay | 401 404 404 404 404 404 404 404 404 403 404
POST /v1/webhooks/{webhook_id}/replay                       | 401 409 404 404 404 404 403 409 409 403 404
"""  # noqa: E501

VALUES = {"webhook_id": "w-anna", "position": "1"}

BODIES = {
    "POST /v1/webhooks": {"url": "https://example.com/", "owner": "nobody"},
    "POST /v1/webhooks/{webhook_id}/change": {"url": "https://example.com/"},
    "POST /v1/webhooks/{webhook_id}/rotate-secret": {},
    "POST /v1/webhooks/{webhook_id}/enable": {},
    "POST /v1/webhooks/{webhook_id}/disable": {},
    "POST /v1/webhooks/{webhook_id}/test": {},
    "POST /v1/webhooks/{webhook_id}/deliveries/{position}/replay": {},
    "POST /v1/webhooks/{webhook_id}/replay": {"after": 5, "until": 3},
}

_STALE = {"If-Match": '"99"'}

HEADERS = {
    "POST /v1/webhooks/{webhook_id}/change": _STALE,
    "POST /v1/webhooks/{webhook_id}/rotate-secret": _STALE,
    "POST /v1/webhooks/{webhook_id}/disable": _STALE,
}
