"""What the searches share: scikit-learn's `fit`, around a run of our own.

`BaseSearchCV.fit` evaluates candidates in calls that are barriers, which leaves no room
for a strategy that learns while fits run (docs/decisions/0001-own-fit.md). Here `fit`
is written anew and everything else is inherited; tests hold it to scikit-learn's.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import copy, deepcopy
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state

from sktune import _compat
from sktune._random import fresh_root
from sktune._types import Evaluation
from sktune.execution import (
    EarlyWorkers,
    Interrupts,
    Job,
    Resource,
    check_limit,
    checkpoints_in,
    largest_stack,
    preserved_random_states,
    refuse_alike,
    silenced,
    threads_of_a_net,
)
from sktune.journal import SearchJournal, fingerprint, journal_in
from sktune.placement import forget_measured
from sktune.run import (
    Callbacks,
    Proposal,
    RefitMetric,
    SearchRun,
    Told,
    rehearse,
)
from sktune.schedule import Flat
from sktune.search._again import RunsAgain
from sktune.search._kept import write_kept
from sktune.search._preview import preview
from sktune.search._provenance import provenance_of
from sktune.search._report import Reported
from sktune.search._results import (
    forget,
    keeping_results,
    write_refit,
    write_results,
)
from sktune.search._stacking import StackPlan, plan_of_stacks
from sktune.search.inputs._data import Data, as_dicts, read_data
from sktune.search.inputs._splits import draw_splits
from sktune.strategy import Listed


class BaseSearch(RunsAgain, Reported, _compat.BaseSearchCV):
    """`fit` of every search. Subclasses say what is searched, and how.

    A subclass defines ``__init__``, with its own arguments beside the common ones, and
    `_propose`; the other methods without a docstring of scikit-learn's are hooks.
    """

    # What every search takes beyond scikit-learn's; devices are checked by placement.
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_compat.BaseSearchCV._parameter_constraints,
        "constraint": [callable, None],
        "fit_memory": [_compat.Interval(Real, 0, None, closed="neither"), str, None],
        "fit_timeout": [_compat.Interval(Real, 0, None, closed="neither"), None],
        "random_state": ["random_state"],
        "stacked": ["boolean", _compat.StrOptions({"auto"})],
        "max_stack": [_compat.Interval(Integral, 1, None, closed="left"), None],
        "journal": [str, PathLike, None],
        "keep": [
            _compat.StrOptions({"best"}),
            _compat.Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "max_time": [_compat.Interval(Real, 0, None, closed="neither"), None],
        "listeners": "no_validation",  # where they are read, with a better message
    }

    # Whether a generator as `random_state` draws the candidates as in scikit-learn, so
    # that nothing else may be drawn from it.
    _draws_candidates: ClassVar[bool] = False

    # Arguments that clones share: they may hold what cannot be copied, are to hear of
    # clones as well, or would have nothing to tell as a copy that is not fitted.
    _shared: ClassVar[tuple[str, ...]] = ("listeners",)

    def __init__(
        self,
        estimator: Any,
        *,
        constraint: Callable[[dict[str, Any]], bool] | None,
        scoring: Any,
        n_jobs: int | None,
        devices: Any,
        fits_per_device: int | str,
        refit: Any,
        cv: Any,
        verbose: int,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any,
        error_score: float | str,
        fit_timeout: float | None,
        fit_memory: float | str | None,
        stacked: bool | str,
        max_stack: int | None,
        return_train_score: bool,
        keep: str | int | None,
        journal: Any,
        max_time: float | None,
        listeners: Any,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.constraint = constraint
        self.devices = devices
        self.fits_per_device = fits_per_device
        self.random_state = random_state
        self.fit_timeout = fit_timeout
        self.fit_memory = fit_memory
        self.stacked = stacked
        self.max_stack = max_stack
        self.keep = keep
        self.journal = journal
        self.max_time = max_time
        self.listeners = listeners

    def __sklearn_clone__(self) -> Any:
        cloned = super(BaseSearch, self._without_shared()).__sklearn_clone__()
        for name in self._shared:
            setattr(cloned, name, getattr(self, name))
        return cloned

    # -- hooks ---------------------------------------------------------------------

    def _searched(self) -> list[dict[str, Any]]:
        """The dicts that are searched: names of parameters and what they may be."""
        return as_dicts(self.param_distributions)

    @abstractmethod
    def _propose(self, data: Data, root: int) -> Proposal:
        """Strategy, schedule and problem of one `fit`; checks the space."""

    def _resource_of(self, data: Data) -> Resource | None:
        """What candidates are given more of; None where they get all at once."""
        return None

    @contextmanager
    def _job_options(
        self,
        data: Data,
        splits: Any,
        proposal: Proposal,
        root: int,
        journal: SearchJournal | None,
    ) -> Iterator[dict[str, Any]]:
        """What a `Job` is to know beyond what all searches tell it."""
        yield {}

    def _announcement(self, proposal: Proposal) -> str:
        """What `verbose` says before the first fit."""
        n_splits, n_candidates = self.n_splits_, proposal.problem.n_candidates or 0
        return (
            f"Fitting {n_splits} folds for each of {n_candidates} candidates, "
            f"totalling {n_candidates * n_splits} fits"
        )

    def _check_n_candidates(self, n_candidates: int) -> None:
        """Say so if there were fewer candidates than asked for."""

    def _count(self, rows: list[Evaluation]) -> None:
        """Set attributes that say how many candidates there were."""

    # -- fit -----------------------------------------------------------------------

    @_compat.fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Search, and refit the best candidate on all data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Training data: an array, a sparse matrix, a data frame, a list, a torch
            tensor, or a skorch ``SliceDict`` or ``SliceDataset``.
        y : array-like of shape (n_samples,) or (n_samples, n_output), default=None
            Targets; None for unsupervised learning.
        **params : dict of str -> object
            Passed to the estimator's ``fit``, to the scorer and to the splitter, as
            scikit-learn's searches do. What is as long as `X` is split with `X`;
            ``groups`` goes to the splitter.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        ValueError
            Where something is wrong that can be known before the first fit, and where
            every fit failed; then with the first traceback.
        JournalError
            Where the journal cannot be written or is of another search; a ValueError
            too.
        KeyboardInterrupt
            On Ctrl-C. What is complete is in `cv_results_` and `best_params_` then.
        """
        if type(self)._run_search is not BaseSearch._run_search:
            # A subclass that brings a search of its own gets scikit-learn's `fit`.
            return super().fit(X, y, **params)
        early = EarlyWorkers(self.estimator, self.n_jobs)
        told = Told(self)
        with (
            Interrupts() as interrupts,
            preserved_random_states() as callers,
            early,
            told,
            nullcontext() if self.keep is None else checkpoints_in(None) as kept,
        ):
            # Of a `fit` before
            forget(self, "leases_", "paths_", "curves_", "kept_", "provenance_")
            forget(self, "pareto_front_")
            check_limit(self.fit_memory)
            data = read_data(self, self._searched(), X, y, params)
            self.n_splits_ = data.n_splits
            callbacks = _compat.begin_callbacks(self, data.X, data.y, data.metadata)
            with keeping_results(self) as keeper:
                with journal_in(self.journal) as journal:
                    root = self._root(journal)
                    # Before the splits, as in scikit-learn: they may share a generator.
                    proposal = self._propose(data, root)
                    with callers.drawing():  # a splitter without a seed does, there
                        splits = draw_splits(
                            data.cv, data.X, data.y, self.n_splits_, data.split_params
                        )
                    max_stack = self._max_stack(data, journal)
                    if journal is not None:
                        self._begin(journal, root, proposal, data, splits, max_stack)
                    given = (data, splits, proposal, root, journal)
                    with self._job_options(*given) as options:
                        options |= {"max_stack": max_stack, "kept": kept}
                        keeper.run = run = self._run(*given, callbacks, told, options)
                        early.keep()
                        self.provenance_ = provenance_of(run)
                        run.search(cut_short=keeper.keep)
                interrupts.raise_again()
                write_results(self, run, data.scorers)
                if kept is not None:
                    write_kept(self, run)
            if self.refit:
                write_refit(self, run, data.placement_of_refit, callbacks)
            if run.job.placement is not None:
                forget_measured(run.job.placement)
            callbacks.call_on_fit_task_end(
                estimator=self, X=data.X, y=data.y, metadata=data.metadata
            )
        return self

    def stacking(self, X: Any, y: Any = None, **params: Any) -> StackPlan:
        """Which fits `fit` would train as one with `stacked`, and why not others.

        Nets of each shape among the candidates that are decided on before the first
        score are trained for a few batches, as one and by themselves. Nothing is kept
        of it; callbacks of the nets are called.

        Parameters
        ----------
        X, y, **params
            As `fit` takes them.

        Returns
        -------
        plan : StackPlan
            ``print(search.stacking(X, y))`` shows a table: the params that nets of one
            shape have in common, their fits, the stacks that these make, how many times
            quicker an epoch is, and what keeps them from being stacked.

        Raises
        ------
        ValueError
            For what `fit` would refuse.
        """
        with preview(self, X, y, params, stacked=self.stacked or True) as one:
            return plan_of_stacks(one)

    def _run_search(
        self, evaluate_candidates: Any, *, callback_ctx: Any = None
    ) -> None:
        raise NotImplementedError(
            f"scikit-learn's own fit cannot run {type(self).__name__}: it knows no "
            "strategies that learn while fits run. Call the search's own fit."
        )

    def _root(self, journal: SearchJournal | None) -> int:
        """Root of the seed tree of this `fit`."""
        recorded = None if journal is None else journal.root(self)
        if recorded is not None:
            return recorded
        random_state = self.random_state
        if random_state is None:
            return fresh_root()
        if isinstance(random_state, int | np.integer):
            return int(random_state)
        if self._draws_candidates:
            random_state = deepcopy(random_state)
        # A generator moves on, as it does in scikit-learn: a second fit differs.
        return int(check_random_state(random_state).randint(2**31 - 1))

    def _max_stack(self, data: Data, journal: SearchJournal | None) -> int | None:
        """Nets that are trained as one at most; None where none are."""
        if not self.stacked:
            return None
        if self.max_stack is not None:
            return self.max_stack
        recorded = None if journal is None else journal.max_stack()
        if recorded is not None:
            return recorded
        return largest_stack(self.estimator, data.X, self.n_splits_, data.placement)

    def _begin(
        self,
        journal: SearchJournal,
        root: int,
        proposal: Proposal,
        data: Data,
        splits: Any,
        max_stack: int | None,
    ) -> None:
        """Tell the journal what this search is, or compare it with what it began."""
        told = {"X": data.X, "y": data.y, **data.params, "splits": splits}
        warm_start = proposal.problem.warm_start
        if warm_start:
            told["warm_start_from"] = [
                (one.source, one.params, one.score, *one.objectives)
                for one in warm_start
            ]
        # Where all candidates are given, what comes next depends on no metric.
        is_fixed = isinstance(proposal.strategy, Listed) and isinstance(
            proposal.schedule, Flat
        )
        metric = self.refit if isinstance(self.refit, str) and not is_fixed else None
        prints = {name: fingerprint(value) for name, value in told.items()}
        precision, n_candidates = (
            data.settings.precision(),
            proposal.problem.n_candidates,
        )
        resource = None if proposal.resource is None else proposal.resource.name
        about = (precision, n_candidates, max_stack, resource, threads_of_a_net())
        journal.begin(self, root, prints, metric, *about)
        if journal.changed:
            rehearse(proposal, root, journal, RefitMetric(self).score)
            journal.go_on()

    def _run(
        self,
        data: Data,
        splits: Any,
        proposal: Proposal,
        root: int,
        journal: SearchJournal | None,
        callbacks: Any,
        told: Told,
        options: dict[str, Any],
        announcement: str | None = None,
    ) -> SearchRun:
        """The run of this `fit`."""
        job = self._job(data, splits, proposal, root, journal, options)
        n_evaluations = proposal.n_evaluations
        n_fits = None if n_evaluations is None else n_evaluations * len(splits)
        return SearchRun(
            job,
            proposal,
            root,
            journal,
            RefitMetric(self),
            Callbacks(self, callbacks, n_fits, job.caller is not None),
            told,
            announcement or self._announcement(proposal),
            refit=bool(self.refit),
            verbose=self.verbose,
            n_jobs=self.n_jobs,
            pre_dispatch=self.pre_dispatch,
            max_time=self.max_time,
            max_resources_total=getattr(self, "max_resources_total", None),
            n_kept=self.keep if isinstance(self.keep, int) else 1,
        )

    def _job(
        self,
        data: Data,
        splits: Any,
        proposal: Proposal,
        root: int,
        journal: SearchJournal | None,
        options: dict[str, Any],
    ) -> Job:
        """What all fits have in common."""
        estimator, scorer = silenced(self.estimator, data.scorers)
        in_use = self._uses_callbacks()
        is_repeatable = journal is not None or self.random_state is not None
        return Job(
            estimator,
            data.X,
            data.y,
            splits,
            scorer,
            data.fit_params,
            data.score_params,
            self.error_score,
            self.return_train_score,
            self.verbose,
            proposal.problem.n_candidates,
            caller=self._without_shared() if in_use else None,
            root=root,
            resource=proposal.resource,
            threads_of_a_net=threads_of_a_net() if is_repeatable else None,
            fit_timeout=self.fit_timeout,
            fit_memory=self.fit_memory,
            placement=data.placement,
            refuse_alike=refuse_alike(self.estimator, self._searched()),
            settings=data.settings,
            stacked=self.stacked,
            **options,
        )

    def _without_shared(self) -> Any:
        """A search that can be copied and sent to workers, whatever it was given."""
        if all(getattr(self, name) is None for name in self._shared):
            return self
        bare = copy(self)
        for name in self._shared:
            setattr(bare, name, None)
        return bare

    def _uses_callbacks(self) -> bool:
        """Whether the search or a part of its estimator has callbacks."""
        get_params = getattr(self.estimator, "get_params", dict)
        parts = [self, self.estimator, *get_params().values()]
        return any(_compat.has_callbacks(part) for part in parts)
