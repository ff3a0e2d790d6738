"""Deals from a Salesforce CSV export.

`files` and `export` read the files, `stages` tells what stage names mean, `rows`
what one row says, `deals` makes deals of rows.
"""
