"""Any sampler of Optuna as a strategy.

A sampler reads a study, and leaves in its trials what it needs to go on: CMA-ES its
distribution, NSGA-II its generations. A state holds observations only, so the study is
made of them again: for each in turn the sampler is asked, with a seed of its own, and
what it answers is replaced by what was run. Studies are remembered by what was told,
so that each observation is gone through once.

A parameter is a float on [0, 1], its coordinate in the space, so that distributions of
scipy.stats keep their shape; an integer, the position in an ordered list; or a
category.
Where there are several dicts, the sampler chooses one of them first.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from sktune._random import derive_seed
from sktune._types import Observation, Params, Problem
from sktune.strategy._arrays import Array
from sktune.strategy._observations import encoded
from sktune.strategy._told import Told, any_left, next_of_design
from sktune.strategy._trials import Trial, numbers_of_values, trials_of
from sktune.strategy._variation import begin

if TYPE_CHECKING:
    from sktune.space import Space

N_TRIES = 20  # trials, before an even design takes over


@dataclass(frozen=True)
class OptunaStrategy:
    """Candidates from a sampler of Optuna.

    Needs Optuna: ``pip install "sktune[optuna]"``.

    Parameters
    ----------
    sampler : optuna.samplers.BaseSampler, default=None
        It is copied, and seeded by the search for each candidate, whatever seed it was
        made with. None is Optuna's default, its tree-structured Parzen estimator.
    initial_points : sequence of dict, default=()
        Candidates to try first, in this order.

    Notes
    -----
    The sampler sees parameters by name, and their values as coordinates: floats on
    [0, 1] that are even where the distribution is likely, and positions in lists.
    Arguments of samplers that hold values, such as ``x0`` of ``CmaEsSampler``, are on
    that scale. Of several dicts of `param_distributions` the sampler chooses one as a
    category, "dict", and then the values of its parameters.

    A candidate that failed is a trial that failed; one that is pending is a running
    trial. What was tried before, or is refused by `constraint`, is a trial that failed,
    and the sampler is asked again, up to 20 times; then a candidate is spread evenly.
    With rungs the trials have the scores of the highest rung that has three more than
    the space has dimensions.

    Examples
    --------
    >>> from optuna.samplers import CmaEsSampler  # doctest: +SKIP
    >>> from sktune import HyperbandSearchCV
    >>> from sktune.strategy import OptunaStrategy
    >>> strategy = OptunaStrategy(CmaEsSampler())  # doctest: +SKIP
    >>> search = HyperbandSearchCV(net, space, strategy=strategy)  # doctest: +SKIP
    """

    sampler: Any = None
    initial_points: Sequence[Params] = ()
    _last: list[_Replay] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    def init(self, problem: Problem) -> Told:
        """State of a search in which nothing has been seen."""
        try:
            from optuna.samplers import BaseSampler
        except ImportError as error:
            raise ImportError(
                'OptunaStrategy needs optuna: pip install "sktune[optuna]"'
            ) from error
        if self.sampler is not None and not isinstance(self.sampler, BaseSampler):
            raise TypeError(
                f"sampler={self.sampler!r} is no sampler of Optuna. Give an instance "
                "of one, such as optuna.samplers.TPESampler()."
            )
        return begin(self, problem)

    def tell(self, state: Told, observation: Observation) -> Told:
        """State that has learnt from one more observation."""
        return state.tell(observation)

    def ask(
        self, state: Told, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        """Params of the next candidate; None when the space is used up."""
        space, taken = state.space, state.taken(pending)
        if not space.n_dims:  # param_distributions={}: the estimator as it stands
            return None if taken else {}
        for params in self.initial_points:
            if space.key(params) not in taken:
                return params

        def admissible(u: Array) -> bool:
            params = space.decode(u)
            return space.key(params) not in taken and space.allows(params)

        U_pending = encoded(space, pending)
        with quiet():
            replay = self._replayed(space, trials_of(state))
            u = replay.next_point(U_pending, admissible, seed)
        if u is None:
            u = next_of_design(state, U_pending, admissible, seed)
        return any_left(space, taken) if u is None else space.decode(u)

    def begins_alike(self, problem: Problem, other: Problem) -> bool:
        """Whether the first candidates of two problems are the same, told the same."""
        return True

    def _replayed(self, space: Space, trials: list[Trial]) -> _Replay:
        """The study of these trials; the one before is gone on with where it can be."""
        last = self._last[0] if self._last else None
        if last is None or last.space is not space or not last.begins(trials):
            last = _Replay(self.sampler, space)
        for trial in trials[len(last.trials) :]:
            last.add(trial)
        self._last[:] = [last]
        return last


class _Replay:
    """A study, and the trials that it was made of."""

    def __init__(self, sampler: Any, space: Space) -> None:
        import optuna

        self.space = space
        self.trials: list[Trial] = []
        self._study = optuna.create_study(
            sampler=copy.deepcopy(sampler), direction="maximize"
        )
        self._labels, self._numbers = labels(space), numbers_of_values(space)

    def begins(self, trials: list[Trial]) -> bool:
        """Whether this is how a list of trials begins."""
        return self.trials == trials[: len(self.trials)]

    def add(self, trial: Trial) -> None:
        point, score = trial
        seed = derive_seed(0, "replay", len(self.trials))
        self._finish(self._study, self._run(np.array(point), seed), score)
        self.trials.append(trial)

    def next_point(self, pending: Array, admissible: Any, seed: int) -> Array | None:
        """An admissible point of the sampler; the study stays as it is."""
        kept, self._study = self._study, copy.deepcopy(self._study)
        try:
            for k, u in enumerate(pending):
                self._run(u, derive_seed(seed, "pending", k))
            for attempt in range(N_TRIES):
                reseed(self._study.sampler, derive_seed(seed, "ask", attempt))
                trial = self._study.ask()
                u = self.space.snap(self._suggested(trial)[None])[0]
                if admissible(u):
                    return u
                self._finish(self._study, trial, None)
            return None
        finally:
            self._study = kept

    def _run(self, u: Array, seed: int) -> Any:
        """A trial whose sampler was asked, and which has another candidate's values."""
        reseed(self._study.sampler, seed)
        values = [self._value(u, j) for j in range(len(u)) if not np.isnan(u[j])]
        names = [self._labels[j] for j in range(len(u)) if not np.isnan(u[j])]
        self._study.enqueue_trial(dict(zip(names, values, strict=True)))
        trial = self._study.ask()
        _ = trial.relative_params  # for what the sampler leaves in the trial
        self._suggested(trial)
        return trial

    @staticmethod
    def _finish(study: Any, trial: Any, score: float | None) -> None:
        from optuna.trial import TrialState

        if score is None:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, score)

    def _suggested(self, trial: Any) -> Array:
        """The point of a trial, not snapped; 0.5 at what its dict has not."""
        space, u = self.space, np.full(self.space.n_dims, 0.5)
        first = 0
        if space.names[:1] == ("",):
            u[0] = self._suggest(trial, 0)
            first = 1
        for j in range(first, len(u)):
            if not np.isnan(space.snap(u[None])[0, j]):  # by those before it
                u[j] = self._suggest(trial, j)
        return u

    def _suggest(self, trial: Any, j: int) -> float:
        label, n = self._labels[j], self._numbers[j]
        if self.space.n_categories[j]:
            return (trial.suggest_categorical(label, list(range(n))) + 0.5) / n
        if n:
            return (trial.suggest_int(label, 0, n - 1) + 0.5) / n
        return float(trial.suggest_float(label, 0.0, 1.0))

    def _value(self, u: Array, j: int) -> float:
        n = self._numbers[j]
        return min(int(u[j] * n), n - 1) if n else float(u[j])


def labels(space: Space) -> list[str]:
    """A name for each coordinate; those of one name in several dicts are numbered."""
    names = [name or "dict" for name in space.names]
    return [
        f"{name}.{j}" if names.count(name) > 1 else name for j, name in enumerate(names)
    ]


def reseed(sampler: Any, seed: int) -> None:
    """Seed all generators that a sampler holds, in the order of its attributes."""
    seen: set[int] = set()
    numbers = count()

    def visit(value: Any) -> None:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, np.random.RandomState):
            value.seed(derive_seed(seed, "generator", next(numbers)))
        elif isinstance(getattr(value, "rng", None), np.random.RandomState):
            visit(value.rng)
        elif isinstance(value, list | tuple):
            for one in value:
                visit(one)
        elif type(value).__module__.partition(".")[0] == "optuna" or value is sampler:
            for name in sorted(getattr(value, "__dict__", {})):
                visit(value.__dict__[name])

    visit(sampler)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what Optuna logs of studies that are made, below warnings."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(max(level, logging.WARNING))
    try:
        yield
    finally:
        logger.setLevel(level)
