"""What types and fields mean: the docstrings that stand beside them in the source.

A field is explained by the docstring under it, else by the one of its type, else
by what its name means everywhere. Commands mirror facts, so the words under the
fields of a fact count for the command that leads to it as well.
"""

import ast
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from inspect import cleandoc, getsource
from itertools import pairwise

from msgspec import inspect

from domain.values import Money

EVERYWHERE: Mapping[str, str] = {
    "id": "Names it; what comes later refers to it.",
    "name": "What people call it.",
    "text": "In words.",
    "reason": "Why.",
    "reasons": "Why, as far as known at the end.",
    "note": "A remark on it.",
    "what": "In words.",
    "description": "In words.",
    "due": "The last day for it.",
    "valid_until": "The last day on which it holds.",
    "owner": "The user who answers for it.",
    "member": "One of our users.",
    "user": "One of our users.",
    "role": "What they do on the deal.",
    "products": "What is to be sold.",
    "territory": "The sales territory it belongs to.",
    "region": "Sales region the deal is worked from.",
    "route": "Way to the market: direct, or through which kind of partner.",
    "lead_source": "Where the first word of it came from.",
    "department": "Where they work.",
    "title": "Their position.",
    "stakeholder": "One of the customer's people, by the id they were identified under.",
    "told_by": "The stakeholder who told us.",
    "contact": "The contact in which it came up, by its id.",
    "competitor": "The competitor, by its id.",
    "vendor": "A competitor by its id, or `us` for our side.",
    "need": "The need, by its id.",
    "criterion": "The criterion, by its id.",
    "concern": "The concern, by its id.",
    "commitment": "The promise, by its id.",
    "issue": "The issue, by its id.",
    "offer": "The offer, by its id.",
    "made_to": "To whom it was said.",
    "payment_terms": "When and how it is paid.",
    "delivery_terms": "When and how it is delivered.",
    "product": "What is offered.",
    "quantity": "How many.",
    "probability": "Chance of winning.",
    "expected_days": "How long a deal usually stays.",
    "version": "Counted from 1.",
}
"""What a name means where neither the field nor its type says more."""


def meaning(of: type) -> str:
    """The docstring of a type itself, on one line; empty where it has none."""
    return _on_one_line(of.__dict__.get("__doc__") or "")


def field_meaning(field: inspect.Field, owners: Iterable[type]) -> str:
    """What a field means, by the first of the owners that says so; empty where nothing does."""
    for owner in owners:
        if field.name in beside(owner):
            return beside(owner)[field.name]
    return _of_its_type(field.type) or EVERYWHERE.get(field.name, "")


def named_types(kind: inspect.Type) -> list[type]:
    """The enumerations and value structs that a type is made of, not those inside them."""
    match kind:
        case inspect.UnionType(types=types):
            return [found for one in types for found in named_types(one)]
        case inspect.VarTupleType(item_type=item):
            return named_types(item)
        case inspect.EnumType(cls=cls):
            return [cls]
        case inspect.StructType(cls=cls) if cls is not Money:
            return [cls]
        case _:
            return []


def _of_its_type(kind: inspect.Type) -> str:
    return " ".join(meaning(one) for one in named_types(kind))


@cache
def beside(owner: type) -> Mapping[str, str]:
    """The docstrings under the fields of a struct or the members of an enumeration, by name."""
    found = {}
    for statement, following in pairwise(_classes(owner.__module__)[owner.__name__].body):
        match statement, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = _on_one_line(text)
            case _:
                pass
    return found


@cache
def _classes(module: str) -> Mapping[str, ast.ClassDef]:
    tree = ast.parse(getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _on_one_line(text: str) -> str:
    return " ".join(cleandoc(text).split())
