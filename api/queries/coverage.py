"""How far the targets of a period are covered, from the read models."""

from enum import StrEnum

from api.queries.figures import directory_of
from api.queries.instants import Instants
from api.queries.parked import left_out_of_pipeline
from api.queries.users import names_of
from api.queries.views import readable_by
from api.wire.coverage import CoverageReport
from api.workspace import Workspace
from domain.access import Principal
from domain.targets import Target
from projections.calendar import Period
from projections.operating.coverage import CoverageQuestion, coverage
from projections.operating.teams import owners_in
from projections.pipeline import caveats_of


class TargetKind(StrEnum):
    """Whose targets."""

    OWNER = "owner"
    TERRITORY = "territory"
    UNIT = "unit"

    def fits(self, target: Target) -> bool:
        return getattr(target, self.value) is not None


def ask_coverage(
    store: Workspace,
    principal: Principal,
    at: Instants,
    period: Period,
    by: TargetKind | None = None,
) -> CoverageReport:
    """The targets of exactly this period at (as of, known at); those of one kind, or all.

    What covers them are deals that the principal may read. Raises NotAllowed for who reads none.
    """
    readable = readable_by(store, principal)
    now = store.now()
    as_of, known_at = at.as_of or now, at.known_at or now
    targets = store.log.targets().as_known(known_at).of_period(period.first, period.last)
    wanted = [target for target in targets if by is None or by.fits(target)]
    question = CoverageQuestion(
        as_of, known_at, period, store.zone, store.log.rates().as_known(known_at)
    )
    with store.fresh() as connection:
        directory = directory_of(store, as_of, known_at)
        found = coverage(
            connection,
            store.columns.of(readable),
            question,
            wanted,
            lambda unit: owners_in(directory, unit),
        )
        caveats = [
            *caveats_of(connection, as_of, known_at, readable),
            *left_out_of_pipeline(store, connection, readable),
        ]
    units = {unit: fact.name for unit, fact in directory.units.items()}
    return CoverageReport.of(found, question, names_of(store), units, caveats)
