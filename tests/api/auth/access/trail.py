"""The trail of everything."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/audit                            | 401  403  403  403  403  403  200  403  200  403  403
"""
