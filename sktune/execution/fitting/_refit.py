"""The best candidate, fitted on all rows: a unit of one, without splits and scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sklearn.base import clone

from sktune._compat import NoCallbacks
from sktune._types import Fit, FitOutcome, Params, Stage
from sktune.execution._job import Job
from sktune.execution.estimators._device_parameters import OwnDevices, write_device
from sktune.execution.estimators._nets import is_net
from sktune.execution.estimators._parameter_paths import last_step
from sktune.execution.fitting._leased import Attempt, run_leased
from sktune.execution.guards._device_memory import (
    OutOfMemory,
    on_device,
    watch_memory,
)
from sktune.execution.guards._interrupts import Interrupts
from sktune.execution.guards._random_states import own_random_states
from sktune.execution.training._listening import quick_batches
from sktune.execution.training._once import call
from sktune.execution.training._pipelines import fit_prefix
from sktune.execution.training._task import Task
from sktune.execution.training._trainers import STEP_BY_STEP
from sktune.placement import Placement


@dataclass
class Refit:
    """The fit of the best candidate.

    Parameters
    ----------
    job : Job
        Of the search; its data are used whole.
    estimator : estimator
        The user's own, whose nets may print.
    params : dict
    seed : int
    placement : Placement or None
    callback_ctx : object
        scikit-learn's context for callbacks.
    publish : callable
        ``publish(best, seconds)`` is called before the estimator is fitted, with None
        for the seconds, and after that with those it took; callbacks are told after
        either.
    stages : tuple of Stage
        How the ancestors of the best candidate were trained, which is done again first;
        none where it has no parent, or where nothing continues.
    """

    job: Job
    estimator: Any
    params: Params
    seed: int
    placement: Placement | None
    callback_ctx: Any
    publish: Callable[[Any, float | None], None]
    stages: tuple[Stage, ...] = ()

    def run(self) -> FitOutcome:
        """Fit; raises what the estimator raises."""
        if self.placement is None:
            return self._fit(None)
        outcomes = run_leased(self.placement, [self], _attempt)
        return outcomes[0]

    def _fit(self, attempt: Attempt | None) -> FitOutcome:
        job, best = self.job, self._clone()
        weights = job.fit_params.get("sample_weight")
        told = {
            "estimator": job.caller,
            "X": job.X,
            "y": job.y,
            "metadata": None if weights is None else {"sample_weight": weights},
        }
        # Callbacks are told of the first attempt.
        is_again = attempt is not None and attempt.is_last
        ctx = NoCallbacks() if is_again else self.callback_ctx
        with (
            ctx.propagate_callback_context(best),
            own_random_states(self.seed),
            Interrupts() as interrupts,
        ):
            self.publish(best, None)
            ctx.call_on_fit_task_begin(**told)
            start = time.time()
            if attempt is None:
                path = self._train(best, attempt)
            else:
                own = OwnDevices(best)
                write_device(best, attempt.device)
                with on_device(attempt.device):
                    path = self._train(best, attempt)
                own.restore(best)
            seconds = time.time() - start
            interrupts.raise_again()
        self.publish(best, seconds)
        ctx.call_on_fit_task_end(**told)
        return FitOutcome({}, path=path)

    def _clone(self) -> Any:
        """An estimator with the best params, and as much as there is of a resource."""
        # Parameters may be estimators themselves: cloned, they stay unfitted.
        best = clone(self.estimator).set_params(**clone(self.params, safe=False))
        resource = self.job.resource
        if resource is not None and resource.is_parameter:
            best.set_params(**{resource.name: resource.max_resources})
        return best

    def _train(self, best: Any, attempt: Attempt | None) -> dict[str, Any] | None:
        """Train; returns how, as `FitOutcome.path`."""
        job = self.job
        train: Callable[..., dict[str, Any] | None] = _train_at_once
        by_steps = job.resource is not None and job.resource.continues
        if by_steps and (self.stages or _passes(job)):
            train = self._train_by_steps
        try:
            return train(best, job.X, job.y, dict(job.fit_params))
        except Exception as error:
            if attempt is not None and not attempt.is_last:
                watch_memory(error)
            raise

    def _train_by_steps(
        self, best: Any, X: Any, y: Any, fit_params: dict[str, Any]
    ) -> dict[str, Any] | None:
        """As the candidate was, but in one go: where `fit` alone does something else.

        That is where these are calls of ``partial_fit``, and where params have changed
        on the way.
        """
        resource = self.job.resource
        assert resource is not None
        n_resources, stages = resource.max_resources, self.stages
        fit = Fit(0, 0, self.params, self.seed, n_resources, stages=stages)
        task = Task(replace(self.job, checkpoints=None, curve_on=None), fit)
        task.draws_globally = False  # that is seen to already
        last, arguments = fit_prefix(task, best, resource.path, X, y, fit_params)
        train_last = STEP_BY_STEP[resource.continuation]
        if not is_net(last):
            train_last(task, last, *arguments)
            return None
        with quick_batches(last) as batches:
            train_last(task, last, *arguments)
        return batches.as_path()


def _passes(job: Job) -> bool:
    return job.resource is not None and job.resource.continuation == "partial_fit"


def _train_at_once(
    best: Any, X: Any, y: Any, fit_params: Mapping[str, Any]
) -> dict[str, Any] | None:
    net = last_step(best)
    if not is_net(net):
        call(best.fit, X, y, dict(fit_params))
        return None
    with quick_batches(net) as batches:
        call(best.fit, X, y, dict(fit_params))
    return batches.as_path()


def _attempt(refits: Sequence[Refit], attempt: Attempt) -> dict[int, FitOutcome]:
    """One attempt of a refit; nothing where it ran out of memory."""
    try:
        return {0: refits[0]._fit(attempt)}
    except OutOfMemory:
        return {}
