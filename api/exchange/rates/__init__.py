"""Exchange rates from files: one rate to a row, or one day to a row as central banks publish.

Theory of operation. `reading` turns rows into quotes of a base and a day, and tells of every
row or cell that it leaves out; `run` publishes the days in order, many to a transaction.
What is on record already changes nothing, so a file can be imported again as it grows.
"""
