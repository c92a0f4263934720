"""What searches share whose candidates are given more as they prove themselves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import check_classification_targets

from sktune import _compat
from sktune._random import derive_seed
from sktune._types import Problem
from sktune.execution import (
    Resource,
    check_estimator,
    check_is_estimator,
    check_subsets,
    checkpoints_in,
    enough_resources,
    find_resource,
    smallest_resources,
    subsets,
    warn_of_first_rung,
    warn_where_nothing_continues,
)
from sktune.journal import SearchJournal
from sktune.run import MAX_PENDING, AllFailed, Cost, Proposal
from sktune.schedule import (
    Asynchronous,
    Brackets,
    Plan,
    Rung,
    n_evaluations,
)
from sktune.search._base import BaseSearch
from sktune.search.inputs._data import Data, most_epochs
from sktune.search.inputs._random_draws import draw_unique, sampler
from sktune.search.inputs._splits import check_n_splits, check_splitter
from sktune.space import Space
from sktune.strategy import (
    Annealing,
    Bayes,
    Evolution,
    Listed,
    LocalSearch,
    Reinforce,
)

BY_NAME = {
    "bayes": Bayes,
    "annealing": Annealing,
    "evolution": Evolution,
    "local": LocalSearch,
    "reinforce": Reinforce,
}


@dataclass(frozen=True)
class Fidelity:
    """What candidates are given more of, and from where to where.

    Attributes
    ----------
    resource : Resource
    min_resources : int
        What candidates of the first rung are given, at least.
    """

    resource: Resource
    min_resources: int

    @property
    def max_resources(self) -> int:
        """The most that a candidate is given."""
        return self.resource.max_resources


class FidelitySearch(BaseSearch):
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
        "min_splits": [_compat.Interval(Integral, 1, None, closed="left"), None],
        "strategy": [
            _compat.StrOptions({"random", *BY_NAME}),
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

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        factor: float,
        resource: str,
        max_resources: int | str,
        min_resources: int | str,
        min_splits: int | None,
        strategy: Any,
        asynchronous: bool,
        n_pending: int | None,
        checkpoints: Any,
        max_resources_total: int | None,
        **common: Any,
    ) -> None:
        super().__init__(estimator, **common)
        self.param_distributions = param_distributions
        self.factor = factor
        self.resource = resource
        self.max_resources = max_resources
        self.min_resources = min_resources
        self.min_splits = min_splits
        self.strategy = strategy
        self.asynchronous = asynchronous
        self.n_pending = n_pending
        self.checkpoints = checkpoints
        self.max_resources_total = max_resources_total

    @abstractmethod
    def _rungs(self, fidelity: Fidelity) -> tuple[Rung, ...]:
        """The rungs; changes nothing of the search."""

    @abstractmethod
    def _set_rungs(self, rungs: tuple[Rung, ...]) -> None:
        """Set attributes that say which rungs there are."""

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
        epochs = most_epochs(self)
        check_estimator(self.estimator, self._searched(), X, y, max_epochs=epochs)
        sampler(self.param_distributions, 1, 0)  # says what is wrong with a space
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        try:
            n_splits = cv.get_n_splits(X, y, groups)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"cv={self.cv!r} needs data to say how many splits it makes "
                f"({error}) Call plan(X, y), or plan(X, y, groups)."
            ) from error
        n_splits = check_n_splits(n_splits, self.cv)
        fidelity = self._fidelity(X, y, n_splits)
        return self._planned(fidelity, n_splits)

    def _planned(self, fidelity: Fidelity, n_splits: int) -> Any:
        """What is known beforehand."""
        return self._plan(self._rungs(fidelity), fidelity.resource, n_splits)

    def _plan(self, rungs: tuple[Rung, ...], resource: Resource, n_splits: int) -> Plan:
        least = self.min_splits
        return Plan(rungs, resource.name, resource.continues, n_splits, least)

    def _fidelity(self, X: Any, y: Any, n_splits: int) -> Fidelity:
        """Find out what the resource is, and how much of it there may be."""
        if self.min_splits is not None and self.min_splits > n_splits:
            raise ValueError(
                f"min_splits={self.min_splits} is more than the {n_splits} splits of "
                f"cv={self.cv!r}. Give at most that, or None to run every rung on all."
            )
        n_samples = None if X is None else _compat.num_samples(X)
        resource = find_resource(
            self.estimator,
            self.resource,
            self.max_resources,
            self._searched(),
            n_samples,
        )
        least: Any = self.min_resources
        if isinstance(least, str):
            least = self._smallest(resource, X, y, n_splits)
        if least > resource.max_resources:
            is_samples = resource.continuation == "n_samples"
            of = f" (n_samples={n_samples})" if is_samples else ""
            raise ValueError(
                f"min_resources_={least} is greater than "
                f"max_resources_={resource.max_resources}{of}. Give a smaller "
                f"min_resources, or more {resource.name}."
            )
        return Fidelity(resource, least)

    def _smallest(self, resource: Resource, X: Any, y: Any, n_splits: int) -> int:
        n_classes = None
        if resource.continuation == "n_samples" and is_classifier(self.estimator):
            if y is None:
                raise ValueError(
                    f"min_resources={self.min_resources!r} depends on the classes in "
                    "y. Give y to fit, call plan(X, y), or give min_resources a number."
                )
            check_classification_targets(y)
            n_classes = len(np.unique(np.asarray(y)))
        least = smallest_resources(resource, n_splits, n_classes)
        if resource.continuation != "n_samples" or least >= resource.max_resources:
            return least
        return enough_resources(
            self.estimator,
            self._searched(),
            X,
            y,
            n_splits,
            least=least,
            most=resource.max_resources,
        )

    @property
    def _draws_candidates(self) -> bool:  # type: ignore[override]
        return isinstance(self.strategy, str) and self.strategy == "random"

    # -- the search ----------------------------------------------------------------

    def _propose(self, data: Data, root: int) -> Proposal:
        if isinstance(self.strategy, type):
            raise TypeError(
                f"strategy={self.strategy.__name__} is a class. Give an instance of it."
            )
        fidelity = self._fidelity_of(data)
        resource = fidelity.resource
        rungs = self._rungs(fidelity)
        self._set_rungs(rungs)
        n = sum(rung.n_candidates for rung in rungs if rung.iter == 0)
        strategy, space = self._strategy(n, root)
        in_splits = (self.min_splits, derive_seed(root, "splits"))
        schedule: Any = Brackets(rungs, *in_splits)
        if self.asynchronous:
            schedule = Asynchronous(rungs, self.factor, *in_splits)
        return Proposal(
            strategy,
            schedule,
            Problem(space, n, resource.max_resources, data.n_splits),
            n_evaluations(rungs),
            self._pending(n),
            Cost(
                rungs,
                resource.continues,
                schedule.in_order,
                min_splits=self.min_splits,
            ),
            AllFailed(rungs, resource.name),
            resource,
        )

    def _resource_of(self, data: Data) -> Resource:
        return self._fidelity_of(data).resource

    def _fidelity_of(self, data: Data) -> Fidelity:
        """Of this `fit`; sets the attributes that say so."""
        fidelity = self._fidelity(data.X, data.y, data.n_splits)
        resource = fidelity.resource
        warn_where_nothing_continues(
            self.estimator, self.resource, resource, self._searched()
        )
        self.resource_, self.continuation_ = resource.name, resource.continuation
        self.max_resources_ = resource.max_resources
        self.min_resources_ = fidelity.min_resources
        return fidelity

    def _strategy(self, n_candidates: int, root: int) -> tuple[Any, Space | None]:
        """What names the candidates, and the space that it searches."""
        if self._draws_candidates:
            random_state = self.random_state
            if random_state is None:
                random_state = derive_seed(root, "draw")
            drawn = draw_unique(
                self.param_distributions, n_candidates, random_state, self.constraint
            )
            return Listed(drawn), None
        space = Space(self.param_distributions, self.constraint)
        by_name = isinstance(self.strategy, str)
        return BY_NAME[self.strategy]() if by_name else self.strategy, space

    def _pending(self, n_candidates: int) -> int | None:
        """Candidates in flight when a strategy is asked; no limit where it is free."""
        if self.n_pending is not None:
            return self.n_pending
        if not self._draws_candidates:
            return None if self.asynchronous else 1
        is_many = n_candidates > MAX_PENDING and not self.asynchronous
        return MAX_PENDING if is_many else None

    def _announcement(self, proposal: Proposal) -> str:
        schedule: Any = proposal.schedule
        assert proposal.resource is not None
        plan = self._plan(schedule.rungs, proposal.resource, self.n_splits_)
        return f"{plan.summary}. `print(search.plan(X, y))` lists the rungs"

    @contextmanager
    def _job_options(
        self,
        data: Data,
        splits: Any,
        proposal: Proposal,
        root: int,
        journal: SearchJournal | None,
    ) -> Iterator[dict[str, Any]]:
        resource = proposal.resource
        assert resource is not None
        options: dict[str, Any] = {}
        if resource.continuation == "n_samples":
            options["subsets"] = subsets(
                splits,
                data.y,
                data.split_params.get("groups"),
                stratify=is_classifier(self.estimator),
                n_samples=_compat.num_samples(data.X),
                seed=derive_seed(root, "subset"),
            )
            check_subsets(options["subsets"], data.y, self.min_resources_)
            if rungs := getattr(proposal.schedule, "rungs", ()):
                warn_of_first_rung(
                    self.estimator,
                    self._searched(),
                    options["subsets"],
                    data.X,
                    data.y,
                    min(rung.n_resources for rung in rungs),
                )
        if not resource.continues:
            yield options
            return
        with ExitStack() as stack:
            try:
                folder, name = self.checkpoints, None
                if journal is not None:
                    name = journal.id
                    folder = folder or journal.checkpoints()
                checkpoints = stack.enter_context(checkpoints_in(folder, name))
            except OSError as error:
                raise ValueError(
                    f"checkpoints={folder!r} cannot be used as a folder: {error}. Name "
                    "one that can be made and written to."
                ) from error
            yield {**options, "checkpoints": checkpoints}
        if journal is not None and self.checkpoints is None:
            with suppress(OSError):  # there may be those of others
                checkpoints.path.parent.rmdir()
