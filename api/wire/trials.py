"""What is sent to have a process tried."""

import msgspec


class ProcessToTry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of a process that is to be tried on the deals. Nothing is stored."""

    toml: str
    """The process file, as `dealstate process check` takes it."""
