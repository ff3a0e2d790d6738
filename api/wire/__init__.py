"""What leaves the process: one family of shapes for `--format json` and for HTTP.

Keys are snake_case. Every key is always present; what is not known is null. The
schemas in the OpenAPI document are made from these types.
"""
