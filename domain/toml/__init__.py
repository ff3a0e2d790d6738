"""TOML files that people write: read as structs, every fault told with its place."""
