"""A fit that a worker is at: what is trained, with what, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import (
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass
from traceback import format_exception
from typing import Any, Protocol

from sklearn.base import clone

from sktune._compat import NoCallbacks, as_indices, check_method_params, safe_split
from sktune._types import Curve, Fit, Params, StackKey
from sktune.execution._job import Job
from sktune.execution.checkpoint._paused_fit import PausedFit
from sktune.execution.estimators._device_parameters import write_device
from sktune.execution.estimators._nets import find_nets, is_net, silence
from sktune.execution.guards._device_memory import on_device
from sktune.execution.guards._memory_limit import MemoryLimit
from sktune.execution.guards._random_states import (
    own_random_states,
    params_draw_globally,
)
from sktune.execution.guards._threads import fixed_threads
from sktune.execution.guards._timeout import time_limit
from sktune.execution.training._first_batch import first_batch_watched
from sktune.execution.training._refused_input import refused_input

Train = Callable[..., None]
"""``train(estimator, X, y, fit_params)``."""


class Trainer(Protocol):
    """How the fits of a unit are trained."""

    def stack_key(self, job: Job, fit: Fit) -> StackKey:
        """What fits must have in common to be trained as one; None: by itself."""

    def train(self, tasks: list[Task]) -> Generator[Task]:
        """Train all, and give out each as it is done.

        It is scored there, under the guards that it was trained under.
        """


@dataclass(frozen=True)
class Parts:
    """The data of one fit.

    Attributes
    ----------
    X, y : the rows to train on
    X_test, y_test : the rows to test on
    fit_params, score_params, score_params_train : dict
        Metadata for `fit`, and for the scorer on either part.
    """

    X: Any
    y: Any
    X_test: Any
    y_test: Any
    fit_params: dict[str, Any]
    score_params: dict[str, Any]
    score_params_train: dict[str, Any]


class Task:
    """One fit while a worker is at it.

    Parameters
    ----------
    job : Job
    fit : Fit
    device : str or None
        What was leased.
    callback_ctx : object
        scikit-learn's context for callbacks; None where nobody is told.

    Attributes
    ----------
    params : dict
        Those of the candidate, and the resource where it is one of them.
    draws_globally, has_net : bool
        As of the job; a candidate's params may bring it about, too.
    estimator : estimator
        A clone that has these params, once `prepare` has been called.
    data : Parts
        Likewise.
    memory : MemoryLimit or None
        What the fit may take, while it is guarded.
    error : Exception or None
        What the training raised, or the scoring where that ran into a limit.
    fit_error : str or None
        Its traceback.
    fit_time : float
        Seconds.
    reached : int or None
        How far the training came.
    curve : tuple of float or None
        What the net has recorded of its validation part.
    scores_on_test : dict of int -> float
        On the test part after some epochs, where a rule looks at these.
    stopped : bool
        Whether a rule has ended the training.
    score_test : callable
        ``score_test(task)`` is the score on the test part as the estimator stands.
    batches : Batches or None
        Where those of a net come from.
    stacked : int
        Nets that were trained as one with this one among them, at most.
    reason : str or None
        Why it was trained by itself, where it might not have been.
    """

    def __init__(
        self,
        job: Job,
        fit: Fit,
        device: str | None = None,
        callback_ctx: Any = None,
    ) -> None:
        self.job = job
        self.fit = fit
        self.device = device
        self.callback_ctx = NoCallbacks() if callback_ctx is None else callback_ctx
        # A net may also be a value that is searched, such as a step of a pipeline.
        nets = {name: value for name, value in fit.params.items() if find_nets(value)}
        self.params: Params = {
            **fit.params,
            **{name: silence(clone(net)) for name, net in nets.items()},
        }
        resource = None if fit.n_resources is None else job.resource
        if resource is not None and resource.continuation == "from_scratch":
            self.params = {**self.params, resource.name: fit.n_resources}
        self.has_net = job.has_net or bool(nets)
        self.draws_globally = job.draws_globally or params_draw_globally(self.params)
        self.estimator: Any = None
        self.data: Parts | None = None
        self.memory: MemoryLimit | None = None
        self.error: Exception | None = None
        self.fit_error: str | None = None
        self.fit_time = 0.0
        self.reached: int | None = None
        self.curve: Curve | None = None
        self.scores_on_test: dict[int, float] = {}
        self.stopped = False
        self.score_test: Callable[[Task], float | None] = lambda task: None
        self.batches: Any = None
        self.stacked = 1
        self.reason: str | None = None

    def prepare(self, cut: dict[Any, Parts] | None = None) -> None:
        """Make a clone that has the params, and cut the data.

        Parameters
        ----------
        cut : dict of Parts, default=None
            What was cut for others of the same unit. It is used again if the estimator
            is a net, which changes nothing in it, and what is cut is added.

        Raises what scikit-learn's searches raise whatever `error_score` says, such as
        for a parameter that does not exist.
        """
        estimator = clone(self.job.estimator)
        # Parameters may be estimators themselves: cloned, they stay unfitted.
        estimator.set_params(**clone(self.params, safe=False))
        # Callbacks may be searched, too.
        self.estimator = silence(estimator) if self.has_net else estimator
        start = time.time()
        if cut is None or not is_net(self.estimator):
            self.data = self._cut()
        else:
            key = self.fit.split, self.fit.n_resources
            self.data = cut[key] if key in cut else cut.setdefault(key, self._cut())
        self.fit_time = time.time() - start

    def _cut(self) -> Parts:
        job, fit = self.job, self.fit
        train, test = job.splits[fit.split]
        if fit.n_resources is not None and job.subsets is not None:
            train = job.subsets[fit.split].rows(fit.n_resources)
        train, test = as_indices((train, test), job.X)
        fit_params = check_method_params(job.X, params=job.fit_params, indices=train)
        on_train = check_method_params(job.X, params=job.score_params, indices=train)
        on_test = check_method_params(job.X, params=job.score_params, indices=test)
        X, y = safe_split(self.estimator, job.X, job.y, train)
        X_test, y_test = safe_split(self.estimator, job.X, job.y, test, train)
        return Parts(X, y, X_test, y_test, fit_params, on_test, on_train)

    @property
    def path(self) -> dict[str, Any] | None:
        """How the net was trained, as `FitOutcome.path`."""
        if self.batches is None:
            return None
        return dict(self.batches.as_path(self.stacked, self.reason))

    @property
    def states(self) -> PausedFit:
        """What was kept of the fit when it was paused."""
        return PausedFit(self.fit, self.job.checkpoints, self.device)

    @contextmanager
    def guarded(self) -> Iterator[ExitStack]:
        """What is around the training and the scoring of a fit, the outermost first.

        Before all of these a unit has its lease: who waits for a device must hold
        nothing that others wait for. Then come random numbers of its own, for which
        threads of this process wait for each other, then the settings of the program,
        the threads that it computes with, the device that torch takes where none is
        named, and the limit of memory, for which threads wait too: memory is the
        process's. The time limit is for the training alone, and the last: what it ends
        must not miss one of the others.

        Gives a stack for what is to stay until the fit has been scored.
        """
        n_threads = self.job.threads_of_a_net
        with ExitStack() as stack:
            if self.draws_globally or self.job.fit_memory is not None:
                stack.enter_context(own_random_states(self.fit.seed))
            held = self.job.settings.held(is_exclusive=self.draws_globally)
            stack.enter_context(held)
            if n_threads is not None and self.has_net:
                stack.enter_context(fixed_threads(n_threads))
            if self.device is not None:
                stack.enter_context(on_device(self.device))
            if self.job.fit_memory is not None:
                self.memory = MemoryLimit(self.job.fit_memory)
                stack.enter_context(self.memory.watching())
            yield stack

    def train_by(self, train: Train) -> None:
        """Train, tell callbacks, take the time; an error is kept and not raised."""
        data, ctx, seconds = self.data, self.callback_ctx, self.job.fit_timeout
        assert data is not None
        start = time.time()
        try:
            with ctx.propagate_callback_context(self.estimator):
                ctx.call_on_fit_task_begin(**self._told())
                if self.device is not None:
                    write_device(self.estimator, self.device)
                memory: AbstractContextManager[Any] = nullcontext()
                if self.memory is not None:
                    memory = self.memory.training(self.estimator)
                limit: AbstractContextManager[Any] = nullcontext()
                if seconds is not None:
                    limit = time_limit(seconds, self.estimator)
                with memory, limit, self._first_batch_watched(data):
                    train(self.estimator, data.X, data.y, dict(data.fit_params))
        except Exception as error:
            alike = self.job.refuse_alike
            self.fail(refused_input(error, self.estimator, data.X, alike) or error)
        self.fit_time += time.time() - start

    def _first_batch_watched(self, data: Parts) -> AbstractContextManager[None]:
        if not self.has_net:
            return nullcontext()
        params = self.fit.params
        return first_batch_watched(self.estimator, params, data.y)

    def fail(self, error: Exception) -> None:
        """Keep an error as what came of the fit."""
        self.error, self.fit_error = error, "".join(format_exception(error))

    def end(self) -> None:
        """Tell callbacks that the fit is over, however it ended, and let go of it.

        An error holds the frames that it came through, and these the data and the net:
        with the task they would make a circle, which is collected late.
        """
        told = None if self.data is None else self._told()
        self.data = self.estimator = self.error = None
        if told is not None:  # once, even if a callback raises
            self.callback_ctx.call_on_fit_task_end(**told)

    def _told(self) -> dict[str, Any]:
        """What scikit-learn tells callbacks."""
        assert self.data is not None
        weights = self.data.fit_params.get("sample_weight")
        return {
            "estimator": self.job.caller,
            "X": self.data.X,
            "y": self.data.y,
            "metadata": None if weights is None else {"sample_weight": weights},
        }
