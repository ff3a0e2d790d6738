"""Who asks, and sessions of browsers. All of these come without one."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/session                          | 401  200  200  200  200  200  200  200  200  200  200
POST /v1/session                         | 401  201  201  201  201  201  201  201  201  403  201
DELETE /v1/session                       | 401  404  404  404  404  404  404  404  404  404  404
"""
