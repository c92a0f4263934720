"""What the searches share: scikit-learn's `fit`, around a run of our own.

`BaseSearchCV.fit` evaluates candidates in calls that are barriers, which leaves no room
for a strategy that learns while fits run (docs/decisions/0001-own-fit.md). Here `fit`
is written anew and everything else is inherited; tests hold it to scikit-learn's.
"""

from __future__ import annotations

import sys
import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from functools import partial
from numbers import Real
from os import PathLike
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state

from sktune import _compat
from sktune._random import derive_seed, fresh_root
from sktune._types import Evaluation
from sktune.execution import (
    Job,
    Refit,
    preserved_random_states,
    silenced,
    threads_of_a_net,
)
from sktune.journal import SearchJournal, fingerprint, journal_in
from sktune.placement import Placement, forget_measured
from sktune.run import (
    Callbacks,
    Proposal,
    RefitMetric,
    SearchRun,
    lease_rows,
    leases_of,
)
from sktune.schedule import Flat
from sktune.search._results import (
    Outcomes,
    format_results,
    metrics_of,
    outcomes_of,
    warn_or_raise_about_failures,
)
from sktune.search.inputs._data import Data, as_dicts, read_data
from sktune.search.inputs._splits import draw_splits
from sktune.strategy import Listed

_OF_THE_BEST = (
    "best_estimator_",
    "best_index_",
    "best_params_",
    "best_score_",
    "refit_time_",
)


