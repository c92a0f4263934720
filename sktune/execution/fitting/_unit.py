"""One unit of fits: lease once, prepare, train, score each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from traceback import format_exception
from typing import Any

from sktune._compat import num_samples
from sktune._errors import FitMemoryError, InputError
from sktune._types import Fit, FitOutcome, Scores, Unit, refit_metric
from sktune.execution._job import Job
from sktune.execution.fitting._kept_estimators import keep_estimator
from sktune.execution.fitting._leased import Attempt, run_leased
from sktune.execution.fitting._messages import print_end, print_start
from sktune.execution.fitting._raised import pickled
from sktune.execution.fitting._scoring import Scored, is_joined, no_scores, score
from sktune.execution.guards._device_memory import OutOfMemory, watch_memory
from sktune.execution.training._task import Parts, Task
from sktune.execution.training._trainers import trainer_of, why_alone

Outcomes = dict[int, FitOutcome]
"""By the position of the fit in its unit; without those that ran out of memory."""


def run_unit(job: Job, unit: Unit) -> list[FitOutcome]:
    """Train and score the fits of a unit, on a leased device if there are any.

    Raises only where ``error_score="raise"``, where every fit would refuse its input,
    or where scikit-learn's searches raise whatever `error_score` says, such as for a
    parameter that does not exist.
    """
    if job.placement is None:
        outcomes = carry_out(job, unit)
    else:
        outcomes = run_leased(job.placement, unit, partial(carry_out, job))
    return [outcomes[position] for position in range(len(unit))]


def carry_out(
    job: Job, fits: Sequence[Fit], attempt: Attempt | None = None
) -> Outcomes:
    """What came of fits that are trained together."""
    device = None if attempt is None else attempt.device
    # Callbacks are told of the first attempt.
    tells = attempt is None or not attempt.is_last
    tasks = [
        Task(job, fit, device, fit.callback_ctx if tells else None) for fit in fits
    ]
    if len(tasks) == 1:
        tasks[0].reason = why_alone(job, fits[0])
    for task in tasks:
        task.score_test = _test_score
        print_start(task)
    outcomes: Outcomes = {}
    positions = {id(task): position for position, task in enumerate(tasks)}
    try:
        with closing(trainer_of(job, fits).train(tasks)) as trained:
            for task in trained:
                outcome = _outcome(task, attempt)
                task.end()
                if outcome is not None:
                    outcomes[positions[id(task)]] = outcome
                    print_end(task, outcome)
    finally:
        for task in tasks:
            task.end()
    return outcomes


def failed(job: Job, fit: Fit, error: Exception) -> FitOutcome:
    """Outcome of a fit that never came back, as if its training had raised `error`."""
    if job.error_score == "raise":
        raise error
    task = Task(job, fit)
    task.prepare()
    outcome = replace(
        _outcome_of_error(job, "".join(format_exception(error)), error),
        n_test_samples=num_samples(_data(task).X_test),
    )
    task.states.drop()
    print_end(task, outcome)
    return outcome


def _outcome(task: Task, attempt: Attempt | None) -> FitOutcome | None:
    """Score what was trained; None where it ran out of memory and may try again."""
    job = task.job
    watch = watch_memory if attempt is not None and not attempt.is_last else None
    try:
        outcome = None
        if task.error is None:
            outcome = _scored_within_memory(task, watch)
        if outcome is None:
            assert task.error is not None
            if watch is not None:
                watch(task.error)
            if job.error_score == "raise" or isinstance(task.error, InputError):
                raise task.error
            outcome = replace(
                _outcome_of_error(job, task.fit_error, task.error),
                fit_time=task.fit_time,
                n_test_samples=num_samples(_data(task).X_test),
                path=task.path,
            )
    except OutOfMemory:
        return None
    if not task.fit.pause or task.error is not None:
        task.states.drop()
    if task.error is None:
        keep_estimator(task)
    return outcome


def _data(task: Task) -> Parts:
    assert task.data is not None
    return task.data


def _scored_within_memory(
    task: Task, watch: Callable[[Exception], None] | None
) -> FitOutcome | None:
    """Scores; None, and an error of the task, where these took too much memory."""
    memory = task.memory
    if memory is None:
        return _scored(task, watch)

    def watch_both(error: Exception) -> None:
        memory.check(error)
        if watch is not None:
            watch(error)

    try:
        return _scored(task, watch_both)
    except FitMemoryError as error:
        task.fail(error)
        return None


def _test_score(task: Task) -> float | None:
    """Score on the test part in the metric that decides, as the estimator stands."""
    job, data = task.job, _data(task)
    given = data.X_test, data.y_test, data.score_params, job.error_score
    scores = score(job.scorer, task.estimator, *given).scores
    return scores[refit_metric(job.refit, scores)]


def _curve(task: Task, scores: Scores) -> dict[str, Any]:
    """What rules look at; of scores on the test part the last is the end's."""
    if not task.scores_on_test or task.reached is None:
        return {"curve": task.curve}
    last = scores[refit_metric(task.job.refit, scores)]
    curve = {**task.scores_on_test, task.reached: math.nan if last is None else last}
    return {"curve": tuple(curve.values()), "curve_epochs": tuple(curve)}


def _scored(task: Task, watch: Callable[[Exception], None] | None) -> FitOutcome:
    job, estimator, data = task.job, task.estimator, _data(task)
    start = time.time()
    test = score(
        job.scorer,
        estimator,
        data.X_test,
        data.y_test,
        data.score_params,
        job.error_score,
        watch=watch,
    )
    score_time = time.time() - start
    train: Scored | None = None
    if job.return_train_score:
        train = score(
            job.scorer,
            estimator,
            data.X,
            data.y,
            data.score_params_train,
            job.error_score,
            watch=watch,
        )
    both = [test] if train is None else [test, train]
    failed = next((one for one in both if one.traceback is not None), test)
    return FitOutcome(
        test.scores,
        None if train is None else train.scores,
        any(one.names_metrics for one in both),  # one of the two may have raised
        n_test_samples=num_samples(data.X_test),
        fit_time=task.fit_time,
        score_time=score_time,
        reached=task.reached,
        stopped=task.stopped,
        **_curve(task, test.scores),
        score_error=failed.traceback,
        raised=None if failed.error is None else pickled(failed.error),
        path=task.path,
    )


def _outcome_of_error(job: Job, fit_error: str | None, error: Exception) -> FitOutcome:
    """Without a score, in as many metrics as are known."""
    scores = no_scores(job.scorer)
    return FitOutcome(
        scores,
        scores if job.return_train_score else None,
        is_joined(job.scorer),
        fit_error=fit_error,
        raised=pickled(error),
    )
