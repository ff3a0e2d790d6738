"""What a log on PostgreSQL does that no other does."""
