"""Hyperparameter search for PyTorch nets that feels like scikit-learn."""

from sktune.search import (
    BayesSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)

__all__ = [
    "BayesSearchCV",
    "GridSearchCV",
    "HyperbandSearchCV",
    "RandomizedSearchCV",
    "SuccessiveHalvingSearchCV",
    "__version__",
]

__version__ = "0.1.0.dev0"
