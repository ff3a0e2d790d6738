"""Measures. Processes that a rebuild starts do not import this again, nor what is imported here."""

import sys

from tests.benchmarks.run import main

main(sys.argv[1:])
