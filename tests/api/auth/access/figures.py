"""Figures over the deals that one may read, and lists of them; rates and targets."""

ACCESS = """
route | none seller bo mei eva analyst auditor admin first idle record
GET /v1/pipeline                         | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/pipeline/deals                   | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/waterfall                        | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/waterfall/deals                  | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/figures                          | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/figures/deals                    | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/coverage                         | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/flow                             | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/flow/cohorts                     | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/flow/survival                    | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/flow/outcomes                    | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/flow/stuck                       | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/forecast                         | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/forecast/deals                   | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/forecast/history                 | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/calibration                      | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/accounts                         | 401  200  200  200  200  200  200  403  200  403  403
GET /v1/accounts/{account}               | 401  200  404  200  404  200  200  403  200  403  403
GET /v1/rates                            | 401  200  200  200  200  200  200  200  200  403  200
GET /v1/targets                          | 401  200  200  200  200  200  200  200  200  403  200
"""
QUERIES = {
    "GET /v1/waterfall": {"period": "2026-Q1"},
    "GET /v1/waterfall/deals": {"period": "2026-Q1", "line": "lost"},
    "GET /v1/figures/deals": {"count": "lost"},
    "GET /v1/forecast/history": {"month": "2026-03"},
}
VALUES = {"account": "a-1"}
