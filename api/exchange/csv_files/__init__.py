"""Deals from CSV files with any columns, by a map.

`map` is what a map can say, `cells` joins and translates, `fields` reads the
fields of a deal, `readings` makes readings of rows, `deals` goes through files.
"""
