"""Tests of the log on SQLite."""
