"""Routes of 'erasures'. Written by tests/api/client/generation.py."""

from api.client.asking import Routes
from api.wire.forgetting import Erased, FoundPersons, WantedErasure, WantedPerson, WantedSurvey
from api.wire.keeping import ErasureReport


class ErasuresRoutes(Routes):
    """Routes of 'erasures'."""

    def erase_a_person(self, body: WantedErasure, *, key: str | None = None) -> Erased:
        """Forget a person: make what was recorded of them unreadable, on every deal and for
        good.

        It cannot be undone. Backups of the keys made earlier still open these fields.
        """
        return self._write("/v1/erasures", Erased, body, {}, key=key)

    def survey_an_erasure(self, body: WantedSurvey) -> ErasureReport:
        """What erasing a person would take away. Once they are erased, what of them is left."""
        return self._ask("/v1/erasures/survey", ErasureReport, body, {})

    def look_somebody_up(self, body: WantedPerson) -> FoundPersons:
        """Who has this in a name that can still be read, and by which ids to name them.

        For one person who asks to be forgotten, not to list them all: it takes more than two
        letters, and that somebody was looked up is recorded, once a day for each user.
        """
        return self._ask("/v1/erasures/lookup", FoundPersons, body, {})
