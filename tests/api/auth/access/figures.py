"""Figures over all deals."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/pipeline                         | 401  403  403  403  403  200  200  403  200  403  403
"""
