"""Which params next: strategies, driven by ask and tell."""

from sktune.strategy._acquisition import ACQUISITIONS
from sktune.strategy._bayesian_optimization import SURROGATES, Bayes
from sktune.strategy._exploration import Explore
from sktune.strategy._fitted_surrogate import FittedSurrogate
from sktune.strategy._listed import Listed
from sktune.strategy._partial_scores import as_of_all_splits

__all__ = [
    "ACQUISITIONS",
    "SURROGATES",
    "Bayes",
    "Explore",
    "FittedSurrogate",
    "Listed",
    "as_of_all_splits",
]
