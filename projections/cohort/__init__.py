"""The cohort estimate: how likely a deal is won, by how deals like it ended that were decided.

Theory of operation. A deal at a moment is a vector of measures (`features`). The course of a
decided deal (`courses`) is such vectors along its way, as known before a boundary, the first
moment of a month. The model of that boundary (`training`, `model`) is a logistic regression over
the courses of all deals decided and known before it. A frame is judged by the model of the last
boundary at or before it, so by nothing that came later. `models` makes and keeps the models of a
portfolio; `comparison` places a deal among won ones; `quality` tells how good the estimates were on
deals that no model had seen.
"""
