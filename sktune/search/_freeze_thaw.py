"""Search that trains whoever is expected to gain most, slice by slice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from sktune import _compat
from sktune._types import Evaluation, Problem
from sktune.run import AllFailed, Cost, Proposal, refit_metric_names
from sktune.schedule import Rung, SlicePlan, Slices
from sktune.search._fidelity import Fidelity, FidelitySearch
from sktune.search.inputs._data import Data
from sktune.search.inputs._random_draws import n_different
from sktune.search.inputs._warm_start_from import read_warm_start
from sktune.space import Space
from sktune.strategy import Bayes


class FreezeThawSearchCV(FidelitySearch):
    """Search that freezes candidates, and thaws whoever is expected to gain most.

    Candidates are trained in slices. After each slice a surrogate over params and
    resource says of every candidate, paused or new, what it would score with
    `max_resources`, and the next slice is given to the one whose score is expected to
    improve most on the best (freeze-thaw Bayesian optimization [1]_, [2]_). So few
    candidates are trained to the end, and many a little.

    Parameters
    ----------
    estimator : estimator object
        A skorch net, a pipeline that ends in one, or any scikit-learn estimator. It
        needs a ``score`` method, or `scoring` must be given.
    param_distributions : dict or list of dict
        Names of parameters and what they may be: a distribution of ``scipy.stats``, or
        a list. Several dicts are conditional subspaces. No candidate is tried twice.
    n_iter : int, default=20
        The budget: what so many candidates cost that are trained to the end.
    resource : str, default='auto'
        What candidates are given more of:

        - ``'max_epochs'`` or ``'net__max_epochs'``: epochs of a skorch net, which goes
          on exactly where it paused;
        - ``'n_samples'``: rows of the training part, in nested subsets that keep the
          shares of the classes, and whole groups where there are `groups`; the test
          part is always whole;
        - ``'n_estimators'``, ``'max_iter'``: of an estimator that continues by
          ``warm_start``;
        - ``'partial_fit'``, ``'clf__partial_fit'``: passes over the training part;
        - any other integer parameter; each rung then trains from scratch.

        ``'auto'`` is the epochs of the net, and ``'n_samples'`` where there is none.
    max_resources : int or 'auto', default='auto'
        The most that a candidate is given. ``'auto'`` is the value that the parameter
        has in `estimator`, or the number of samples.
    min_resources : {'smallest'} or int, default='smallest'
        What candidates are given at first. ``'smallest'`` is 1, and for ``'n_samples'``
        2 rows for each split and class.
    n_pending : int, default=1
        Candidates that may be in flight at once, after the first ones. More keeps more
        workers busy, and each decision knows less. The result depends on `n_pending`,
        and never on `n_jobs`.
    initial_points : list of dict, default=None
        Candidates to try first.
    warm_start_from : fitted search, dict, DataFrame, path or list, default=None
        Earlier searches to learn from, as of `BayesSearchCV`.
    constraint : callable, default=None
        ``constraint(params) -> bool``; candidates for which it is false are never run.
    checkpoints : str or path-like, default=None
        Folder for the states of paused candidates, of which no more than 100 are kept.
        They are removed when the search ends. None is a temporary folder.
        Where a searched parameter reaches the transformers of a pipeline, a state holds
        the transformed training data too.
        Workers that do not see the folder are sent the states.
    cv : int, cross-validation generator or iterable, default=5
        How to split. Splits are drawn once: each candidate has one net for each split,
        and no net is ever scored on rows that it was trained on.
    scoring : str, callable, list, tuple or dict, default=None
        One metric or several. None uses the estimator's ``score``.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all data, with the largest resource. With
        several metrics the name of the refit metric, which decides who goes on and who
        is best; where none is named, that is the first. A callable takes `cv_results_`
        and returns the index.
    error_score : 'raise' or numeric, default=np.nan
        Score of a split whose fit raised or whose score is not finite. Such a candidate
        is never resumed and never best. 'raise' raises what the fit raised.
    fit_timeout : float, default=None
        Seconds that the training of one candidate on one split may take, at each level
        anew; None is no limit. A fit that takes longer has failed. A net, and whatever
        else calls modules of torch, is ended at its next batch; other estimators cannot
        be ended and run to their own end first. `refit` has no limit.
    fit_memory : int, float or str, default=None
        Memory that one candidate may take on one split, beyond what its process had
        before: bytes, or a string such as "500MB", "2GB" or "1.5GiB"; None is no limit.
        A fit that takes more has failed, and the others have not. A net, and whatever
        else calls modules of torch, is ended at its next batch; memory that is far too
        much at once is refused; a worker process in which neither helps ends. `refit`
        has no limit. See the guide "Workers".
    stacked : bool or "auto", default=False
        Whether nets of one shape are trained as one, in a fraction of the time: the
        splits of a candidate, and candidates that are decided on together. Each is the
        net that it would be by itself, but for rounding. "auto" tries both for a few
        batches of each shape and takes the quicker. What cannot be stacked is trained
        by itself: `paths_` says why. See the guide "Nets trained as one".
    max_stack : int, default=None
        Nets that are trained as one at most. None is a number that follows from the
        size of the data and, on a device, of its memory.
    return_train_score : bool, default=True
        Whether to score on the training part as well.
    keep : "best" or int, default=None
        Whether to keep the estimators that the best candidate, or so many of the best,
        had for each split; they are in `kept_`. None keeps none.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice of candidates, and every fit by candidate and split. None does
        both differently at each call.
    n_jobs : int, default=None
        Fits that run at the same time. None is 1 unless in a
        ``joblib.parallel_config``; -1 is one for each processor.
    devices : str, torch.device, list or dict, default=None
        Where fits run: "auto" for every GPU that is there, a device such as "cuda:1", a
        list of devices, or a dict of devices and the number of fits that may share
        each. Every fit waits for a device and has it written to its nets. None leaves
        the estimator's own. See :doc:`/guides/devices`.
    fits_per_device : int or "auto", default=1
        Fits that may share one device at a time; "auto" measures how many its memory
        has room for. Fits beyond that wait.
    verbose : int, default=0
        1 shows a bar with the best so far and the time left, or prints lines where
        nobody looks on; 2 and above print what scikit-learn prints of each fit. What
        nets print of their training is printed in the refit only.
    journal : str or path-like, default=None
        File that gets a line for every fit as it ends. If it is there already, the
        search continues where it was ended, by whatever: no fit in it is run again,
        nets go on where they paused, and the result is that of a search that was never
        interrupted. See the guide "A search that cannot be lost".
    max_time : float, default=None
        Seconds after which no further fit is started. The best so far is the result
        then, refitted, with a warning; fits that are running are waited for. None is no
        limit.
    max_resources_total : int, default=None
        Most resources that all fits on all splits may spend together, without the
        refit, beside what `n_iter` allows for; ``plan().total_resources`` is that.
        Where the next slice would exceed it, the search ends as with `max_time`. None
        is no limit.
    listeners : sequence of Listener, default=None
        What is told of every fit as its candidate is done, in this process: trackers of
        :mod:`sktune.listeners` (TensorBoard, MLflow, Weights & Biases), or objects of
        your own. One that raises is warned of and told no more; the search goes on.
        See the guide "Tracking".

    Attributes
    ----------
    cv_results_ : dict of numpy (masked) ndarrays
        As of ``RandomizedSearchCV``, with one row for each candidate and level, and the
        columns ``iter`` (the level), ``n_resources``, ``bracket`` and ``candidate``.
        Rows with more resources rank before rows with fewer.
    best_estimator_ : estimator
        The best candidate, fitted on all data with the largest resource. Not there if
        ``refit=False``.
    best_score_ : float
        Mean score of the best candidate over the splits, at the most that any got.
    best_params_ : dict
        Without the resource.
    best_index_ : int
        Row of the best candidate: among the largest resource reached, the earlier one
        of equals.
    resource_ : str
        Name of the resource.
    continuation_ : str
        How candidates were given more: ``'epochs'``, ``'warm_start'`` or
        ``'partial_fit'`` where they went on; ``'n_samples'`` or ``'from_scratch'``
        where they were trained anew at each level.
    min_resources_, max_resources_ : int
    n_resources_, n_candidates_ : list of int
        Levels at which candidates pause, and how many came there.
    scorer_ : function or dict
    n_splits_ : int
    refit_time_ : float
        Seconds that fitting the best candidate took.
    leases_ : list of dict
        With `devices`, what ran where: `candidate` and `split` (None for the refit),
        `n_resources`, `device`, `slot`, `start` and `end` in seconds since the epoch,
        `host`, `pid`, and `out_of_memory` where a fit was tried again alone.
    paths_ : list of dict
        With nets, how each was trained: `candidate` and `split` (None for the refit),
        `n_resources`, `batches` ("arrays" where they were cut at once, else "rows" and
        why), `stacked` (nets that were trained as one, at most) and `reason` (why it
        was trained by itself, where it might not have been).
    curves_ : list of dict
        With nets, their learning curves: `candidate`, `split`, `n_resources`, `epochs`,
        `scores` after each of these (greater is better), `on` ("train_split", the net's
        own validation part, or "test", the test part of the split) and `stopped`
        (whether a rule has ended the training). See
        :func:`sktune.inspection.learning_curves`.
    kept_ : list of KeptCandidate
        With `keep`, the best candidates that were run on all splits, best first:
        `candidate`, `params`, `score`, `estimators` (fitted on the training part of
        each split) and ``out_of_fold(X)``, their predictions for the rows that each was
        not trained on.
    provenance_ : dict
        What it takes to train a candidate again: the `root` of the seeds, a fingerprint
        of the `splits`, `versions`, `hardware` and `threads`. See
        :func:`sktune.inspection.reproduce`.
    pareto_front_ : ndarray of int
        With several metrics, the rows of `cv_results_` than which no other is better in
        one metric without being worse in another, the best in the first metric first.
        See :func:`sktune.inspection.pareto_front`.
    multimetric_ : bool
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)

    See Also
    --------
    HyperbandSearchCV : Rungs that are fixed beforehand.
    BayesSearchCV : Every candidate is trained to the end.

    Notes
    -----
    It begins with up to 27 candidates that are spread evenly, of which a third goes on
    at each rung of a halving, one to the end. Candidates then pause at levels that grow
    by a factor of about 1.7, or of 3 where nothing continues. Of more than 100 paused
    candidates the state of the least promising one is removed; if it is wanted again,
    it is trained anew, to the same state, and pays for that.

    References
    ----------
    .. [1] K. Swersky, J. Snoek and R. P. Adams, "Freeze-thaw Bayesian optimization",
       arXiv:1406.3896, 2014.
    .. [2] H. Rakotoarison, S. Adriaensen, N. Mallik, S. Garibov, E. Bergman and
       F. Hutter, "In-context freeze-thaw Bayesian optimization for hyperparameter
       optimization", ICML 2024.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sktune import FreezeThawSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = FreezeThawSearchCV(
    ...     SGDClassifier(random_state=0), {"alpha": loguniform(1e-5, 1.0)},
    ...     n_iter=5, resource="partial_fit", max_resources=9, random_state=0,
    ... )
    >>> print(search.plan())
    at first    3 candidates to 1 partial_fit
    of these    1 candidates to 3 partial_fit
    of these    1 candidates to 9 partial_fit
    then whoever is expected to gain most, to the next of 1, 2, 3, 6, 9
    5 full candidates x 5 splits, continued from level to level: 225 partial_fit at most
    >>> search.fit(X, y).continuation_
    'partial_fit'
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **{
            name: allowed
            for name, allowed in FidelitySearch._parameter_constraints.items()
            if name not in ("factor", "strategy", "asynchronous", "min_splits")
        },
        "n_iter": [_compat.Interval(Integral, 1, None, closed="left")],
        "min_resources": [
            _compat.Interval(Integral, 1, None, closed="left"),
            _compat.StrOptions({"smallest"}),
        ],
        "n_pending": [_compat.Interval(Integral, 1, None, closed="left")],
        "initial_points": [list, tuple, None],
        "warm_start_from": "no_validation",  # where it is read, with a better message
    }

    _shared: ClassVar[tuple[str, ...]] = (*FidelitySearch._shared, "warm_start_from")

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 20,
        resource: str = "auto",
        max_resources: int | str = "auto",
        min_resources: int | str = "smallest",
        n_pending: int = 1,
        initial_points: Sequence[dict[str, Any]] | None = None,
        warm_start_from: Any = None,
        constraint: Callable[[dict[str, Any]], bool] | None = None,
        checkpoints: Any = None,
        cv: Any = 5,
        scoring: Any = None,
        refit: Any = True,
        error_score: float | str = np.nan,
        fit_timeout: float | None = None,
        fit_memory: float | str | None = None,
        stacked: bool | str = False,
        max_stack: int | None = None,
        return_train_score: bool = True,
        keep: str | int | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        devices: Any = None,
        fits_per_device: int | str = 1,
        verbose: int = 0,
        journal: Any = None,
        max_time: float | None = None,
        max_resources_total: int | None = None,
        listeners: Any = None,
    ) -> None:
        super().__init__(
            estimator,
            param_distributions,
            factor=3,
            resource=resource,
            max_resources=max_resources,
            min_resources=min_resources,
            min_splits=None,
            strategy="bayes",
            asynchronous=False,
            n_pending=n_pending,
            constraint=constraint,
            checkpoints=checkpoints,
            cv=cv,
            scoring=scoring,
            refit=refit,
            error_score=error_score,
            fit_timeout=fit_timeout,
            fit_memory=fit_memory,
            stacked=stacked,
            max_stack=max_stack,
            return_train_score=return_train_score,
            keep=keep,
            random_state=random_state,
            n_jobs=n_jobs,
            devices=devices,
            fits_per_device=fits_per_device,
            verbose=verbose,
            journal=journal,
            max_time=max_time,
            max_resources_total=max_resources_total,
            listeners=listeners,
        )
        self.n_iter = n_iter
        self.initial_points = initial_points
        self.warm_start_from = warm_start_from

    def _slices(self, fidelity: Fidelity) -> Slices:
        return Slices.within(
            fidelity.min_resources,
            fidelity.max_resources,
            self.n_iter,
            most_first=n_different(self.param_distributions, self.constraint),
            continues=fidelity.resource.continues,
            n_pending=self.n_pending or 1,
        )

    def _rungs(self, fidelity: Fidelity) -> tuple[Rung, ...]:
        return self._slices(fidelity).rungs

    def _set_rungs(self, rungs: tuple[Rung, ...]) -> None:
        raise NotImplementedError  # there are levels, see `_propose`

    def _planned(self, fidelity: Fidelity, n_splits: int) -> SlicePlan:
        resource = fidelity.resource
        return SlicePlan(self._slices(fidelity), self.n_iter, resource.name, n_splits)

    def _propose(self, data: Data, root: int) -> Proposal:
        fidelity = self._fidelity_of(data)
        resource, schedule = fidelity.resource, self._slices(fidelity)
        space = Space(self.param_distributions, self.constraint)
        strategy = Bayes(
            surrogate="curves",
            initial_points=tuple(map(space.canonical, self.initial_points or ())),
        )
        warm_start = read_warm_start(
            self.warm_start_from,
            space,
            self.estimator,
            refit_metric_names(self.scoring, self.refit),
            verbose=self.verbose,
        )
        self.n_resources_ = list(schedule.levels)
        likely = schedule.likely_rungs()
        cost = Cost(likely, resource.continues, True, schedule.budget)
        return Proposal(
            strategy,
            schedule,
            Problem(space, None, resource.max_resources, data.n_splits, warm_start),
            None,  # how many slices there will be is not known
            None,
            cost,
            AllFailed(schedule.rungs_of_levels(), resource.name),
            resource,
        )

    def _announcement(self, proposal: Proposal) -> str:
        schedule: Any = proposal.schedule
        assert proposal.resource is not None
        plan = SlicePlan(schedule, self.n_iter, proposal.resource.name, self.n_splits_)
        return f"{plan.summary}. `print(search.plan(X, y))` shows more"

    def _count(self, rows: list[Evaluation]) -> None:
        reached = Counter(one.iter for one in rows)
        self.n_candidates_ = [reached[i] for i in range(len(self.n_resources_))]
