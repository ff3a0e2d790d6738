"""Deals from and to other systems: importers and exporters, one module per system.

An import never trusts its input. What cannot be used is left out and told, with
its file and line, in the gap report; a deal is imported whole or not at all.
"""
