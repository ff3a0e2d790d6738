"""Every predicate that an auto criterion may name. Never renamed: published processes use them."""

from domain.gates import of_buying, of_life, of_needs, of_negotiation, of_people
from domain.gates.evidence import Predicate

PREDICATES: dict[str, Predicate] = {
    **of_life.PREDICATES,
    **of_people.PREDICATES,
    **of_needs.PREDICATES,
    **of_buying.PREDICATES,
    **of_negotiation.PREDICATES,
}

__all__ = ["PREDICATES", "Predicate"]
