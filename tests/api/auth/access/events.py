"""The feed of events: for who may read a deal, audit or configure."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/events                           | 401  200  200  200  200  200  200  200  200  403  403
GET /v1/events/stream                    | 401  200  200  200  200  200  200  200  200  403  403
"""
