"""The key store: keys by name, wrapped, erased and rotated."""
