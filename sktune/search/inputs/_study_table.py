"""A study of Optuna, as the table that `warm_start_from` reads."""

from __future__ import annotations

import math
from typing import Any

from sktune._errors import WarmStartError


def is_study(one: Any) -> bool:
    """Whether this is a study; Optuna need not be installed to know."""
    return all(hasattr(one, name) for name in ("trials", "directions", "study_name"))


def table_of_study(study: Any, metric: str) -> dict[str, Any]:
    """What `cv_results_` would hold of the trials that came to an end.

    Those that were pruned are left out: what they scored is no score of their params.

    Parameters
    ----------
    study : optuna.study.Study
    metric : str
        The metric that its values are taken for.

    Raises
    ------
    WarmStartError
        Where the study has several objectives.
    """
    if len(study.directions) != 1:
        raise WarmStartError(
            f"warm_start_from={study!r} has {len(study.directions)} objectives. Give a "
            "study that has one, or a data frame with a column for each parameter, "
            f"'param_<name>', and one 'mean_test_{metric}'."
        )
    sign = -1.0 if study.directions[0].name == "MINIMIZE" else 1.0
    trials = [t for t in study.trials if t.state.name in ("COMPLETE", "FAIL")]
    scores = [
        sign * trial.value if trial.state.name == "COMPLETE" else math.nan
        for trial in trials
    ]
    return {
        "params": [dict(trial.params) for trial in trials],
        f"mean_test_{metric}": scores,
    }
