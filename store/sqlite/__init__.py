"""The log on SQLite: one file, one writer at a time."""
