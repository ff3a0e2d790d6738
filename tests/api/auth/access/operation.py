"""Whether the server runs and can answer, and what it counts."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /livez                               | 200  200  200  200  200  200  200  200  200  200  200
GET /readyz                              | 200  200  200  200  200  200  200  200  200  200  200
GET /metrics                             | 401  403  403  403  403  403  200  200  200  403  403
"""
