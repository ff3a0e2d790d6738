"""What keeps the read models up to date: catching up, building anew, and working all the time."""
