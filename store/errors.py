"""What can go wrong with a store. Each error says what is wrong and what to do."""


class StoreError(Exception):
    """The store cannot be used as asked."""

    def __init__(self, message: str, advice: str) -> None:
        # All arguments, so that it can be told from one process to another.
        super().__init__(message, advice)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}. {self.advice}"


class StoreBusy(StoreError):
    """Someone else has been writing, or all connections in use, for longer than we wait."""


class StoreFull(StoreError):
    """There is no room left to write; nothing was recorded."""


class StoreUnavailable(StoreError):
    """The files of the store cannot be reached, read or written at the moment."""


class NotStorable(StoreError):
    """A fact could not be read back from the log, so it is not written to it."""


class UnreadableEvent(StoreError):
    """A stored event cannot be read: its bytes are damaged, or a newer release wrote it."""

    def __init__(self, message: str, advice: str, stream: str, version: int) -> None:
        super().__init__(message, advice)
        self.args = (message, advice, stream, version)
        self.stream = stream
        self.version = version
        self.position: int | None = None
        """Position in the feed, where the event was read from the feed."""


class EventWithoutKey(UnreadableEvent):
    """A key that the event needs is missing, though nobody erased it or gave it up."""


class LogDamaged(StoreError):
    """What is stored contradicts itself, so nothing can be appended to it."""

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            "Nothing was recorded. Find out what is damaged with `dealstate audit fsck`, then"
            " restore a backup.",
        )
        self.args = (message,)
