"""What people do and put on record in the course of a deal, one concern a module."""
