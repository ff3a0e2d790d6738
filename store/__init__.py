"""The event log. The eventsourcing library is used here and nowhere else."""
