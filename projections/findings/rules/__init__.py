"""The rules: each is one function over a case."""
