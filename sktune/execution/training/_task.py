"""A fit that a worker is at: what is trained, with what, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from traceback import format_exc
from typing import Any, Protocol

from sktune._types import Curve, Fit, Params
from sktune.execution._job import Job
from sktune.execution.checkpoint._paused_fit import PausedFit
from sktune.execution.estimators._device_parameters import write_device
from sktune.execution.guards._device_memory import on_device
from sktune.execution.guards._random_states import own_random_states
from sktune.execution.guards._threads import fixed_threads
from sktune.execution.guards._timeout import time_limit

Train = Callable[..., None]
"""``train(estimator, X, y, fit_params)``."""


class Trainer(Protocol):
    """One way to train the fits of a unit."""

    def stack_key(self, job: Job, fit: Fit) -> Any:
        """What fits must have in common to be trained as one; None: by itself."""

    def train(self, tasks: list[Task]) -> Generator[Task]:
        """Train all, and give out each as it is done.

        It is scored there, under the guards that it was trained under.
        """


@dataclass
class Task:
    """One fit while a worker is at it.

    Attributes
    ----------
    job : Job
    fit : Fit
    params : dict
        Those of the candidate, and the resource where it is one of them.
    estimator : estimator
        A clone that has these params.
    X, y : the training part
    fit_params : dict
    draws_globally, has_net : bool
        As of the job; a candidate's params may bring it about, too.
    device : str or None
        What was leased.
    callback_ctx : object
        scikit-learn's context for callbacks, or one that does nothing.
    error : Exception or None
        What the training raised.
    fit_error : str or None
        Its traceback.
    fit_time : float
        Seconds.
    reached : int or None
        How far the training came.
    curve : tuple of float or None
    """

    job: Job
    fit: Fit
    params: Params
    estimator: Any
    X: Any
    y: Any
    fit_params: Mapping[str, Any]
    draws_globally: bool
    has_net: bool
    callback_ctx: Any
    device: str | None = None
    error: Exception | None = None
    fit_error: str | None = None
    fit_time: float = 0.0
    reached: int | None = None
    curve: Curve | None = None

    @property
    def states(self) -> PausedFit:
        """What was kept of the fit when it was paused."""
        return PausedFit(self.fit, self.job.checkpoints, self.device)

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What scikit-learn tells callbacks beside the data."""
        weights = self.fit_params.get("sample_weight")
        return None if weights is None else {"sample_weight": weights}

    @contextmanager
    def guarded(self) -> Iterator[ExitStack]:
        """What is around the training and the scoring of a fit, the outermost first.

        Before all of these a unit has its lease: who waits for a device must hold
        nothing that others wait for. Then come random numbers of its own, for which
        threads of this process wait for each other, then the threads that it computes
        with, and the device that torch takes where none is named. The time limit is for
        the training alone, and the last: what it ends must not miss one of the others.

        Gives a stack for what is to stay until the fit has been scored.
        """
        n_threads = self.job.threads_of_a_net
        with ExitStack() as stack:
            if self.draws_globally:
                stack.enter_context(own_random_states(self.fit.seed))
            if n_threads is not None and self.has_net:
                stack.enter_context(fixed_threads(n_threads))
            if self.device is not None:
                stack.enter_context(on_device(self.device))
            yield stack

    def train_by(self, train: Train) -> None:
        """Train, tell callbacks, take the time; an error is kept and not raised."""
        start = time.time()
        try:
            with self.callback_ctx.propagate_callback_context(self.estimator):
                self.callback_ctx.call_on_fit_task_begin(
                    estimator=self.job.caller,
                    X=self.X,
                    y=self.y,
                    metadata=self.metadata,
                )
                if self.device is not None:
                    write_device(self.estimator, self.device)
                seconds = self.job.fit_timeout
                limit = (
                    nullcontext()
                    if seconds is None
                    else time_limit(seconds, self.estimator)
                )
                with limit:
                    train(self.estimator, self.X, self.y, dict(self.fit_params))
        except Exception as error:
            self.error, self.fit_error = error, format_exc()
        self.fit_time += time.time() - start

    def end_callbacks(self) -> None:
        """Tell callbacks that the fit is over, however it ended."""
        self.callback_ctx.call_on_fit_task_end(
            estimator=self.job.caller, X=self.X, y=self.y, metadata=self.metadata
        )
