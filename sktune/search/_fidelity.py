"""What searches share whose candidates are given more as they prove themselves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import check_classification_targets

from sktune import _compat
from sktune._random import derive_seed
from sktune.execution import (
    check_estimator,
    check_is_estimator,
    check_subsets,
    checkpoints_in,
    find_resource,
    smallest_resources,
    subsets,
    train_fully,
)
from sktune.journal._replay import History
from sktune.run.listeners._all_failed import Hopes
from sktune.run.listeners._progress import Cost
from sktune.schedule import (
    Asynchronous,
    Brackets,
    Plan,
    Rung,
    n_evaluations,
    total_resources,
)
from sktune.search._base import AHEAD, BaseSearch, Proposal
from sktune.search.inputs._random_draws import draw_unique, sampler
from sktune.search.inputs._splits import check_n_splits, check_splitter
from sktune.space import Space
from sktune.strategy import Bayes, Listed


class RungsSearch(BaseSearch):
    """`fit` and `plan` of the searches with rungs; subclasses say which rungs."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearch._parameter_constraints,
        "param_distributions": [dict, list],
        "factor": [_compat.Interval(Real, 1, None, closed="neither")],
        "resource": [str],
        "max_resources": [
            _compat.Interval(Integral, 1, None, closed="left"),
            _compat.StrOptions({"auto"}),
        ],
        "strategy": [
            _compat.StrOptions({"random", "bayes"}),
            _compat.HasMethods(["init", "ask", "tell"]),
        ],
        "asynchronous": ["boolean"],
        "n_pending": [_compat.Interval(Integral, 1, None, closed="left"), None],
        "checkpoints": [str, PathLike, None],
        "max_resources_total": [
            _compat.Interval(Integral, 1, None, closed="left"),
            None,
        ],
    }
    _parameter_constraints.pop("pre_dispatch")

    @abstractmethod
    def _rungs(self) -> tuple[Rung, ...]:
        """The rungs, from `min_resources_`, `max_resources_` and the space."""

    # -- before anything is trained ------------------------------------------------

    def plan(self, X: Any = None, y: Any = None, groups: Any = None) -> Plan:
        """What `fit` would do: the rungs, the fits and the total resource.

        Parameters
        ----------
        X, y, groups : data, default=None
            Only needed where the resource or the splitter depends on them.

        Returns
        -------
        plan : Plan
            ``print(search.plan())`` shows a table. A search whose candidates fail may
            spend less.

        Raises
        ------
        ValueError
            Where data are needed and not given, and for arguments and names of
            parameters that `fit` would refuse.
        """
        self._validate_params()
        check_is_estimator(self.estimator)
        check_splitter(self.cv)
        if isinstance(self.cv, Iterator):
            raise ValueError(
                "cv is an iterator, which can be read only once, and `fit` has to read "
                "it. Pass a list of its splits: cv=list(cv)."
            )
        check_estimator(self.estimator, self._searched(), X, y)
        sampler(self.param_distributions, 1, 0)  # says what is wrong with a space
        planned = copy(self)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        try:
            n_splits = cv.get_n_splits(X, y, groups)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"cv={self.cv!r} needs data to say how many splits it makes "
                f"({error}) Call plan(X, y), or plan(X, y, groups)."
            ) from error
        planned.n_splits_ = check_n_splits(n_splits, self.cv)
        planned._prepare(X, y)
        return planned._planned(planned._rungs())

    def _planned(self, rungs: tuple[Rung, ...]) -> Plan:
        resource = self._resource
        return Plan(rungs, resource.name, resource.continues, self.n_splits_)

    def _prepare(self, X: Any, y: Any) -> None:
        """Settle `max_resources_`, `min_resources_` and `continuation_`."""
        n_samples = None if X is None else _compat.num_samples(X)
        self._resource = find_resource(
            self.estimator,
            self.resource,
            self.max_resources,
            self._searched(),
            n_samples,
        )
        self.resource_ = self._resource.name
        self.continuation_ = way = self._resource.way
        self.max_resources_ = self._resource.max_resources
        self.min_resources_ = self.min_resources
        if isinstance(self.min_resources, str):
            self.min_resources_ = self._smallest(X, y)
        if self.min_resources_ > self.max_resources_:
            raise ValueError(
                f"min_resources_={self.min_resources_} is greater than "
                f"max_resources_={self.max_resources_}"
                f"{f' (n_samples={n_samples})' if way == 'n_samples' else ''}. Give a "
                f"smaller min_resources, or more {self.resource_}."
            )

    def _smallest(self, X: Any, y: Any) -> int:
        n_classes = None
        if self._resource.way == "n_samples" and is_classifier(self.estimator):
            if y is None:
                raise ValueError(
                    f"min_resources={self.min_resources!r} depends on the classes in "
                    "y. Give y to fit, call plan(X, y), or give min_resources a number."
                )
            check_classification_targets(y)
            n_classes = len(np.unique(np.asarray(y)))
        return smallest_resources(self._resource, self.n_splits_, n_classes)

    @property
    def _draws_candidates(self) -> bool:  # type: ignore[override]
        return isinstance(self.strategy, str) and self.strategy == "random"

    # -- the search ----------------------------------------------------------------

    def _propose(self, root: int) -> Proposal:
        if isinstance(self.strategy, type):
            raise TypeError(
                f"strategy={self.strategy.__name__} is a class. Give an instance of it."
            )
        rungs = self._rungs()
        n = sum(rung.n_candidates for rung in rungs if rung.iter == 0)
        n_pending, space, strategy = self._pending(), None, self.strategy
        if self._draws_candidates:
            random_state = self.random_state
            if random_state is None:
                random_state = derive_seed(root, "draw")
            drawn = draw_unique(
                self.param_distributions, n, random_state, self.constraint
            )
            strategy = Listed(drawn)
            if n > AHEAD and not self.asynchronous and n_pending is None:
                n_pending = AHEAD
        else:
            space = Space(self.param_distributions, self.constraint)
        if isinstance(strategy, str) and strategy == "bayes":
            strategy = Bayes()
        schedule: Any = Brackets(rungs)
        if self.asynchronous:
            schedule = Asynchronous(rungs, self.factor)
        continues = self._resource.continues
        return Proposal(
            strategy,
            schedule,
            space,
            n,
            n_evaluations(rungs),
            n_pending,
            Cost(total_resources(rungs, continues=continues), continues),
            Hopes(rungs, self._resource.name),
        )

    def _announcement(self, proposal: Proposal) -> str:
        schedule: Any = proposal.schedule
        return str(self._planned(schedule.rungs))

    def _pending(self) -> int | None:
        """Candidates in flight when a strategy is asked; no limit where it is free."""
        if self.n_pending is not None:
            return self.n_pending
        return None if self.asynchronous or self._draws_candidates else 1

    @contextmanager
    def _job_options(
        self,
        splits: Any,
        X: Any,
        y: Any,
        groups: Any,
        root: int,
        history: History | None,
    ) -> Iterator[dict[str, Any]]:
        options: dict[str, Any] = {"resource": self._resource, "seed": root}
        if self._resource.way == "n_samples":
            options["subsets"] = subsets(
                splits,
                y,
                groups,
                stratify=is_classifier(self.estimator),
                n_samples=_compat.num_samples(X),
                seed=derive_seed(root, "subset"),
            )
            check_subsets(options["subsets"], y, self.min_resources_)
        if not self._resource.continues:
            yield options
            return
        with ExitStack() as stack:
            try:
                folder, name = self.checkpoints, None
                if history is not None:
                    name = history.id
                    folder = folder or history.checkpoints()
                checkpoints = stack.enter_context(checkpoints_in(folder, name))
            except OSError as error:
                raise ValueError(
                    f"checkpoints={folder!r} cannot be used as a folder: {error}. Name "
                    "one that can be made and written to."
                ) from error
            yield {**options, "checkpoints": checkpoints}
        if history is not None and self.checkpoints is None:
            with suppress(OSError):  # there may be those of others
                checkpoints.path.parent.rmdir()

    def _best(self) -> Any:
        best = super()._best()
        if self._resource.way not in ("n_samples", "partial_fit"):
            best.set_params(**{self._resource.name: self.max_resources_})
        return best

    def _fit_best(self, best: Any, X: Any, y: Any, fit_params: Any) -> None:
        if self._resource.way == "partial_fit":
            train_fully(best, X, y, fit_params, self._resource)
        else:
            super()._fit_best(best, X, y, fit_params)

    def _run_search(
        self, evaluate_candidates: Any, *, callback_ctx: Any = None
    ) -> None:
        raise NotImplementedError(
            f"scikit-learn's own fit cannot run {type(self).__name__}: it knows "
            "neither rungs nor nets that go on. Call the search's own fit."
        )
