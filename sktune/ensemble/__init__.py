"""Ensembles of the best candidates of a search."""

from sktune.ensemble._search_ensemble import (
    SearchEnsembleClassifier,
    SearchEnsembleRegressor,
)

__all__ = ["SearchEnsembleClassifier", "SearchEnsembleRegressor"]
