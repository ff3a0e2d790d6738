"""Routes of 'reviews'. Written by tests/api/client/generation.py."""

from typing import TypedDict, Unpack

from api.client.asking import Routes
from api.wire.estimates import EstimateQuality
from api.wire.trials import ProcessToTry
from api.wire.whatif import ProcessTrial


class AtParameters(TypedDict, total=False):
    as_of: str | None
    known_at: str | None


class ReviewsRoutes(Routes):
    """Routes of 'reviews'."""

    def ask_how_good_the_estimates_were(self) -> EstimateQuality:
        """How good the cohort estimate of the probability to win was, on deals decided since.

        By the models that the worker has made; `caveats` tells where one is not made yet.
        """
        return self._read("/v1/estimates", EstimateQuality, {})

    def try_a_process(self, body: ProcessToTry, **parameters: Unpack[AtParameters]) -> ProcessTrial:
        """Another version of a process on every deal that runs under it. Stores nothing."""
        return self._ask("/v1/whatif", ProcessTrial, body, parameters)
