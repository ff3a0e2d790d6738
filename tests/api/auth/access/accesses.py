"""Who was shown what is secret."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/accesses                         | 401  403  403  403  403  403  200  403  200  403  403
"""
