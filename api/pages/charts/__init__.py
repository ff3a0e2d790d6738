"""Charts of one deal, as Vega-Lite specifications, and their rendering to SVG.

A chart is a plain dictionary made from an answer of `api.wire`; nothing is asked of the store here.
See https://vega.github.io/vega-lite/docs/spec.html for the format.
"""
