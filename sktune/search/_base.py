"""What the searches share: scikit-learn's `fit`, around an engine of our own.

`BaseSearchCV.fit` evaluates candidates in calls that are barriers, which leaves no room
for a strategy that learns while fits run (docs/decisions/0001-own-fit.md). Here `fit`
is written anew and everything else is inherited; tests hold it to scikit-learn's.
"""

from __future__ import annotations

import sys
import time
import warnings
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from copy import deepcopy
from numbers import Real
from os import PathLike
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, indexable

from sktune import _compat
from sktune._errors import JournalError
from sktune._random import derive_seed, fresh_root
from sktune._types import (
    Evaluation,
    FitOutcome,
    Observation,
    Schedule,
    Strategy,
    WarmStartObservation,
)
from sktune.engine import Engine
from sktune.execution import (
    Attempt,
    Interrupts,
    Job,
    OwnDevices,
    Workers,
    check_estimator,
    check_is_estimator,
    check_placement,
    own_random_states,
    preserved_random_states,
    run_leased,
    score_of,
    single_threaded,
    workers_are_here,
    write_device,
)
from sktune.journal._fingerprints import fingerprint
from sktune.journal._replay import History, history_in
from sktune.placement import Placement, forget_measured, has_lease
from sktune.run._lease_rows import lease_rows, leases_of
from sktune.run.listeners._all_failed import Hopes
from sktune.run.listeners._budget import Budget
from sktune.run.listeners._progress import Cost, Progress
from sktune.run.listeners._refit_metric import Metrics
from sktune.schedule import Flat
from sktune.search._results import format_results, judge
from sktune.search._through_sklearn import ThroughSklearn
from sktune.search.inputs._splits import (
    NO_FITS,
    check_n_splits,
    check_splitter,
    read_splits,
)
from sktune.strategy import Listed

_OF_THE_BEST = (
    "best_estimator_",
    "best_index_",
    "best_params_",
    "best_score_",
    "refit_time_",
)
# Candidates that may wait for workers. With more of them, starting would take long.
AHEAD = 1_000


class Proposal(NamedTuple):
    """What a search brings to the engine.

    Attributes
    ----------
    strategy, schedule, space : as the engine takes them
    n_candidates : int
        Candidates that will be started, unless the space has fewer.
    n_evaluations : int
        Rows of `cv_results_` that are expected; more than candidates where these are
        resumed.
    n_pending : int or None
        As the engine takes it.
    cost : Cost
        What evaluations cost beside each other, to tell how long they will take.
    hopes : Hopes or None
        Sees every evaluation, and raises where nobody can go on.
    warm_start : sequence of WarmStartObservation
        What the strategy knows from other searches.
    """

    strategy: Strategy
    schedule: Schedule
    space: Any
    n_candidates: int
    n_evaluations: int
    n_pending: int | None = None
    cost: Cost = Cost()
    hopes: Hopes | None = None
    warm_start: Sequence[WarmStartObservation] = ()

    @classmethod
    def flat(
        cls, strategy: Strategy, space: Any, n_candidates: int, **options: Any
    ) -> Proposal:
        """Every candidate gets everything at once."""
        if n_candidates > AHEAD:
            options.setdefault("n_pending", AHEAD)
        schedule = Flat(n_candidates)
        return cls(strategy, schedule, space, n_candidates, n_candidates, **options)


