"""Processes, and the state of the store."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/processes                        | 401  200  200  200  200  200  200  200  200  403  200
GET /v1/processes/{process_id}/{version} | 401  200  200  200  200  200  200  200  200  403  200
GET /v1/status                           | 401  403  403  403  403  403  200  200  200  403  403
"""
