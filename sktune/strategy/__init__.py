"""Which params next: strategies, driven by ask and tell."""

from sktune.strategy._acquisition import ACQUISITIONS
from sktune.strategy._annealing import Annealing
from sktune.strategy._bayesian_optimization import SURROGATES, Bayes
from sktune.strategy._evolution import Evolution
from sktune.strategy._exploration import Explore
from sktune.strategy._fitted_surrogate import FittedSurrogate
from sktune.strategy._listed import Listed
from sktune.strategy._local_search import LocalSearch
from sktune.strategy._optuna import OptunaStrategy
from sktune.strategy._partial_scores import as_of_all_splits
from sktune.strategy._reinforce import Reinforce

__all__ = [
    "ACQUISITIONS",
    "SURROGATES",
    "Annealing",
    "Bayes",
    "Evolution",
    "Explore",
    "FittedSurrogate",
    "Listed",
    "LocalSearch",
    "OptunaStrategy",
    "Reinforce",
    "as_of_all_splits",
]
