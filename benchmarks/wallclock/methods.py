"""Who searches: one line each in `METHODS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import sklearn.model_selection
from data_sets import Work
from events import N_SPLITS
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

import sktune

N_CANDIDATES = 27
FACTOR = 3


@dataclass(frozen=True)
class Method:
    """A search that is not yet fitted, of the work, a seed and a scorer.

    Attributes
    ----------
    search : callable
    has_rungs : bool
        Whether candidates are compared before they are trained to the last epoch.
    peer : bool
        Whether it is not sktune's.
    count : str
        The argument that says how many candidates there are.
    """

    search: Callable[..., Any]
    has_rungs: bool = False
    peer: bool = False
    count: str = "n_iter"


def common(work: Work, seed: int, scoring: Any) -> dict[str, Any]:
    return {
        "estimator": work.estimator,
        "param_distributions": work.space,
        "scoring": scoring,
        "cv": N_SPLITS,
        "random_state": seed,
        "n_jobs": 1,
        "return_train_score": False,
    }


def flat(
    kind: Any,
    work: Work,
    seed: int,
    scoring: Any,
    n_iter: int = N_CANDIDATES,
    **options: Any,
) -> Any:
    """Every candidate is trained to the last epoch."""
    return kind(**common(work, seed, scoring), n_iter=n_iter, **options)


def rungs(kind: Any, work: Work, seed: int, scoring: Any, **options: Any) -> Any:
    """From one epoch on."""
    net = work.estimator.steps[-1][0]
    return kind(
        **common(work, seed, scoring),
        resource=f"{net}__max_epochs",
        min_resources=1,
        max_resources=work.epochs,
        **options,
    )


def optuna_search(work: Work, seed: int, scoring: Any) -> Any:
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution
    from optuna_integration import OptunaSearchCV

    def distribution(values: Any) -> Any:
        if isinstance(values, list):
            return CategoricalDistribution(values)
        low, high = (float(end) for end in values.support())
        return FloatDistribution(low, high, log=values.dist.name == "loguniform")

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    arguments = common(work, seed, scoring)
    space = arguments.pop("param_distributions")
    arguments["param_distributions"] = {k: distribution(v) for k, v in space.items()}
    return OptunaSearchCV(**arguments, n_trials=N_CANDIDATES)


sklearn_random = partial(flat, sklearn.model_selection.RandomizedSearchCV)
by_factor = partial(rungs, factor=FACTOR)
sklearn_halving = partial(
    by_factor, sklearn.model_selection.HalvingRandomSearchCV, n_candidates=N_CANDIDATES
)
random = partial(flat, sktune.RandomizedSearchCV)
bayes = partial(flat, sktune.BayesSearchCV)
halving = partial(
    by_factor, sktune.SuccessiveHalvingSearchCV, n_candidates=N_CANDIDATES
)
hyperband = partial(by_factor, sktune.HyperbandSearchCV)
# As much as Hyperband may spend, about.
freeze_thaw = partial(rungs, sktune.FreezeThawSearchCV, n_iter=N_CANDIDATES // 3)
STACKED = {"stacked": True}
RACING = {"racing": True}
GROWTH = {"early_stopping": "growth"}
FEW_SPLITS = {"min_splits": 1}

REFERENCE = "sklearn-random"
METHODS = {
    REFERENCE: Method(sklearn_random, peer=True),
    "sklearn-halving": Method(sklearn_halving, True, True, "n_candidates"),
    "optuna": Method(optuna_search, peer=True),
    "random": Method(random),
    "random-stacked": Method(partial(random, **STACKED)),
    "random-racing": Method(partial(random, **RACING)),
    "random-growth": Method(partial(random, **GROWTH)),
    "random-racing-growth": Method(partial(random, **RACING, **GROWTH)),
    "random-racing-stacked": Method(partial(random, **RACING, **STACKED)),
    "random-racing-growth-stacked": Method(
        partial(random, **RACING, **GROWTH, **STACKED)
    ),
    "bayes": Method(bayes),
    "bayes-stacked": Method(partial(bayes, **STACKED)),
    "bayes-racing": Method(partial(bayes, **RACING)),
    "bayes-growth": Method(partial(bayes, **GROWTH)),
    "bayes-racing-growth": Method(partial(bayes, **RACING, **GROWTH)),
    "bayes-racing-growth-stacked": Method(
        partial(bayes, **RACING, **GROWTH, **STACKED)
    ),
    "halving-stacked": Method(
        partial(halving, **STACKED), has_rungs=True, count="n_candidates"
    ),
    "hyperband-stacked": Method(partial(hyperband, **STACKED), has_rungs=True),
    "hyperband-bayes-stacked": Method(
        partial(hyperband, strategy="bayes", **STACKED), has_rungs=True
    ),
    "freeze-thaw-stacked": Method(partial(freeze_thaw, **STACKED), has_rungs=True),
    "halving-few-splits-stacked": Method(
        partial(halving, **STACKED, **FEW_SPLITS), True, count="n_candidates"
    ),
    "hyperband-few-splits-stacked": Method(
        partial(hyperband, **STACKED, **FEW_SPLITS), has_rungs=True
    ),
    "hyperband-bayes-few-splits-stacked": Method(
        partial(hyperband, strategy="bayes", **STACKED, **FEW_SPLITS), has_rungs=True
    ),
}
