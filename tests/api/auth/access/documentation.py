"""Documentation: for everybody."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /docs                                | 200  200  200  200  200  200  200  200  200  200  200
GET /docs/style.css                      | 200  200  200  200  200  200  200  200  200  200  200
GET /docs/problems                       | 200  200  200  200  200  200  200  200  200  200  200
GET /openapi.json                        | 200  200  200  200  200  200  200  200  200  200  200
"""
