"""Rules that are compared with the package's own, and how Optuna's are driven."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sktune._types import StopRule
from sktune.schedule import EarlyStopping, Growth, LearningCurve, Patience, Percentile

HUGE = 1e30  # a score beyond is one of a training that broke down
N_FINISHED, GRACE = 8, 3  # before the rules that extrapolate decide anything


@dataclass(frozen=True)
class Always:
    """One rule for every fit."""

    always: StopRule

    def rule(self, curves: Sequence[LearningCurve]) -> StopRule | None:
        return self.always


@dataclass(frozen=True)
class GainQuantile:
    """Score plus what finished candidates still gained: at a quantile of the gains."""

    q: float = 0.95

    def rule(self, curves: Sequence[LearningCurve]) -> StopRule | None:
        known = _finished(curves)
        if len(known) < N_FINISHED:
            return None
        gains = np.quantile(known[:, -1:] - known, self.q, axis=0)
        return BelowBest(float(known[:, -1].max()), gains, np.ones_like(gains))


@dataclass(frozen=True)
class GainRegression:
    """Gains regressed on the present score, plus standard deviations."""

    n_sd: float = 2.0

    def rule(self, curves: Sequence[LearningCurve]) -> StopRule | None:
        known = _finished(curves)
        if len(known) < N_FINISHED:
            return None
        gains = known[:, -1:] - known
        centred = known - known.mean(0)
        slope = (centred * gains).sum(0) / np.maximum((centred**2).sum(0), 1e-12)
        offset = gains.mean(0) - slope * known.mean(0)
        rest = gains - offset - slope * known
        sd = np.sqrt((rest**2).sum(0) / max(len(known) - 2, 1))
        best = float(known[:, -1].max())
        return BelowBest(best, offset + self.n_sd * sd, 1.0 + slope)


@dataclass(frozen=True)
class BelowBest:
    """Stop where what a score comes to is below the best."""

    best: float
    offset: np.ndarray
    slope: np.ndarray

    def __call__(self, curve: Sequence[float]) -> bool:
        n = len(curve) - 1
        if not GRACE <= n < len(self.offset):
            return False
        return not self.offset[n] + self.slope[n] * curve[-1] >= self.best


def _finished(curves: Sequence[LearningCurve]) -> np.ndarray:
    known = [curve.values for curve in curves if curve.finished]
    return np.array(
        [v for v in known if np.isfinite(v).all() and np.abs(v).max() < HUGE]
    )


RULES: dict[str, EarlyStopping] = {
    "growth": Growth(),
    "growth, keep 0.5": Growth(keep=0.5),
    "growth, keep 0.8": Growth(keep=0.8),
    "gain at its 95 % quantile": GainQuantile(),
    "gain regressed, 2 sd": GainRegression(2.0),
    "gain regressed, 3 sd": GainRegression(3.0),
    "median": Percentile(50, grace=0, n_curves=1),
    "median, grace of 3": Percentile(50, grace=3, n_curves=1),
    "75th percentile": Percentile(25, grace=0, n_curves=1),
    "patience 5": Always(Patience(5)),
}

PRUNERS: dict[str, Callable[[Any], Any]] = {
    "Optuna's MedianPruner": lambda pruners: pruners.MedianPruner(),
    "Optuna's PatientPruner": lambda pruners: pruners.PatientPruner(None, patience=5),
    "Optuna's PatientPruner over MedianPruner": lambda pruners: pruners.PatientPruner(
        pruners.MedianPruner(), patience=5
    ),
}


def pruned(name: str, curves: np.ndarray) -> np.ndarray:
    """How far each candidate comes, one after the other, under one of Optuna's."""
    import optuna

    warnings.simplefilter("ignore")  # of scores that are NaN, and of what is new
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = PRUNERS[name](optuna.pruners)
    study = optuna.create_study(direction="maximize", pruner=pruner)
    reached = np.full(len(curves), curves.shape[1])
    for i, curve in enumerate(curves):
        trial = study.ask()
        for n, value in enumerate(curve):
            trial.report(float(value), n)
            if n + 1 < len(curve) and trial.should_prune():
                reached[i] = n + 1
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
                break
        else:
            last = float(curve[-1])
            if np.isnan(last):
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, last)
    return reached
