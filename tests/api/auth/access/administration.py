"""Administration: users, units, keys, limits, rates, targets, processes, erasures, reassignments.

None of the requests changes anything: each is refused, or says what is so already.
"""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/users                              | 401  200  200  200  200  200  200  200  200  403  200
GET /v1/users/{user_id}                    | 401  200  200  200  200  200  200  200  200  403  200
GET /v1/units                              | 401  200  200  200  200  200  200  200  200  403  200
GET /v1/units/{unit_id}                    | 401  200  200  200  200  200  200  200  200  403  200
GET /v1/limits                             | 401  200  200  200  200  200  200  200  200  403  200
GET /v1/keys                               | 401  403  403  403  403  403  200  200  200  403  403
POST /v1/organisation/register-user        | 401  403  403  403  403  403  403  200  200  403  403
POST /v1/organisation/register-unit        | 401  403  403  403  403  403  403  200  200  403  403
POST /v1/organisation/grant-membership     | 401  403  403  403  403  403  403  200  200  403  403
POST /v1/organisation/end-membership       | 401  403  403  403  403  403  403  409  409  403  403
POST /v1/organisation/set-authority-limits | 401  403  403  403  403  403  403  428  428  403  403
POST /v1/organisation/issue-api-key        | 401  403  403  403  403  403  403  409  409  403  403
POST /v1/organisation/revoke-api-key       | 401  403  403  403  403  403  403  409  409  403  403
POST /v1/rates/publish-rates               | 401  403  403  403  403  403  403  422  422  403  403
POST /v1/rates/import                      | 401  403  403  403  403  403  403  415  415  403  403
POST /v1/targets/set-target                | 401  403  403  403  403  403  403  200  200  403  403
POST /v1/targets/import                    | 401  403  403  403  403  403  403  415  415  403  403
POST /v1/processes                         | 401  403  403  403  403  403  403  422  422  403  403
POST /v1/erasures                          | 401  403  403  403  403  403  403  422  422  403  403
POST /v1/erasures/survey                   | 401  403  403  403  403  403  403  422  422  403  403
POST /v1/erasures/lookup                   | 401  403  403  403  403  403  403  200  200  403  403
POST /v1/reassignments                     | 401  200  200  200  200  403  403  403  403  403  403
"""

VALUES = {"user_id": "seller", "unit_id": "west"}

BODIES = {
    "POST /v1/organisation/register-user": {"user": "seller", "name": "Seller"},
    "POST /v1/organisation/register-unit": {"unit": "world", "name": "world"},
    "POST /v1/organisation/grant-membership": {
        "user": "seller",
        "role": "seller",
        "unit": "west",
    },
    "POST /v1/organisation/end-membership": {"user": "idle", "role": "auditor"},
    "POST /v1/organisation/set-authority-limits": {"limits": {"roles": []}},
    "POST /v1/organisation/issue-api-key": {"user": "nobody", "name": "none"},
    "POST /v1/organisation/revoke-api-key": {"user": "idle", "key": "none"},
    "POST /v1/rates/publish-rates": {"base": "EUR", "day": "2026-01-02", "rates": []},
    "POST /v1/rates/import": {},
    "POST /v1/targets/set-target": {"first": "2026-01-01", "last": "2026-03-31"},
    "POST /v1/targets/import": {},
    "POST /v1/processes": {"toml": ""},
    "POST /v1/erasures": {"persons": ["nobody"]},
    "POST /v1/erasures/survey": {"persons": ["nobody"]},
    "POST /v1/erasures/lookup": {"name": "nobody"},
    "POST /v1/reassignments": {"from_owner": "idle", "to_owner": "bo"},
}
