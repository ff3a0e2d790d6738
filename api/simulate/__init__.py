"""A believable portfolio of made-up deals: the same seed tells the same stories.

Theory of operation. `portfolio` settles what each deal is about; `story` tells its course, scene by
scene; `beats` play the scenes, and `chronicle` has every entry decided by the rules of the domain,
under the clock of the story. `cast` and `customers` invent our people and the companies, `centre`
the customer's people, `bargain` the ways of a negotiation; `material` holds what they are made of,
`chances` the odds. `causes` are planted where an analysis is to be tried on what is known
beforehand. `run` appends it all to a store, with the organisation that it takes.
"""

from api.simulate.causes import PLANTABLE, chosen
from api.simulate.portfolio import UNTIL, SimulatedDeal, deals
from api.simulate.run import SimulationReport, simulate

__all__ = [
    "PLANTABLE",
    "UNTIL",
    "SimulatedDeal",
    "SimulationReport",
    "chosen",
    "deals",
    "simulate",
]
