"""Warnings and losses."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/warnings                         | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/losses                           | 401  200  200  200  200  200  200  403  200  403  403
"""
