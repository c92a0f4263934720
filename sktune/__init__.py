"""Hyperparameter search for PyTorch nets that feels like scikit-learn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sktune._show_versions import show_versions
    from sktune.search import (
        AnnealingSearchCV,
        BayesSearchCV,
        EvolutionSearchCV,
        FreezeThawSearchCV,
        GridSearchCV,
        HyperbandSearchCV,
        LocalSearchCV,
        PopulationBasedSearchCV,
        RandomizedSearchCV,
        ReinforceSearchCV,
        SuccessiveHalvingSearchCV,
    )

__all__ = [
    "AnnealingSearchCV",
    "BayesSearchCV",
    "EvolutionSearchCV",
    "FreezeThawSearchCV",
    "GridSearchCV",
    "HyperbandSearchCV",
    "LocalSearchCV",
    "PopulationBasedSearchCV",
    "RandomizedSearchCV",
    "ReinforceSearchCV",
    "SuccessiveHalvingSearchCV",
    "__version__",
    "show_versions",
]

__version__ = "0.1.0.dev0"

# Those that users may import from.
_ROOMS = (
    "advice",
    "architectures",
    "ensemble",
    "inspection",
    "listeners",
    "nets",
    "schedule",
    "search",
    "space",
    "strategy",
)


def __getattr__(name: str) -> Any:
    # When first asked for: worker processes need a part of the package only.
    if name == "show_versions":
        from sktune._show_versions import show_versions

        return show_versions
    if name in __all__:
        from sktune import search

        return getattr(search, name)
    if name in _ROOMS:
        return import_module(f"sktune.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, *_ROOMS])
