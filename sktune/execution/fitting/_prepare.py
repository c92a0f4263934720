"""The data of a fit, cut, and a clone that has the candidate's params."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from sklearn.base import clone

from sktune._compat import NoCallbacks, as_indices, check_method_params, safe_split
from sktune._types import Fit
from sktune.execution._job import Job
from sktune.execution.estimators._nets import find_nets, silence
from sktune.execution.guards._random_states import (
    own_random_states,
    params_draw_globally,
)
from sktune.execution.training._task import Task


@dataclass(frozen=True)
class TestPart:
    """What a fit is scored on.

    Attributes
    ----------
    X, y : the rows to test on
    score_params : dict
    score_params_train : dict
        For the rows that were trained on.
    """

    X: Any
    y: Any
    score_params: Mapping[str, Any]
    score_params_train: Mapping[str, Any]

    __test__ = False  # for pytest, to which it is no test


def prepare(
    job: Job, fit: Fit, device: str | None, callback_ctx: Any
) -> tuple[Task, TestPart]:
    """Make a fit ready to be trained and scored.

    Raises what scikit-learn's searches raise whatever `error_score` says, such as for a
    parameter that does not exist.
    """
    # A net may also be a value that is searched, such as a step of a pipeline.
    nets = {name: value for name, value in fit.params.items() if find_nets(value)}
    params = {**fit.params, **{n: silence(clone(v)) for n, v in nets.items()}}
    draws_globally = job.draws_globally or params_draw_globally(params)
    train, test = _rows(job, fit)
    train, test = as_indices(train, job.X), as_indices(test, job.X)
    resource = None if fit.n_resources is None else job.resource
    if resource is not None and resource.way == "from_scratch":
        params = {**params, resource.name: fit.n_resources}
    fit_params = check_method_params(job.X, params=job.fit_params, indices=train)
    score_params = job.score_params
    on_train = check_method_params(job.X, params=score_params, indices=train)
    on_test = check_method_params(job.X, params=score_params, indices=test)
    # Code of the user's may draw numbers while it is cloned, set or cut.
    with own_random_states(fit.seed) if draws_globally else nullcontext():
        estimator = clone(job.estimator)
        # Parameters may be estimators themselves: cloned, they stay unfitted.
        estimator = estimator.set_params(**clone(params, safe=False))
        start = time.time()
        X, y = safe_split(estimator, job.X, job.y, train)
        X_test, y_test = safe_split(estimator, job.X, job.y, test, train)
    task = Task(
        job,
        fit,
        params,
        estimator,
        X,
        y,
        fit_params,
        draws_globally=draws_globally,
        has_net=job.has_net or bool(nets),
        callback_ctx=NoCallbacks() if callback_ctx is None else callback_ctx,
        device=device,
        fit_time=time.time() - start,
    )
    return task, TestPart(X_test, y_test, on_test, on_train)


def _rows(job: Job, fit: Fit) -> tuple[Any, Any]:
    """The rows to train on and the rows to test on."""
    train, test = job.splits[fit.split]
    if fit.n_resources is not None and job.subsets is not None:
        train = job.subsets[fit.split].rows(fit.n_resources)
    return train, test
