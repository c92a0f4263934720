"""What flat searches share whose strategy names one candidate after the other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar

from sktune import _compat
from sktune._protocols import Strategy
from sktune._types import Params, WarmStartObservation
from sktune._warnings import warn
from sktune.run import Proposal
from sktune.search._flat_search import FlatSearch
from sktune.search.inputs._data import Data
from sktune.space import Space


class SequentialSearch(FlatSearch):
    """Candidates learn from those before them; subclasses say by which strategy."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **FlatSearch._parameter_constraints,
        "param_distributions": [dict, list],
        "n_iter": [_compat.Interval(Integral, 1, None, closed="left")],
        "n_pending": [_compat.Interval(Integral, 1, None, closed="left")],
        "initial_points": [list, tuple, None],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int,
        n_pending: int,
        initial_points: Sequence[dict[str, Any]] | None,
        **common: Any,
    ) -> None:
        super().__init__(estimator, **common)
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.n_pending = n_pending
        self.initial_points = initial_points

    @abstractmethod
    def _strategy(self, initial_points: tuple[Params, ...]) -> Strategy:
        """What names the candidates."""

    def _objectives(self) -> tuple[str, ...]:
        """The metrics whose front is searched."""
        return ()

    def _warm_start(self, space: Space) -> Sequence[WarmStartObservation]:
        """What is known of other searches."""
        return ()

    def _propose(self, data: Data, root: int) -> Proposal:
        space = Space(self.param_distributions, self.constraint)
        first = tuple(map(space.canonical, self.initial_points or ()))
        return self._flat(
            self._strategy(first),
            int(min(self.n_iter, space.size)),
            data,
            root,
            space=space,
            n_pending=self.n_pending,
            warm_start=self._warm_start(space),
            objectives=self._objectives(),
        )

    def _check_n_candidates(self, n_candidates: int) -> None:
        if n_candidates == self.n_iter:
            return
        if self.constraint is None:
            message = (
                f"The total space of parameters {n_candidates} is smaller than "
                f"n_iter={self.n_iter}. Running {n_candidates} iterations. For "
                "exhaustive searches, use GridSearchCV."
            )
        else:
            message = (
                f"Only {n_candidates} candidates were found that the constraint "
                f"allows, fewer than n_iter={self.n_iter}."
            )
        warn(message)
