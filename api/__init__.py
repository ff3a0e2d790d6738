"""The edges: the command line, HTTP, and what is exchanged with other systems."""
