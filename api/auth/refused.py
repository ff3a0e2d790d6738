"""Why somebody is not let in."""


class NotAuthenticated(Exception):
    """Nobody is known to ask. `reason` is for the log of the server, never for who asks."""

    def __init__(self, reason: str, *, has_token: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.has_token = has_token
        """Whether a token was sent, which is good for nothing."""


class CrossSiteRequest(Exception):
    """A browser may have been led to send this by another site. Says why, for the log."""


class TooManyAttempts(Exception):
    """So many tokens of that address were good for nothing that it has to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait for {seconds} seconds")
        self.seconds = seconds


class IssuerUnavailable(Exception):
    """The keys of the identity provider are not known, so its tokens cannot be checked."""