class BaseSearch(_compat.BaseSearchCV):
    """`fit` of every search. Subclasses say what is searched, and how."""

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

    def _searched(self) -> list[dict[str, Any]]:
        """The dicts that are searched: names of parameters and what they may be."""
        return as_dicts(self.param_distributions)

    @abstractmethod
    def _propose(self, root: int) -> Proposal:
        """Strategy and schedule of one `fit`; checks the space."""

    def _check_n_candidates(self, n_candidates: int) -> None:
        """Say so if there were fewer candidates than asked for."""

    def _prepare(self, X: Any, y: Any) -> None:
        """Find out what `_propose` has to know of the data."""

    def _job_options(
        self,
        splits: Any,
        X: Any,
        y: Any,
        groups: Any,
        root: int,
        history: History | None,
    ) -> Any:
        """A context of what a `Job` is to know beyond what all searches tell it."""
        return nullcontext({})

    def _count(self, evaluations: list[Evaluation]) -> None:
        """Set attributes that say how many candidates there were."""

    def _best(self) -> Any:
        """An estimator with the best params, to be fitted on all data."""
        # Parameters may be estimators themselves: cloned, they stay unfitted.
        return clone(self.estimator).set_params(**clone(self.best_params_, safe=False))

    def _fit_best(self, best: Any, X: Any, y: Any, fit_params: Any) -> None:
        if y is not None:
            best.fit(X, y, **fit_params)
        else:
            best.fit(X, **fit_params)

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
        if not type(self)._run_search.__module__.startswith("sktune."):
            # A subclass that brings a search of its own gets scikit-learn's `fit`.
            return super().fit(X, y, **params)
        with preserved_random_states():
            return self._fit(X, y, params)

    def _fit(self, X: Any, y: Any, params: dict[str, Any]) -> Any:
        check_is_estimator(self.estimator)
        scorers, refit_metric = self._get_scorers()
        X, y = indexable(X, y)
        params = _compat.check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        weights = params.get("sample_weight")
        _check_weights(weights, X)
        metadata = None if weights is None else {"sample_weight": weights}
        callbacks = _compat.begin_callbacks(self, X, y, metadata)

        cv = self._check_cv(X, y, routed.splitter.split)
        check_estimator(self.estimator, self._searched(), X, y)
        placement, of_refit = self._place()
        in_use = self._uses_callbacks()
        groups = routed.splitter.split.get("groups")
        with history_in(self.journal) as history:
            root = self._root(history)
            self._prepare(X, y)
            # Before the splits, as in scikit-learn: the two may share a generator.
            proposal = self._propose(root)
            splits = self._split(cv, X, y, routed.splitter.split)
            if history is not None:
                data = {"X": X, "y": y, **params, "splits": splits}
                self._begin(history, root, proposal, data)
            with self._job_options(splits, X, y, groups, root, history) as options:
                job = Job.of(
                    self.estimator,
                    repeatable=history is not None or self._is_seeded(),
                    X=X,
                    y=y,
                    splits=splits,
                    scorer=scorers,
                    fit_params=routed.estimator.fit,
                    score_params=routed.scorer.score,
                    error_score=self.error_score,
                    return_train_score=self.return_train_score,
                    verbose=self.verbose,
                    n_candidates=proposal.n_candidates,
                    caller=self if in_use else None,
                    fit_timeout=self.fit_timeout,
                    placement=placement,
                    **options,
                )
                evaluations, budget = self._search(
                    job, proposal, root, callbacks, in_use, history, refit_metric
                )
        self._count(evaluations)
        if placement is not None:
            self.leases_ = leases_of(evaluations)
        outcomes = self._outcomes(evaluations)
        refit_metric = self._check_metrics(outcomes[0]["test_scores"], refit_metric)
        results = format_results(self, evaluations, outcomes)
        # Before anything may raise or be interrupted: these have cost the most.
        self.cv_results_ = results
        joined = isinstance(scorers, _compat.MultimetricScorer)
        self.scorer_ = scorers._scorers if joined else scorers
        if budget.over is not None:
            self._warn_of_end(budget, len(evaluations), proposal)
        elif proposal.hopes is not None:
            proposal.hopes.end()
        self._choose(results, refit_metric)
        if self.refit:
            seed = derive_seed(root, "refit")
            self._refit(X, y, routed.estimator.fit, seed, callbacks, of_refit)
        if placement is not None:
            forget_measured(placement)
        callbacks.call_on_fit_task_end(estimator=self, X=X, y=y, metadata=metadata)
        return self

    def _begin(
        self, history: History, root: int, proposal: Proposal, data: dict[str, Any]
    ) -> None:
        """Tell the journal what this search is, or compare it with what it began."""
        if proposal.warm_start:
            data["warm_start_from"] = [
                (one.source, one.params, one.score) for one in proposal.warm_start
            ]
        prints = {name: fingerprint(value) for name, value in data.items()}
        history.begin(self, root, prints, self._steered_by(proposal))

    def _place(self) -> tuple[Placement | None, Placement | None]:
        """Where the fits run, and where the refit does; None is the own device."""
        if hasattr(self, "leases_"):
            del self.leases_  # of an earlier fit
        placement = Placement.of(self.devices, self.fits_per_device)
        if placement is None or has_lease():
            return None, None
        return placement, check_placement(
            placement,
            self.estimator,
            self._searched(),
            workers_are_here=workers_are_here(),
        )

    def _check_cv(self, X: Any, y: Any, split_params: dict[str, Any]) -> Any:
        check_splitter(self.cv)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        self._checked_cv_orig = cv
        n_splits = cv.get_n_splits(X, y, **split_params)
        self.n_splits_ = check_n_splits(n_splits, self.cv)
        return cv

    def _split(self, cv: Any, X: Any, y: Any, split_params: dict[str, Any]) -> Any:
        """Draw the splits, once for the whole search."""
        drawn = cv.split(X, y, **split_params)
        splits = read_splits(drawn, _compat.num_samples(X))
        if not splits:
            raise ValueError(NO_FITS)
        if len(splits) != self.n_splits_:
            raise ValueError(
                "cv.split and cv.get_n_splits return inconsistent results. Expected "
                f"{self.n_splits_} splits, got {len(splits)}"
            )
        return splits

    def _is_seeded(self) -> bool:
        return getattr(self, "random_state", None) is not None

    def _root(self, history: History | None = None) -> int:
        """Root of the seed tree of this `fit`."""
        known = None if history is None else history.root(self)
        if known is not None:
            return known
        random_state = getattr(self, "random_state", None)
        if random_state is None:
            return fresh_root()
        if isinstance(random_state, int | np.integer):
            return int(random_state)
        if self._draws_candidates:
            random_state = deepcopy(random_state)
        # A generator moves on, as it does in scikit-learn: a second fit differs.
        return int(check_random_state(random_state).randint(2**31 - 1))

    def _search(
        self,
        job: Job,
        proposal: Proposal,
        root: int,
        callbacks: Any,
        in_use: bool,
        history: History | None,
        refit_metric: Any,
    ) -> tuple[list[Evaluation], Budget]:
        n_splits = len(job.splits)
        n_fits = proposal.n_evaluations * n_splits
        if self.verbose > 0:
            print(self._announcement(proposal))
        task = callbacks.subcontext(
            task_name="search", max_subtasks=n_fits, sequential_subtasks=False
        ).call_on_fit_task_begin(estimator=self)

        def context(number: int) -> Any:
            if not in_use:
                return None
            return task.subcontext(
                task_name="candidate-split-evaluation", task_id=number
            )

        progress = Progress(proposal.n_evaluations, self.verbose, proposal.cost)

        metrics = Metrics(self)

        def on_evaluation(one: Evaluation, seen: Observation) -> None:
            metrics.see(one)
            progress(one, seen)
            if proposal.hopes is not None:
                proposal.hopes.see(one, seen)

        budget = Budget(
            self.max_time,
            getattr(self, "max_resources_total", None),
            n_splits,
            continues=proposal.cost.continues,
        )
        engine = self._run(
            job,
            proposal,
            root,
            budget,
            history,
            refit_metric,
            context=context,
            on_evaluation=on_evaluation,
        )
        task.call_on_fit_task_end(estimator=self)
        evaluations = _rows(engine.evaluations, n_splits)
        if budget.over is None:
            if not evaluations:
                raise ValueError(NO_FITS)
            job.forget_all()
            self._check_n_candidates(len({one.candidate.id for one in evaluations}))
        elif not evaluations:
            raise ValueError(
                f"{budget} was spent before the first candidate was done. Allow for "
                f"more than {n_splits} fits."
            )
        return evaluations, budget

    def _run(
        self,
        job: Job,
        proposal: Proposal,
        root: int,
        budget: Budget,
        history: History | None,
        refit_metric: Any,
        **listeners: Any,
    ) -> Engine:
        """Run the engine; what is done is kept if something ends it too early."""
        # What has been sent to workers cannot be called back when the time is over.
        ahead = self.pre_dispatch if self.max_time is None else "n_jobs"
        strategy, n_splits = proposal.strategy, len(job.splits)
        with Workers(job, self.n_jobs, ahead, budget.has_time) as pool:
            workers: Any = pool
            recorded = None
            if history is not None:
                strategy = history.strategy(strategy)
                recorded = history.workers(pool, raises=self.error_score == "raise")
                workers = recorded
                if self.verbose > 0 and recorded.n_known:
                    print(f"{recorded.n_known} fits are known from {history.path}")

            def may_go_on(decision: Any) -> bool:
                is_timed = recorded is None or not recorded.is_telling
                return budget.allows(decision, engine.evaluations, is_timed=is_timed)

            engine: Engine = self._engine(
                proposal._replace(strategy=strategy),
                workers,
                root,
                n_splits,
                on_stop=job.forget,
                may_go_on=may_go_on,
                **listeners,
            )
            try:
                engine.run()
            except (KeyboardInterrupt, JournalError) as reason:
                # First of all: cleaning up may take long, or be interrupted too.
                n_done = self._keep(_rows(engine.evaluations, n_splits), refit_metric)
                if job.placement is not None:
                    self.leases_ = leases_of(engine.evaluations)
                if isinstance(reason, KeyboardInterrupt):
                    self._say_interrupted(n_done, proposal)
                raise
        return engine

    def _steered_by(self, proposal: Proposal) -> str | None:
        """The metric that `refit` names, where what comes next depends on it."""
        is_fixed = isinstance(proposal.strategy, Listed) and isinstance(
            proposal.schedule, Flat
        )
        return self.refit if isinstance(self.refit, str) and not is_fixed else None

    def _keep(self, evaluations: list[Evaluation], refit_metric: Any) -> int:
        """Set the results of a search that ends too early; returns how many rows."""
        if not evaluations:
            return 0
        outcomes = judge(self._raw(evaluations), self.error_score)
        has_best = any(self._steer(outcome) is not None for outcome in outcomes)
        # Neither a warning nor an error may hide why the search ends.
        with warnings.catch_warnings(), suppress(Exception):
            warnings.simplefilter("ignore")
            for name in _OF_THE_BEST:  # of a `fit` before
                if hasattr(self, name):
                    delattr(self, name)
            refit_metric = self._check_metrics(outcomes[0]["test_scores"], refit_metric)
            self.cv_results_ = format_results(self, evaluations, outcomes)
            self._count(evaluations)
            if has_best:
                self._choose(self.cv_results_, refit_metric)
        return len(evaluations)

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

    def _warn_of_end(self, budget: Budget, n_done: int, proposal: Proposal) -> None:
        rest = "Allow for more to run the rest."
        if self.journal is not None:
            rest = "Allow for more and call fit again: the journal continues."
        warnings.warn(
            f"{budget} was spent after {n_done} of {proposal.n_evaluations} "
            f"evaluations; the best of these is the result. {rest}",
            UserWarning,
            stacklevel=2,
        )

    def _announcement(self, proposal: Proposal) -> str:
        """What `verbose` says before the first fit."""
        n_splits, n_candidates = self.n_splits_, proposal.n_candidates
        return (
            f"Fitting {n_splits} folds for each of {n_candidates} candidates, "
            f"totalling {n_candidates * n_splits} fits"
        )

    def _engine(
        self, proposal: Proposal, workers: Any, root: int, n_splits: int, **kwargs: Any
    ) -> Engine:
        return Engine(
            proposal.strategy,
            proposal.schedule,
            proposal.space,
            workers,
            n_splits=n_splits,
            n_pending=proposal.n_pending,
            root=root,
            steer=self._steer,
            thinking=nullcontext if proposal.space is None else single_threaded(),
            **kwargs,
        )

    def _steer(self, outcome: FitOutcome) -> float | None:
        """Score that steers: the one that `refit` names, else the first metric."""
        scores = outcome["test_scores"]
        if not isinstance(scores, dict):
            return score_of(outcome, "score")
        return score_of(
            outcome, self.refit if self.refit in scores else next(iter(scores))
        )

    def _uses_callbacks(self) -> bool:
        """Whether the search or a part of its estimator has callbacks."""
        get_params = getattr(self.estimator, "get_params", dict)
        parts = [self, self.estimator, *get_params().values()]
        return any(_compat.has_callbacks(part) for part in parts)

    # -- results -------------------------------------------------------------------

    def _raw(self, evaluations: list[Evaluation]) -> list[FitOutcome]:
        """Outcomes of all splits of the first row, of the second, ..."""
        splits = range(self.n_splits_)
        return [one.outcomes[k] for one in evaluations for k in splits]

    def _outcomes(self, evaluations: list[Evaluation]) -> list[FitOutcome]:
        """All outcomes, row by row; raises where every fit failed."""
        raw = self._raw(evaluations)
        _compat.warn_or_raise_about_fit_failures(raw, self.error_score)
        outcomes = judge(raw, self.error_score)
        tracebacks = [o["fit_error"] for o in outcomes if o["fit_error"] is not None]
        hopeless = all(self._steer(outcome) is None for outcome in outcomes)
        if self.refit and tracebacks and hopeless:
            raise ValueError(
                "There is no candidate to refit: every fit failed or scored something "
                "that is not finite. To see all scores, set refit=False. The first "
                f"traceback:\n{tracebacks[0]}"
            )
        return outcomes

    def _check_metrics(self, scores: Any, refit_metric: Any) -> Any:
        self.multimetric_ = isinstance(scores, dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(scores)
            return self.refit
        return refit_metric

    def _choose(self, results: dict[str, Any], refit_metric: Any) -> None:
        if not self.refit and self.multimetric_:
            return
        self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
        self.best_params_ = results["params"][self.best_index_]

    def _refit(
        self,
        X: Any,
        y: Any,
        fit_params: dict[str, Any],
        seed: int,
        callbacks: Any,
        placement: Placement | None,
    ) -> None:
        task = callbacks.subcontext(task_name="refit-with-best-params")
        data = (X, y, fit_params)
        if placement is None:
            self._train_best(*data, seed, task)
            return

        def run(attempt: Attempt) -> FitOutcome:
            # Callbacks are told of the first attempt.
            told = _compat.NoCallbacks() if attempt.is_last else task
            self._train_best(*data, seed, told, attempt)
            return FitOutcome(fit_error=None)

        outcome = run_leased(placement, run)
        candidates = self.cv_results_.get("candidate")
        best = self.best_index_ if candidates is None else candidates[self.best_index_]
        self.leases_ += lease_rows(outcome, candidate=int(best))

    def _train_best(
        self,
        X: Any,
        y: Any,
        fit_params: dict[str, Any],
        seed: int,
        task: Any,
        attempt: Attempt | None = None,
    ) -> None:
        self.best_estimator_ = best = self._best()
        metadata = (
            {"sample_weight": fit_params["sample_weight"]}
            if fit_params.get("sample_weight") is not None
            else None
        )
        try:
            with (
                task.propagate_callback_context(best),
                own_random_states(seed),
                Interrupts() as interrupts,
            ):
                task.call_on_fit_task_begin(estimator=self, X=X, y=y, metadata=metadata)
                start = time.time()
                if attempt is None:
                    self._fit_best(best, X, y, fit_params)
                else:
                    own = OwnDevices(best)
                    write_device(best, attempt.device)
                    attempt.watch(self._fit_best, best, X, y, fit_params)
                    own.restore(best)
                self.refit_time_ = time.time() - start
                interrupts.raise_again()
        except BaseException:
            del self.best_estimator_  # half-trained at best
            raise
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_
        task.call_on_fit_task_end(estimator=self, X=X, y=y, metadata=metadata)

    # -- for scikit-learn's own fit ------------------------------------------------

    def _run_search(
        self, evaluate_candidates: Any, *, callback_ctx: Any = None
    ) -> None:
        """The same search, driven by scikit-learn's `BaseSearchCV.fit`.

        sktune's own `fit` does not come here. Whoever calls scikit-learn's with this
        search gets the same candidates.
        """
        root = self._root()
        proposal = self._propose(root)
        n_splits = _compat.n_splits_of(self, evaluate_candidates)
        workers = ThroughSklearn(self, evaluate_candidates, n_splits, callback_ctx)
        self._engine(proposal, workers, root, n_splits).run()


def _rows(evaluations: list[Evaluation], n_splits: int) -> list[Evaluation]:
    """Those whose splits are in, in the order of a table.

    It is read bracket by bracket; scores may have come in another order.
    """
    return sorted(
        (one for one in evaluations if len(one.outcomes) == n_splits),
        key=lambda one: (one.candidate.bracket, one.iter, one.candidate.id),
    )


def _check_weights(weights: Any, X: Any) -> None:
    """Refuse weights of other rows: they would not be cut with X, and fits fail."""
    if not hasattr(weights, "__len__") or isinstance(weights, str | dict):
        return
    n_weights, n_samples = _compat.num_samples(weights), _compat.num_samples(X)
    if n_weights != n_samples:
        raise ValueError(
            f"sample_weight has {n_weights} weights, and X has {n_samples} rows. Give "
            "one weight for each row."
        )


def as_dicts(param_distributions: Any) -> list[dict[str, Any]]:
    """One dict or several, as a list; empty for anything else."""
    if isinstance(param_distributions, dict):
        return [param_distributions]
    if isinstance(param_distributions, Iterable):
        return [d for d in param_distributions if isinstance(d, dict)]
    return []
