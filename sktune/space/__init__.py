"""`param_distributions` to the unit cube and back."""

from sktune.space._checks import check_kind, subspaces_of
from sktune.space._constraint import allows
from sktune.space._dimension import Dimension
from sktune.space._sampled import as_sampled
from sktune.space._space import Space
from sktune.space._structured import (
    EveryValue,
    Structured,
    StructuredDistribution,
    Values,
    draw,
    is_structured,
)
from sktune.space._values import to_python

__all__ = [
    "Dimension",
    "EveryValue",
    "Space",
    "Structured",
    "StructuredDistribution",
    "Values",
    "allows",
    "as_sampled",
    "check_kind",
    "draw",
    "is_structured",
    "subspaces_of",
    "to_python",
]
