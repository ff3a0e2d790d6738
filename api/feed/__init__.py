"""The feed of events as the service keeps it: who waits for what, and how streams are written."""
