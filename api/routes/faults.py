"""What cannot be used of a request."""


class ParameterFault(ValueError):
    """A parameter cannot be used."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(f"{parameter}: {detail}")
        self.parameter = parameter
        self.detail = detail


class HeaderFault(ValueError):
    """A header cannot be read."""
