"""Events as they are stored: their bytes, what is encrypted in them, how they are opened."""
