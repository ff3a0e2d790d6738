"""Crash, fault and load: in small with all tests, at full size as drills."""
