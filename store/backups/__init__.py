"""Backups of log and keys: written, compared with what is known of the log, put in place."""