class BaseSearch(_compat.BaseSearchCV):
    """`fit` of every search. Subclasses say what is searched, and how.

    A subclass defines ``__init__``, with its own arguments beside the common ones, and
    `_propose`; the other methods without a docstring of scikit-learn's are hooks.
    """

    # What every search takes beyond scikit-learn's; devices are checked by placement.
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_compat.BaseSearchCV._parameter_constraints,
        "constraint": [callable, None],
        "fit_timeout": [_compat.Interval(Real, 0, None, closed="neither"), None],
        "random_state": ["random_state"],
        "journal": [str, PathLike, None],
        "max_time": [_compat.Interval(Real, 0, None, closed="neither"), None],
    }

    # Whether a generator as `random_state` draws the candidates as in scikit-learn, so
    # that nothing else may be drawn from it.
    _draws_candidates: ClassVar[bool] = False

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
        return_train_score: bool,
        journal: Any,
        max_time: float | None,
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
        self.journal = journal
        self.max_time = max_time

    # -- hooks ---------------------------------------------------------------------

    def _searched(self) -> list[dict[str, Any]]:
        """The dicts that are searched: names of parameters and what they may be."""
        return as_dicts(self.param_distributions)

    @abstractmethod
    def _propose(self, data: Data, root: int) -> Proposal:
        """Strategy, schedule and problem of one `fit`; checks the space."""

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
        n_splits, n_candidates = self.n_splits_, proposal.n_candidates
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
        with preserved_random_states():
            self._forget("leases_")  # of a `fit` before
            data = read_data(self, self._searched(), X, y, params)
            self.n_splits_ = data.n_splits
            callbacks = _compat.begin_callbacks(self, data.X, data.y, data.metadata)
            with journal_in(self.journal) as journal:
                root = self._root(journal)
                # Before the splits, as in scikit-learn: they may share a generator.
                proposal = self._propose(data, root)
                splits = draw_splits(
                    data.cv, data.X, data.y, self.n_splits_, data.split_params
                )
                if journal is not None:
                    self._begin(journal, root, proposal, data, splits)
                given = (data, splits, proposal, root, journal)
                with self._job_options(*given) as options:
                    run = self._run(*given, callbacks, options)
                    run.search(cut_short=partial(self._keep, run))
            self._write(run, data.scorers)
            if self.refit:
                self._refit(run, data.placement_of_refit, callbacks)
            if run.job.placement is not None:
                forget_measured(run.job.placement)
            callbacks.call_on_fit_task_end(
                estimator=self, X=data.X, y=data.y, metadata=data.metadata
            )
        return self

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

    def _begin(
        self,
        journal: SearchJournal,
        root: int,
        proposal: Proposal,
        data: Data,
        splits: Any,
    ) -> None:
        """Tell the journal what this search is, or compare it with what it began."""
        told = {"X": data.X, "y": data.y, **data.params, "splits": splits}
        warm_start = proposal.problem.warm_start
        if warm_start:
            told["warm_start_from"] = [
                (one.source, one.params, one.score) for one in warm_start
            ]
        # Where all candidates are given, what comes next depends on no metric.
        is_fixed = isinstance(proposal.strategy, Listed) and isinstance(
            proposal.schedule, Flat
        )
        metric = self.refit if isinstance(self.refit, str) and not is_fixed else None
        prints = {name: fingerprint(value) for name, value in told.items()}
        journal.begin(self, root, prints, metric)

    def _run(
        self,
        data: Data,
        splits: Any,
        proposal: Proposal,
        root: int,
        journal: SearchJournal | None,
        callbacks: Any,
        options: dict[str, Any],
    ) -> SearchRun:
        """The run of this `fit`."""
        estimator, scorer = silenced(self.estimator, data.scorers)
        in_use = self._uses_callbacks()
        is_repeatable = journal is not None or self.random_state is not None
        job = Job(
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
            proposal.n_candidates,
            caller=self if in_use else None,
            root=root,
            resource=proposal.resource,
            threads_of_a_net=threads_of_a_net() if is_repeatable else None,
            fit_timeout=self.fit_timeout,
            placement=data.placement,
            **options,
        )
        n_fits = proposal.n_evaluations * len(splits)
        return SearchRun(
            job,
            proposal,
            root,
            journal,
            RefitMetric(self),
            Callbacks(self, callbacks, n_fits, in_use),
            self._announcement(proposal),
            verbose=self.verbose,
            n_jobs=self.n_jobs,
            pre_dispatch=self.pre_dispatch,
            max_time=self.max_time,
            max_resources_total=getattr(self, "max_resources_total", None),
        )

    def _forget(self, *attributes: str) -> None:
        """Remove attributes that are there."""
        for name in attributes:
            if hasattr(self, name):
                delattr(self, name)

    def _uses_callbacks(self) -> bool:
        """Whether the search or a part of its estimator has callbacks."""
        get_params = getattr(self.estimator, "get_params", dict)
        parts = [self, self.estimator, *get_params().values()]
        return any(_compat.has_callbacks(part) for part in parts)

    # -- results -------------------------------------------------------------------

    def _write(self, run: SearchRun, scorers: Any) -> None:
        """Set all attributes but those of the refit."""
        rows = run.rows
        if not run.is_over_budget:
            self._check_n_candidates(len({one.candidate.id for one in rows}))
        self._count(rows)
        if run.job.placement is not None:
            self.leases_ = leases_of(run.evaluations)
        outcomes = outcomes_of(rows)
        self._check_outcomes(run, outcomes)
        refit_metric = self._check_metrics(outcomes)
        # Before anything may raise or be interrupted: these have cost the most.
        self.cv_results_ = format_results(self, rows, outcomes)
        joined = isinstance(scorers, _compat.MultimetricScorer)
        self.scorer_ = scorers._scorers if joined else scorers
        if run.is_over_budget:
            self._warn_of_end(run)
        elif run.proposal.all_failed is not None:
            run.proposal.all_failed.check()
        self._choose(refit_metric)

    def _keep(self, run: SearchRun, reason: BaseException) -> None:
        """Set the results of a search that ends too early."""
        rows = run.rows
        if rows:
            # Neither a warning nor an error may hide why the search ends.
            with warnings.catch_warnings(), suppress(Exception):
                warnings.simplefilter("ignore")
                self._forget(*_OF_THE_BEST)  # of a `fit` before
                outcomes = outcomes_of(rows)
                refit_metric = self._check_metrics(outcomes)
                self.cv_results_ = format_results(self, rows, outcomes)
                self._count(rows)
                if any(run.metric.score(one) is not None for one in outcomes):
                    self._choose(refit_metric)
        if run.job.placement is not None:
            self.leases_ = leases_of(run.evaluations)
        if isinstance(reason, KeyboardInterrupt):
            self._say_interrupted(len(rows), run.proposal)

    def _check_outcomes(self, run: SearchRun, outcomes: Outcomes) -> None:
        """Warn of failures; raise where nothing is left to be chosen."""
        warn_or_raise_about_failures(outcomes, self.error_score)
        tracebacks = [one.fit_error for one in outcomes if one.fit_error is not None]
        all_failed = all(run.metric.score(one) is None for one in outcomes)
        if self.refit and tracebacks and all_failed:
            raise ValueError(
                "There is no candidate to refit: every fit failed or scored something "
                "that is not finite. To see all scores, set refit=False. The first "
                f"traceback:\n{tracebacks[0]}"
            )

    def _check_metrics(self, outcomes: Outcomes) -> Any:
        """Whether there are several metrics, and which of them the refit goes by."""
        metrics = metrics_of(outcomes)
        self.multimetric_ = metrics is not None
        if metrics is None:
            return "score"
        if callable(self.scoring):
            self._check_refit_for_multimetric(metrics)
        return self.refit

    def _choose(self, refit_metric: Any) -> None:
        if not self.refit and self.multimetric_:
            return
        results = self.cv_results_
        self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
        self.best_params_ = results["params"][self.best_index_]

    def _refit(
        self, run: SearchRun, placement: Placement | None, callbacks: Any
    ) -> None:
        """Fit the best candidate on all data."""
        self._forget("best_estimator_")  # of a `fit` before
        refit = Refit(
            run.job,
            self.estimator,
            self.best_params_,
            derive_seed(run.root, "refit"),
            placement,
            callbacks.subcontext(task_name="refit-with-best-params"),
        )
        outcome = refit.run()
        self.best_estimator_ = refit.best
        self.refit_time_ = refit.seconds
        if hasattr(refit.best, "feature_names_in_"):
            self.feature_names_in_ = refit.best.feature_names_in_
        if placement is not None:
            candidates = self.cv_results_.get("candidate")
            index = self.best_index_
            best = index if candidates is None else candidates[index]
            self.leases_ += lease_rows(outcome, candidate=int(best))

    # -- messages ------------------------------------------------------------------

    def _say_interrupted(self, n_done: int, proposal: Proposal) -> None:
        rest = "a journal would let it continue"
        if self.journal is not None:
            rest = f"the next fit with journal={str(self.journal)!r} continues it"
        print(
            f"{type(self).__name__} was interrupted: {n_done} of "
            f"{proposal.n_evaluations} evaluations are in cv_results_; {rest}.",
            file=sys.stderr,
            flush=True,
        )

    def _warn_of_end(self, run: SearchRun) -> None:
        rest = "Allow for more to run the rest."
        if self.journal is not None:
            rest = "Allow for more and call fit again: the journal continues."
        warnings.warn(
            f"{run.budget} was spent after {len(run.rows)} of "
            f"{run.proposal.n_evaluations} evaluations; the best of these is the "
            f"result. {rest}",
            UserWarning,
            stacklevel=2,
        )
